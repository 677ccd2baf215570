"""What may start now. An analysis that may not waits as `Pending/Queued`, without a Job, at no cost."""

from datetime import datetime
from enum import Enum, auto

from dealguard_operator.model import Observation
from dealguard_operator.policies.runs import asks_for_another_run
from dealguard_operator.policies.stopping import is_suspended


class Standing(Enum):
    """Where an analysis stands in the competition for places."""

    WAITS = auto()  # only a free place is missing
    RUNS = auto()  # it has a place
    ASIDE = auto()  # it neither has one nor could use one now


def standing_of(observation: Observation, now: datetime) -> Standing:
    """Where the analysis stands.

    A Job that somebody else suspended keeps its place: whoever admits it may do so at any time.
    """
    analysis = observation.analysis
    status, spec = analysis.status, analysis.spec
    if analysis.is_deleting or (status.has_ended and not asks_for_another_run(analysis)):
        return Standing.ASIDE
    if not status.has_ended:
        if observation.job is not None or observation.live_pods:
            return Standing.RUNS
        if is_suspended(status):
            return Standing.ASIDE
        if status.job_name is not None:
            return Standing.RUNS  # it is to be found out what became of its Job
    is_refused = observation.job_rejection is not None or not _has_room(observation, now)
    return Standing.ASIDE if spec.suspend or spec.cancel or is_refused else Standing.WAITS


def may_start(observation: Observation, now: datetime) -> bool:
    """Whether the Job of a run that has none may be made now."""
    return observation.has_place and _has_room(observation, now) and not observation.analysis.spec.suspend


def _has_room(observation: Observation, now: datetime) -> bool:
    """Whether the namespace's quota has not refused the Job, or may be asked again."""
    refusal = observation.quota_refusal
    return refusal is None or now >= refusal.retry_at
