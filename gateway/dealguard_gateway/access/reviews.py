"""Who a caller is and what they may, as the API server says: TokenReview and SubjectAccessReview, kept for seconds.

A token is known here by its digest alone. While the API server is away, what it last allowed stays allowed for reads,
for a minute; everything else waits for it.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from dealguard_api import names
from dealguard_api.untrusted import mapping_in, text_in
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.access.impersonation import caller_as
from dealguard_gateway.access.oidc import Oidc
from dealguard_gateway.access.sessions import Sessions, session_expired
from dealguard_gateway.kubernetes.api import KubernetesApi, RawObject
from dealguard_gateway.kubernetes.errors import ApiError
from dealguard_gateway.metrics import Metrics
from dealguard_gateway.problems import UnauthenticatedProblem, UnavailableProblem

# A refusal is looked at again soon: the right, or the token, may have been given a moment ago.
_REFUSAL_SECONDS = 2.0
# How long what was allowed stays allowed for reads while the API server does not answer.
_GRACE_SECONDS = 60.0
# After a question without an answer, others are answered from memory for that long before it is asked again.
_PAUSE_SECONDS = 1.0
_REVIEW_TIMEOUT_SECONDS = 4.0
_MAX_USERS, _MAX_RIGHTS = 20_000, 100_000
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_READS = frozenset({"get", "list", "watch"})

KeyT = TypeVar("KeyT", bound=Hashable)
AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class _User:
    """Whom a token belongs to."""

    username: str
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]]


@dataclass
class _Kept(Generic[AnswerT]):
    answer: AnswerT
    asked_at: float
    fresh_until: float
    paused_until: float = 0.0


class _Answers(Generic[KeyT, AnswerT]):
    """Answers of the API server by question: kept, bounded, each question under way once."""

    def __init__(self, *, kept_seconds: float, max_entries: int, clock: Callable[[], float]) -> None:
        self._kept_seconds = kept_seconds
        self._max_entries = max_entries
        self._clock = clock
        self._kept: dict[KeyT, _Kept[AnswerT]] = {}
        self._asking: dict[KeyT, asyncio.Task[AnswerT]] = {}

    def fresh(self, key: KeyT) -> AnswerT | None:
        """The answer that is kept and need not be asked for again; None: there is none, or it is none itself."""
        kept = self._kept.get(key)
        return kept.answer if kept is not None and self._clock() < kept.fresh_until else None

    async def get(self, key: KeyT, ask: Callable[[], Awaitable[AnswerT]], *, has_grace: bool) -> AnswerT:
        """The answer that is kept, else a new one.

        Raises:
            UnavailableProblem: there is none, and the API server does not answer.
        """
        kept, now = self._kept.get(key), self._clock()
        if kept is not None and now < kept.fresh_until:
            return kept.answer
        # Only what was allowed has grace: a refusal kept longer would lock out whom the API server knows by now.
        may_do = has_grace and kept is not None and bool(kept.answer) and now - kept.asked_at < _GRACE_SECONDS
        if kept is not None and may_do and now < kept.paused_until:
            return kept.answer
        try:
            # Shielded: the one who asked first may hang up while others wait for the same answer.
            return await asyncio.shield(self._asking.get(key) or self._begin(key, ask))
        except UnavailableProblem:
            if kept is None or not may_do:
                raise
            kept.paused_until = self._clock() + _PAUSE_SECONDS
            return kept.answer

    def _begin(self, key: KeyT, ask: Callable[[], Awaitable[AnswerT]]) -> asyncio.Task[AnswerT]:
        task = asyncio.ensure_future(self._ask(key, ask))
        self._asking[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: KeyT, task: asyncio.Task[AnswerT]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # seen: all who asked may have gone

    async def _ask(self, key: KeyT, ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        asked_at = self._clock()
        answer = await ask()
        seconds = self._kept_seconds if answer else min(self._kept_seconds, _REFUSAL_SECONDS)
        self._kept.pop(key, None)  # to the end: the first ones are those longest unused
        self._kept[key] = _Kept(answer, asked_at, asked_at + seconds)
        while len(self._kept) > self._max_entries:
            del self._kept[next(iter(self._kept))]
        return answer


class Reviews:
    """`Access`, decided by the API server.

    Args:
        kubernetes: asked with the gateway's own credentials, which may create both kinds of review.
        sessions: which credentials a browser's cookie stands for.
        issuer: whose tokens the gateway judges by itself, in the mode `impersonate`; None: the API server judges all.
        cache_seconds: how long an answer is kept.
        metrics: where questions are counted.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        kubernetes: KubernetesApi,
        sessions: Sessions,
        *,
        issuer: Oidc | None = None,
        cache_seconds: float,
        metrics: Metrics,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._kubernetes = kubernetes
        self._sessions = sessions
        self._issuer = issuer
        self._metrics = metrics
        self._users: _Answers[bytes, _User | None] = _Answers(
            kept_seconds=cache_seconds, max_entries=_MAX_USERS, clock=clock
        )
        self._rights: _Answers[Hashable, bool] = _Answers(
            kept_seconds=cache_seconds, max_entries=_MAX_RIGHTS, clock=clock
        )

    async def caller(self, headers: Mapping[str, str]) -> Caller:
        """See `Access.caller`."""
        authorization = headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise _rejected()
            return await self._caller_with_bearer(token.strip())
        session = self._sessions.credentials_from_cookies(headers)
        if session is None:
            raise UnauthenticatedProblem(
                "not-logged-in", "This needs a login. Log in, or send a bearer token of the cluster."
            )
        if session.token is not None:
            try:
                return await self.caller_with_token(session.token, by_cookie=True)
            except UnauthenticatedProblem:
                raise session_expired() from None  # revoked, or its account is gone
        caller = session.caller
        if caller is None:
            raise _rejected()
        return caller

    async def _caller_with_bearer(self, token: str) -> Caller:
        # In the mode `impersonate` the API server does not know the issuer's tokens: the gateway judges them itself.
        if self._issuer is not None and self._issuer.issued(token):
            return caller_as(await self._issuer.identity(token), by_cookie=False)
        return await self.caller_with_token(token)

    async def caller_with_token(self, token: str, *, by_cookie: bool = False) -> Caller:
        """Whom a token of the cluster belongs to.

        Raises:
            UnauthenticatedProblem: the cluster does not accept it.
            UnavailableProblem: the API server does not answer.
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        user = self._users.fresh(digest)
        if user is None:
            if not _TOKEN.fullmatch(token):
                raise _rejected()
            user = await self._users.get(digest, lambda: self._review_token(token), has_grace=True)
            if user is None:
                raise _rejected()
        return Caller(user.username, user.groups, user.extra, {"Authorization": f"Bearer {token}"}, by_cookie)

    async def may(self, caller: Caller, verb: str, namespace: str, name: str = "") -> bool:
        """See `Access.may`. An empty namespace asks for all of them.

        Who may do it to all analyses of the namespace may do it to each, so one answer serves a whole list of them.
        """
        return await self._may(caller, verb, namespace, "") or (
            bool(name) and await self._may(caller, verb, namespace, name)
        )

    async def _may(self, caller: Caller, verb: str, namespace: str, name: str) -> bool:
        extra = tuple(sorted(caller.extra.items()))
        key = (caller.username, caller.groups, extra, verb, namespace, name)
        return self._rights.fresh(key) or await self._rights.get(
            key, lambda: self._review_right(caller, verb, namespace, name), has_grace=verb in _READS
        )

    async def _review_token(self, token: str) -> _User | None:
        review = await self._review(
            "token", "authentication.k8s.io/v1", "TokenReview", "tokenreviews", {"token": token}
        )
        status = mapping_in(review, "status")
        user = mapping_in(status, "user")
        username = text_in(user, "username")
        if status.get("authenticated") is not True or not username:
            return None
        extra = mapping_in(user, "extra")
        return _User(username, tuple(user.get("groups") or ()), {key: tuple(extra[key] or ()) for key in extra})

    async def _review_right(self, caller: Caller, verb: str, namespace: str, name: str) -> bool:
        attributes = {
            "group": names.GROUP,
            "version": names.VERSION,
            "resource": names.PLURAL,
            "verb": verb,
            "namespace": namespace,
            "name": name,
        }
        spec: RawObject = {
            "user": caller.username,
            "groups": list(caller.groups),
            "extra": {key: list(values) for key, values in caller.extra.items()},
            "resourceAttributes": attributes,
        }
        review = await self._review(
            "right", "authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", spec
        )
        return mapping_in(review, "status").get("allowed") is True

    async def _review(self, what: str, api_version: str, kind: str, plural: str, spec: Any) -> RawObject:
        began_at = monotonic()
        try:
            return await self._kubernetes.request(
                "POST",
                f"/apis/{api_version}/{plural}",
                credentials=None,
                body={"apiVersion": api_version, "kind": kind, "spec": spec},
                timeout_seconds=_REVIEW_TIMEOUT_SECONDS,
            )
        except ApiError as error:
            # Whatever it says, it is about the gateway's own account, and not about the caller.
            raise UnavailableProblem(
                "access-unknown",
                "The cluster does not say at the moment who you are or what you may. Repeat the request a little "
                "later.",
                retry_after_seconds=error.retry_after_seconds or 3,
            ) from error
        finally:
            self._metrics.reviewed(what, monotonic() - began_at)


def _rejected() -> UnauthenticatedProblem:
    return UnauthenticatedProblem(
        "credentials-rejected", "The cluster does not accept these credentials (any more). Log in again."
    )
