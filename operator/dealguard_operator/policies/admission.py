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
    is_over = status.phase is not None and status.phase.is_terminal
    if analysis.is_deleting or (is_over and not asks_for_another_run(analysis)):
        return Standing.ASIDE
    if not is_over:
        if observation.job is not None or observation.live_pods:
            return Standing.RUNS
        if is_suspended(status):
            return Standing.ASIDE
        if status.job_name is not None:
            return Standing.RUNS  # it is to be found out what became of its Job
    refusal = observation.quota_refusal
    is_refused = observation.job_rejection is not None or (refusal is not None and now < refusal.retry_at)
    return Standing.ASIDE if spec.suspend or spec.cancel or is_refused else Standing.WAITS


def may_start(observation: Observation, now: datetime) -> bool:
    """Whether the Job of a run that has none may be made now."""
    refusal = observation.quota_refusal
    has_room = refusal is None or now >= refusal.retry_at
    return observation.has_place and has_room and not observation.analysis.spec.suspend
