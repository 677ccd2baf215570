"""What holds for every request, in its order: the outermost first."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from dealguard_gateway.access.oidc import Oidc
from dealguard_gateway.access.sessions import Sessions
from dealguard_gateway.http.cross_site import CrossSiteGuard
from dealguard_gateway.http.security_headers import SecurityHeaders
from dealguard_gateway.http.session_renewal import SessionRenewal
from dealguard_gateway.settings import GatewaySettings

_PREFLIGHT_SECONDS = 600
_METHODS = ("GET", "POST", "DELETE")
_REQUEST_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Range", "Last-Event-ID")
_ANSWER_HEADERS = ("ETag", "Location", "Retry-After", "Content-Range", "Content-Disposition", "WWW-Authenticate")


def middleware(settings: GatewaySettings, sessions: Sessions, oidc: Oidc | None) -> list[Middleware]:
    """The middleware of the public port.

    Args:
        settings: what the installation chose.
        sessions: of browsers.
        oidc: the issuer of identities, if there is one.
    """
    stack = [Middleware(SecurityHeaders, https=settings.public_url.startswith("https:"))]
    if settings.allowed_origins:
        stack.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=_METHODS,
                allow_headers=_REQUEST_HEADERS,
                expose_headers=_ANSWER_HEADERS,
                allow_credentials=False,  # a cookie is for our own page alone
                max_age=_PREFLIGHT_SECONDS,
            )
        )
    stack.append(Middleware(CrossSiteGuard, public_url=settings.public_url, cookie=sessions.cookie))
    if oidc is not None:
        stack.append(Middleware(SessionRenewal, sessions=sessions, oidc=oidc))
    return stack
