"""How long each stage took, as far as the times of it are still there."""

from collections.abc import Callable, Sequence
from datetime import datetime

from dealguard_api.pod import ANALYZE_CONTAINER, EXTRACT_CONTAINER
from dealguard_cli.adapters.workloads import ContainerSeen, Evidence
from dealguard_cli.timeline.model import Stage

_SO_FAR = "so far"


def stages(evidence: Evidence, now: datetime) -> tuple[Stage, ...]:
    """Waiting for a place, the pod's start, the two containers, and the whole run."""
    return (
        _queue(evidence, now),
        _start(evidence, now),
        _container(evidence, EXTRACT_CONTAINER, now),
        _container(evidence, ANALYZE_CONTAINER, now),
        _total(evidence, now),
    )


def _queue(evidence: Evidence, now: datetime) -> Stage:
    name = "queue"
    if evidence.analysis is None:
        return Stage(name, None, "the analysis is gone")
    status = evidence.analysis.status
    if not _is_present(evidence):
        return Stage(name, None, "not recorded for an earlier run")
    begin = status.queued_at or evidence.analysis.created_at
    started_at = _job_created(evidence)
    if started_at is not None:
        note = "with the time for which it was suspended" if (status.job_count or 1) > 1 else ""
        return _between(name, begin, started_at, note)
    if _is_over(evidence):
        return Stage(name, None, "it ended without a Job")
    return _between(name, begin, now, _SO_FAR)


def _start(evidence: Evidence, now: datetime) -> Stage:
    """From the Job to the first container: node, images, volumes."""
    name = "start"
    created_at = _job_created(evidence)
    if created_at is None:
        return Stage(name, None, "it ended without a Job" if _is_over(evidence) else "there is no Job yet")
    starts = [each.started_at for pod in evidence.pods for each in pod.containers if each.started_at]
    if starts:
        return _between(name, created_at, min(starts))
    first = evidence.analysis.status.attempts[:1] if evidence.analysis and _is_present(evidence) else []
    if first and first[0].started_at and first[0].seconds is not None:
        return _between(name, created_at, first[0].started_at)
    if _is_over(evidence):
        return Stage(name, None, _why_unknown(evidence))
    return _between(name, created_at, now, _SO_FAR)


def _container(evidence: Evidence, name: str, now: datetime) -> Stage:
    """All attempts' times in that container."""
    seen = [each for pod in evidence.pods if (each := pod.container(name)) is not None and each.started_at]
    notes = []
    if any(each.finished_at is None for each in seen):
        notes.append(_SO_FAR)
    if len(seen) > 1:
        notes.append(f"in {len(seen)} attempts")
    if seen and len(evidence.pods) < _attempts_on_record(evidence):
        notes.append("without the pods that are gone")
    if not seen:
        note = "it did not run" if evidence.pods and _is_over(evidence) else "not yet"
        return Stage(name, None, note if evidence.pods or not _is_over(evidence) else _why_unknown(evidence))
    return Stage(name, sum(_seconds(each, now) for each in seen), ", ".join(notes))


def _total(evidence: Evidence, now: datetime) -> Stage:
    """From the request for the run to its end."""
    name = "total"
    analysis = evidence.analysis
    if analysis is None:
        return Stage(name, None, "the analysis is gone")
    if record := analysis.recorded_run(evidence.run):
        if record.started_at is None or record.finished_at is None:
            return Stage(name, None, "not recorded")
        return _between(name, record.started_at, record.finished_at, "from its Job on")
    begin = analysis.status.queued_at or analysis.created_at
    if analysis.status.finished_at is not None and _is_over(evidence):
        return _between(name, begin, analysis.status.finished_at)
    if not _is_present(evidence):
        return Stage(name, None, "no longer recorded")
    return _between(name, begin, now, _SO_FAR)


def _between(name: str, begin: datetime, end: datetime, note: str = "") -> Stage:
    return Stage(name, max(0.0, (end - begin).total_seconds()), note)  # two clocks may disagree


def _seconds(container: ContainerSeen, now: datetime) -> float:
    assert container.started_at is not None
    return max(0.0, ((container.finished_at or now) - container.started_at).total_seconds())


def _job_created(evidence: Evidence) -> datetime | None:
    if evidence.analysis is not None:
        if record := evidence.analysis.recorded_run(evidence.run):
            return record.started_at
        if _is_present(evidence) and evidence.analysis.status.started_at is not None:
            return evidence.analysis.status.started_at
    return _earliest(evidence.jobs, lambda job: job.created_at)


def _earliest(items: Sequence[object], time_of: Callable[..., datetime | None]) -> datetime | None:
    return min((time for each in items if (time := time_of(each)) is not None), default=None)


def _attempts_on_record(evidence: Evidence) -> int:
    if evidence.analysis is None or not _is_present(evidence):
        return 0
    return evidence.analysis.status.attempt_count or 0


def _is_present(evidence: Evidence) -> bool:
    return evidence.analysis is not None and evidence.run == (evidence.analysis.status.run or 1)


def _is_over(evidence: Evidence) -> bool:
    if evidence.analysis is None or not _is_present(evidence):
        return True
    return evidence.analysis.phase.is_terminal


def _why_unknown(evidence: Evidence) -> str:
    if evidence.analysis is not None and _is_present(evidence) and evidence.analysis.status.job_name is None:
        return "it did not run"
    return "unknown: its pods are gone" if evidence.is_complete else "unknown: its pods cannot be seen"
