"""The one watch that all clients share: lists the analyses, follows them, and begins again where it must.

Watches are short (`_WATCH_SECONDS`): the API server sends a bookmark at the end of each, so that the next one continues
from a fresh version, and a connection that has silently died is noticed within a minute.
"""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from dealguard_api.untrusted import mapping_in, text_in
from dealguard_gateway.kubernetes.api import KubernetesApi, RawObject, analyses_path
from dealguard_gateway.kubernetes.errors import ApiError, error_from
from dealguard_gateway.kubernetes.store import AnalysisStore, Key

# Objects per page of a list: small enough that decoding one does not hold up the event loop for long.
_PAGE_SIZE = 250
# After which the API server ends a watch. Longer ones save nothing: to begin again from a bookmark costs one request.
_WATCH_SECONDS = 45
# Beyond which a watch that should have ended is taken for dead.
_SILENCE_SECONDS = 5.0
_MAX_LINE_BYTES = 8 * 1024 * 1024  # etcd takes 1.5 MB an object
_FIRST_DELAY_SECONDS, _MAX_DELAY_SECONDS = 0.25, 8.0

log = logging.getLogger(__name__)


@dataclass
class _Place:
    """Where the watch of a scope has come to."""

    scope: str | None
    resource_version: str = ""  # none: list first
    failures: int = 0


class AnalysisWatch:
    """Feeds the store from list and watch, with the gateway's own credentials.

    Args:
        kubernetes: the API server.
        store: what is fed.
        namespaces: one watch each; empty: one watch of all, which needs a ClusterRole.
        watch_seconds: after which the API server ends each watch.
        silence_seconds: beyond which a watch that should have ended is taken for dead.
        jitter: a number from 0 to 1, drawn for each wait: replicas must not come back all at once.
    """

    def __init__(
        self,
        kubernetes: KubernetesApi,
        store: AnalysisStore,
        *,
        namespaces: tuple[str, ...] = (),
        watch_seconds: int = _WATCH_SECONDS,
        silence_seconds: float = _SILENCE_SECONDS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._kubernetes = kubernetes
        self._store = store
        self._places = [_Place(scope) for scope in namespaces or (None,)]
        self._watch_seconds = watch_seconds
        self._silence_seconds = silence_seconds
        self._jitter = jitter

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for place in self._places:
                tasks.create_task(self._follow(place))

    async def _follow(self, place: _Place) -> None:
        while True:
            try:
                if not place.resource_version:
                    place.resource_version = await self._list(place.scope)
                await self._watch(place)
            except ApiError as error:
                if error.is_expired:
                    place.resource_version = ""
                await self._wait(place, error)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                # Cut in the middle, or silent: it goes on from the last version.
                await self._wait(place, error)

    async def _wait(self, place: _Place, error: Exception) -> None:
        place.failures += 1
        longest = min(_MAX_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** min(place.failures, 10))
        seconds = longest * (0.5 + self._jitter() / 2)
        words = str(error) if isinstance(error, ApiError) else type(error).__name__
        log.warning("watch of %s: %s; again in %.1f s", place.scope or "all namespaces", words, seconds)
        await asyncio.sleep(seconds)

    async def _list(self, scope: str | None) -> str:
        """Read all there is; the version from which to watch."""
        present: set[Key] = set()
        version, token = "", ""
        while True:
            query = {"limit": str(_PAGE_SIZE), **({"continue": token} if token else {})}
            page = await self._kubernetes.request("GET", analyses_path(scope), credentials=None, query=query)
            for item in page.get("items") or []:
                entry = self._store.put(item)
                present.add((entry.namespace, entry.name))
            metadata = mapping_in(page, "metadata")
            version, token = text_in(metadata, "resourceVersion"), text_in(metadata, "continue")
            if not token:
                break
        self._store.replace(scope, present, version)
        self._store.confirm(scope)
        log.info("listed %d analyses of %s", len(present), scope or "all namespaces")
        return version

    async def _watch(self, place: _Place) -> None:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": place.resource_version,
            "timeoutSeconds": str(self._watch_seconds),
        }
        async with self._kubernetes.stream(
            analyses_path(place.scope),
            credentials=None,
            query=query,
            read_timeout_seconds=self._watch_seconds + self._silence_seconds,
        ) as answer:
            if answer.status != 200:
                raise error_from(answer.status, _parsed(await answer.read()), answer.headers)
            self._store.confirm(place.scope)
            is_empty = True
            async for line in _lines(answer.content):
                self._take(place, json.loads(line))
                self._store.confirm(place.scope)
                place.failures, is_empty = 0, False
        if is_empty:  # not even the bookmark at its end: asked at once again, it might go round and round
            raise ApiError(0, "", "the watch ended without a word")

    def _take(self, place: _Place, event: RawObject) -> None:
        found: RawObject = event.get("object") or {}
        match event.get("type"):
            case "ADDED" | "MODIFIED":
                self._store.put(found)
            case "DELETED":
                self._store.remove(found)
            case "ERROR":
                code = found.get("code")
                raise error_from(code if isinstance(code, int) else 500, found, {})
        version = text_in(mapping_in(found, "metadata"), "resourceVersion")
        place.resource_version = version or place.resource_version


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a stream, however long; aiohttp's own reading of lines ends at its buffer's size."""
    buffer = bytearray()
    async for chunk in content.iter_any():
        buffer += chunk
        if b"\n" in chunk:
            *lines, rest = bytes(buffer).split(b"\n")
            buffer = bytearray(rest)
            for line in lines:
                if line:
                    yield line
        elif len(buffer) > _MAX_LINE_BYTES:
            raise ValueError("a line of the watch has no end")


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return {}
