"""How a run ends: the report of a pod that succeeded, or the one cause that ended it.

A pod says how it ended 2.6 s before its Job does, so success and permanent exit codes are read from pods; the
deadline and spent attempts from the Job. A success counts whatever the Job says: it was paid for.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from dealguard_api import names
from dealguard_api.exit_codes import ExitCode
from dealguard_api.reasons import Reason, explain
from dealguard_api.resource import MAX_SUMMARY_BYTES, ContractAnalysisStatus, Failure, Phase, Result
from dealguard_operator.model import Analysis, JobCondition, Observation, PodState, Verdict
from dealguard_operator.policies.attempts import (
    CLOCK_DIFFERENCE,
    FailedAttempt,
    ended_at,
    failed_attempts,
    has_succeeded,
)
from dealguard_operator.policies.conditions import current_reason, set_conditions
from dealguard_operator.policies.diagnosis import Cause, analyze_outcome, waiting_cause
from dealguard_operator.policies.messages import safe, with_next_step
from dealguard_operator.policies.progress import may_lack_pod, no_pod_message, obstructed_since
from dealguard_operator.policies.runs import begin_another_job

# A failing Job stops its last pod, which then has 5 s (its grace period) to say what it spent; twice that for the
# node to report it. Beyond, the node itself is in trouble.
LAST_WORDS_SECONDS = 10

# The Job controller ends a Job at its deadline; if it does not, the operator does, by its own clock.
OVERDUE_SECONDS = 30 + CLOCK_DIFFERENCE.total_seconds()

# A node that is added takes two or three minutes; an image that is missing does not appear by itself.
DEFAULT_START_DEADLINE_SECONDS = 180

# A run whose pods vanish before they can be read does not go on for ever.
MAX_JOBS = 5

_NEVER_STARTED = (Reason.IMAGE_PULL_FAILED, Reason.UNSCHEDULABLE)
# How a run ends that is over its deadline.
OVER_DEADLINE = (Reason.DEADLINE_EXCEEDED, Reason.POD_NOT_CREATED, *_NEVER_STARTED)


def judge(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> Verdict | None:
    """How the run ended; None while it has not.

    Args:
        observation: the run's Job and pods.
        status: the status so far, with the attempts already recorded.
        now: the time, for what has no time of its own.
    """
    # A pod that has ended otherwise before, and speaks again while another one works, ends nothing.
    on_record = {attempt.pod_name: attempt.reason for attempt in status.attempts}
    if succeeded := _success(observation, on_record):
        return Verdict(_completed(observation.analysis, status, succeeded, now))
    failures = failed_attempts(observation)
    for failure in failures:
        if failure.cause.is_permanent and on_record.get(failure.pod_name) == failure.cause.reason:
            return Verdict(fail(observation.analysis, status, failure.cause, _end_of(observation.pods), now))
    job = observation.job
    if job is None:
        return None
    if condition := job.condition("FailureTarget", "Failed"):
        return _failed_job(observation, status, condition, failures, now)
    if job.condition("SuccessCriteriaMet", "Complete"):
        return _lost_result(observation, status, now)
    return None


def overdue_at(observation: Observation, start_deadline_seconds: int) -> datetime | None:
    """When the operator itself ends the run, as things are; None while its deadline does not run."""
    job = observation.job
    if job is None or job.is_suspended:
        return None
    ends = job.began_at + timedelta(seconds=observation.analysis.spec.deadline_seconds + OVERDUE_SECONDS)
    obstructed = obstructed_since(observation)
    return min(ends, obstructed + timedelta(seconds=start_deadline_seconds)) if obstructed else ends


def judge_overdue(
    observation: Observation, status: ContractAnalysisStatus, now: datetime, start_deadline_seconds: int
) -> Verdict | None:
    """The end of a run whose pod should have started, or whose Job should have ended, by now; None for any other."""
    due = overdue_at(observation, start_deadline_seconds)
    if due is None or now < due:
        return None
    if not observation.is_fresh:
        return Verdict(needs_fresh=True)
    is_obstructed = obstructed_since(observation) is not None
    cause = (_never_started(observation, start_deadline_seconds) if is_obstructed else None) or _over_deadline(
        observation, failed_attempts(observation)
    )
    return Verdict(fail(observation.analysis, status, cause, None, now))


def fail(
    analysis: Analysis, status: ContractAnalysisStatus, cause: Cause, ended_at: datetime | None, now: datetime
) -> ContractAnalysisStatus:
    """`status`, failed because of `cause`. `ended_at` is when it happened; None: now."""
    status = _finished(status, Phase.FAILED, ended_at or now, now).model_copy(
        update={"failure": Failure(reason=cause.reason, message=cause.message)}
    )
    return set_conditions(status, reason=cause.reason, message=cause.message, generation=analysis.generation, now=now)


def cancelled(analysis: Analysis, status: ContractAnalysisStatus, now: datetime) -> ContractAnalysisStatus:
    """`status`, ended on request."""
    return set_conditions(
        _finished(status, Phase.CANCELLED, now, now),
        reason=Reason.CANCELLED,
        message=str(explain(Reason.CANCELLED)),
        generation=analysis.generation,
        now=now,
    )


def _success(observation: Observation, on_record: Mapping[str, str]) -> PodState | None:
    """The pod whose result is the run's; None if there is none.

    One that is on record as failed is believed only when its Job starts no other any more.
    """
    succeeded = [pod for pod in observation.pods if has_succeeded(pod)]
    believed = [pod for pod in succeeded if on_record.get(pod.name) == Reason.COMPLETED]
    job = observation.job
    if not believed and job and job.condition("SuccessCriteriaMet", "Complete", "FailureTarget", "Failed"):
        believed = succeeded
    return believed[0] if believed else None


def _completed(
    analysis: Analysis, status: ContractAnalysisStatus, pod: PodState, now: datetime
) -> ContractAnalysisStatus:
    outcome = analyze_outcome(pod)
    result = outcome.result if outcome else None
    # The key is the operator's to choose: a pod that was taken over must not point at somebody else's report.
    if result is None or result.report.key != _report_key(analysis):
        explanation = explain(Reason.INTERNAL_ERROR)
        message = with_next_step("The analyzer ended well but its result is not readable.", explanation.next_step)
        return fail(analysis, status, Cause(Reason.INTERNAL_ERROR, message), _end_of([pod]), now)
    result = _within_bounds(result)
    status = _finished(status, Phase.COMPLETED, _end_of([pod]) or now, now).model_copy(update={"result": result})
    return set_conditions(
        status,
        reason=Reason.COMPLETED,
        message=f"Risk {result.risk_level}, {result.findings.total} findings. The report is {result.report.key}.",
        generation=analysis.generation,
        now=now,
    )


def _failed_job(
    observation: Observation,
    status: ContractAnalysisStatus,
    condition: JobCondition,
    failures: Sequence[FailedAttempt],
    now: datetime,
) -> Verdict:
    last_words_until = (condition.since or now) + timedelta(seconds=LAST_WORDS_SECONDS)
    assert observation.job is not None
    if observation.live_pods and not observation.job.is_finished and now < last_words_until:
        return Verdict(wait_until=last_words_until)
    if not observation.is_fresh:
        return Verdict(needs_fresh=True)  # the pod's own words are better than the Job's, if they exist
    cause = _cause_of_failed_job(observation, condition, failures)
    return Verdict(fail(observation.analysis, status, cause, condition.since, now))


def _cause_of_failed_job(observation: Observation, condition: JobCondition, failures: Sequence[FailedAttempt]) -> Cause:
    if condition.reason == "DeadlineExceeded":
        return _over_deadline(observation, failures)
    causes = [failure.cause for failure in failures if failure.counts]
    if not causes:
        # Pods and their words are gone, with a lost node for instance; the Job still says which code it saw.
        return _cause_from_exit_code(condition.message) or Cause(
            Reason.ATTEMPTS_EXHAUSTED, str(explain(Reason.ATTEMPTS_EXHAUSTED))
        )
    if len(causes) == 1:
        return causes[0]
    # One reason for all attempts is the reason; different ones have none in common but that they failed.
    agree = len({cause.reason for cause in causes}) == 1
    reason = causes[-1].reason if agree else Reason.ATTEMPTS_EXHAUSTED
    next_step = explain(causes[-1].reason).next_step
    last = causes[-1].message.removesuffix(next_step).rstrip()
    return Cause(reason, with_next_step(f"All {len(causes)} attempts failed, the last one so: {last}", next_step))


def _over_deadline(observation: Observation, failures: Sequence[FailedAttempt]) -> Cause:
    seconds = observation.analysis.spec.deadline_seconds
    if not any(pod.has_started for pod in observation.pods) and (cause := _never_started(observation, seconds)):
        return cause
    explanation = explain(Reason.DEADLINE_EXCEEDED)
    what = f"The analysis did not finish within {seconds} s (spec.deadlineSeconds)."
    earlier = [failure.cause.reason for failure in failures if failure.cause.reason != Reason.DEADLINE_EXCEEDED]
    if earlier:
        what += f" Before, {len(earlier)} attempt(s) failed, the last one with {earlier[-1]}."
    return Cause(Reason.DEADLINE_EXCEEDED, with_next_step(what, explanation.next_step))


def _never_started(observation: Observation, seconds: int) -> Cause | None:
    """What kept the last pod from starting for `seconds`; None if nothing is known to."""
    before = current_reason(observation.analysis.status)
    was_seen = before == Reason.POD_NOT_CREATED or may_lack_pod(observation)
    if observation.job is not None and not observation.pods and was_seen:
        return Cause(Reason.POD_NOT_CREATED, no_pod_message(observation.job.name))
    reasons = [waiting_cause(pod) for pod in reversed(observation.pods)]
    for reason in (*reasons, *(cause for cause in _NEVER_STARTED if cause == before)):
        if reason is not None:
            explanation = explain(reason)
            what = f"The pod did not start within {seconds} s. {explanation.meaning}"
            return Cause(reason, with_next_step(what, explanation.next_step))
    return None


def _lost_result(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> Verdict:
    if not observation.is_fresh:
        return Verdict(needs_fresh=True)  # the pod's event may be on its way
    if (status.job_count or 1) < MAX_JOBS:
        return Verdict(begin_another_job(observation.analysis, status, now))  # its pod finds the report in storage
    explanation = explain(Reason.INTERNAL_ERROR)
    what = "The Job finished, but its pod was deleted before its result could be read."
    cause = Cause(Reason.INTERNAL_ERROR, with_next_step(what, explanation.next_step))
    return Verdict(fail(observation.analysis, status, cause, None, now))


def _cause_from_exit_code(job_message: str) -> Cause | None:
    # The Job controller writes: "Container extract for pod ns/name failed with exit code 25 matching FailJob rule ..."
    _, found, rest = job_message.partition("failed with exit code ")
    number = rest.split(" ", 1)[0]
    if not found or not number.isdecimal():
        return None
    try:
        reason = ExitCode(int(number)).reason
    except ValueError:
        return None
    return Cause(reason, str(explain(reason)), is_permanent=True)


def _finished(
    status: ContractAnalysisStatus, phase: Phase, ended_at: datetime, now: datetime
) -> ContractAnalysisStatus:
    # The end is a node's clock, the start the API server's: keep them in order, and out of the future.
    start = status.started_at
    latest = now + CLOCK_DIFFERENCE
    finished_at = min(max(ended_at, start) if start else ended_at, max(latest, start) if start else latest)
    return status.model_copy(
        update={
            "phase": phase,
            "stage": None,
            "finished_at": finished_at,
            "duration_seconds": round((finished_at - start).total_seconds()) if start else None,
        }
    )


def _end_of(pods: Sequence[PodState]) -> datetime | None:
    times = [ended_at(pod) for pod in pods]
    return max((time for time in times if time is not None), default=None)


def _report_key(analysis: Analysis) -> str:
    return names.report_key(analysis.namespace, analysis.uid, analysis.status.run or 1)


def _within_bounds(result: Result) -> Result:
    """`result` with its free texts made safe: the schema counts characters, the status bytes."""
    return result.model_copy(
        update={
            "summary": safe(result.summary, MAX_SUMMARY_BYTES),
            "contract_type": safe(result.contract_type, 100) if result.contract_type else None,
        }
    )
