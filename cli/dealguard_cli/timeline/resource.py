"""What the resource itself tells: when it was created, queued, started, finished, and the runs before."""

from collections.abc import Iterator
from datetime import timedelta

from dealguard_api.conditions import ConditionType
from dealguard_api.resource import Attempt, Phase, Run
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.timeline.model import Entry, Level, Rank, Source, SourceKind
from dealguard_cli.timeline.wording import cause_and_step, meaning

RESOURCE = Source(SourceKind.RESOURCE)

_LEVELS = {Phase.FAILED: Level.ERROR, Phase.CANCELLED: Level.WARNING}


def asked_for(analysis: Analysis, run: int) -> Iterator[Entry]:
    """How it came to this run, oldest first."""
    yield Entry(analysis.created_at, RESOURCE, _created(analysis), Rank.CREATED)
    for earlier in analysis.status.runs:
        if earlier.run < run and earlier.finished_at is not None:
            yield Entry(earlier.finished_at, RESOURCE, _earlier_run(earlier), Rank.CREATED, _level(earlier.phase))
    if run == (analysis.status.run or 1) and (queued_at := analysis.status.queued_at) is not None:
        token = f", asked for by runToken {analysis.status.run_token}" if analysis.status.run_token else ""
        yield Entry(queued_at, RESOURCE, f"run {run} begins{token}", Rank.QUEUED)


def job_made(analysis: Analysis, run: int) -> Entry | None:
    """When the run's Job was made, as recorded: for a Job that is gone."""
    record = analysis.recorded_run(run)
    if record is not None:
        return Entry(record.started_at, RESOURCE, "the Job was created", Rank.JOB) if record.started_at else None
    status = analysis.status
    if run != (status.run or 1) or status.started_at is None:
        return None
    return Entry(status.started_at, RESOURCE, f"Job {status.job_name} was created", Rank.JOB)


def finished(analysis: Analysis, run: int) -> Entry | None:
    """How the run ended, if it did."""
    record = analysis.recorded_run(run)
    if record is not None:
        if record.finished_at is None:
            return None
        return Entry(record.finished_at, RESOURCE, _ended(record), Rank.FINISHED, _level(record.phase))
    status = analysis.status
    if run != (status.run or 1) or status.phase is None or not status.phase.is_terminal or status.finished_at is None:
        return None
    text = f"run {run} is {status.phase}"
    if status.failure is not None:
        text += f" ({status.failure.reason}): {cause_and_step(status.failure.reason, status.failure.message)[0]}"
    elif status.result is not None:
        reason = next((each.reason for each in status.conditions if each.type == ConditionType.READY), status.phase)
        text += "" if reason == status.phase else f" ({reason})"
        text += f": risk {status.result.risk_level}, {status.result.findings.total} findings"
    return Entry(status.finished_at, RESOURCE, text, Rank.FINISHED, _level(status.phase))


def written(analysis: Analysis, run: int) -> Entry | None:
    """When that end was written into the resource: by the operator's clock, some time after it happened."""
    status = analysis.status
    if run != (status.run or 1) or status.phase is None or not status.phase.is_terminal:
        return None
    condition = next((each for each in status.conditions if each.type == ConditionType.FINISHED), None)
    if condition is None or condition.status != "True":
        return None
    if status.finished_at is not None and condition.last_transition_time <= status.finished_at:
        return None  # the same second: said already
    text = f"the resource says so (condition Finished, {condition.reason})"
    return Entry(condition.last_transition_time, RESOURCE, text, Rank.AFTER)


def attempt(number: int, record: Attempt) -> list[Entry]:
    """An attempt whose pod is gone, as the status keeps it."""
    if record.started_at is None:
        return []
    entries = [Entry(record.started_at, RESOURCE, f"attempt {number} began (pod {record.pod_name})", Rank.START)]
    if record.seconds is not None:
        ended_at = record.started_at + timedelta(seconds=record.seconds)
        entries.append(Entry(ended_at, RESOURCE, attempt_end(number, record), Rank.ATTEMPT, attempt_level(record)))
    else:
        words = f"{attempt_end(number, record)} When it ended is not recorded."
        entries.append(Entry(record.started_at, RESOURCE, words, Rank.ATTEMPT, attempt_level(record)))
    return entries


def attempt_end(number: int, record: Attempt) -> str:
    """How an attempt ended."""
    if record.reason == Phase.COMPLETED:
        return f"attempt {number} ended well"
    return f"attempt {number} failed ({record.reason}): {meaning(record.reason)}"


def attempt_level(record: Attempt) -> Level:
    """The level of an attempt's end."""
    return Level.NORMAL if record.reason == Phase.COMPLETED else Level.ERROR


def _created(analysis: Analysis) -> str:
    spec = analysis.spec
    by = f" by {spec.submitted_by}" if spec.submitted_by else ""
    return f"created{by}: engine {spec.engine}, deadline {spec.deadline_seconds} s, priority {spec.priority}"


def _earlier_run(run: Run) -> str:
    return f"{_ended(run)} (see it with --run {run.run})"


def _ended(run: Run) -> str:
    reason = "" if run.reason == run.phase else f" ({run.reason}): {meaning(run.reason)}"
    return f"run {run.run} is {run.phase}{reason}"


def _level(phase: Phase) -> Level:
    return _LEVELS.get(phase, Level.NORMAL)
