"""Who may start: a limited number of places for running analyses, given away fairly.

A place that is free goes to the namespace with the fewest running analyses, within it to the highest priority, then to
who waits longest; namespaces that run equally many are told apart by their first in line in the same way. Kept in
memory and rebuilt from the store, so there is nothing to repair after a restart.
"""

import bisect
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from dealguard_operator.policies.admission import Standing


@dataclass(frozen=True)
class Limits:
    """How many analyses run at the same time, in all and in one namespace; None: any number."""

    running: int | None = None
    running_per_namespace: int | None = None

    @property
    def is_unlimited(self) -> bool:
        """Whether nobody ever waits."""
        return self.running is None and self.running_per_namespace is None


@dataclass(frozen=True)
class Candidate:
    """An analysis as far as places are concerned."""

    uid: str
    namespace: str
    standing: Standing
    priority: int
    queued_at: datetime


# A place in line: the smaller, the earlier. The priority is negated.
_Ticket = tuple[int, datetime, str]


class Places:
    """The places and the lines before them. Not safe for threads: it lives in one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: dict[str, str] = {}  # uid to namespace
        self._running_in: Counter[str] = Counter()
        self._tickets: dict[str, tuple[str, _Ticket]] = {}  # uid to namespace and ticket
        self._lines: dict[str, list[_Ticket]] = {}  # by namespace, sorted

    def update(self, candidate: Candidate) -> bool:
        """Take note of where an analysis stands; whether that may let another one start."""
        uid, namespace = candidate.uid, candidate.namespace
        match candidate.standing:
            case Standing.ASIDE:
                return self.remove(uid)
            case Standing.RUNS:
                self._leave_line(uid)
                self._take(uid, namespace)
            case Standing.WAITS:
                if uid not in self._running:  # else it was given a place, and is about to take it
                    self._line_up(uid, namespace, (-candidate.priority, candidate.queued_at, uid))
        return False

    def remove(self, uid: str) -> bool:
        """Forget an analysis; whether that may let another one start."""
        # Also one that only waited: it may have been next and never come for its place.
        was_in_line = self._leave_line(uid)
        namespace = self._running.pop(uid, None)
        if namespace is not None:
            self._running_in[namespace] -= 1
            if not self._running_in[namespace]:
                del self._running_in[namespace]
        return was_in_line or namespace is not None

    def claim(self, uid: str) -> bool:
        """Give a waiting analysis a place if it is its turn; whether it has one."""
        if uid in self._running:
            return True
        if uid not in self._tickets:
            return False
        if not self._limits.is_unlimited and uid not in self.next_in_line():
            return False
        namespace, _ = self._tickets[uid]
        self._leave_line(uid)
        self._take(uid, namespace)
        return True

    def next_in_line(self) -> list[str]:
        """Who gets the places that are free now, in order; nobody if none is."""
        limit = self._limits.running
        free = len(self._tickets) if limit is None else limit - len(self._running)
        running_in = Counter(self._running_in)
        served = Counter[str]()  # by namespace, how many of its line are chosen
        chosen: list[str] = []
        while len(chosen) < free:
            heads = {
                name: line[served[name]]
                for name, line in self._lines.items()
                if served[name] < len(line) and self._has_room(running_in[name])
            }
            if not heads:
                break
            namespace = min(heads, key=lambda name: (running_in[name], heads[name]))
            chosen.append(heads[namespace][-1])
            served[namespace] += 1
            running_in[namespace] += 1
        return chosen

    def _has_room(self, running: int) -> bool:
        limit = self._limits.running_per_namespace
        return limit is None or running < limit

    def _line_up(self, uid: str, namespace: str, ticket: _Ticket) -> None:
        if self._tickets.get(uid) == (namespace, ticket):
            return
        self._leave_line(uid)
        self._tickets[uid] = (namespace, ticket)
        bisect.insort(self._lines.setdefault(namespace, []), ticket)

    def _leave_line(self, uid: str) -> bool:
        if uid not in self._tickets:
            return False
        namespace, ticket = self._tickets.pop(uid)
        line = self._lines[namespace]
        del line[bisect.bisect_left(line, ticket)]
        if not line:
            del self._lines[namespace]
        return True

    def _take(self, uid: str, namespace: str) -> None:
        if uid not in self._running:
            self._running[uid] = namespace
            self._running_in[namespace] += 1
