"""The time as the API server has it, by which the operator decides.

What it waits for (a deletion, a deadline, a start) was stamped by the API server and its controllers. By a clock of its
own that is a minute ahead, a cancelled run would not wait for what its pod spent; by one that is behind, an overdue one
would end late.
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
        self._ahead = timedelta()  # the API server's clock, of this one

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._own() + self._ahead

    def answered(self, date: str | None) -> None:
        """Take note of an answer that has just come, by its `Date` header; what is none is passed over."""
        try:
            ahead = parsedate_to_datetime(date or "").astimezone(UTC) - self._own()
        except (ValueError, OverflowError):
            return
        if abs((ahead - self._ahead).total_seconds()) > _TOLERANCE_SECONDS:
            self._ahead = ahead
