"""Raw Jobs, Pods and Events to typed ones, with the fields that a timeline reads, and all of them together.

Anybody in a namespace may have written them: what is missing or malformed is read as absent, and never an error.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dealguard_api import names
from dealguard_api.pod import ANALYZE_CONTAINER, EXTRACT_CONTAINER
from dealguard_api.untrusted import Raw, mapping_in, mappings_in, text_in
from dealguard_cli.adapters.analyses import Analysis

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
    metadata = mapping_in(raw, "metadata")
    return JobSeen(
        name=text_in(metadata, "name"),
        uid=text_in(metadata, "uid"),
        analysis_uid=text_in(mapping_in(metadata, "labels"), names.LABEL_UID),
        run=_run(metadata),
        created_at=_time(metadata, "creationTimestamp"),
        deleting_since=_deleted_at(metadata),
        is_suspended=mapping_in(raw, "spec").get("suspend") is True,
        conditions=_conditions(raw),
    )


def pod_from(raw: Raw) -> PodSeen:
    """A Pod."""
    metadata, status = mapping_in(raw, "metadata"), mapping_in(raw, "status")
    owners = (owner for owner in mappings_in(metadata, "ownerReferences") if owner.get("kind") == "Job")
    states = [
        _container(each)
        for field, name in (("initContainerStatuses", EXTRACT_CONTAINER), ("containerStatuses", ANALYZE_CONTAINER))
        for each in mappings_in(status, field)
        if each.get("name") == name
    ]
    return PodSeen(
        name=text_in(metadata, "name"),
        uid=text_in(metadata, "uid"),
        analysis_uid=text_in(mapping_in(metadata, "labels"), names.LABEL_UID),
        run=_run(metadata),
        job_name=text_in(next(owners, {}), "name"),
        created_at=_time(metadata, "creationTimestamp"),
        deleting_since=_deleted_at(metadata),
        phase=text_in(status, "phase"),
        reason=text_in(status, "reason"),
        message=text_in(status, "message"),
        node=text_in(mapping_in(raw, "spec"), "nodeName"),
        conditions=_conditions(raw),
        containers=tuple(states),
    )


def event_from(raw: Raw) -> EventSeen | None:
    """An Event, of the old kind (with a count) or the new one (with a series); None for one without a time."""
    about, series = mapping_in(raw, "involvedObject"), mapping_in(raw, "series")
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
        kind=text_in(about, "kind"),
        name=text_in(about, "name"),
        uid=text_in(about, "uid"),
        is_warning=raw.get("type") == "Warning",
        reason=text_in(raw, "reason"),
        message=text_in(raw, "message"),
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
    name, state = text_in(raw, "name"), mapping_in(raw, "state")
    if ended := mapping_in(state, "terminated"):
        code = ended.get("exitCode")
        return ContainerSeen(
            name=name,
            started_at=_later_than_1970(_time(ended, "startedAt")),
            finished_at=_time(ended, "finishedAt"),
            exit_code=code if isinstance(code, int) else None,
            reason=text_in(ended, "reason"),
        )
    if running := mapping_in(state, "running"):
        return ContainerSeen(name=name, started_at=_time(running, "startedAt"))
    waiting = mapping_in(state, "waiting")
    return ContainerSeen(name=name, reason=text_in(waiting, "reason"), message=text_in(waiting, "message"))


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
            type=text_in(each, "type"),
            is_true=each.get("status") == "True",
            reason=text_in(each, "reason"),
            message=text_in(each, "message"),
            since=_time(each, "lastTransitionTime"),
        )
        for each in mappings_in(mapping_in(raw, "status"), "conditions")
    )


def _run(metadata: Raw) -> int | None:
    number = text_in(mapping_in(metadata, "labels"), names.LABEL_RUN)
    return int(number) if number.isascii() and number.isdecimal() else None


def _time(raw: Raw, key: str) -> datetime | None:
    return time_from(raw.get(key))
