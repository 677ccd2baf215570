"""What cannot be told, and why: each a sentence with what can be done about it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from dealguard_api.resource import Phase
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.adapters.workloads import Evidence

# The API server's own default for how long it keeps Events.
_EVENTS_KEPT = timedelta(hours=1)


def gaps(evidence: Evidence, foreign_lines: dict[str, int], now: datetime, *, is_out_of_step: bool) -> Iterator[str]:
    """The sentences.

    Args:
        evidence: what was found.
        foreign_lines: by pod and container, the number of log lines that are not shown.
        now: the time.
        is_out_of_step: whether clocks disagree.
    """
    yield from evidence.refusals
    if evidence.analysis is not None:
        if evidence.is_complete:
            yield from _workloads(evidence, evidence.analysis)
        yield from _events(evidence, evidence.analysis, now)
        yield from _earlier_run(evidence, evidence.analysis)
    yield from _logs(evidence, foreign_lines)
    if is_out_of_step:
        yield (
            "Times marked with ~ stand after what they follow from, though their clock says they were before it: the "
            "clocks of the API server and of the node disagree."
        )


def _workloads(evidence: Evidence, analysis: Analysis) -> Iterator[str]:
    status = analysis.status
    is_present = evidence.run == (status.run or 1)
    record = analysis.recorded_run(evidence.run)
    had_job = bool(status.job_name) if is_present else bool(record and record.started_at)
    if had_job and not evidence.jobs:
        name = f"Job {status.job_name}" if is_present and status.job_name else f"The Job of run {evidence.run}"
        phase = status.phase if is_present else record.phase if record else None
        yield f"{name} is gone, and its pods and their logs with it: {_why_job_is_gone(phase)}"
        return
    if not is_present:
        return
    there = {pod.name for pod in evidence.pods}
    lost = [attempt.pod_name for attempt in status.attempts if attempt.pod_name not in there]
    if lost:
        yield (
            f"{_pods(lost)} gone, deleted or collected by the cluster: the status keeps reason and duration, the logs "
            "are lost."
        )
    kept = len(status.attempts)
    if (total := status.attempt_count or 0) > kept + len(there - {each.pod_name for each in status.attempts}):
        yield f"The status keeps the last {kept} of {total} attempts."


def _why_job_is_gone(phase: Phase | None) -> str:
    match phase:
        case Phase.PENDING:
            return "suspending deletes it. What was recorded of it is shown."
        case Phase.CANCELLED:
            return "cancelling deletes it. What was recorded of it is shown."
        case Phase.COMPLETED | Phase.FAILED:
            return (
                "the cluster deletes a finished one after a time (the operator's DEALGUARD_JOB_TTL_SECONDS, a day "
                "unless set otherwise), and anybody with the right may do so before. What was recorded of it is shown."
            )
        case _:
            return "it was deleted, not by the operator."


def _pods(pod_names: list[str]) -> str:
    return f"Pod {pod_names[0]} is" if len(pod_names) == 1 else f"{len(pod_names)} pods of this run are"


def _events(evidence: Evidence, analysis: Analysis, now: datetime) -> Iterator[str]:
    is_old = now - analysis.created_at > _EVENTS_KEPT
    if is_old and not any("Events" in each for each in evidence.refusals):
        yield "Events older than an hour are missing, unless the API server was told to keep them longer."


def _earlier_run(evidence: Evidence, analysis: Analysis) -> Iterator[str]:
    if evidence.run != (analysis.status.run or 1):
        yield "Of an earlier run the status keeps its start, its end, its reason and its cost, but no attempts."


def _logs(evidence: Evidence, foreign_lines: dict[str, int]) -> Iterator[str]:
    for log in evidence.logs:
        if log.is_cut:
            yield f"The log of {log.container} in pod {log.pod_name} is long: only its last part was read."
    for where, number in foreign_lines.items():
        pod, container = where.split("/")
        lines = "1 line" if number == 1 else f"{number} lines"
        yield (
            f"{lines} in the log of {container} not written by the analyzer, which could quote the contract: "
            f"kubectl logs -n {evidence.namespace} {pod} -c {container}"
        )
