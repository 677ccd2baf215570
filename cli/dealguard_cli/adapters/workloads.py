"""Raw Jobs, Pods and Events to typed ones, with the fields that a timeline reads, and all of them together.

Anybody in a namespace may have written them: what is missing or malformed is read as absent, and never an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dealguard_api import names
from dealguard_api.pod import ANALYZE_CONTAINER, EXTRACT_CONTAINER
from dealguard_cli.adapters.analyses import Analysis

Raw = Mapping[str, Any]

_MAX_GRACE_SECONDS = 86_400  # beyond any real one


@dataclass(frozen=True)
class ConditionSeen:
    """A condition of a Job or a Pod that holds, or that is told about because it does not."""

    type: str
    is_true: bool
    reason: str
    message: str
    since: datetime | None


@dataclass(frozen=True)
class JobSeen:
    """A Job of an analysis."""

    name: str
    uid: str
    analysis_uid: str
    run: int | None
    created_at: datetime | None
    deleting_since: datetime | None
    is_suspended: bool
    conditions: tuple[ConditionSeen, ...]


@dataclass(frozen=True)
class ContainerSeen:
    """A container of a Pod. Waiting: neither time is set. Running: it has no end."""

    name: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    reason: str = ""  # of its waiting, or of its end
    message: str = ""  # of its waiting; what an ended one wrote is for the operator

    @property
    def has_log(self) -> bool:
        """Whether it ever ran."""
        return self.started_at is not None


@dataclass(frozen=True)
class PodSeen:
    """A Pod of one of the Jobs."""

    name: str
    uid: str
    analysis_uid: str
    run: int | None
    job_name: str
    created_at: datetime | None
    deleting_since: datetime | None
    phase: str
    reason: str
    message: str
    node: str
    conditions: tuple[ConditionSeen, ...]
    containers: tuple[ContainerSeen, ...]  # extract, analyze

    def condition(self, type_: str) -> ConditionSeen | None:
        """The condition of that type, if the pod has it."""
        return next((each for each in self.conditions if each.type == type_), None)

    def container(self, name: str) -> ContainerSeen | None:
        """The container of that name, once the node speaks of it."""
        return next((each for each in self.containers if each.name == name), None)


@dataclass(frozen=True)
class EventSeen:
    """An Event; `count` times between `first` and `last`."""

    kind: str
    name: str
    uid: str
    is_warning: bool
    reason: str
    message: str
    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True)
class ContainerLog:
    """Lines of one container, each after the time at which the node took it."""

    pod_name: str
    container: str
    lines: tuple[str, ...]
    is_cut: bool = False


@dataclass(frozen=True)
class Evidence:
    """What was found. `refusals` are sentences on what could not be asked for."""

    namespace: str
    name: str
    uid: str
    run: int
    analysis: Analysis | None
    jobs: tuple[JobSeen, ...] = ()
    pods: tuple[PodSeen, ...] = ()
    events: tuple[EventSeen, ...] = ()
    logs: tuple[ContainerLog, ...] = ()
    operator_log: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    is_complete: bool = True  # Jobs and pods could be asked for: those that are not here are not there

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self.analysis is None and not (self.jobs or self.pods or self.events)


def job_from(raw: Raw) -> JobSeen:
    """A Job."""
    metadata = _mapping(raw, "metadata")
    return JobSeen(
        name=_text(metadata, "name"),
        uid=_text(metadata, "uid"),
        analysis_uid=_text(_mapping(metadata, "labels"), names.LABEL_UID),
        run=_run(metadata),
        created_at=_time(metadata, "creationTimestamp"),
        deleting_since=_deleted_at(metadata),
        is_suspended=_mapping(raw, "spec").get("suspend") is True,
        conditions=_conditions(raw),
    )


def pod_from(raw: Raw) -> PodSeen:
    """A Pod."""
    metadata, status = _mapping(raw, "metadata"), _mapping(raw, "status")
    owners = (owner for owner in _mappings(metadata, "ownerReferences") if owner.get("kind") == "Job")
    states = [
        _container(each)
        for field, name in (("initContainerStatuses", EXTRACT_CONTAINER), ("containerStatuses", ANALYZE_CONTAINER))
        for each in _mappings(status, field)
        if each.get("name") == name
    ]
    return PodSeen(
        name=_text(metadata, "name"),
        uid=_text(metadata, "uid"),
        analysis_uid=_text(_mapping(metadata, "labels"), names.LABEL_UID),
        run=_run(metadata),
        job_name=_text(next(owners, {}), "name"),
        created_at=_time(metadata, "creationTimestamp"),
        deleting_since=_deleted_at(metadata),
        phase=_text(status, "phase"),
        reason=_text(status, "reason"),
        message=_text(status, "message"),
        node=_text(_mapping(raw, "spec"), "nodeName"),
        conditions=_conditions(raw),
        containers=tuple(states),
    )


def event_from(raw: Raw) -> EventSeen | None:
    """An Event, of the old kind (with a count) or the new one (with a series); None for one without a time."""
    about, series = _mapping(raw, "involvedObject"), _mapping(raw, "series")
    times = [
        time
        for time in (
            _time(raw, "firstTimestamp"),
            _time(raw, "eventTime"),
            _time(raw, "lastTimestamp"),
            _time(series, "lastObservedTime"),
        )
        if time is not None
    ]
    if not times:
        return None
    count = series.get("count") or raw.get("count")
    return EventSeen(
        kind=_text(about, "kind"),
        name=_text(about, "name"),
        uid=_text(about, "uid"),
        is_warning=raw.get("type") == "Warning",
        reason=_text(raw, "reason"),
        message=_text(raw, "message"),
        first=min(times),
        last=max(times),
        count=count if isinstance(count, int) and count > 0 else 1,
    )


def time_from(text: object) -> datetime | None:
    """A time with a zone, in UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None


def _container(raw: Raw) -> ContainerSeen:
    name, state = _text(raw, "name"), _mapping(raw, "state")
    if ended := _mapping(state, "terminated"):
        code = ended.get("exitCode")
        return ContainerSeen(
            name=name,
            started_at=_later_than_1970(_time(ended, "startedAt")),
            finished_at=_time(ended, "finishedAt"),
            exit_code=code if isinstance(code, int) else None,
            reason=_text(ended, "reason"),
        )
    if running := _mapping(state, "running"):
        return ContainerSeen(name=name, started_at=_time(running, "startedAt"))
    waiting = _mapping(state, "waiting")
    return ContainerSeen(name=name, reason=_text(waiting, "reason"), message=_text(waiting, "message"))


def _deleted_at(metadata: Raw) -> datetime | None:
    """When its deletion was asked for: the server notes when its grace ends."""
    time, grace_seconds = _time(metadata, "deletionTimestamp"), metadata.get("deletionGracePeriodSeconds")
    if time is None or not isinstance(grace_seconds, int):
        return time
    return time - timedelta(seconds=min(grace_seconds, _MAX_GRACE_SECONDS))


def _later_than_1970(time: datetime | None) -> datetime | None:
    # Runtimes give the beginning of time for a container that could not be started.
    return time if time is not None and time.timestamp() > 0 else None


def _conditions(raw: Raw) -> tuple[ConditionSeen, ...]:
    return tuple(
        ConditionSeen(
            type=_text(each, "type"),
            is_true=each.get("status") == "True",
            reason=_text(each, "reason"),
            message=_text(each, "message"),
            since=_time(each, "lastTransitionTime"),
        )
        for each in _mappings(_mapping(raw, "status"), "conditions")
    )


def _run(metadata: Raw) -> int | None:
    number = _text(_mapping(metadata, "labels"), names.LABEL_RUN)
    return int(number) if number.isascii() and number.isdecimal() else None


def _mapping(raw: Raw, key: str) -> Raw:
    value = raw.get(key)
    return value if isinstance(value, Mapping) else {}


def _mappings(raw: Raw, key: str) -> list[Raw]:
    value = raw.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [each for each in value if isinstance(each, Mapping)]


def _text(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _time(raw: Raw, key: str) -> datetime | None:
    return time_from(raw.get(key))
