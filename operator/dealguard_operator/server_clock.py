"""The time as the API server has it, by which the operator decides.

What it waits for (a deletion, a deadline, a start) was stamped by the API server and its controllers. By a clock of its
own that is a minute ahead, a cancelled run would not wait for what its pod spent; by one that is behind, an overdue one
would end late.

One answer alone moves nothing but the very first: a wrong date would end, or delete, what has time left.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# An answer's date has whole seconds and was on its way for a while: less is no difference.
_TOLERANCE_SECONDS = 2


class ServerClock:
    """This machine's clock, put right by the dates of the API server's answers.

    Args:
        now: this machine's time, in UTC.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._own = now
        self._ahead: timedelta | None = None  # the API server's clock, of this one; None: it has not answered yet
        self._candidate: timedelta | None = None  # what the last answer says, if it says something else

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._own() + (self._ahead or timedelta())

    def own(self) -> datetime:
        """This machine's time, in UTC."""
        return self._own()

    def answered(self, date: str | None, came_at: datetime) -> None:
        """Take note of an answer of the API server.

        Args:
            date: its `Date` header; what is none is passed over.
            came_at: when it began, by `own`.
        """
        try:
            ahead = parsedate_to_datetime(date or "").astimezone(UTC) - came_at
        except (ValueError, OverflowError):
            return
        if _agree(ahead, self._ahead or timedelta()):
            self._ahead, self._candidate = self._ahead or timedelta(), None
        elif self._ahead is None or (self._candidate is not None and _agree(ahead, self._candidate)):
            self._ahead, self._candidate = ahead, None
        else:
            self._candidate = ahead


def _agree(one: timedelta, other: timedelta) -> bool:
    return abs((one - other).total_seconds()) <= _TOLERANCE_SECONDS
