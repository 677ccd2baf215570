"""The API server, as the load generator and the observer use it: raw JSON over one kept session."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

Raw = dict[str, Any]

ANALYSES = "/apis/dealguard.io/v1alpha1"
JOBS = "/apis/batch/v1"
CORE = "/api/v1"
# A line of a watch is one object; a Job has some 10 KB.
_READ_BUFFER_BYTES = 16 * 1024 * 1024


class BenchmarkError(Exception):
    """The benchmark cannot go on."""


class RequestFailedError(BenchmarkError):
    """The API server refused a request that the benchmark depends on."""


class NotDoneError(BenchmarkError):
    """What was waited for did not come in time."""


async def until(what: str, probe: Callable[[], Awaitable[bool]], *, timeout_seconds: float = 600) -> None:
    """Ask `probe` every fifth of a second until it says yes.

    Raises:
        NotDoneError: it did not in time.
    """
    end = time.monotonic() + timeout_seconds
    while not await probe():
        if time.monotonic() > end:
            raise NotDoneError(f"waited {timeout_seconds:.0f} s in vain for {what}")
        await asyncio.sleep(0.2)


class Api:
    """One user's requests. A context manager."""

    def __init__(self, server: str, ca_file: Path, token: str) -> None:
        self._server, self._ca_file, self._token = server, ca_file, token

    async def __aenter__(self) -> "Api":
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(self._ca_file)), limit=0)
        self._session = aiohttp.ClientSession(
            self._server,
            connector=connector,
            headers={"Authorization": f"Bearer {self._token}"},
            read_bufsize=_READ_BUFFER_BYTES,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        kind: str = "application/json",
        tolerate: tuple[int, ...] = (),
    ) -> Raw:
        """One request and its answer; no answer, or a refusal that is not in `tolerate`, ends the benchmark."""
        data = None if body is None else json.dumps(body)
        try:
            async with self._session.request(method, path, data=data, headers={"Content-Type": kind}) as response:
                text = await response.text()
        except aiohttp.ClientError as error:
            raise RequestFailedError(f"{method} {path} was not answered: {error or type(error).__name__}") from error
        if response.status >= 300 and response.status not in tolerate:
            raise RequestFailedError(f"{method} {path} was answered {response.status}: {text[:500]}")
        answer: Raw = json.loads(text)
        return answer

    async def list(self, path: str) -> list[Raw]:
        """All objects of a collection."""
        answer = await self.request("GET", path)
        items: list[Raw] = answer["items"]
        return items

    async def watch(self, path: str) -> AsyncIterator[Raw]:
        """What is there, then what changes, until cancelled; the server's own time limit is met by beginning anew."""
        while True:
            async with self._session.get(path, params={"watch": "true", "timeoutSeconds": "3600"}) as response:
                if response.status >= 300:
                    raise RequestFailedError(f"watch {path} was answered {response.status}: {await response.text()}")
                async for line in response.content:
                    yield json.loads(line)
