"""Requests that other sites make a browser send: a cookie goes along by itself, so it proves nothing.

An unsafe request that leans on a cookie has to show two things that another site's page cannot: the header
`X-Requested-With: dealguard`, which no form can set and a script only after asking us, and that the browser itself
names our own origin (`Sec-Fetch-Site`, else `Origin`). Logging in is guarded too, or a page could log a person in as
somebody else and collect what they upload. A bearer token never goes along by itself: such requests are free, and CORS
opens the API to the origins that the installation lists, without cookies.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from dealguard_gateway.http.answers import problem_answer
from dealguard_gateway.problems import ForbiddenProblem

REQUESTED_WITH = "dealguard"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class CrossSiteGuard:
    """Middleware: refuses what another site may have sent.

    Args:
        app: what answers.
        public_url: where the page is reached; empty: where the request says.
        cookie: the first part of the names of the session's cookies.
    """

    def __init__(self, app: ASGIApp, *, public_url: str, cookie: str) -> None:
        self._app = app
        self._public_url = public_url
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            headers = Headers(scope=scope)
            if self._needs_proof(scope["path"], headers) and not self._is_ours(scope["scheme"], headers):
                await problem_answer(cross_site_request())(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _needs_proof(self, path: str, headers: Headers) -> bool:
        if path.rstrip("/") == "/session":
            return True
        by_bearer = headers.get("authorization", "").lower().startswith("bearer ")
        return not by_bearer and self._cookie in headers.get("cookie", "")

    def _is_ours(self, scheme: str, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if headers.get("x-requested-with") != REQUESTED_WITH or (site is None and origin is None):
            return False
        return site in (None, "same-origin") and (origin is None or self._is_our_origin(origin, scheme, headers))

    def _is_our_origin(self, origin: str, scheme: str, headers: Headers) -> bool:
        if self._public_url:
            return _host_and_port(origin) == _host_and_port(self._public_url) and (
                urlsplit(origin).scheme == urlsplit(self._public_url).scheme
            )
        # A proxy that ends TLS makes our own scheme differ from the browser's: the host has to do.
        named = urlsplit(origin).scheme or scheme
        return _host_and_port(origin) == _host_and_port(f"{named}://{headers.get('host', '')}")


def cross_site_request() -> ForbiddenProblem:
    """The answer to what another site may have sent."""
    return ForbiddenProblem(
        "cross-site-request",
        "The request does not show that it comes from the page itself. Use the page at its own address; a program "
        "sends a bearer token instead of a cookie, or the header X-Requested-With: dealguard and its Origin.",
    )


def _host_and_port(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None
