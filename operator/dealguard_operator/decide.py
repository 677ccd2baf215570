"""The one decision: from everything observed of an analysis to what is to be done now.

Pure: the same observation and time give the same decision, and deciding again on its result gives nothing to do. A
decision is carried out in a fixed order: the status is written first (so an end is on record before anything is
deleted, and a run before its Job is made), the actions follow. Only of a first run that may start at once, Job and
start are written in one, after the Job: its name follows from the resource, so whoever comes next finds it.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dealguard_api import names
from dealguard_api.reasons import Reason, explain
from dealguard_api.resource import ContractAnalysisStatus, Phase
from dealguard_operator.model import (
    NOTHING,
    Action,
    Analysis,
    CreateJob,
    CreateSecret,
    Decision,
    DeleteAnalysis,
    DeleteJob,
    JobState,
    LookUpReport,
    Observation,
    Verdict,
)
from dealguard_operator.policies.admission import may_start
from dealguard_operator.policies.attempts import has_vanished_pod, record_attempts
from dealguard_operator.policies.conditions import current_reason, observe_generation, set_conditions
from dealguard_operator.policies.diagnosis import Cause
from dealguard_operator.policies.events import events_between
from dealguard_operator.policies.messages import safe, with_next_step
from dealguard_operator.policies.outcome import (
    DEFAULT_START_DEADLINE_SECONDS,
    LAST_WORDS_SECONDS,
    MAX_JOBS,
    OVER_DEADLINE,
    OVERDUE_SECONDS,
    fail,
    judge,
    judge_overdue,
    overdue_at,
)
from dealguard_operator.policies.progress import in_progress, is_mere_progress, lacks_pod, may_lack_pod, pod_expected_by
from dealguard_operator.policies.reuse import completed_from_storage, needs_lookup, report_to_take
from dealguard_operator.policies.runs import asks_for_another_run, begin_another_job, begin_run
from dealguard_operator.policies.stopping import is_stopping, is_suspended, requested_stop
from dealguard_operator.policies.ttl_after_finished import deletion_time

# Older than that, a new analysis may be an outdated view of one: its first status, fenced, comes before its Job.
_NEW = timedelta(minutes=1)
_POD_GOES_ON = "The Job was deleted. What its pod still does is waited for."
# A time that is over.
_NOW = datetime.min.replace(tzinfo=UTC)


def decide(
    observation: Observation, now: datetime, *, start_deadline_seconds: int = DEFAULT_START_DEADLINE_SECONDS
) -> Decision:
    """What to do now for one analysis.

    Args:
        observation: the analysis and its present run's Job and pods.
        now: the time, aware, in UTC, whole seconds.
        start_deadline_seconds: how long a pod may wait for what keeps it from starting.
    """
    before = observation.analysis.status
    if observation.analysis.is_deleting:
        return NOTHING  # owner references collect the Job, its pods and its Secret
    observation = _in_present_run(observation, now)
    observation = _with_lookup_of(observation, observation.analysis.status)
    verdict = _verdict(observation, now, start_deadline_seconds)
    if verdict.needs_fresh:
        return Decision(needs_fresh=True)
    after = verdict.status or before
    wake_up = [time for time in (verdict.wait_until, _deletion_time(observation, after)) if time is not None]
    actions, events = _actions(_with_lookup_of(observation, after), after, now), events_between(before, after)
    is_news = after != before and after.to_wire() != before.to_wire()
    is_news = is_news and not _starts_at_once(observation, before, actions, now)
    return Decision(
        status=after if is_news else None,
        actions=actions,
        events=events,
        requeue_after_seconds=max(0.0, (min(wake_up) - now).total_seconds()) if wake_up else None,
        can_wait=is_news and not actions and not events and is_mere_progress(before, after),
    )


def look_at(analysis: Analysis) -> datetime | None:
    """When there is something to do for an analysis that has ended, an active Job apart; None: never."""
    if analysis.is_deleting:
        return None
    if asks_for_another_run(analysis):
        return _NOW
    if observe_generation(analysis.status, analysis.generation) is not analysis.status:
        return _NOW
    return deletion_time(analysis)


def _starts_at_once(
    observation: Observation, before: ContractAnalysisStatus, actions: tuple[Action, ...], now: datetime
) -> bool:
    """Whether nothing stands between a new analysis and its Job: that it is queued need not be written."""
    if before.phase is not None or not observation.has_place or observation.has_failed:
        return False
    created_at = observation.analysis.created_at
    is_new = created_at is not None and now - created_at < _NEW
    return is_new and any(isinstance(action, LookUpReport | CreateJob) for action in actions)


def _in_present_run(observation: Observation, now: datetime) -> Observation:
    """The observation in a run: a first one, or the next one if it is asked for, begins here."""
    analysis = observation.analysis
    phase = analysis.status.phase
    if phase is None or (analysis.status.run is None and not phase.is_terminal):  # or somebody spoilt the status
        began = begin_run(analysis, min(now, analysis.created_at or now))
        return replace(observation, analysis=replace(analysis, status=began))
    if phase.is_terminal and asks_for_another_run(analysis):
        fresh_start = replace(analysis, status=begin_run(analysis, now))
        return replace(observation, analysis=fresh_start, job=None, pods=())  # those belong to the run before
    return observation


def _with_lookup_of(observation: Observation, status: ContractAnalysisStatus) -> Observation:
    """The observation without what the storage was asked before the run's present Job, or after that of another one."""
    lookup = observation.lookup
    is_of_it = lookup is None or lookup.at is None or lookup.job_name == status.job_name
    return observation if is_of_it else replace(observation, lookup=None)


def _verdict(observation: Observation, now: datetime, start_deadline_seconds: int) -> Verdict:
    """What the observation means for the status: the first rule that applies."""
    analysis, status = observation.analysis, observation.analysis.status
    if status.has_ended:
        due = deletion_time(analysis)
        if due is not None and now >= due and not observation.is_fresh:
            return Verdict(needs_fresh=True)  # a deletion is for good: by what the API server says, its time included
        return Verdict(observe_generation(status, analysis.generation))
    if refusal := _refusal(observation):
        return Verdict(fail(analysis, status, refusal, None, now))
    if has_vanished_pod(observation) and not observation.is_fresh:
        return Verdict(needs_fresh=True)  # a pod that lost its label is deleted to a watch, and runs on
    status = record_attempts(observation)
    begun = _begun(observation, status)
    ended_or_stopped = judge(observation, begun, now) or requested_stop(observation, begun, now)
    return ended_or_stopped or _on_its_way(observation, status, now, start_deadline_seconds)


def _begun(observation: Observation, status: ContractAnalysisStatus) -> ContractAnalysisStatus:
    """`status` with the run's Job in it, also if the end is the first that was seen of it."""
    job = observation.job
    if job is None or status.job_name is not None:
        return status
    return status.model_copy(update={"job_name": job.name, "started_at": job.created_at})


def _on_its_way(
    observation: Observation, status: ContractAnalysisStatus, now: datetime, start_deadline_seconds: int
) -> Verdict:
    """The verdict on a run that nobody stopped and that has not ended."""
    if observation.job is not None:
        overdue = judge_overdue(observation, status, now, start_deadline_seconds)
        return overdue or _going_on(observation, status, now, start_deadline_seconds)
    if status.job_name is not None:
        return _job_deleted(observation, status, now)
    if report := report_to_take(observation, now):
        return Verdict(completed_from_storage(observation.analysis, status, report, now))
    lookup, refusal = observation.lookup, observation.quota_refusal
    times = [waiting.retry_at for waiting in (lookup, refusal) if waiting is not None and waiting.retry_at is not None]
    times = [time for time in times if time > now]  # beyond, a place is missing: it is called when one is free
    return Verdict(_queued(observation, status, now), wait_until=min(times, default=None))


def _going_on(
    observation: Observation, status: ContractAnalysisStatus, now: datetime, start_deadline_seconds: int
) -> Verdict:
    """The verdict on a run whose Job is there and within its time."""
    is_said = current_reason(status) == Reason.POD_NOT_CREATED
    if lacks_pod(observation, now) and not is_said and not observation.is_fresh:
        return Verdict(needs_fresh=True)
    awaits_pod = may_lack_pod(observation) and not lacks_pod(observation, now)
    wait_until = pod_expected_by(observation) if awaits_pod else overdue_at(observation, start_deadline_seconds)
    return Verdict(in_progress(observation, status, now), wait_until=wait_until)


def _actions(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> tuple[Action, ...]:
    """What is due once `status` is written."""
    analysis, job = observation.analysis, observation.job
    is_terminal = status.has_ended
    is_stopped = (
        status.phase is Phase.CANCELLED
        or is_suspended(status)
        or (analysis.spec.cancel and not is_terminal)
        or is_stopping(status)
        # Its Secret was refused: the pod would wait for it until the deadline.
        or (status.failure is not None and status.failure.reason == Reason.JOB_REJECTED)
        or _was_ended_here(job, status)
    )
    if job is not None and job.is_active and is_stopped:
        return (DeleteJob(job.name, job.uid),)
    if is_terminal:
        due = _deletion_time(observation, status)
        # Only what is on record: the resource version of a status not yet written is not known.
        if due is not None and now >= due and analysis.status.phase == status.phase:
            return (DeleteAnalysis(analysis.uid, analysis.resource_version),)
        return ()
    if job is None:
        return () if is_stopped else _without_job(observation, status, now)
    has_started = any(pod.has_started for pod in observation.live_pods)
    # The URLs in it are good for as long as the Job's deadline, which does not run while the Job is suspended.
    is_due = job.is_active and not job.is_suspended
    if is_due and not observation.has_secret and not has_started:
        return (CreateSecret(job, status.run or 1),)
    return ()


def _without_job(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> tuple[Action, ...]:
    """What brings a run nearer to its Job; if that is gone, whether the run's report is stored is to be known."""
    if status.job_name is None:
        return _start(observation, status, now)
    is_over = observation.is_fresh and now >= _pods_end(observation, now)
    return (LookUpReport(),) if is_over and needs_lookup(observation, now, may_start=False) else ()


def _start(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> tuple[Action, ...]:
    """What brings a run nearer to its Job: first it is looked whether there is a report already."""
    if observation.analysis.spec.suspend:
        return ()
    has_leave = may_start(observation, now)
    if needs_lookup(observation, now, may_start=has_leave):
        return (LookUpReport(),)
    is_answered = observation.lookup is not None and observation.lookup.unavailable is None
    if has_leave and is_answered:
        return (CreateJob(replace(observation.analysis, status=status).expected_job_name, status.run or 1),)
    return ()


def _was_ended_here(job: JobState | None, status: ContractAnalysisStatus) -> bool:
    """Whether the operator ended a run over its deadline because the Job controller did not."""
    is_over_deadline = status.failure is not None and status.failure.reason in OVER_DEADLINE
    return is_over_deadline and job is not None and job.condition("FailureTarget", "Failed") is None


def _deletion_time(observation: Observation, status: ContractAnalysisStatus) -> datetime | None:
    if not status.has_ended:
        return None
    return deletion_time(replace(observation.analysis, status=status))


def _refusal(observation: Observation) -> Cause | None:
    """Why the run cannot start at all; None if it can."""
    analysis = observation.analysis
    key = analysis.spec.document.key
    if key is None:
        violation: str | None = "spec.document.key is missing: it says where the contract is."
    else:
        # The API server checks this too, but a CRD's rule cannot see the namespace and a policy can be switched off.
        violation = names.document_key_violation(key, analysis.namespace)
    if violation is not None:
        next_step = "The key cannot be changed: create a new ContractAnalysis."
        return Cause(Reason.DOCUMENT_KEY_FORBIDDEN, with_next_step(violation, next_step))
    if observation.job_rejection is not None:
        explanation = explain(Reason.JOB_REJECTED)
        what = f"{explanation.meaning} It says: {safe(observation.job_rejection, 250)}"
        return Cause(Reason.JOB_REJECTED, with_next_step(what, explanation.next_step))
    return None


def _job_deleted(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> Verdict:
    """The verdict on a run whose Job is gone: a report that it stored is taken by another Job's pod, and not paid."""
    if not observation.is_fresh:
        return Verdict(needs_fresh=True)  # a watch that lags is no deletion
    lookup, generation = observation.lookup, observation.analysis.generation
    if now < (pods_end := _pods_end(observation, now)):
        # They have seconds to say what they spent; where they were left alone, they go on.
        waiting = set_conditions(
            status, reason=Reason.JOB_DELETED, message=_POD_GOES_ON, generation=generation, now=now
        )
        return Verdict(waiting, wait_until=pods_end)
    if lookup is None:
        return Verdict(status)  # it is asked, see `_actions`
    if lookup.unavailable is not None:
        message = with_next_step(lookup.unavailable, "Whether its report is stored is asked again by itself.")
        waiting = set_conditions(
            status, reason=Reason.STORAGE_UNAVAILABLE, message=message, generation=generation, now=now
        )
        return Verdict(waiting, wait_until=lookup.retry_at)
    if lookup.is_own_stored and (status.job_count or 1) < MAX_JOBS:
        return Verdict(begin_another_job(observation.analysis, status, now))
    cause = Cause(Reason.JOB_DELETED, str(explain(Reason.JOB_DELETED)))
    return Verdict(fail(observation.analysis, status, cause, None, now))


def _pods_end(observation: Observation, now: datetime) -> datetime:
    """When no pod of a Job that is gone can have anything to say any more; `now` if none lives."""
    runs = timedelta(seconds=observation.analysis.spec.deadline_seconds + OVERDUE_SECONDS)
    last_words = timedelta(seconds=LAST_WORDS_SECONDS)
    ends = [pod.gone_by + last_words if pod.gone_by else pod.created_at + runs for pod in observation.live_pods]
    return max(ends, default=now)


def _queued(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> ContractAnalysisStatus:
    reason, message = Reason.QUEUED, str(explain(Reason.QUEUED))
    if observation.lookup is not None and observation.lookup.unavailable is not None:
        reason = Reason.STORAGE_UNAVAILABLE
        next_step = "The analysis waits without a Job and goes on by itself."
        message = with_next_step(observation.lookup.unavailable, next_step)
    elif observation.quota_refusal is not None:
        what = f"The namespace has no room for the Job: {observation.quota_refusal.message}"
        message = with_next_step(what, "It is tried again; raise the quota or wait for other Jobs to end.")
    return set_conditions(
        status,
        reason=reason,
        message=message,
        generation=observation.analysis.generation,
        now=now,
    )
