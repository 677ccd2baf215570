"""What a token says about itself, before anybody has verified it: good for choosing who verifies, never for trust."""

import base64
import json
from typing import Any

# A year that datetime still knows.
_LAST_SECOND = 1e11


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims of a JSON Web Token; empty where it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def unverified_expiry(token: str) -> float | None:
    """When a token ends, seconds since 1970; None where it does not say."""
    expiry = unverified_claims(token).get("exp")
    if not isinstance(expiry, int | float) or isinstance(expiry, bool):
        return None
    return float(expiry) if 0 < expiry < _LAST_SECOND else None
