"""Why an attempt failed: one cause, in words a person can act on.

Ranked: an exit code of our own contract first (the program knew best, and a child's lack of memory puts `OOMKilled`
on its parent's own exit code), then memory, then what the node or the Job did to the pod, then "unexpectedly".
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from dealguard_api.base import WireModel
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import AnalyzeOutcome, ExtractOutcome
from dealguard_api.reasons import Reason, explain
from dealguard_api.report import DocumentInfo
from dealguard_operator.model import ContainerState, PodState, Terminated, Waiting
from dealguard_operator.policies.messages import with_next_step

# Codes that say no more than "it ended": other signs are looked at before them.
_GENERIC_CODES = (ExitCode.INTERNAL_ERROR, ExitCode.TERMINATED)
_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
# SIGKILL and SIGTERM.
STOPPED = (137, 143)

# Far above any real figure, and far below what a status can carry or add up: more is no measurement.
_MAX_DIGITS = 12
_MAX_COST_USD = Decimal(10_000)

MessageT = TypeVar("MessageT", bound=WireModel)


@dataclass(frozen=True)
class Cause:
    """Why an attempt failed. `message` ends with what to do next."""

    reason: Reason
    message: str
    is_permanent: bool = False


def cause_of(pod: PodState, *, hit_deadline: bool = False) -> Cause:
    """Why `pod`, which ended without a result, ended.

    Args:
        pod: an ended pod.
        hit_deadline: whether its Job's deadline ended it.
    """
    container = pod.deciding_container
    code = _known_code(container)
    if code is not None and code not in _GENERIC_CODES:
        return Cause(code.reason, _words(container, code.reason), is_permanent=code.is_permanent)
    if container is not None and container.reason == "OOMKilled":
        return _plain(Reason.OUT_OF_MEMORY)
    if hit_deadline or pod.reason == "DeadlineExceeded":
        return _plain(Reason.DEADLINE_EXCEEDED)
    if pod.reason == "Evicted" or pod.is_disrupted:
        return _plain(Reason.EVICTED)
    if container is None or container.exit_code in STOPPED:
        return _plain(Reason.TERMINATED)
    return Cause(Reason.INTERNAL_ERROR, _words(container, Reason.INTERNAL_ERROR))


def waiting_cause(pod: PodState) -> Reason | None:
    """Why a pod that has not started cannot; None if it merely has not yet."""
    if pod.unschedulable_message is not None:
        return Reason.UNSCHEDULABLE
    for state in (pod.extract, pod.analyze):
        if isinstance(state, Waiting) and state.reason in _IMAGE_REASONS:
            return Reason.IMAGE_PULL_FAILED
    return None


def analyze_outcome(pod: PodState) -> AnalyzeOutcome | None:
    """What `analyze` wrote when it ended; None if it has not, or wrote nothing believable."""
    outcome = _read(AnalyzeOutcome, pod.analyze)
    if outcome is not None and outcome.usage is not None and (outcome.usage.cost or 0) > _MAX_COST_USD:
        return outcome.model_copy(update={"usage": None})
    return outcome


def document_of(pod: PodState) -> DocumentInfo | None:
    """The document as `extract` read it; None if it has not, or wrote nothing believable."""
    outcome = _read(ExtractOutcome, pod.extract)
    return outcome.document if outcome else None


def _known_code(container: Terminated | None) -> ExitCode | None:
    try:
        return ExitCode(container.exit_code) if container is not None and container.exit_code != 0 else None
    except ValueError:
        return None


def _plain(reason: Reason) -> Cause:
    return Cause(reason, str(explain(reason)))


def _words(container: Terminated | None, reason: Reason) -> str:
    """The container's own words if they speak of `reason`, else the general ones."""
    explanation = explain(reason)
    outcome = _read(AnalyzeOutcome, container)  # `failure` is the same in both containers' outcomes
    failure = outcome.failure if outcome else None
    if failure is None or failure.reason != reason:
        return with_next_step(explanation.meaning, explanation.next_step)
    return with_next_step(failure.message, explanation.next_step)


def _read(model: type[MessageT], container: ContainerState | None) -> MessageT | None:
    """The termination message of an ended container; None if it is not what a container of ours writes."""
    if not isinstance(container, Terminated):
        return None
    try:
        return model.model_validate(json.loads(container.message, parse_int=_bounded_int))
    except (ValueError, RecursionError):  # pydantic's and json's errors are ValueErrors
        return None


def _bounded_int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("a number beyond belief")
    return int(digits)
