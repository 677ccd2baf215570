"""Logging in with OpenID Connect: the code flow with PKCE, and what a token of the issuer says.

`cluster`: the API server trusts the issuer too, so the identity token itself is what it is sent. `impersonate`: it does
not, so the gateway's word has to do, and this is where that word comes from.
"""

import hashlib
import secrets
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from dealguard_gateway.access.impersonation import Identity, identity_of
from dealguard_gateway.access.sessions import LoginState, SessionCredentials
from dealguard_gateway.access.tokens import unverified_claims
from dealguard_gateway.problems import UnauthenticatedProblem, UnavailableProblem
from dealguard_gateway.settings import GatewaySettings

CALLBACK_PATH = "/session/oidc/callback"
# Before a token ends: longer than a request takes, so that what goes on with the old one still succeeds.
RENEW_BEFORE_SECONDS = 60.0

_TIMEOUT_SECONDS = 10.0
# How long the issuer's description and keys are kept. A key that is not among them is looked for at once, but not more
# often than that, or anybody could make us ask.
_METADATA_SECONDS = 3600.0
_KEYS_AGAIN_SECONDS = 30.0
# Clocks differ.
_LEEWAY_SECONDS = 30
# Signatures by a key that only the issuer has. Never `none`, never a shared secret.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_MAX_REMEMBERED = 5_000


@dataclass
class _Issuer:
    metadata: Mapping[str, Any]
    keys: KeySet
    read_at: float


class Oidc:
    """One issuer of identities. Each method raises `UnavailableProblem` where the issuer does not answer.

    Args:
        settings: which issuer, as which client, whose claims.
        clock: seconds since 1970.
    """

    def __init__(self, settings: GatewaySettings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._tls = ssl.create_default_context(cafile=settings.oidc_authority_file)
        self._issuer: _Issuer | None = None
        # Digest of a bearer token to whom it names, and when it ends.
        self._validated: OrderedDict[bytes, tuple[Identity, float]] = OrderedDict()

    @property
    def redirect_uri(self) -> str:
        """Where the issuer sends people back to; to be registered there."""
        return f"{self._settings.public_url}{CALLBACK_PATH}"

    async def start(self) -> tuple[str, str, str, str]:
        """Where to send a person who wants to log in, and the state, the nonce and the PKCE verifier to remember."""
        issuer = await self._described()
        state, nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                issuer.metadata["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce
            )
        return str(url), state, nonce, verifier

    async def finish(self, answer: Mapping[str, str], login: LoginState, expires_at: float) -> SessionCredentials:
        """The session of a person who comes back from the issuer.

        Args:
            answer: the query that they come back with.
            login: what was remembered when they went.
            expires_at: when the session is to end at the latest, seconds since 1970.

        Raises:
            Problem: the login did not succeed, in words.
        """
        if not secrets.compare_digest(answer.get("state", "").encode(), login.state.encode()):
            raise StrayLoginProblem("it is not the one that was begun in this browser")
        if "code" not in answer:
            raise StrayLoginProblem("it was refused or given up where you log in")
        issuer = await self._described()
        # RFC 9207: an answer of another issuer, where this one says who it is.
        if answer.get("iss", issuer.metadata["issuer"]) != issuer.metadata["issuer"]:
            raise StrayLoginProblem("the answer comes from somebody else")
        tokens = await self._tokens(grant_type="authorization_code", code=answer["code"], code_verifier=login.verifier)
        return await self._session(tokens, expires_at, nonce=login.nonce)

    async def renew(self, session: SessionCredentials) -> SessionCredentials:
        """The same session with new tokens.

        Raises:
            UnauthenticatedProblem: the issuer does not want it to go on.
        """
        tokens = await self._tokens(grant_type="refresh_token", refresh_token=session.refresh_token)
        if "id_token" not in tokens:
            raise LoginFailedProblem("the issuer renews no identity")
        renewed = await self._session({"refresh_token": session.refresh_token, **tokens}, session.expires_at)
        if renewed.username != session.username:
            raise LoginFailedProblem("the issuer now names somebody else")
        return renewed

    def needs_renewal(self, session: SessionCredentials) -> bool:
        """Whether it is time to renew the session's token, and whether it can be."""
        if session.refresh_token is None or session.token_expires_at is None:
            return False
        now = self._clock()
        return session.token_expires_at - RENEW_BEFORE_SECONDS <= now < session.expires_at

    def issued(self, token: str) -> bool:
        """Whether a bearer token says that it is this issuer's; not yet whether it is true."""
        issuer = unverified_claims(token).get("iss")
        return isinstance(issuer, str) and issuer.rstrip("/") == self._settings.oidc_issuer

    async def identity(self, token: str) -> Identity:
        """Whom a bearer token of the issuer names.

        Raises:
            UnauthenticatedProblem: it is not valid, or not for us.
            ForbiddenProblem: whom it names cannot be acted for.
        """
        digest = hashlib.blake2b(token.encode(), digest_size=16).digest()
        known = self._validated.get(digest)
        if known is None or self._clock() >= known[1]:
            claims = await self._claims(token)
            known = self._validated[digest] = identity_of(claims, self._settings), float(claims["exp"])
            if len(self._validated) > _MAX_REMEMBERED:
                self._validated.popitem(last=False)
        return known[0]

    async def _session(
        self, tokens: Mapping[str, Any], expires_at: float, *, nonce: str | None = None
    ) -> SessionCredentials:
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise LoginFailedProblem("the issuer gave no identity; the scope `openid` is missing")
        claims = await self._claims(id_token, nonce=nonce, access_token=tokens.get("access_token"))
        refresh_token = tokens.get("refresh_token")
        more = {
            "token_expires_at": float(claims["exp"]),
            "refresh_token": refresh_token if isinstance(refresh_token, str) else None,
            "expires_at": expires_at,
        }
        if self._settings.oidc_mode == "impersonate":
            identity = identity_of(claims, self._settings)
            return SessionCredentials(username=identity.username, groups=identity.groups, **more)
        # The API server has the last word on the name; this one says whether a renewed token is the same person's.
        return SessionCredentials(username=str(claims["sub"]), token=id_token, **more)

    async def _claims(self, token: str, *, nonce: str | None = None, access_token: str | None = None) -> dict[str, Any]:
        issuer = await self._described()
        options = {
            "iss": {"essential": True, "value": issuer.metadata["issuer"]},
            "aud": {"essential": True, "value": self._settings.oidc_client_id},
            "exp": {"essential": True},
            "sub": {"essential": True},
        }
        params = {"client_id": self._settings.oidc_client_id, "nonce": nonce, "access_token": access_token}
        try:
            decoded = await self._verified(token)
            claims = CodeIDToken(decoded.claims, decoded.header, options, params)
            claims.validate(now=int(self._clock()), leeway=_LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise LoginFailedProblem(f"the identity is not valid ({type(error).__name__})") from None
        return dict(claims)

    async def _verified(self, token: str) -> jwt.Token:
        issuer = await self._described()
        offered = issuer.metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = jws.JWSRegistry(
            algorithms=[name for name in _ALGORITHMS if name in offered], strict_check_header=False
        )
        try:
            return jwt.decode(token, issuer.keys, registry=registry)
        except InvalidKeyIdError:
            if self._clock() - issuer.read_at < _KEYS_AGAIN_SECONDS:
                raise
            issuer.read_at = self._clock()
            self._issuer = await self._read_issuer()
            return jwt.decode(token, self._issuer.keys, registry=registry)

    async def _described(self) -> _Issuer:
        known = self._issuer
        if known is not None and self._clock() - known.read_at < _METADATA_SECONDS:
            return known
        try:
            self._issuer = await self._read_issuer()
        except UnavailableProblem:
            if known is None:
                raise
            # What is known of it is still good; it is asked again soon.
            known.read_at = self._clock() - _METADATA_SECONDS + _KEYS_AGAIN_SECONDS
            return known
        return self._issuer

    async def _read_issuer(self) -> _Issuer:
        url = f"{self._settings.oidc_issuer}/.well-known/openid-configuration"
        try:
            async with httpx2.AsyncClient(verify=self._tls, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
                metadata = (await client.get(url)).raise_for_status().json()
                if str(metadata["issuer"]).rstrip("/") != self._settings.oidc_issuer:
                    raise issuer_unavailable("it calls itself something else than DEALGUARD_OIDC_ISSUER")
                keys = (await client.get(metadata["jwks_uri"])).raise_for_status().json()
            return _Issuer(metadata, KeySet.import_key_set(keys), self._clock())
        except (httpx2.HTTPError, JoseError, ValueError, TypeError, KeyError) as error:
            raise issuer_unavailable(type(error).__name__) from error

    async def _tokens(self, *, grant_type: str, **parameters: Any) -> Mapping[str, Any]:
        issuer = await self._described()
        try:
            async with self._client() as client:
                tokens: Mapping[str, Any] = await client.fetch_token(
                    issuer.metadata["token_endpoint"], grant_type=grant_type, **parameters
                )
        except OAuthError as error:
            # Its description may quote what was sent.
            raise LoginFailedProblem(f"the issuer says {str(error.error)[:60]!r}") from None
        except (httpx2.HTTPError, ValueError, KeyError) as error:
            raise issuer_unavailable(type(error).__name__) from None
        return tokens

    def _client(self) -> AsyncOAuth2Client:
        secret = self._settings.oidc_client_secret
        return AsyncOAuth2Client(
            client_id=self._settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            scope=" ".join(self._settings.oidc_scopes),
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_SECONDS,
            verify=self._tls,
            trust_env=False,
        )


class LoginFailedProblem(UnauthenticatedProblem):
    """The answer to a login that did not succeed: credentials were judged and refused, unless a subclass says else."""

    def __init__(self, why: str) -> None:
        super().__init__("login-failed", f"The login did not succeed: {why}. Begin it again.")


class StrayLoginProblem(LoginFailedProblem):
    """It came to no judgement of credentials: there is nothing in it that could be guessed."""


def issuer_unavailable(why: str) -> UnavailableProblem:
    """The answer where the issuer of identities is away or unusable."""
    return UnavailableProblem(
        "issuer-unavailable",
        f"The issuer of identities does not answer as it should ({why}). Try again a little later; if it stays, "
        "tell the administrator of DealGuard.",
    )
