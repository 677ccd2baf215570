"""A stand-in for an issuer of identities: OpenID Connect's code flow with PKCE over real HTTP, with faults on demand.

It checks what a real one checks: the client, the redirect URI, each code once, the PKCE verifier, each refresh token
once (or, as others do, the same one again and again). Who logs in is `user`, without a question, or whom the login form
names.
"""

import base64
import hashlib
import hmac
import html
import json
import secrets
import ssl
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import RSAKey

# What goes wrong with the tokens that are handed out from now on. The last three are about the endpoints.
Fault = Literal[
    "wrong nonce", "expired", "other audience", "other issuer", "alg none", "shared secret", "other key",
    "no id_token", "not yet valid", "other party", "no subject",
    "denied", "token endpoint down", "other metadata",
]  # fmt: skip
CLIENT_ID = "dealguard"


@dataclass
class _Code:
    query: dict[str, str]
    claims: dict[str, Any]


@dataclass
class _State:
    client_id: str
    redirect_uri: str
    client_secret: str | None
    key: RSAKey
    user: dict[str, Any]
    url: str = ""
    faults: set[Fault] = field(default_factory=set)
    asks: bool = False
    token_seconds: float = 300.0
    gives_refresh_tokens: bool = True
    rotates_refresh_tokens: bool = True
    codes: dict[str, _Code] = field(default_factory=dict)
    refresh_tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class OidcIssuer:
    """The server. A context manager.

    Args:
        redirect_uri: the only one that is registered.
        user: claims of who logs in, beside the registered ones.
        client_secret: a confidential client's; None: a public one, which PKCE protects.
        tls: to serve https; None: http.

    Attributes:
        state: settings that a test may change, and what was asked: `faults`, `user`, `asks` (a login form),
            `token_seconds`, `gives_refresh_tokens`, `rotates_refresh_tokens` (each is good once), `refusals`,
            `requests`.
    """

    def __init__(
        self,
        redirect_uri: str,
        user: dict[str, Any] | None = None,
        *,
        client_secret: str | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.state = _State(
            CLIENT_ID, redirect_uri, client_secret, _key(1), user or {"sub": "1", "email": "a@b.example"}
        )
        handler = type("Handler", (_Handler,), {"state": self.state})
        self._server = _Server((host, 0), handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = self.state.url = f"{'https' if tls else 'http'}://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def change_key(self) -> None:
        """Sign with a new key from now on, as issuers do every few weeks."""
        self.state.key = _key(2)

    def id_token(self, **claims: Any) -> str:
        """An identity token as it is handed out, with the present faults."""
        return id_token(self.state, {**self.state.user, **claims})


@lru_cache
def _key(number: int) -> RSAKey:
    """One of a process's keys: making one takes a moment."""
    return RSAKey.generate_key(2048, {"kid": f"key-{number}", "use": "sig", "alg": "RS256"})


def id_token(state: _State, claims: dict[str, Any]) -> str:
    """A signed identity token with these claims and the present faults."""
    now, faults = int(time.time()), state.faults
    about: dict[str, Any] = {
        "iss": state.url if "other issuer" not in faults else "https://elsewhere.example",
        "aud": state.client_id if "other audience" not in faults else "another-client",
        "iat": now,
        "exp": now + int(state.token_seconds) if "expired" not in faults else now - 3600,
        **claims,
    }
    if "wrong nonce" in faults:
        about["nonce"] = "another"
    if "not yet valid" in faults:
        about["nbf"] = now + 3600
    if "other party" in faults:
        about.update(aud=[state.client_id, "another-client"], azp="another-client")
    if "no subject" in faults:
        del about["sub"]
    if "alg none" in faults:
        return f"{_part({'alg': 'none', 'kid': state.key.kid})}.{_part(about)}."
    header = {"alg": "RS256", "kid": state.key.kid}
    if "shared secret" in faults:
        # The public key as the secret of an HMAC: a verifier that takes any algorithm is deceived.
        return _signed_with_public_key(state, about)
    key = _key(3) if "other key" in faults else state.key
    return jwt.encode(header, about, key, registry=jws.JWSRegistry(algorithms=["RS256"]))


def _signed_with_public_key(state: _State, about: dict[str, Any]) -> str:

    signed = f"{_part({'alg': 'HS256', 'kid': state.key.kid})}.{_part(about)}"
    digest = hmac.new(state.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encoded(digest)}"


def _part(content: dict[str, Any]) -> str:
    return _encoded(json.dumps(content).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: _State

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.state.requests.append(f"GET {parts.path}")
        match parts.path:
            case "/.well-known/openid-configuration":
                self._json(200, self._metadata())
            case "/jwks":
                self._json(200, {"keys": [self.state.key.as_dict(private=False)]})
            case "/authorize":
                self._authorize(_flat(parts.query))
            case _:
                self._json(404, {"error": "not_found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        parts = urlsplit(self.path)
        self.state.requests.append(f"POST {parts.path}")
        if parts.path == "/authorize":
            form = _flat(body)
            known = self.state.user
            stranger = {"sub": form["user"], "email": form["user"], "email_verified": True}
            self._hand_out_code(_flat(parts.query), known if form["user"] == known.get("email") else stranger)
        elif parts.path == "/token":
            self._token(_flat(body))
        else:
            self._json(404, {"error": "not_found"})

    def _metadata(self) -> dict[str, Any]:
        url = self.state.url
        return {
            "issuer": url if "other metadata" not in self.state.faults else "https://elsewhere.example",
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def _authorize(self, query: dict[str, str]) -> None:
        state = self.state
        # As RFC 6749 wants it: a wrong client or redirect URI is told to the person, never sent on.
        if query.get("client_id") != state.client_id or query.get("redirect_uri") != state.redirect_uri:
            self._refuse("invalid_client or redirect_uri")
        elif query.get("response_type") != "code" or "openid" not in query.get("scope", "").split():
            self._refuse("invalid_request")
        elif query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            self._refuse("PKCE is required")
        elif "denied" in state.faults:
            self._redirect(query, {"error": "access_denied"})
        elif state.asks:
            self._login_form()
        else:
            self._hand_out_code(query, state.user)

    def _login_form(self) -> None:
        page = (
            f'<!doctype html><title>Issuer</title><form method="post" action="{html.escape(self.path)}">'
            '<label>User <input name="user"></label><button>Log in</button></form>'
        )
        self._answer(200, page.encode(), "text/html; charset=utf-8")

    def _hand_out_code(self, query: dict[str, str], user: dict[str, Any]) -> None:
        code = secrets.token_urlsafe(16)
        self.state.codes[code] = _Code(query, {**user, "nonce": query["nonce"]} if "nonce" in query else user)
        self._redirect(query, {"code": code})

    def _redirect(self, query: dict[str, str], answer: dict[str, str]) -> None:
        more = {**answer, "state": query.get("state", ""), "iss": self.state.url}
        self.send_response(303)
        self.send_header("Location", f"{query['redirect_uri']}?{urlencode(more)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self, form: dict[str, str]) -> None:
        if "token endpoint down" in self.state.faults:
            self._json(503, {"error": "temporarily_unavailable"})
        elif not self._is_client(form):
            self._refuse("invalid_client", 401)
        elif form.get("grant_type") == "authorization_code":
            code = self.state.codes.pop(form.get("code", ""), None)
            refusal = _refusal_of_code(code, form)
            if refusal or code is None:
                self._refuse(f"invalid_grant: {refusal}")
            else:
                self._hand_out(code.claims)
        elif form.get("grant_type") == "refresh_token":
            token = form.get("refresh_token", "")
            claims = self.state.refresh_tokens.get(token)
            if claims is None:
                self._refuse("invalid_grant: no such refresh token, or used before")
            else:
                if self.state.rotates_refresh_tokens:
                    del self.state.refresh_tokens[token]
                claims = {name: value for name, value in claims.items() if name != "nonce"}
                self._hand_out(claims, None if self.state.rotates_refresh_tokens else token)
        else:
            self._refuse("unsupported_grant_type")

    def _is_client(self, form: dict[str, str]) -> bool:
        if self.state.client_secret is None:
            return form.get("client_id") == self.state.client_id
        expected = base64.b64encode(f"{self.state.client_id}:{self.state.client_secret}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _hand_out(self, claims: dict[str, Any], refresh_token: str | None = None) -> None:
        tokens: dict[str, Any] = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300}
        if "no id_token" not in self.state.faults:
            tokens["id_token"] = id_token(self.state, claims)
        if self.state.gives_refresh_tokens:
            tokens["refresh_token"] = refresh_token or secrets.token_urlsafe(16)
            self.state.refresh_tokens[tokens["refresh_token"]] = claims
        self._json(200, tokens)

    def _refuse(self, why: str, status: int = 400) -> None:
        self.state.refusals.append(why)
        self._json(status, {"error": why.partition(":")[0], "error_description": why})

    def _json(self, status: int, content: dict[str, Any]) -> None:
        self._answer(status, json.dumps(content).encode(), "application/json")

    def _answer(self, status: int, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


def _refusal_of_code(code: _Code | None, form: dict[str, str]) -> str | None:
    if code is None:
        return "no such code, or used before"
    if form.get("redirect_uri") != code.query["redirect_uri"]:
        return "another redirect_uri"
    challenge = _encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
    return None if challenge == code.query["code_challenge"] else "the PKCE verifier does not fit"


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
