"""The headers that tell a browser what an answer may not do.

An answer that sets one of them by itself keeps its own: a report as HTML forbids more than the page does.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",  # PDF.js decodes some images with WebAssembly
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",  # the way to the issuer of identities is a link, not a form
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    # What the API answers is somebody's; a route that wants it kept says so.
    "cache-control": "no-store",
}
# A year. Without includeSubDomains: the gateway does not speak for other hosts.
_STRICT_TRANSPORT = {"strict-transport-security": "max-age=31536000"}


class SecurityHeaders:
    """Middleware: adds what an answer does not set by itself.

    Args:
        app: what answers.
        https: whether the page is reached by https, which browsers may then insist on.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        headers = {**_ALWAYS, **(_STRICT_TRANSPORT if https else {})}
        self._headers = tuple((name.encode(), value.encode()) for name, value in headers.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                present = {name.lower() for name, _ in given}
                more = [header for header in self._headers if header[0] not in present]
                message = {**message, "headers": [*given, *more]}
            await send(message)

        await self._app(scope, receive, send_with_headers)
