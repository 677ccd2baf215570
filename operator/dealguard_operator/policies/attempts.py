"""Ended pods, kept as attempts: pod, cause, duration, what was spent. Each pod is recorded once and never revised."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dealguard_api.reasons import Reason
from dealguard_api.report import Usage
from dealguard_api.resource import Attempt, ContractAnalysisStatus
from dealguard_operator.model import Observation, PodState, Running, Terminated
from dealguard_operator.policies.diagnosis import STOPPED, Cause, analyze_outcome, cause_of, document_of

# The newest are kept: the 11 that a Job counts at the highest backoffLimit, and 3 that it does not.
MAX_ATTEMPTS_KEPT = 14
# As JSON, their part of a status's 8 KB: with what they consumed it is enough for 8 at their longest, without for all.
_MAX_ATTEMPTS_BYTES = 2640

# Clocks of nodes, API server and operator may differ by so much.
CLOCK_DIFFERENCE = timedelta(minutes=1)


def record_attempts(observation: Observation) -> ContractAnalysisStatus:
    """The status with the run's pods in it: ended ones as attempts, their usage added up, the document."""
    status = observation.analysis.status
    new = [pod for pod in observation.pods if pod.has_ended and _is_new(pod, status.attempts)]
    attempts = [_attempt(pod, observation) for pod in new]
    known_pods = {attempt.pod_name for attempt in status.attempts} | {pod.name for pod in observation.pods}
    usage = status.usage
    for attempt in attempts:
        if attempt.usage is not None:
            usage = attempt.usage if usage is None else usage + attempt.usage
    documents = [document for pod in observation.pods if (document := document_of(pod)) is not None]
    count = max(status.attempt_count or 0, len(known_pods)) or None
    document = documents[-1] if documents else status.document
    if not attempts and (count, document) == (status.attempt_count, status.document):
        return status
    return status.model_copy(
        update={
            "attempts": _within_bounds([*status.attempts, *attempts][-MAX_ATTEMPTS_KEPT:]),
            "attempt_count": count,
            "usage": usage,
            "document": document,
        }
    )


def has_vanished_pod(observation: Observation) -> bool:
    """Whether a pod that is not on record yet ended by nothing but its deletion, as a watch tells it."""
    attempts = observation.analysis.status.attempts
    return any(
        pod.is_gone and not replace(pod, is_gone=False).has_ended and _is_new(pod, attempts) for pod in observation.pods
    )


@dataclass(frozen=True)
class FailedAttempt:
    """A pod that ended without a result, and why."""

    pod_name: str
    cause: Cause
    counts: bool  # against `backoffLimit`, as the Job's `podFailurePolicy` has it


def failed_attempts(observation: Observation) -> list[FailedAttempt]:
    """The ended pods of the Job that brought no result, oldest first."""
    failed = [pod for pod in observation.pods if pod.has_ended and not has_succeeded(pod)]
    causes = [_cause(pod, observation) for pod in failed]
    return [
        FailedAttempt(pod.name, cause, counts=cause.is_permanent or not pod.is_disrupted)
        for pod, cause in zip(failed, causes, strict=True)
    ]


def has_succeeded(pod: PodState) -> bool:
    """Whether its last container ended well."""
    return isinstance(pod.analyze, Terminated) and pod.analyze.exit_code == 0


def started_at(pod: PodState) -> datetime | None:
    """When the first of its containers started."""
    times = [state.started_at for state in (pod.extract, pod.analyze) if isinstance(state, Running | Terminated)]
    return min((time for time in times if time is not None), default=None)


def ended_at(pod: PodState) -> datetime | None:
    """When the container that decided it ended; without one, when the pod was found lost."""
    container = pod.deciding_container
    return (container.finished_at if container else None) or pod.disrupted_at


def _attempt(pod: PodState, observation: Observation) -> Attempt:
    container = pod.deciding_container
    outcome = analyze_outcome(pod)
    started, finished = started_at(pod), ended_at(pod)
    reason = Reason.COMPLETED if has_succeeded(pod) else _cause(pod, observation).reason
    return Attempt(
        pod_name=pod.name,
        reason=reason,
        exit_code=container.exit_code if container else None,
        started_at=started or pod.created_at,
        seconds=max(0, round((finished - started).total_seconds())) if started and finished else None,
        usage=outcome.usage if outcome and outcome.usage != Usage() else None,
    )


def _within_bounds(attempts: list[Attempt]) -> list[Attempt]:
    """`attempts`; beyond their bytes, the oldest without what they consumed: the status has the sum."""
    bounded = list(attempts)
    for index, attempt in enumerate(attempts):
        if len(json.dumps([each.to_wire() for each in bounded])) <= _MAX_ATTEMPTS_BYTES:
            break
        bounded[index] = attempt.model_copy(update={"usage": None})
    return bounded


def _is_new(pod: PodState, attempts: list[Attempt]) -> bool:
    """Whether `pod` is not among `attempts`, nor among the older ones that no longer fit there."""
    if pod.name in {attempt.pod_name for attempt in attempts}:
        return False
    # A Job runs one pod at a time, so what is older than the oldest kept was recorded before it.
    oldest = attempts[0].started_at if len(attempts) == MAX_ATTEMPTS_KEPT else None
    return oldest is None or (started_at(pod) or pod.created_at) > oldest


def _cause(pod: PodState, observation: Observation) -> Cause:
    return cause_of(pod, hit_deadline=_hit_deadline(pod, observation))


def _hit_deadline(pod: PodState, observation: Observation) -> bool:
    """Whether its Job's deadline ended it. A Job runs one pod at a time, so that can only be the last."""
    condition = observation.job.condition("FailureTarget", "Failed") if observation.job else None
    if condition is None or condition.reason != "DeadlineExceeded" or pod != observation.pods[-1]:
        return False
    container, ended = pod.deciding_container, ended_at(pod)
    if container is not None and container.exit_code not in STOPPED:
        return False
    # A node's clock against the control plane's.
    is_before = ended is not None and condition.since is not None and ended + CLOCK_DIFFERENCE < condition.since
    return not is_before
