"""Acting as a user whom the gateway, not the API server, has recognised: the opt-in mode `impersonate`.

The API server then believes the gateway's word on who somebody is, so names of the cluster's own (`system:…`) are never
passed on: no issuer of identities can make a person its administrator or one of its service accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDict

from dealguard_gateway.access.callers import Caller
from dealguard_gateway.problems import ForbiddenProblem
from dealguard_gateway.settings import GatewaySettings

IMPERSONATE_USER = "Impersonate-User"
_IMPERSONATE_GROUP = "Impersonate-Group"
# What the API server adds by itself to everybody it knows, so that its reviews must be asked with it.
_AUTHENTICATED = "system:authenticated"
_RESERVED_PREFIX = "system:"
# RFC 7230 has no limit; servers do. A user with more groups than that keeps the first ones.
_MAX_GROUPS = 200


@dataclass(frozen=True)
class Identity:
    """A user as RBAC names them, prefixes included."""

    username: str
    groups: tuple[str, ...] = ()


def identity_of(claims: Mapping[str, Any], settings: GatewaySettings) -> Identity:
    """Who the claims of a valid token are, by the settings' claims and prefixes.

    Raises:
        ForbiddenProblem: the token names nobody, or somebody whom no issuer may name.
    """
    name = claims.get(settings.oidc_username_claim)
    if not isinstance(name, str) or not name:
        raise ForbiddenProblem(
            "identity-unusable",
            f"Your identity has no {settings.oidc_username_claim!r}. Ask the administrator of your login to add it, or "
            "the one of DealGuard to choose another claim.",
        )
    if settings.oidc_username_claim == "email" and claims.get("email_verified", True) is not True:
        raise ForbiddenProblem(
            "identity-unusable", "Your e-mail address is not verified. Verify it where you log in, then come back."
        )
    username = settings.oidc_username_prefix + name
    if not _is_usable(username):
        raise ForbiddenProblem(
            "identity-unusable", "Your name is one of the cluster's own, or not a name. Log in as somebody else."
        )
    groups = claims.get(settings.oidc_groups_claim)
    named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    prefixed = (settings.oidc_groups_prefix + group for group in named if isinstance(group, str) and group)
    return Identity(username, tuple(group for group in prefixed if _is_usable(group))[:_MAX_GROUPS])


def caller_as(identity: Identity, *, by_cookie: bool) -> Caller:
    """The caller whose requests are made with the gateway's account, in the user's name.

    `KubernetesApi` adds the gateway's own token to credentials that impersonate.

    Raises:
        ForbiddenProblem: the name is not one to act as.
    """
    if not _is_usable(identity.username):
        raise ForbiddenProblem("identity-unusable", "Your name is one of the cluster's own. Log in as somebody else.")
    groups = tuple(group for group in identity.groups if _is_usable(group))
    headers = CIMultiDict([(IMPERSONATE_USER, identity.username)])
    for group in groups:
        headers.add(_IMPERSONATE_GROUP, group)
    return Caller(
        username=identity.username, groups=(*groups, _AUTHENTICATED), credentials=headers, by_cookie=by_cookie
    )


def _is_usable(name: str) -> bool:
    # Line breaks would end a header; spaces at its ends would not arrive.
    is_sendable = name.isprintable() and name == name.strip()
    return bool(name) and is_sendable and not name.lower().startswith(_RESERVED_PREFIX)
