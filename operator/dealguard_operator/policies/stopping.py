"""Cancel and suspend: the state is written first, then the Job deleted, and the end waits for the pod's last words.

A pod that is stopped has its grace period to say what it spent, so a cancelled run names its cost.
"""

from datetime import datetime, timedelta

from dealguard_api.reasons import Reason, explain
from dealguard_api.resource import ContractAnalysisStatus, Phase, Stage
from dealguard_operator.model import Observation, Verdict
from dealguard_operator.policies.conditions import current_reason, set_conditions
from dealguard_operator.policies.outcome import LAST_WORDS_SECONDS, cancelled
from dealguard_operator.policies.runs import begin_another_job

_STOPPING = "The analysis is being stopped, as spec.cancel asks."
_RESUMING = "The analysis goes on as soon as its previous pod has ended."


def requested_stop(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> Verdict | None:
    """What follows from `spec.cancel` and `spec.suspend` for a run that has not ended; None if it just goes on."""
    spec = observation.analysis.spec
    if spec.cancel or is_stopping(status):  # taken back while it stops, it stops: another run follows
        return _cancel(observation, status, now)
    if spec.suspend:
        return Verdict(_suspend(observation, status, now))
    if is_suspended(status):
        return _resume(observation, status, now)
    return None


def is_stopping(status: ContractAnalysisStatus) -> bool:
    """Whether the status says that the run is being cancelled."""
    return not status.has_ended and current_reason(status) == Reason.CANCELLED


def is_suspended(status: ContractAnalysisStatus) -> bool:
    """Whether the status says that the analysis is suspended."""
    return status.phase is Phase.PENDING and current_reason(status) == Reason.SUSPENDED


def _cancel(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> Verdict:
    """What follows from `spec.cancel`, once it was seen, for a run that has not ended."""
    job = observation.job
    if job is None:  # it goes after its pods, so nothing runs any more
        return Verdict(cancelled(observation.analysis, status, now))
    stopping = _stopping(observation, status, now)
    if job.deleting_since is None:
        return Verdict(stopping)
    last_words_until = job.deleting_since + timedelta(seconds=LAST_WORDS_SECONDS)
    if observation.live_pods and now < last_words_until:
        return Verdict(stopping, wait_until=last_words_until)
    return Verdict(cancelled(observation.analysis, status, now))


def _suspend(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> ContractAnalysisStatus:
    """The status while `spec.suspend` holds: waiting, without a Job once that is deleted."""
    return _waiting(observation, status, Reason.SUSPENDED, str(explain(Reason.SUSPENDED)), now)


def _resume(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> Verdict:
    """What follows when `spec.suspend` no longer holds: a new Job, after the end of the old one's pods."""
    if observation.job is not None or observation.live_pods:
        return Verdict(_waiting(observation, status, Reason.SUSPENDED, _RESUMING, now))
    if status.job_name is not None and not observation.is_fresh:
        return Verdict(needs_fresh=True)  # two pods of one run would both be paid
    if status.job_name is not None:
        return Verdict(begin_another_job(observation.analysis, status, now))
    return Verdict(_waiting(observation, status, Reason.QUEUED, str(explain(Reason.QUEUED)), now))


def _stopping(observation: Observation, status: ContractAnalysisStatus, now: datetime) -> ContractAnalysisStatus:
    return set_conditions(
        status, reason=Reason.CANCELLED, message=_STOPPING, generation=observation.analysis.generation, now=now
    )


def _waiting(
    observation: Observation, status: ContractAnalysisStatus, reason: Reason, message: str, now: datetime
) -> ContractAnalysisStatus:
    job = observation.job
    return set_conditions(
        status.model_copy(
            update={
                "phase": Phase.PENDING,
                "stage": Stage.QUEUED,
                "job_name": job.name if job else status.job_name,
                "started_at": None,
            }
        ),
        reason=reason,
        message=message,
        generation=observation.analysis.generation,
        now=now,
    )
