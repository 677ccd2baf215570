"""Who may start: a limited number of places for running analyses, given away fairly.

A place that is free goes to the namespace with the fewest running analyses, within it to the highest priority, then to
who waits longest; namespaces that run equally many are told apart by their first in line in the same way. Kept in
memory and rebuilt from the store, so there is nothing to repair after a restart.
"""

import bisect
import heapq
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
    def are_set(self) -> bool:
        """Whether anybody may have to wait."""
        return self.running is not None or self.running_per_namespace is not None


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
        self._closed: set[str] = set()  # namespaces

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
        # Without limits each has its place as soon as it is looked at. To call all that wait whenever one of thousands
        # ends would cost the square of their number.
        return self._limits.are_set and (was_in_line or namespace is not None)

    def claim(self, uid: str) -> bool:
        """Give a waiting analysis a place if it is its turn; whether it has one."""
        if uid in self._running:
            return True
        if uid not in self._tickets:
            return False
        if not self._is_its_turn(uid):
            return False
        namespace, _ = self._tickets[uid]
        self._leave_line(uid)
        self._take(uid, namespace)
        return True

    def taken(self) -> list[str]:
        """Who has a place."""
        return list(self._running)

    def count_taken(self) -> int:
        """How many places are taken."""
        return len(self._running)

    def close(self, namespace: str) -> bool:
        """Give nobody of a namespace a place until it is opened again; whether it was open. Who has one keeps it."""
        was_open = namespace not in self._closed
        self._closed.add(namespace)
        return was_open

    def open(self, namespace: str) -> None:
        """Give places to a namespace again."""
        self._closed.discard(namespace)

    def next_in_line(self) -> list[str]:
        """Who gets the places that are free now, in order; nobody if none is."""
        free = self._free()
        if free <= 0:
            return []
        # The head of each line that may move on; the smallest is next. One that has moved on lets the one behind it up.
        heads = [(self._running_in[name], line[0], name) for name, line in self._lines.items() if self._has_room(name)]
        heapq.heapify(heads)
        served = Counter[str]()  # by namespace, how many of its line are chosen
        chosen: list[str] = []
        while heads and len(chosen) < free:
            running, ticket, name = heads[0]
            chosen.append(ticket[-1])
            served[name] += 1
            if served[name] < len(self._lines[name]) and self._has_room(name, ahead=served[name]):
                heapq.heapreplace(heads, (running + 1, self._lines[name][served[name]], name))
            else:
                heapq.heappop(heads)
        return chosen

    def _is_its_turn(self, uid: str) -> bool:
        """Whether `uid` is next in line. All are asked often, so the whole line is gone through only if it matters."""
        free = self._free()
        if free <= 0:
            return False
        namespace, ticket = self._tickets[uid]
        if not self._has_room(namespace, ahead=bisect.bisect_left(self._lines[namespace], ticket)):
            return False
        return free >= len(self._tickets) or uid in self.next_in_line()

    def _free(self) -> int:
        """How many places are free for those in line."""
        limit = self._limits.running
        return len(self._tickets) if limit is None else limit - len(self._running)

    def _has_room(self, namespace: str, *, ahead: int = 0) -> bool:
        """Whether the namespace may have one more, after `ahead` others of its line."""
        limit = self._limits.running_per_namespace
        if namespace in self._closed:
            return False
        return limit is None or self._running_in[namespace] + ahead < limit

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
