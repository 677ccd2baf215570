"""Events as entries: equal ones once, with their number, and none that repeats what its object says itself."""

from collections.abc import Iterable, Iterator

from dealguard_api import names
from dealguard_cli.adapters.workloads import EventSeen, Evidence
from dealguard_cli.timeline.model import Entry, Level, Rank, Source, SourceKind

_KINDS = {names.KIND: "resource", "Job": "job", "Pod": "pod"}
_RANKS = {
    "Started": Rank.JOB,
    "SuccessfulCreate": Rank.POD,
    "FailedCreate": Rank.POD,
    "Scheduled": Rank.SCHEDULED,
    "FailedScheduling": Rank.SCHEDULED,
}
# The scheduler's and the kubelet's words for what the pod's own times say.
_SAID_BY_POD = {"Scheduled", "Created", "Started"}
_SAID_BY_JOB_AND_ITS_PODS = {"SuccessfulCreate", "Completed"}
_SAID_BY_RESOURCE = {"Started", "Completed", "Failed", "Cancelled"}


def of_evidence(evidence: Evidence) -> Iterator[Entry]:
    """The Events of the run."""
    for event in _merged(_of_run(evidence)):
        if not _is_said_otherwise(evidence, event):
            yield _entry(event)


def _of_run(evidence: Evidence) -> Iterator[EventSeen]:
    """The resource's Events carry no run: they belong to it by their time."""
    begin, end = evidence.analysis.window(evidence.run) if evidence.analysis else (None, None)
    for event in evidence.events:
        is_resource = event.kind == names.KIND
        is_before = begin is not None and event.last < begin
        is_after = end is not None and event.first > end
        if event.kind in _KINDS and not (is_resource and (is_before or is_after)):
            yield event


def _merged(events: Iterable[EventSeen]) -> list[EventSeen]:
    merged: dict[tuple[str, ...], EventSeen] = {}
    for event in events:
        key = (event.uid, event.name, event.reason, event.message)
        before = merged.get(key)
        merged[key] = event if before is None else _sum(before, event)
    return list(merged.values())


def _sum(one: EventSeen, other: EventSeen) -> EventSeen:
    return EventSeen(
        **{
            **vars(one),
            "first": min(one.first, other.first),
            "last": max(one.last, other.last),
            "count": one.count + other.count,
        }
    )


def _is_said_otherwise(evidence: Evidence, event: EventSeen) -> bool:
    match event.kind:
        case "Pod":
            return event.reason in _SAID_BY_POD and any(pod.uid == event.uid for pod in evidence.pods)
        case "Job":
            has_pods = bool(evidence.pods) and any(job.uid == event.uid for job in evidence.jobs)
            return event.reason in _SAID_BY_JOB_AND_ITS_PODS and has_pods
        case _:
            return event.reason in _SAID_BY_RESOURCE and evidence.analysis is not None


def _entry(event: EventSeen) -> Entry:
    pod = event.name if event.kind == "Pod" else ""
    return Entry(
        time=event.first,
        source=Source(SourceKind.EVENT, _KINDS[event.kind], pod),
        text=f"{event.reason}: {event.message}" if event.message else event.reason,
        rank=_RANKS.get(event.reason, Rank.AFTER if event.kind == names.KIND else Rank.BEFORE_START),
        level=Level.WARNING if event.is_warning else Level.NORMAL,
        count=event.count,
        until=event.last if event.last > event.first else None,
    )
