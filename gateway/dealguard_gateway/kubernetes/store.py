"""All analyses in memory, as the watch tells of them: what every read is answered from.

Resource versions are compared as numbers, as the API server's watch cache does itself.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any, Literal

from dealguard_api.untrusted import Raw, mapping_in, text_in
from dealguard_gateway.contracts import contract_from
from dealguard_gateway.model import Contract
from dealguard_gateway.rows import Row, row_of

# Changes that a subscriber may lag behind; beyond, it is cut, comes again and begins with the present state.
MAX_QUEUED_CHANGES = 256
# Erased analyses that are remembered, so that an answer which was under way when they went cannot bring them back.
_MAX_TOMBSTONES = 10_000

Key = tuple[str, str]


@dataclass(frozen=True)
class Entry:
    """One version of one analysis. What is made of it is made once, when first asked for."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    raw: Raw = field(repr=False)

    @cached_property
    def contract(self) -> Contract:
        """As clients see it."""
        return contract_from(self.raw)

    @cached_property
    def row(self) -> Row:
        """What lists search and sort by."""
        return row_of(self.raw)

    @cached_property
    def body(self) -> bytes:
        """`contract` as JSON."""
        return self.contract.model_dump_json(by_alias=True).encode()

    @cached_property
    def etag(self) -> str:
        """Of `body`: it changes with every version of the resource, on all replicas alike."""
        return f'"{self.uid[:8]}-{self.resource_version}"'

    @property
    def version(self) -> int:
        """`resource_version` as a number."""
        return version_number(self.resource_version)


def version_number(resource_version: str) -> int:
    """A resource version as a number; 0 for what is none."""
    return int(resource_version) if resource_version.isdecimal() else 0


def entry_of(raw: Mapping[str, Any]) -> Entry:
    """The entry of a resource, without what no client is shown."""
    metadata = mapping_in(raw, "metadata")
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return Entry(
        namespace=text_in(metadata, "namespace"),
        name=text_in(metadata, "name"),
        uid=text_in(metadata, "uid"),
        resource_version=text_in(metadata, "resourceVersion"),
        raw={**raw, "metadata": kept},
    )


@dataclass(frozen=True)
class Change:
    """What a subscriber is told."""

    kind: Literal["contract", "deleted"]
    entry: Entry


class Subscription:
    """The changes of one contract, or of a namespace's, from now on. An async iterator.

    It ends when the store closes, and when its reader is too slow: nothing is buffered for ever.
    """

    def __init__(self, leave: Callable[["Subscription"], None]) -> None:
        self._leave = leave
        self._queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._has_ended = False

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        change = None if self._has_ended and self._queue.empty() else await self._queue.get()
        if change is None:
            raise StopAsyncIteration
        return change

    def offer(self, change: Change) -> None:
        """Tell of a change; a reader that lags too far behind is told nothing more."""
        if self._has_ended:
            return
        if self._queue.qsize() >= MAX_QUEUED_CHANGES:
            while not self._queue.empty():
                self._queue.get_nowait()
            self.end()
        else:
            self._queue.put_nowait(change)

    def end(self) -> None:
        """No more changes after those already offered."""
        if not self._has_ended:
            self._has_ended = True
            self._queue.put_nowait(None)

    def close(self) -> None:
        """Unsubscribe."""
        self.end()
        self._leave(self)


class AnalysisStore:
    """The analyses of all namespaces that the gateway serves.

    Args:
        namespaces: that it serves; empty: all.
        clock: seconds that only grow.
    """

    def __init__(self, namespaces: Iterable[str] = (), *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._served = frozenset(namespaces)
        self._entries: dict[str, dict[str, Entry]] = {}
        self._tombstones: OrderedDict[str, None] = OrderedDict()
        self._subscriptions: dict[tuple[str, str | None], set[Subscription]] = {}
        self._versions: dict[str, int] = {}
        self._is_closed = False
        # Per scope that is watched (None: all namespaces): when the API server last said that it is up to date.
        scopes: list[str | None] = [*sorted(self._served)] or [None]
        self._heard_at: dict[str | None, float | None] = dict.fromkeys(scopes)

    # What is read.

    def serves(self, namespace: str) -> bool:
        """Whether analyses of this namespace are seen here at all."""
        return not self._served or namespace in self._served

    def get(self, namespace: str, name: str) -> Entry | None:
        """The analysis, if there is one."""
        entries = self._entries.get(namespace)
        return entries.get(name) if entries else None

    def in_namespace(self, namespace: str) -> Iterable[Entry]:
        """All analyses of a namespace, in no order."""
        return self._entries.get(namespace, {}).values()

    def namespaces(self) -> set[str]:
        """The namespaces that have analyses."""
        return {namespace for namespace, entries in self._entries.items() if entries}

    def version_of(self, namespace: str) -> int:
        """A number that changes with every change in the namespace; of this process alone."""
        return self._versions.get(namespace, 0)

    @property
    def size(self) -> int:
        """How many analyses there are."""
        return sum(len(entries) for entries in self._entries.values())

    @property
    def subscribers(self) -> int:
        """How many subscriptions there are."""
        return sum(len(subscriptions) for subscriptions in self._subscriptions.values())

    @property
    def synced(self) -> bool:
        """Whether all there was has been read once."""
        return all(heard_at is not None for heard_at in self._heard_at.values())

    @property
    def age_seconds(self) -> float:
        """How old what is shown may be: seconds since the API server last confirmed it; infinite before the first."""
        heard = [heard_at for heard_at in self._heard_at.values() if heard_at is not None]
        return self._clock() - min(heard) if len(heard) == len(self._heard_at) else float("inf")

    # What is told.

    def confirm(self, scope: str | None) -> None:
        """The watch of `scope` (a namespace; None: all) is up to date."""
        self._heard_at[scope] = self._clock()

    def put(self, raw: Mapping[str, Any]) -> Entry:
        """Take a version of an analysis, if it is newer than what is known; what is known then."""
        entry = entry_of(raw)
        known = self.get(entry.namespace, entry.name)
        if known is not None and known.version >= entry.version:
            return known
        if entry.uid in self._tombstones:
            return entry
        _ = entry.row  # now, one by one: the first list of ten thousand would hold up every poll
        self._entries.setdefault(entry.namespace, {})[entry.name] = entry
        self._tell(Change("contract", entry))
        return entry

    def remove(self, raw: Mapping[str, Any]) -> None:
        """The analysis was deleted; one of the same name that came after it stays."""
        entry = entry_of(raw)
        self._bury(entry.uid)
        known = self.get(entry.namespace, entry.name)
        if known is None or known.uid != entry.uid:
            return
        del self._entries[entry.namespace][entry.name]
        if not self._entries[entry.namespace]:
            del self._entries[entry.namespace]
        # The last state, under the version of its deletion.
        self._tell(Change("deleted", entry if entry.version > known.version else known))

    def replace(self, scope: str | None, present: set[Key], resource_version: str) -> None:
        """A list of `scope` is complete: what it lacks is gone, unless it came after the list was made."""
        made_at = version_number(resource_version)
        for namespace in [scope] if scope is not None else list(self._entries):
            for entry in list(self.in_namespace(namespace)):
                if (entry.namespace, entry.name) not in present and entry.version <= made_at:
                    self.remove(entry.raw)

    # Who is told.

    def subscribe(self, namespace: str, name: str | None = None) -> Subscription:
        """The changes of one analysis, or (None) of all in a namespace; to be closed."""
        key = (namespace, name)

        def leave(subscription: Subscription) -> None:
            subscriptions = self._subscriptions.get(key)
            if subscriptions is not None:
                subscriptions.discard(subscription)
                if not subscriptions:
                    del self._subscriptions[key]

        subscription = Subscription(leave)
        self._subscriptions.setdefault(key, set()).add(subscription)
        if self._is_closed:
            subscription.end()
        return subscription

    def close(self) -> None:
        """End every subscription, those to come too."""
        self._is_closed = True
        for subscriptions in list(self._subscriptions.values()):
            for subscription in list(subscriptions):
                subscription.end()

    def _tell(self, change: Change) -> None:
        namespace, name = change.entry.namespace, change.entry.name
        self._versions[namespace] = self._versions.get(namespace, 0) + 1
        for key in ((namespace, name), (namespace, None)):
            for subscription in list(self._subscriptions.get(key, ())):
                subscription.offer(change)

    def _bury(self, uid: str) -> None:
        self._tombstones[uid] = None
        if len(self._tombstones) > _MAX_TOMBSTONES:
            self._tombstones.popitem(last=False)
