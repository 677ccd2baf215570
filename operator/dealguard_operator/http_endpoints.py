"""What the operator answers over HTTP, on one port: whether it lives, whether it is ready, and what is added.

Served by the event loop that does the work, so a loop that hangs does not answer, and is found dead.
"""

import json
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

# What is wrong, each in a sentence without a full stop; nothing if all is well. Cheap: probes ask every few seconds.
Check = Callable[[], Sequence[str]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LIVE_PATH, READY_PATH = "/healthz", "/readyz"
# Answers take milliseconds; a probe that hangs must not hold up the end of the process.
_SHUTDOWN_SECONDS = 0.1


class HttpEndpoints:
    """`GET /healthz` and `GET /readyz`: 200, or 503 with what is wrong.

    Args:
        port: where to listen, on all addresses: the kubelet probes the pod's own, whatever family it has.
        find_dead: what is wrong that only a restart repairs.
        find_unready: what is wrong that may pass.
    """

    def __init__(self, port: int, *, find_dead: Check, find_unready: Check) -> None:
        self._port = port
        self._routes: list[tuple[str, Handler]] = [
            (LIVE_PATH, _answer_with(find_dead)),
            (READY_PATH, _answer_with(find_unready)),
        ]
        self._runner: web.AppRunner | None = None

    def add_route(self, path: str, handler: Handler) -> None:
        """Answer `GET path` too; before `start`."""
        self._routes.append((path, handler))

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken, or not allowed.
        """
        application = web.Application()
        for path, handler in self._routes:
            application.router.add_get(path, handler)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, host=None, port=self._port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()


def _answer_with(check: Check) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        problems = list(check())
        body = {"status": "failing", "problems": problems} if problems else {"status": "ok"}
        return web.Response(status=503 if problems else 200, text=json.dumps(body), content_type="application/json")

    return answer
