"""The lines about one analysis in the operator's log, as far as the nodes still have it.

A node keeps the log of a pod's present container and of the one before it, and shows what was written since its last
rotation (every 10 MiB unless set otherwise). All analyses share it, so it may begin long after an old one ended.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dealguard_api import names
from dealguard_api.untrusted import Raw, mapping_in, mappings_in, text_in
from dealguard_cli.adapters.cluster import Cluster
from dealguard_cli.adapters.workloads import time_from
from dealguard_cli.errors import CliError, CliReason

SELECTOR = f"app.kubernetes.io/name=dealguard,{names.LABEL_COMPONENT}=operator"
MAX_PODS = 5

# Of the 3 KB or so that an analysis writes, this is some 3,000 of them from the beginning of ours.
_MAX_BYTES = 8 * 1024 * 1024
# Where nobody knows when the analysis began.
_MAX_LINES = 20_000
_CONTAINER = "operator"
# Enough for the time at the beginning of a line.
_STAMP_BYTES = 64
# `sinceTime` is judged by the node's clock.
_CLOCK_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Wanted:
    """What is looked for.

    Args:
        marks: a line that has one of these is about the analysis.
        begin: when the run began; None if that is not known.
        end: when it was over; None if it is not, as far as is known.
    """

    marks: tuple[str, ...]
    begin: datetime | None
    end: datetime | None


class OperatorLog:
    """Reads the logs of the operator's pods; what is missing of them is told to `tell`, in sentences."""

    def __init__(self, cluster: Cluster, wanted: Wanted, tell: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._wanted = wanted
        self._tell = tell

    def lines(self, pods: Iterable[Raw]) -> list[str]:
        """The lines about the analysis, each after the time at which the node took it.

        Raises:
            CliError: the caller may not read them.
        """
        lines: list[str] = []
        late: dict[str, datetime] = {}  # by pod, when its log begins, where that is after the run did
        for pod in pods:
            for is_previous in _containers(pod):
                lines += self._of_container(pod, is_previous=is_previous)
            begin = self._begins_at(pod)
            if begin is not None and self._wanted.begin is not None and begin > self._wanted.begin:
                late[_name(pod)] = begin
        if late:
            where = ", ".join(f"in pod {name} at {_clock(time)}" for name, time in late.items())
            self._tell(
                f"Lines of the operator may be missing: its log begins after the run did: {where}. Older ones were "
                "rotated away by the node, or went with an earlier container or pod."
            )
        return lines

    def _of_container(self, pod: Raw, *, is_previous: bool) -> Iterator[str]:
        wanted = self._wanted
        query: dict[str, str | int] = {"limitBytes": _MAX_BYTES}
        if wanted.begin is None:
            query["tailLines"] = _MAX_LINES
        else:
            # From there on, and not the last ones: of an old analysis those have nothing.
            query["sinceTime"] = _rfc3339(wanted.begin - _CLOCK_MARGIN)
        lines = self._read(pod, is_previous=is_previous, **query)
        is_full = sum(len(line.encode()) + 1 for line in lines) >= _MAX_BYTES
        if is_full:
            lines.pop()  # cut in its middle
        last = _time_of(lines[-1]) if lines else None
        is_over = wanted.end is not None and last is not None and last > wanted.end + _CLOCK_MARGIN
        if wanted.begin is None and (is_full or len(lines) >= _MAX_LINES):
            self._tell(f"The operator's log in pod {_name(pod)} is long: only its last part was searched.")
        elif is_full and not is_over:
            until = f", until {_clock(last)}" if last else ""
            self._tell(f"The operator's log in pod {_name(pod)} is long: only its first part was searched{until}.")
        return (line for line in lines if any(mark in line for mark in wanted.marks))

    def _begins_at(self, pod: Raw) -> datetime | None:
        """When the oldest log that the node has of it begins; None if it has no line."""
        for is_previous in _containers(pod):
            first = self._read(pod, is_previous=is_previous, limitBytes=_STAMP_BYTES)
            # Of a log that is gone, a node may say so in place of its lines.
            if first and (time := _time_of(first[0])) is not None:
                return time
        return None

    def _read(self, pod: Raw, *, is_previous: bool, **query: str | int) -> list[str]:
        if is_previous:
            query["previous"] = "true"
        try:
            return self._cluster.log_lines(
                text_in(mapping_in(pod, "metadata"), "namespace"), _name(pod), container=_CONTAINER, **query
            )
        except CliError as error:
            if error.reason == CliReason.FORBIDDEN:
                raise
            if not is_previous:  # of that one, the time at which the present one's begins says what is missing
                self._tell(f"The operator's log in pod {_name(pod)} cannot be read now. Try again later.")
            return []


def _containers(pod: Raw) -> tuple[bool, ...]:
    """Whether it is the previous one, of each container that there is a log of, oldest first."""
    statuses = mappings_in(mapping_in(pod, "status"), "containerStatuses")
    has_restarted = any(each.get("name") == _CONTAINER and each.get("restartCount") for each in statuses)
    return (True, False) if has_restarted else (False,)


def _name(pod: Raw) -> str:
    return text_in(mapping_in(pod, "metadata"), "name")


def _time_of(line: str) -> datetime | None:
    return time_from(line.partition(" ")[0])


def _clock(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _rfc3339(time: datetime) -> str:
    return time.replace(microsecond=0).isoformat().replace("+00:00", "Z")
