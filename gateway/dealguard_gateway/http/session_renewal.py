"""The tokens of a session, renewed on the way: a request that comes shortly before its token ends gets a new one.

The request goes on as if the browser had sent the new cookie, and the answer brings it. Requests that come at the same
time share one renewal on a replica. Another replica may renew too; an issuer that takes each refresh token only once
refuses the later one, which is then no harm: its request goes on with the old token, which still lives for a while.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dealguard_gateway.access.oidc import Oidc
from dealguard_gateway.access.sessions import SessionCredentials, Sessions
from dealguard_gateway.problems import Problem

log = logging.getLogger(__name__)

# Renewals whose result is remembered, for requests that were under way with the old cookie.
_MAX_REMEMBERED = 2_000
# An issuer that is away would make every request wait.
_RETRY_SECONDS = 5.0


@dataclass(frozen=True)
class _Renewal:
    session: SessionCredentials
    task: "asyncio.Task[SessionCredentials | None]"
    begun_at: float

    @property
    def result(self) -> SessionCredentials | None:
        """What it has led to; None: nothing, or it is under way."""
        return self.task.result() if self.task.done() and not self.task.cancelled() else None


class SessionRenewal:
    """Middleware: renews sessions whose token is about to end.

    Args:
        app: what answers.
        sessions: reads and makes the cookies.
        oidc: the issuer of the tokens.
        retry_seconds: after a renewal that failed; meanwhile requests go on with the old token at once.
    """

    def __init__(self, app: ASGIApp, *, sessions: Sessions, oidc: Oidc, retry_seconds: float = _RETRY_SECONDS) -> None:
        self._app = app
        self._sessions = sessions
        self._oidc = oidc
        self._retry_seconds = retry_seconds
        self._renewals: OrderedDict[bytes, _Renewal] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        renewed = None
        # Who sends a token means that one; who logs out or in needs no other.
        if "authorization" not in headers and not scope.get("path", "").startswith("/session/"):
            session = self._sessions.any_session(headers)
            if session is not None and self._oidc.needs_renewal(session):
                renewed = await self._renewed(session)
        if renewed is None:
            await self._app(scope, receive, send)
        else:
            await self._serve_renewed(renewed, headers, scope, receive, send)

    async def _serve_renewed(
        self, session: SessionCredentials, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        cookies = self._sessions.login(session, headers)
        own = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        cookie = self._sessions.cookie_header(session)

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                # A logout on the way must not be undone.
                if "set-cookie" not in answer:
                    for value in cookies:
                        answer.append("set-cookie", value)
            await send(message)

        # In place: what becomes of the scope on the way, its route, is looked at on the way back.
        scope["headers"] = [*own, (b"cookie", cookie.encode())]
        await self._app(scope, receive, send_with_cookies)

    async def _renewed(self, session: SessionCredentials) -> SessionCredentials | None:
        renewal = self._renewal_of(session)
        # Shielded: the one who asked first may hang up while others wait for the same token.
        renewed = await asyncio.shield(renewal.task)
        return renewed or (renewal.session if renewal.session is not session else None)

    def _renewal_of(self, session: SessionCredentials) -> _Renewal:
        """The latest renewal of a session, begun now if it is time.

        A cookie may be older than others of its session: what it was renewed to may be about to end by now, too.
        """
        latest, renewal = session, self._renewals.get(_key_of(session))
        while renewal is not None and renewal.task.done() and monotonic() - renewal.begun_at >= self._retry_seconds:
            renewed = renewal.result
            if renewed is not None and not self._oidc.needs_renewal(renewed):
                break
            if renewed is None or not _lives_longer(renewed, renewal.session):
                latest, renewal = renewal.session, None
            else:
                latest, renewal = renewed, self._renewals.get(_key_of(renewed))
        if renewal is None:
            renewal = _Renewal(latest, asyncio.ensure_future(self._renew(latest)), monotonic())
        for key in (_key_of(latest), _key_of(session)):
            self._renewals[key] = renewal
        while len(self._renewals) > _MAX_REMEMBERED:
            self._renewals.popitem(last=False)
        return renewal

    async def _renew(self, session: SessionCredentials) -> SessionCredentials | None:
        try:
            return await self._oidc.renew(session)
        except Problem as problem:
            log.warning("A session was not renewed: %s", problem.word)
            return None


def _key_of(session: SessionCredentials) -> bytes:
    """What a renewal is remembered by: many issuers give the same refresh token again, so it alone is not enough."""
    content = session.model_dump_json(include={"username", "token", "token_expires_at", "refresh_token"})
    return hashlib.blake2b(content.encode(), digest_size=16).digest()


def _lives_longer(renewed: SessionCredentials, session: SessionCredentials) -> bool:
    return (renewed.token_expires_at or 0.0) > (session.token_expires_at or 0.0)
