"""The gateway's settings, and that each is documented."""

import re
from pathlib import Path

from dealguard_gateway.settings import GatewaySettings
from tests.unit.gateway_settings import KEY, settings

REFERENCE = Path(__file__).resolve().parent.parent.parent / "docs" / "gateway.md"


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"^\| `DEALGUARD_([A-Z0-9_]+)` \|", REFERENCE.read_text(), re.MULTILINE))
    assert documented == {field.upper() for field in GatewaySettings.model_fields}


def test_defaults_open_no_door() -> None:
    chosen = settings(SESSION_KEYS="")
    assert not chosen.token_login
    assert not chosen.insecure_cookies
    assert chosen.allowed_origins == chosen.trusted_proxies == chosen.session_keys == ()
    assert chosen.oidc_mode == "cluster"


def test_secrets_show_in_no_representation() -> None:
    shown = repr(settings(OIDC_CLIENT_SECRET="the-client-secret"))
    for secret in ("the-secret-key", "the-client-secret", KEY):
        assert secret not in shown


def test_lists_are_separated_by_commas_or_blanks() -> None:
    chosen = settings(NAMESPACES="acme, umbrella", TRUSTED_PROXIES="10.0.0.0/8 192.0.2.1,2001:db8::/32")
    assert chosen.namespaces == ("acme", "umbrella")
    assert chosen.trusted_proxies == ("10.0.0.0/8", "192.0.2.1", "2001:db8::/32")
