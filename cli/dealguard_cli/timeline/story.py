"""The whole story, from evidence."""

from collections.abc import Iterator
from datetime import datetime

from dealguard_api.report import Usage
from dealguard_api.resource import Attempt
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.adapters.workloads import Evidence
from dealguard_cli.timeline import events, logs, resource, workloads
from dealguard_cli.timeline.gaps import gaps
from dealguard_cli.timeline.headline import NextCommand, headline
from dealguard_cli.timeline.model import Entry, Story
from dealguard_cli.timeline.order import Chain, ordered
from dealguard_cli.timeline.stages import stages


def tell(
    evidence: Evidence,
    now: datetime,
    next_command: NextCommand,
    *,
    with_all_logs: bool = False,
    absence: str | None = None,
) -> Story:
    """The story of one run.

    Args:
        evidence: what the cluster knows.
        now: the time.
        next_command: what to type next, for an analysis that goes on or has completed.
        with_all_logs: whether every log line is told, or only warnings, errors and stages.
        absence: why the resource itself cannot be shown, in a sentence.
    """
    told = {(log.pod_name, log.container): logs.of_container(log, everything=with_all_logs) for log in evidence.logs}
    lines = {where: each.entries for where, each in told.items()}
    foreign = {"/".join(where): each.foreign for where, each in told.items() if each.foreign}
    entries = ordered(list(_chains(evidence, lines, now)))
    attempts, usage = _spent(evidence)
    return Story(
        namespace=evidence.namespace,
        name=evidence.name,
        uid=evidence.uid,
        run=evidence.run,
        headline=headline(evidence, now, next_command, absence),
        entries=entries,
        stages=stages(evidence, now),
        attempts=attempts,
        cost_usd=usage.cost_usd if usage else None,
        has_unknown_cost=usage is not None and usage.cost_usd is None,
        gaps=tuple(gaps(evidence, foreign, now, is_out_of_step=any(each.is_out_of_step for each in entries))),
        began_at=evidence.analysis.created_at if evidence.analysis else min((e.time for e in entries), default=None),
    )


def _chains(evidence: Evidence, lines: dict[tuple[str, str], tuple[Entry, ...]], now: datetime) -> Iterator[Chain]:
    analysis, run = evidence.analysis, evidence.run
    asked_for = list(resource.asked_for(analysis, run)) if analysis else []
    yield Chain(asked_for)
    begin = asked_for[-1] if asked_for else None
    jobs: dict[str, Entry] = {}
    for job in evidence.jobs:
        if (created := workloads.job_created(job)) is not None:
            jobs[job.name] = created
            yield Chain([created], after=begin)
    if analysis and not jobs and (made := resource.job_made(analysis, run)) is not None:
        yield Chain([made], after=begin)
        begin = made
    ends: list[Entry] = []
    for chain in _pod_chains(evidence, lines, jobs, begin, now):
        yield chain
        ends += chain.entries[-1:]
    for job in evidence.jobs:
        yield from (Chain([entry], after=jobs.get(job.name)) for entry in workloads.job_ended(job))
    for entry in (*events.of_evidence(evidence), *_of_operator(evidence)):
        yield Chain([entry])
    if analysis:
        yield _end(analysis, run, begin, ends[-1] if ends else None)


def _end(analysis: Analysis, run: int, begin: Entry | None, last: Entry | None) -> Chain:
    """How the run ended, after what it follows from: the end of its last pod, unless the run was ended first."""
    finished = resource.finished(analysis, run)
    entries = [entry for entry in (finished, resource.written(analysis, run)) if entry]
    by_pod = analysis.status.result is not None or (
        finished is not None and last is not None and finished.time >= last.time.replace(microsecond=0)
    )
    return Chain(entries, after=last if by_pod and last is not None else begin)


def _pod_chains(
    evidence: Evidence,
    lines: dict[tuple[str, str], tuple[Entry, ...]],
    jobs: dict[str, Entry],
    begin: Entry | None,
    now: datetime,
) -> Iterator[Chain]:
    """Each pod, its marks after its creation; and the attempts whose pods are gone."""
    attempts = _attempts(evidence)
    for pod in evidence.pods:
        of_pod = {container: entries for (name, container), entries in lines.items() if name == pod.name}
        chain = list(workloads.pod_chain(pod, of_pod, attempts.pop(pod.name, None), now))
        for mark in workloads.pod_marks(pod):
            yield Chain([mark])
        if chain:
            yield Chain(chain, after=jobs.get(pod.job_name, begin))
    for number, record in attempts.values():
        yield Chain(resource.attempt(number, record), after=begin)


def _attempts(evidence: Evidence) -> dict[str, tuple[int, Attempt]]:
    """By pod, the number and the record of each attempt that the status keeps."""
    analysis = evidence.analysis
    if analysis is None or evidence.run != (analysis.status.run or 1):
        return {}
    records = analysis.status.attempts
    ended = {record.pod_name for record in records}
    going_on = sum(pod.name not in ended for pod in evidence.pods)
    # Counted from the end: the oldest may no longer be kept.
    first = max(1, (analysis.status.attempt_count or len(records)) - going_on - len(records) + 1)
    return {record.pod_name: (number, record) for number, record in enumerate(records, first)}


def _of_operator(evidence: Evidence) -> Iterator[Entry]:
    begin, end = evidence.analysis.window(evidence.run) if evidence.analysis else (None, None)
    for entry in logs.of_operator(evidence.operator_log, evidence.run):
        whole = entry.time.replace(microsecond=0)  # as the resource's times are
        if not (begin and whole < begin) and not (end and whole > end):
            yield entry


def _spent(evidence: Evidence) -> tuple[int | None, Usage | None]:
    """The number of attempts and what they cost, as far as it is recorded."""
    analysis = evidence.analysis
    if analysis is None:
        return len(evidence.pods) or None, None
    if record := analysis.recorded_run(evidence.run):
        return len(evidence.pods) or None, record.usage
    if evidence.run != (analysis.status.run or 1):
        return None, None
    return analysis.status.attempt_count or 0, analysis.status.usage
