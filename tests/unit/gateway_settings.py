"""Settings of a gateway, for the tests."""

from dealguard_gateway.settings import GatewaySettings

KEY = "a2V5LW9mLXRoaXJ0eS10d28tYnl0ZXMtZm9yLXRlc3Q="
ENVIRONMENT = {
    "DEALGUARD_S3_ENDPOINT": "http://127.0.0.1:9000",
    "DEALGUARD_S3_ACCESS_KEY": "access",
    "DEALGUARD_S3_SECRET_KEY": "the-secret-key",
    "DEALGUARD_S3_BUCKET": "dealguard",
    "DEALGUARD_SESSION_KEYS": KEY,
}


def settings(**more: str) -> GatewaySettings:
    """The settings of an environment, with `more` variables (without their prefix)."""
    return GatewaySettings.from_environment(
        {**ENVIRONMENT, **{f"DEALGUARD_{name}": value for name, value in more.items()}}
    )
