"""Answers that last: how many there may be, and their end when the process ends."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dealguard_gateway.access.callers import Caller
from dealguard_gateway.logs import mark_stream
from dealguard_gateway.metrics import Metrics
from dealguard_gateway.problems import TooManyProblem, UnavailableProblem

# Each costs a connection and some 50 KB: 100 MB of the 512 that the chart gives a replica.
MAX_STREAMS = 2_000
# A person's browser has one a page.
_MAX_STREAMS_PER_USER = 100


class Streams:
    """The event streams and raw watches of this process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._by_user: Counter[str] = Counter()
        self.closing = asyncio.Event()

    def check(self, caller: Caller) -> None:
        """Whether the caller may have one more.

        Raises:
            TooManyProblem: they have their share.
            UnavailableProblem: there are too many in all, or the process is ending.
        """
        if self.closing.is_set() or self._by_user.total() >= MAX_STREAMS:
            raise UnavailableProblem(
                "no-streams", "No more event streams at the moment. Ask for the contract every 3 seconds instead."
            )
        if self._by_user[caller.username] >= _MAX_STREAMS_PER_USER:
            raise TooManyProblem(
                "too-many-streams",
                f"You have {_MAX_STREAMS_PER_USER} event streams open. Close some, or follow a whole organization "
                "with one.",
                retry_after_seconds=30,
            )

    @contextmanager
    def place(self, caller: Caller) -> Iterator[None]:
        """Count one while it lasts."""
        mark_stream()
        self._by_user[caller.username] += 1
        self._metrics.streams.inc()
        try:
            yield
        finally:
            self._metrics.streams.dec()
            self._by_user[caller.username] -= 1
            if not self._by_user[caller.username]:
                del self._by_user[caller.username]

    def close(self) -> None:
        """Let all of them end, and begin no more."""
        self.closing.set()
