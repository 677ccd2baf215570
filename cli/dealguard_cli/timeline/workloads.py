"""What Jobs and pods tell: each pod from its creation to its end, with its containers and their logs in between."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from dealguard_api.resource import Attempt
from dealguard_cli.adapters.workloads import ConditionSeen, ContainerSeen, JobSeen, PodSeen
from dealguard_cli.timeline.model import Entry, Level, Rank, Source, SourceKind
from dealguard_cli.timeline.resource import attempt_end, attempt_level
from dealguard_cli.timeline.wording import container_end, container_waits, is_stuck

JOB = Source(SourceKind.JOB)

# The Job controller says first that a Job is about to end and later that it has: the first is when it was decided.
_JOB_ENDS = (("SuccessCriteriaMet", "Complete"), ("FailureTarget", "Failed"))


def job_created(job: JobSeen) -> Entry | None:
    """The Job's beginning."""
    return Entry(job.created_at, JOB, f"Job {job.name} was created", Rank.JOB) if job.created_at else None


def job_ended(job: JobSeen) -> Iterator[Entry]:
    """The Job's end, as its controller decided it, or that somebody deletes it."""
    for types in _JOB_ENDS:
        if (condition := _first(job.conditions, types)) is not None and condition.since is not None:
            failed = types[-1] == "Failed"
            details = f" ({condition.reason}): {condition.message}" if failed else ""
            text = f"the Job {'failed' if failed else 'is complete'}{details}"
            yield Entry(condition.since, JOB, text, Rank.JOB_END, Level.ERROR if failed else Level.NORMAL)
    if job.deleting_since is not None:
        yield Entry(job.deleting_since, JOB, "the Job is being deleted", Rank.JOB_END, Level.WARNING)
    suspended = next((each for each in job.conditions if each.type == "Suspended" and each.is_true), None)
    if suspended is not None and suspended.since is not None:
        text = f"the Job is suspended, not by the analysis: {suspended.message}"
        yield Entry(suspended.since, JOB, text, Rank.AFTER, Level.WARNING)


def pod_chain(
    pod: PodSeen, logs: Mapping[str, Sequence[Entry]], attempt: tuple[int, Attempt] | None, now: datetime
) -> Iterator[Entry]:
    """All of one pod, in the order in which one thing follows from another.

    Args:
        pod: the pod.
        logs: the entries of its containers' logs, by container.
        attempt: its number and record, once the operator has taken note of its end.
        now: the time, for what has none of its own.
    """
    source = Source(SourceKind.POD, pod=pod.name)
    if pod.created_at is not None:
        yield Entry(pod.created_at, source, f"pod {pod.name} was created", Rank.POD)
    yield from _scheduling(pod, source)
    for container in pod.containers:
        yield from _container(container, pod, logs.get(container.name, ()), now)
    yield from _ending(pod, source, attempt)


def _scheduling(pod: PodSeen, source: Source) -> Iterator[Entry]:
    condition = pod.condition("PodScheduled")
    if condition is None or condition.since is None:
        return
    if condition.is_true:
        yield Entry(condition.since, source, f"scheduled to node {pod.node or '(unnamed)'}", Rank.SCHEDULED)
    else:
        text = f"no node takes it ({condition.reason}): {condition.message}"
        yield Entry(condition.since, source, text, Rank.SCHEDULED, Level.WARNING)


def _container(container: ContainerSeen, pod: PodSeen, log: Sequence[Entry], now: datetime) -> Iterator[Entry]:
    source = Source(SourceKind.CONTAINER, container.name, pod.name)
    if is_stuck(container) and pod.phase in ("Pending", "Running", ""):
        yield Entry(now, source, f"now: {container_waits(container)}", Rank.AFTER, Level.WARNING)
        return
    if container.started_at is None:
        return  # a node that lost it reports an end with an invented code
    yield Entry(container.started_at, source, f"{container.name} started", Rank.START)
    yield from log
    if container.finished_at is not None:
        level = Level.NORMAL if container.exit_code == 0 else Level.ERROR
        yield Entry(container.finished_at, source, container_end(container), Rank.END, level)


def pod_marks(pod: PodSeen) -> Iterator[Entry]:
    """What was done to the pod from outside, at whatever point of its life."""
    source = Source(SourceKind.POD, pod=pod.name)
    disruption = pod.condition("DisruptionTarget")
    if disruption is not None and disruption.is_true and disruption.since is not None:
        text = f"the cluster took it away ({disruption.reason}): {disruption.message}"
        yield Entry(disruption.since, source, text, Rank.BEFORE_START, Level.WARNING)
    if pod.deleting_since is not None:
        yield Entry(pod.deleting_since, source, "it is being deleted", Rank.BEFORE_START, Level.WARNING)


def _ending(pod: PodSeen, source: Source, attempt: tuple[int, Attempt] | None) -> Iterator[Entry]:
    ends = [container.finished_at for container in pod.containers if container.finished_at is not None]
    if pod.reason and ends:
        yield Entry(max(ends), source, f"the pod ended ({pod.reason}): {pod.message}", Rank.END, Level.WARNING)
    if attempt is not None and attempt_level(attempt[1]) is not Level.NORMAL:
        times = [*ends, *(time for time in (attempt[1].started_at, pod.created_at) if time is not None)]
        if times:
            yield Entry(max(times), source, attempt_end(*attempt), Rank.ATTEMPT, attempt_level(attempt[1]))


def _first(conditions: Sequence[ConditionSeen], types: Sequence[str]) -> ConditionSeen | None:
    return next((each for type_ in types for each in conditions if each.type == type_ and each.is_true), None)
