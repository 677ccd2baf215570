"""Which analysis to look at next: each at most once in the queue, never by two workers at a time.

A change that arrives while an analysis is being looked at makes it due again afterwards, so nothing is missed. What is
urgent goes first, so thousands that come to wait do not hold up those that run.
"""

import asyncio
from collections import deque


class WorkQueue:
    """A queue of keys that merges repeated ones. Not safe for threads: it lives in one event loop."""

    def __init__(self) -> None:
        # A key that becomes urgent is in both rows: what is no longer due when its turn comes is passed over.
        self._urgent_row: deque[str] = deque()
        self._row: deque[str] = deque()
        self._due: set[str] = set()  # in a row, or to be put there when done
        self._urgent: set[str] = set()  # those of them that are
        self._in_work: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._arrived = asyncio.Event()
        self._ran_dry = asyncio.Event()

    def __len__(self) -> int:
        return len(self._due - self._in_work)

    def add(self, key: str, *, is_urgent: bool = False) -> None:
        """Make `key` due now."""
        self._cancel_timer(key)
        if key in self._due and (not is_urgent or key in self._urgent):
            return
        self._due.add(key)
        if is_urgent:
            self._urgent.add(key)
        if key not in self._in_work:
            self._line_up(key)

    def add_after(self, key: str, seconds: float) -> None:
        """Make `key` due in `seconds`, unless it is due earlier."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= loop.time() + seconds:
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_later(seconds, self.add, key)

    async def get(self) -> str:
        """The next due key. `done` must follow."""
        await asyncio.sleep(0)  # a long row of quick looks lets others have their turn
        while (key := self._next()) is None:
            self._ran_dry.set()
            self._arrived.clear()
            await self._arrived.wait()
        self._due.discard(key)
        self._urgent.discard(key)
        self._in_work.add(key)
        return key

    async def wait_ran_dry(self) -> None:
        """Wait until nothing is due and somebody asks for a key."""
        if len(self):
            self._ran_dry.clear()
            await self._ran_dry.wait()

    def done(self, key: str) -> None:
        """The look at `key` is over; it is due again if something changed meanwhile."""
        self._in_work.discard(key)
        if key in self._due:
            self._line_up(key)

    def _line_up(self, key: str) -> None:
        (self._urgent_row if key in self._urgent else self._row).append(key)
        self._arrived.set()

    def _next(self) -> str | None:
        for row in (self._urgent_row, self._row):
            while row:
                key = row.popleft()
                if key in self._due and key not in self._in_work:
                    return key
        return None

    def _cancel_timer(self, key: str) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
