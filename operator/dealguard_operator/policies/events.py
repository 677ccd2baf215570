"""Events for what a person wants to see in `kubectl describe`: one a transition, none for anything else."""

from dealguard_api.reasons import Reason
from dealguard_api.resource import ContractAnalysisStatus, Phase
from dealguard_operator.model import EventNote, EventType
from dealguard_operator.policies.conditions import current_reason
from dealguard_operator.policies.progress import retry_message

# What is said of a run that has no further attempt.
_NO_RETRY = (Reason.CANCELLED, Reason.JOB_DELETED, Reason.STORAGE_UNAVAILABLE)


def events_between(before: ContractAnalysisStatus, after: ContractAnalysisStatus) -> tuple[EventNote, ...]:
    """The Events of the transition from `before` to `after`."""
    notes: list[EventNote] = []
    if after.phase is Phase.PROCESSING and after.job_name != before.job_name:
        notes.append(EventNote(EventType.NORMAL, "Started", f"Job {after.job_name} runs the analysis."))
    last = after.attempts[-1] if after.attempts else None
    has_new_attempt = last is not None and last not in before.attempts
    goes_on = after.phase is Phase.PROCESSING and current_reason(after) not in _NO_RETRY
    if goes_on and has_new_attempt and last is not None:
        message = retry_message(after.attempt_count or len(after.attempts), Reason(last.reason))
        notes.append(EventNote(EventType.WARNING, "Retrying", message))
    if after.phase is not before.phase:
        notes.extend(_end_of(after))
    return tuple(notes)


def _end_of(status: ContractAnalysisStatus) -> list[EventNote]:
    message = status.conditions[0].message if status.conditions else ""
    match status.phase:
        case Phase.COMPLETED:
            return [EventNote(EventType.NORMAL, "Completed", message)]
        case Phase.FAILED if status.failure is not None:
            return [EventNote(EventType.WARNING, "Failed", f"{status.failure.reason}: {status.failure.message}")]
        case Phase.CANCELLED:
            return [EventNote(EventType.NORMAL, "Cancelled", message)]
        case _:
            return []
