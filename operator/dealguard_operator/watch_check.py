"""Whether the watches deliver: what a list had to tell must come from the watch too, soon.

An open connection proves nothing, and Kopf keeps its own to itself. So the check goes from end to end: a
resync that learns something new from a list notes it, and the watch of those objects has to say the same. Changes
that the operator made itself count for nothing: it knows them from the answers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dealguard_operator.model import JobState, KnownAnalysis, PodState

# A silent watch is renewed after 70 s (kubernetes_api.py): by then it was, twice, and has told nothing.
STALE_SECONDS = 150

Watched = KnownAnalysis | JobState | PodState


@dataclass(frozen=True)
class _Missed:
    """A version of an object that only a list has shown."""

    resource_version: str
    since: float  # by the monotonic clock, in seconds


class WatchCheck:
    """What lists showed and watches did not, yet.

    Args:
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # By kind and namespace (None: all), as there is one watch for each; then by the object's uid.
        self._missed: dict[tuple[str, str | None], dict[str, _Missed]] = {}
        self._compared_at: dict[tuple[str, str | None], float] = {}

    def compare(
        self, kind: str, namespace: str | None, listed: Iterable[Watched], is_known: Callable[[Watched], bool]
    ) -> None:
        """Take note of a complete list, before its objects are known."""
        now = self._clock()
        before = self._missed.get((kind, namespace), {})
        missed: dict[str, _Missed] = {}
        for value in listed:  # what is in no list any more need not come
            if value.uid in before:
                missed[value.uid] = before[value.uid]
            elif not is_known(value):
                missed[value.uid] = _Missed(value.resource_version, now)
        self._missed[kind, namespace] = missed
        self._compared_at[kind, namespace] = now

    def begins(self, kind: str, namespace: str | None) -> None:
        """Take note that a watch begins where a complete list ended: it tells nothing of what is in that."""
        self._missed[kind, namespace] = {}
        self._compared_at[kind, namespace] = self._clock()

    def delivered(self, value: Watched, *, is_deleted: bool) -> None:
        """Take note of what a watch says."""
        for missed in self._missed.values():
            waiting = missed.get(value.uid)
            if waiting is not None and (is_deleted or _reaches(value.resource_version, waiting.resource_version)):
                del missed[value.uid]

    def start_anew(self) -> None:
        """Forget what was missed: a cluster that could not be listed could not be watched either."""
        self._missed.clear()

    def stale(self) -> list[str]:
        """Which watches missed something for too long, as of the last list, each in a sentence without a full stop."""
        problems = []
        for (kind, namespace), missed in self._missed.items():
            oldest = min((item.since for item in missed.values()), default=None)
            seconds = self._compared_at[kind, namespace] - oldest if oldest is not None else 0
            if seconds > STALE_SECONDS:
                where = f"in {namespace}" if namespace else "of all namespaces"
                problems.append(f"the watch of {kind} {where} has not told a change for {seconds:.0f} s")
        return problems


def _reaches(version: str, awaited: str) -> bool:
    if version.isdecimal() and awaited.isdecimal():
        return int(version) >= int(awaited)
    return True  # it speaks, at least
