"""Who calls, as the API server knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Caller:
    """A user that the API server has recognised.

    Args:
        username: as it appears in RBAC and in `spec.submittedBy`.
        groups: of the user, from the same review.
        extra: of the user, from the same review.
        credentials: headers of a request to the API server that make it the caller's: `Authorization: Bearer …` with
            their own token, or the gateway's token and `Impersonate-*`. Never logged.
        by_cookie: whether a browser sent them along by itself: unsafe methods then need the proof of origin.
    """

    username: str
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    by_cookie: bool = False

    @property
    def own_namespace(self) -> str | None:
        """The namespace of a service account; None for people."""
        parts = self.username.split(":")
        return parts[2] if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] else None


class Access(Protocol):
    """What routes ask before they do anything. Answers are kept for some seconds."""

    async def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who sent a request with these headers (names in lower case): by bearer token, else by session cookie.

        Raises:
            UnauthenticatedProblem: nobody, or the cluster does not accept them.
            UnavailableProblem: the API server does not answer.
        """
        ...

    async def may(self, caller: Caller, verb: str, namespace: str, name: str = "") -> bool:
        """Whether RBAC lets the caller do `verb` (get, list, watch, create, patch, delete) to analyses there.

        Raises:
            UnavailableProblem: the API server does not answer.
        """
        ...
