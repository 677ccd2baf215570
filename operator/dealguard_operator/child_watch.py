"""Watching Jobs and pods: from where a list ended, for ever.

An analysis has some twenty changes of its Job and pod, each of which would pass through Kopf's queues, causes and
handlers for objects that need no handling. Here a change is decoded and handed on. The lists are the resync's: a watch
that the API server refuses asks for the next one and goes on from there, so there is one way to learn what was missed.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Protocol

import orjson

from dealguard_api.untrusted import Raw, mapping_in, text_in
from dealguard_operator import errors
from dealguard_operator.connection import Collection
from dealguard_operator.kubernetes_api import KubernetesApi

logger = logging.getLogger(__name__)

_CHANGES = ("ADDED", "MODIFIED", "DELETED")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 10.0


class See(Protocol):
    """Is told of a change."""

    def __call__(self, raw: Raw, *, is_deleted: bool) -> None: ...


class _RefusedError(Exception):
    """The watch cannot go on from where it was: a list is needed."""


class ChildWatch:
    """One watch of one kind in one namespace.

    Args:
        api: the API server.
        collection: Jobs or Pods.
        namespace: where; None: everywhere.
        see: is told of each change.
        ask_for_list: asks for a list soon; `listed` is called when there is one.
    """

    def __init__(
        self,
        api: KubernetesApi,
        collection: Collection,
        namespace: str | None,
        see: See,
        ask_for_list: Callable[[], None],
    ) -> None:
        self._api = api
        self._collection = collection
        self._namespace = namespace
        self._see = see
        self._ask_for_list = ask_for_list
        self._resource_version: str | None = None  # None: a list is awaited
        self._has_list = asyncio.Event()

    def listed(self, resource_version: str) -> bool:
        """Take note of a complete list; whether the watch goes on from there, having told nothing of what is in it."""
        if self._resource_version is not None or not resource_version:  # a proxy's list, say, has none
            return False
        self._resource_version = resource_version
        self._has_list.set()
        return True

    async def run(self) -> None:
        """Watch until cancelled."""
        failures = 0
        while True:
            await self._has_list.wait()
            before = self._resource_version
            try:
                await self._follow()
            except (errors.ApiError, _RefusedError, ValueError) as error:
                # A cut connection goes on from where it was; what was refused, or cannot be read, needs a list.
                is_cut = isinstance(error, errors.UnavailableError) and not error.status
                failures = 1 if self._resource_version != before else failures + 1
                logger.info("The watch of %s broke off: %s", self._collection.plural, _words(error))
                await asyncio.sleep(_pause_seconds(failures, error))
                if not is_cut:
                    self._resource_version = None
                    self._has_list.clear()
                    self._ask_for_list()
            else:
                failures = 0
                await asyncio.sleep(_FIRST_PAUSE_SECONDS)  # something in between may end each one at once

    async def _follow(self) -> None:
        """One connection, until its end.

        Raises:
            errors.ApiError: the API server refuses it, or it broke.
            _RefusedError: the stream says so.
            ValueError: a line is no JSON, or too long.
        """
        version = self._resource_version or ""
        async with self._api.watch(self._collection, self._namespace, version) as lines:
            async for line in lines:
                event = orjson.loads(line)
                kind, item = event.get("type"), mapping_in(event, "object")
                if kind not in _CHANGES and kind != "BOOKMARK":
                    raise _RefusedError(f"{kind} {item.get('code')} {text_in(item, 'reason')}")
                if kind in _CHANGES:
                    self._see(item, is_deleted=kind == "DELETED")
                self._resource_version = text_in(mapping_in(item, "metadata"), "resourceVersion") or version


def _words(error: Exception) -> str:
    # A line that cannot be decoded is not quoted.
    return type(error).__name__ if isinstance(error, ValueError) else str(error)


def _pause_seconds(failures: int, error: Exception) -> float:
    """Doubled each time, spread by half, never shorter than the server asked for."""
    longest: float = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 10))
    asked_for = error.retry_after_seconds if isinstance(error, errors.UnavailableError) else None
    return (asked_for or 0.0) + longest * random.uniform(0.5, 1.0)  # noqa: S311
