"""Stage and waiting cause from the pod's own container states: no side channel."""

from datetime import datetime, timedelta

from dealguard_api.reasons import Reason, explain
from dealguard_api.resource import ContractAnalysisStatus, Phase, Stage
from dealguard_operator.model import Observation, PodState, Running, Terminated
from dealguard_operator.policies.attempts import failed_attempts
from dealguard_operator.policies.conditions import current_reason, set_conditions
from dealguard_operator.policies.diagnosis import waiting_cause
from dealguard_operator.policies.messages import safe, with_next_step

# The Job controller creates the first pod within a second or so.
_FIRST_POD_SECONDS = 10

_REASONS = {
    Stage.STARTING: Reason.STARTING,
    Stage.EXTRACTING: Reason.EXTRACTING,
    Stage.ANALYZING: Reason.ANALYZING,
}


def in_progress(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> ContractAnalysisStatus:
    """The status of a run whose Job is there and has not ended."""
    job = observation.job
    assert job is not None
    pod = observation.live_pods[-1] if observation.live_pods else None
    stage = _stage(pod)
    reason, message = _words(observation, stage, pod, now)
    return set_conditions(
        status.model_copy(
            update={
                "phase": Phase.PROCESSING,
                "stage": stage,
                "job_name": job.name,
                # The Job's own start, up to a second later, is the controller's; this one is known at once.
                "started_at": job.created_at,
            }
        ),
        reason=reason,
        message=message,
        generation=observation.analysis.generation,
        now=now,
    )


def is_mere_progress(before: ContractAnalysisStatus, after: ContractAnalysisStatus) -> bool:
    """Whether a run merely got further: nothing ended, nothing stands in its way, nobody changed what he wants."""
    return (
        before.phase is after.phase is Phase.PROCESSING
        and before.job_name == after.job_name
        and before.observed_generation == after.observed_generation
        and {current_reason(before), current_reason(after)} <= set(_REASONS.values())
    )


def lacks_pod(observation: Observation, now: datetime) -> bool:
    """Whether the Job has had no pod for so long that none can be created."""
    return may_lack_pod(observation) and now >= pod_expected_by(observation)


def may_lack_pod(observation: Observation) -> bool:
    """Whether the Job should have a first pod, and none is seen."""
    job = observation.job
    if job is None or not job.is_active or job.is_suspended or observation.pods:
        return False
    # An earlier Job of the run had pods of its own. The controller names a pod after its Job and five characters.
    return not any(attempt.pod_name[:-6] == job.name for attempt in observation.analysis.status.attempts)


def pod_expected_by(observation: Observation) -> datetime:
    """When a Job without a pod is remarkable."""
    assert observation.job is not None
    return observation.job.began_at + timedelta(seconds=_FIRST_POD_SECONDS)


def obstructed_since(observation: Observation) -> datetime | None:
    """Since when something keeps the run's pod from starting; None if nothing is known to.

    A pod that merely pulls a large image is not obstructed.
    """
    pod = observation.live_pods[-1] if observation.live_pods else None
    if pod is not None:
        if pod.has_started or waiting_cause(pod) is None:
            return None
        return pod.scheduled_at or pod.created_at  # a new node took its time, the image has its own
    # Not before the Job controller has seen the Job: it may be away, or have thousands before this one.
    return observation.job.started_at if observation.job is not None and may_lack_pod(observation) else None


def no_pod_message(job_name: str) -> str:
    """What to say of a Job whose pods are refused: the operator may not read the Job's Events, people may."""
    return (
        f"No pod could be created for Job {job_name}: kubectl describe job {job_name} shows why, "
        "often a quota or a policy of the namespace."
    )


def _stage(pod: PodState | None) -> Stage:
    if pod is None or not pod.has_started:
        return Stage.STARTING
    return Stage.ANALYZING if isinstance(pod.analyze, Running | Terminated) else Stage.EXTRACTING


def _words(observation: Observation, stage: Stage, pod: PodState | None, now: datetime) -> tuple[Reason, str]:
    job = observation.job
    if job is not None and job.is_suspended:
        what = f"Job {job.name} is suspended, not by this analysis."
        return Reason.SUSPENDED, with_next_step(what, "It goes on when a queue admits it or its spec.suspend is false.")
    if job is not None and lacks_pod(observation, now):
        return Reason.POD_NOT_CREATED, no_pod_message(job.name)
    if observation.secret_refusal is not None:
        what = f"The namespace has no room for the Job's Secret: {safe(observation.secret_refusal, 250)}"
        return Reason.STARTING, with_next_step(
            what, "It is tried again; raise the quota or wait for other Jobs to end."
        )
    failed = failed_attempts(observation)
    waiting = waiting_cause(pod) if pod is not None and not pod.has_started else None
    if waiting is not None:
        explanation = explain(waiting)
        particulars = pod.unschedulable_message if pod else None
        what = f"{explanation.meaning} ({safe(particulars, 200)})" if particulars else explanation.meaning
        return waiting, with_next_step(what, explanation.next_step)
    reason = _REASONS[stage]
    if stage is Stage.STARTING and failed:
        return reason, retry_message(len(failed), failed[-1].cause.reason)
    return reason, explain(reason).meaning


def retry_message(number: int, reason: Reason) -> str:
    """What to say while a failed attempt's successor is awaited."""
    return f"Attempt {number} failed ({reason}): {explain(reason).meaning} Another attempt follows."
