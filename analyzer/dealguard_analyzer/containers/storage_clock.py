"""How long a run still has, on a node whose clock may be wrong.

Its deadline is a time of the control plane's clock. A container that went by a node's clock a minute ahead would end a
minute early, or at once. So the object storage is heard too, whose answers are dated, and whichever of the two clocks
leaves more time counts: ending early spends an attempt, while at the true deadline the Job's controller ends the pod
anyway, by its own clock.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# An answer's date has whole seconds: the time was up to so much later.
_DATE_RESOLUTION = timedelta(seconds=1)


class StorageClock:
    """The node's clock, put back where the object storage's is behind it.

    Args:
        now: the node's time, in UTC.
        monotonic: seconds that nobody sets, for everything after the first answer.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._ahead_seconds: float | None = None  # of the monotonic clock; None: the storage has not answered yet

    def answered(self, date: str | None) -> None:
        """Take note of an answer of the storage; the first one counts.

        Args:
            date: its `Date` header. If it is none, the node's clock has to do.
        """
        if self._ahead_seconds is not None:
            return
        now = self._now()
        with suppress(ValueError, OverflowError):
            now = min(now, parsedate_to_datetime(date or "").astimezone(UTC) + _DATE_RESOLUTION)
        self._ahead_seconds = now.timestamp() - self._monotonic()

    def seconds_until(self, deadline: datetime) -> float:
        """How long until `deadline`; infinite until the storage has answered, for the node's clock may be wrong."""
        if self._ahead_seconds is None:
            return float("inf")
        return deadline.timestamp() - self._ahead_seconds - self._monotonic()
