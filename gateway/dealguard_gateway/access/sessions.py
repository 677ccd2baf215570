"""Sessions of browsers: an encrypted cookie is all there is of them, so that every replica knows every session.

The cookie holds the credentials themselves. Nothing on the server can end a session early: logging out removes the
cookie, a lifetime ends it, and the cluster's own word on the token, asked every few seconds, ends it at once.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeVar

import pydantic
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import cookie_parser

from dealguard_gateway.access.callers import Caller
from dealguard_gateway.access.impersonation import Identity, caller_as
from dealguard_gateway.problems import InvalidProblem, UnauthenticatedProblem
from dealguard_gateway.settings import GatewaySettings

# Browsers keep cookies of up to 4,096 bytes, name and attributes included.
_MAX_CHUNK_CHARACTERS = 3800
# More than that no proxy lets through: common ones take 16 to 32 KB of headers.
_MAX_CHUNKS = 4
# As they are written: anybody can send a cookie, so nothing else is taken for a number.
_CHUNK_COUNTS = frozenset(str(count) for count in range(1, _MAX_CHUNKS + 1))
# How long a person may take at the issuer of identities.
_LOGIN_SECONDS = 600
# Opened sessions that are remembered, so that a client which polls is not decrypted each time. About 3 KB each.
_MAX_REMEMBERED = 5_000

_Sealed = TypeVar("_Sealed", "SessionCredentials", "LoginState")


class SessionCredentials(BaseModel):
    """What a session's cookie holds. Times are seconds since 1970."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    purpose: Literal["session"] = "session"
    username: str
    # What the API server is sent; None where the gateway acts in the user's name (`impersonate`).
    token: str | None = Field(default=None, repr=False)
    groups: tuple[str, ...] = ()
    token_expires_at: float | None = None
    refresh_token: str | None = Field(default=None, repr=False)
    # The end of the session, however often its token is renewed.
    expires_at: float

    @property
    def caller(self) -> Caller | None:
        """In whose name the gateway acts; None where there is a token, which the API server is to judge.

        Raises:
            ForbiddenProblem: the name is not one to act as.
        """
        return None if self.token is not None else caller_as(Identity(self.username, self.groups), by_cookie=True)

    @property
    def ends_at(self) -> datetime:
        """When the person has to log in again, as far as it is known now."""
        is_renewed = self.refresh_token is not None or self.token_expires_at is None
        ends_at = self.expires_at if is_renewed else min(self.expires_at, self.token_expires_at or self.expires_at)
        return datetime.fromtimestamp(ends_at, UTC)


class LoginState(BaseModel):
    """What has to be remembered while a person is at the issuer of identities."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    purpose: Literal["login"] = "login"
    state: str = Field(repr=False)
    nonce: str = Field(repr=False)
    verifier: str = Field(repr=False)
    next: str
    expires_at: float


class Sessions:
    """Makes and reads the cookies.

    Args:
        settings: the keys, the lifetime, whether there is TLS.
        clock: seconds since 1970.
    """

    def __init__(self, settings: GatewaySettings, *, clock: Callable[[], float] = time.time) -> None:
        keys = [Fernet(key.get_secret_value()) for key in settings.session_keys]
        self._cipher = MultiFernet(keys) if keys else None
        self._lifetime_seconds = settings.session_hours * 3600
        self._is_secure = not settings.insecure_cookies
        self._clock = clock
        self._opened: OrderedDict[bytes, SessionCredentials] = OrderedDict()
        self.cookie = cookie_name(settings)

    def credentials_from_cookies(self, headers: Mapping[str, str]) -> SessionCredentials | None:
        """The session of a request with these headers (names in lower case).

        None: there is none, or none that one of the keys has sealed.

        Raises:
            UnauthenticatedProblem: `session-expired`: there was one.
        """
        session = self.any_session(headers)
        if session is None:
            return None
        if self._clock() >= min(session.expires_at, session.token_expires_at or session.expires_at):
            raise session_expired()
        return session

    def any_session(self, headers: Mapping[str, str]) -> SessionCredentials | None:
        """The session of a request, even if it or its token has ended."""
        header = headers.get("cookie", "")
        if self._cipher is None or self.cookie not in header:
            return None
        digest = hashlib.blake2b(header.encode(), digest_size=16).digest()
        session = self._opened.get(digest)
        if session is None:
            session = self._open(self._joined(header), SessionCredentials)
            if session is None:
                return None
            self._opened[digest] = session
            if len(self._opened) > _MAX_REMEMBERED:
                self._opened.popitem(last=False)
        else:
            self._opened.move_to_end(digest)
        return session

    def new_expiry(self) -> float:
        """When a session that begins now ends at the latest."""
        return self._clock() + self._lifetime_seconds

    def login(self, session: SessionCredentials, headers: Mapping[str, str]) -> tuple[str, ...]:
        """The `Set-Cookie` headers that begin or renew a session, where the request came with `headers`.

        Raises:
            InvalidProblem: the credentials are too large for cookies.
        """
        chunks = self._chunks(session)
        seconds = max(int(session.expires_at - self._clock()), 1)
        named = {self._chunk_name(number): chunk for number, chunk in enumerate(chunks)}
        # What an earlier, larger session has left.
        stale = [name for name in self._present(headers) if name not in named]
        return (
            *(self._set_cookie(name, chunk, seconds) for name, chunk in named.items()),
            *(self._set_cookie(name, "", 0) for name in stale),
        )

    def logout(self, headers: Mapping[str, str]) -> tuple[str, ...]:
        """The `Set-Cookie` headers that end the session of a request with these headers."""
        return tuple(self._set_cookie(name, "", 0) for name in (self._present(headers) or [self.cookie]))

    def cookie_header(self, session: SessionCredentials) -> str:
        """The `Cookie` header that a browser with this session sends."""
        return "; ".join(f"{self._chunk_name(number)}={chunk}" for number, chunk in enumerate(self._chunks(session)))

    def begin_login(self, state: str, nonce: str, verifier: str, next_path: str) -> str:
        """The `Set-Cookie` header that remembers a login which goes on at the issuer of identities."""
        expires_at = self._clock() + _LOGIN_SECONDS
        login = LoginState(state=state, nonce=nonce, verifier=verifier, next=next_path, expires_at=expires_at)
        return self._set_cookie(self._login_name, self._seal(login), _LOGIN_SECONDS)

    def login_state(self, headers: Mapping[str, str]) -> LoginState | None:
        """The login that a request comes back from; None: there is none, or it took too long."""
        login = self._open(cookie_parser(headers.get("cookie", "")).get(self._login_name), LoginState)
        return login if login is not None and self._clock() < login.expires_at else None

    def end_login(self) -> str:
        """The `Set-Cookie` header that forgets a login under way."""
        return self._set_cookie(self._login_name, "", 0)

    @property
    def _login_name(self) -> str:
        return f"{self.cookie}-login"

    def _chunk_name(self, number: int) -> str:
        return f"{self.cookie}-{number}" if number else self.cookie

    def _present(self, headers: Mapping[str, str]) -> list[str]:
        cookies = cookie_parser(headers.get("cookie", ""))
        return [name for number in range(_MAX_CHUNKS) if (name := self._chunk_name(number)) in cookies]

    def _joined(self, header: str) -> str | None:
        # The first chunk begins with how many there are: a leftover of a larger session is then no part of this one.
        cookies = cookie_parser(header)
        count, _, first = cookies.get(self.cookie, "").partition(".")
        if count not in _CHUNK_COUNTS:
            return None
        rest = [cookies.get(self._chunk_name(number)) for number in range(1, int(count))]
        return first + "".join(chunk for chunk in rest if chunk) if all(rest) else None

    def _chunks(self, session: SessionCredentials) -> list[str]:
        sealed = self._seal(session)
        size = _MAX_CHUNK_CHARACTERS
        chunks = [sealed[start : start + size] for start in range(0, len(sealed), size)]
        if len(chunks) > _MAX_CHUNKS:
            raise InvalidProblem(
                "credentials-too-large",
                "What your login says about you is too large for a cookie. Ask its administrator to put fewer groups "
                "into the token.",
            )
        return [f"{len(chunks)}.{chunks[0]}", *chunks[1:]]

    def _seal(self, content: SessionCredentials | LoginState) -> str:
        if self._cipher is None:  # the settings allow no login without keys
            raise UnauthenticatedProblem("no-sessions", "This gateway has no sessions. Send a bearer token.")
        return self._cipher.encrypt(content.model_dump_json(exclude_none=True).encode()).decode()

    def _open(self, sealed: str | None, kind: type[_Sealed]) -> _Sealed | None:
        if not sealed or self._cipher is None:
            return None
        try:
            return kind.model_validate_json(self._cipher.decrypt(sealed.encode()))
        except (InvalidToken, pydantic.ValidationError, ValueError):
            return None  # a key that is no longer used, another installation's, or tampered with

    def _set_cookie(self, name: str, value: str, seconds: int) -> str:
        secure = "; Secure" if self._is_secure else ""
        return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"


def cookie_name(settings: GatewaySettings) -> str:
    """The name of the session's cookie; `__Host-` makes browsers refuse one that another host has set."""
    return "dealguard" if settings.insecure_cookies else "__Host-dealguard"


def session_expired() -> UnauthenticatedProblem:
    """The answer to a session that was one."""
    return UnauthenticatedProblem("session-expired", "Your session has ended. Log in again; nothing you sent is lost.")
