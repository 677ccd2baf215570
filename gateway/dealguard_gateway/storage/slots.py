"""How many uploads there are at the same time: each holds one part of a document in memory, the next ones wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dealguard_gateway.problems import UnavailableProblem

# Proxies on the way may give up earlier, which does no harm: nothing of a body is read while it waits.
WAIT_SECONDS = 120.0
# Each who waits has up to 64 KiB of a body in the server's buffer.
_MAX_WAITING = 512


@dataclass
class _Share:
    """One user's part of the places."""

    free: asyncio.Semaphore
    users: int = 0


class Slots:
    """A number of places, and a queue before them: first come, first served, but half of them at most for one user.

    Args:
        places: how many.
        wait_seconds: the longest wait in the queue.
        max_waiting: how many may wait.
    """

    def __init__(self, places: int, *, wait_seconds: float = WAIT_SECONDS, max_waiting: int = _MAX_WAITING) -> None:
        self._free = asyncio.Semaphore(places)
        self._share_places = max(1, places // 2)
        self._shares: dict[str, _Share] = {}
        self._wait_seconds = wait_seconds
        self._max_waiting = max_waiting
        self._waiting = 0

    @asynccontextmanager
    async def one(self, user: str) -> AsyncIterator[None]:
        """A place for as long as the block lasts.

        Raises:
            UnavailableProblem: none became free in time, or too many wait already.
        """
        share = self._shares.setdefault(user, _Share(asyncio.Semaphore(self._share_places)))
        share.users += 1
        try:
            await self._enter(share)
            try:
                yield
            finally:
                self._free.release()
                share.free.release()
        finally:
            share.users -= 1
            if not share.users:
                del self._shares[user]

    async def _enter(self, share: _Share) -> None:
        if (self._free.locked() or share.free.locked()) and self._waiting >= self._max_waiting:
            raise _busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await share.free.acquire()
                try:
                    await self._free.acquire()
                except BaseException:
                    share.free.release()
                    raise
        except TimeoutError:
            raise _busy() from None
        finally:
            self._waiting -= 1


def _busy() -> UnavailableProblem:
    return UnavailableProblem(
        "uploads-busy",
        "Too many uploads are under way. Nothing of yours was taken: send it again in a few seconds.",
        retry_after_seconds=10,
    )
