"""Leader election: of several operators that serve the same analyses, one writes and the others stand by.

The leader holds a Lease and renews it. No clock is compared with another machine's: a standby counts the time since it
saw the record change, the leader counts from the moment it *sent* its last successful renewal, and stops earlier.

    leader:   sent ────────── may write ──────────▶|◀─ margin ─▶|
    standby:      seen ────────── the holder's duration ────────▶ may take over

Both count by a clock that goes on while the machine sleeps. docs/decisions/0004-leader-election.md has the reasons.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from dealguard_operator import errors

logger = logging.getLogger(__name__)

# How long a lease that was given back stays unused, at most. A read by name costs the API server less than the watch
# that would save it, and needs no fallback for a watch that went silent.
_POLL_SECONDS = 0.5
# A third leaves room for two renewals that fail; a request that takes longer than a fifth has failed.
_RENEWALS_PER_DURATION = 3
_REQUEST_SHARE = 1 / 5
# What was sent before the end of the right to write has this share of the duration to be carried out or refused.
_MARGIN_SHARE = 1 / 5
# To give the lease back, or find that somebody else has it.
_RELEASE_SECONDS = 1.0


def boot_time() -> float:
    """Seconds since the machine started, those included in which it was suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Leadership(Protocol):
    """The right to write."""

    def seconds_left(self) -> float:
        """How long this process may still write, unless it is prolonged; 0 or less: it may not."""


class Alone:
    """The right to write where nobody competes for it."""

    def seconds_left(self) -> float:
        """For ever."""
        return math.inf


@dataclass(frozen=True)
class Lease:
    """What a Lease says.

    Args:
        holder: the identity of who holds it; empty: nobody.
        duration_seconds: how long it is good for after each renewal.
        acquired_at: when the holder took it.
        renewed_at: when the holder last renewed it, by the holder's clock.
        transitions: how often it changed hands.
        resource_version: of what was read; fences the next write. Empty: it does not exist yet.
    """

    holder: str
    duration_seconds: int
    acquired_at: datetime
    renewed_at: datetime
    transitions: int = 0
    resource_version: str = ""


class Leases(Protocol):
    """The one Lease that is competed for. Each method raises `errors.ApiError`."""

    async def read(self, timeout_seconds: float) -> Lease | None:
        """What it says now; None: there is none yet."""

    async def write(self, lease: Lease, timeout_seconds: float) -> Lease:
        """Create it, or replace the version that `lease` was made from.

        Raises:
            errors.ConflictError: somebody else wrote first.
            errors.AlreadyExistsError: somebody else created it first.
        """


class Election:
    """Competes for a Lease, renews it while it has it, and says for how long this process may write.

    Args:
        leases: the Lease.
        identity: this process, and no other one ever.
        duration_seconds: how long a lease is good for; the longest that work rests after a leader died.
        on_won: called when this process begins to lead, also after it could not renew for a while.
        now: the time that is written down, for people.
        clock: seconds that go on while the machine is suspended.
    """

    def __init__(
        self,
        leases: Leases,
        identity: str,
        duration_seconds: int,
        *,
        on_won: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = boot_time,
    ) -> None:
        self._leases = leases
        self._identity = identity
        self._duration_seconds = duration_seconds
        self._request_seconds = duration_seconds * _REQUEST_SHARE
        self._on_won = on_won
        self._now = now
        self._clock = clock
        self._mine: Lease | None = None  # the record as this process last wrote it
        self._may_write_until = -math.inf
        self._answered_at = clock()
        self._had_turn = asyncio.Event()
        self._problem = ""  # the last that was logged and still is one
        self._is_told = False  # whether the log's last word is that this process leads
        self._seen: Lease | None = None  # somebody else's record
        self._seen_at = -math.inf

    def seconds_left(self) -> float:
        """How long this process may still write, unless it is prolonged; 0 or less: it may not."""
        return self._may_write_until - self._clock()

    def seconds_since_answer(self) -> float:
        """How long ago the Lease could last be read or written; before the first time, since this began."""
        return self._clock() - self._answered_at

    async def wait_first_turn(self) -> None:
        """Wait until it was tried once to take the lease, and `on_won` was called if that went well."""
        await self._had_turn.wait()

    async def run(self) -> None:
        """Compete until cancelled. An API server that is away ends nothing: it is asked again."""
        while True:
            pause_seconds = await self.take_turn()
            await asyncio.sleep(pause_seconds)

    async def take_turn(self) -> float:
        """Renew the lease, or take it if it is free.

        Returns:
            Seconds until the next turn.
        """
        try:
            if self._mine is not None:
                await self._write(self._mine)
            else:
                await self._compete()
            self._answer("")
        except (errors.ConflictError, errors.AlreadyExistsError, errors.NotFoundError):
            # Somebody else wrote or deleted it, or an earlier try of ours arrived: the next turn reads it.
            self._mine = None
            self._answer("")
        except errors.ApiError as error:
            self._answer(error.message)
        self._tell()
        self._had_turn.set()
        if self._mine is not None and self.seconds_left() > self._renewal_seconds:
            return self._renewal_seconds
        return _POLL_SECONDS * random.uniform(0.8, 1.0)  # noqa: S311 - spread, so that standbys do not ask in step

    async def release(self) -> None:
        """Stop writing and give the lease back, so that another takes over at once."""
        mine, self._mine = self._mine, None
        self._may_write_until = -math.inf
        if mine is None:
            return
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                try:
                    await self._write_free(mine)
                except errors.ConflictError:  # a renewal that was cut off may have arrived
                    current = await self._leases.read(self._request_seconds)
                    if current is not None and current.holder == self._identity:
                        await self._write_free(current)
        except (errors.ApiError, TimeoutError):
            logger.warning("The lease could not be given back; it ends in %s s.", self._duration_seconds)

    @property
    def _renewal_seconds(self) -> float:
        return self._duration_seconds / _RENEWALS_PER_DURATION

    async def _compete(self) -> None:
        lease = await self._leases.read(self._request_seconds)
        if self._is_free(lease):
            await self._write(lease)

    def _is_free(self, lease: Lease | None) -> bool:
        if lease is not None and lease.holder in ("", self._identity):
            return True
        if lease is not None:
            self._may_write_until = -math.inf  # only an administrator's hand can have taken it away before
            # Whatever else was written to it: a renewal changes what it says.
            content = replace(lease, resource_version="")
            if content != self._seen:
                self._seen, self._seen_at = content, self._clock()
        # Deleted by hand, it is still good for whoever held it.
        return self._seen is None or self._clock() - self._seen_at >= self._seen.duration_seconds

    async def _write(self, before: Lease | None) -> None:
        """Take the lease, or renew it; from when it was sent it is good for its duration."""
        sent_at, now = self._clock(), self._now()
        is_renewal = before is not None and before.holder == self._identity
        lease = Lease(
            holder=self._identity,
            duration_seconds=self._duration_seconds,
            acquired_at=before.acquired_at if before is not None and is_renewal else now,
            renewed_at=now,
            transitions=(before.transitions + (not is_renewal)) if before is not None else 0,
            resource_version=before.resource_version if before is not None else "",
        )
        self._mine = await self._leases.write(lease, self._request_seconds)
        could_write = self.seconds_left() > 0
        self._may_write_until = sent_at + self._duration_seconds * (1 - _MARGIN_SHARE)
        if not could_write and self.seconds_left() > 0:
            self._tell()
            self._on_won()

    async def _write_free(self, lease: Lease) -> None:
        await self._leases.write(
            replace(lease, holder="", duration_seconds=1, renewed_at=self._now()), self._request_seconds
        )

    def _answer(self, problem: str) -> None:
        """Note whether there was an answer; a problem is logged once, not with every try."""
        if not problem:
            self._answered_at = self._clock()
        elif problem != self._problem:
            logger.warning("The lease cannot be read or written, trying again: %s", problem)
        self._problem = problem

    def _tell(self) -> None:
        leads = self.seconds_left() > 0
        if leads and not self._is_told:
            logger.info("This process leads (%s).", self._identity)
        elif self._is_told and not leads:
            logger.warning("This process leads no longer, and writes nothing (%s).", self._identity)
        self._is_told = leads
