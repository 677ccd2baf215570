"""One order for entries whose times come from several clocks.

The API server, the operator and each node have a clock of their own, and most times are cut to whole seconds. So times
alone do not order: within a chain (a pod from its creation to its end, a container and its log) each entry follows from
the one before and stands after it, whatever its time says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dealguard_cli.timeline.model import Entry, Rank

# What two clocks may differ by and still be said to agree: times are whole seconds.
_TOLERANCE = timedelta(seconds=1)


@dataclass(frozen=True)
class Chain:
    """Entries each of which follows from the one before; the first one from `after`, in an earlier chain."""

    entries: Sequence[Entry]
    after: Entry | None = None


def ordered(chains: Sequence[Chain]) -> tuple[Entry, ...]:
    """All entries in one order; those that stand later than their own clock says are marked."""
    placed: list[tuple[datetime, Rank, datetime, int, Entry]] = []
    places: dict[int, tuple[datetime, Rank]] = {}
    for chain in chains:
        place = places.get(id(chain.after)) if chain.after else None
        for entry in chain.entries:
            place = _place(entry, place)
            places[id(entry)] = place
            is_out_of_step = place[0] - entry.time > _TOLERANCE
            time, rank = place
            marked = replace(entry, is_out_of_step=is_out_of_step)
            placed.append((_second(time), rank, time, len(placed), marked))
    return tuple(entry for *_, entry in sorted(placed, key=lambda each: each[:4]))


def _place(entry: Entry, before: tuple[datetime, Rank] | None) -> tuple[datetime, Rank]:
    if before is None or _second(entry.time) > _second(before[0]):
        return entry.time, entry.rank
    return max(before[0], entry.time), max(before[1], entry.rank)


def _second(time: datetime) -> datetime:
    # Of two times, one of which is a whole second, only the seconds can be compared; the rest is the rank's to say.
    return time.replace(microsecond=0)
