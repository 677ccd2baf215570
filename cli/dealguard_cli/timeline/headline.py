"""Where the analysis stands, why, since when, and what to do next."""

from collections.abc import Callable
from datetime import datetime, timedelta

from dealguard_api.conditions import ConditionType
from dealguard_api.pod import ANALYZE_CONTAINER, EXTRACT_CONTAINER
from dealguard_api.reasons import Reason
from dealguard_api.resource import Phase, Run
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.adapters.workloads import Evidence, PodSeen
from dealguard_cli.timeline.model import Headline
from dealguard_cli.timeline.wording import cause_and_step, container_waits, explanation, is_stuck, meaning

# A running operator answers within a second, or once the object storage or the API server has answered it.
_UNSEEN = timedelta(seconds=30)
_NOTHING_TO_DO = "Nothing to do."
_LOOK_AT_OPERATOR = (
    "No operator has taken note of it. Look whether one runs and serves this namespace: "
    "kubectl get deployments -A -l app.kubernetes.io/component=operator"
)

# The command that goes on from here; None where the reason's own words say what to do.
NextCommand = Callable[[Analysis], str | None]


def headline(evidence: Evidence, now: datetime, next_command: NextCommand, absence: str | None = None) -> Headline:
    """The headline of the run; `absence` is why the resource cannot be shown."""
    analysis = evidence.analysis
    if analysis is None:
        why = f"{absence or 'The resource cannot be shown.'} This is what the cluster still has about it."
        return Headline("unknown", None, None, why, "Look at the timeline for the last that was heard of it.")
    if record := analysis.recorded_run(evidence.run):
        return _of_earlier_run(analysis, record)
    if evidence.run != (analysis.status.run or 1):
        why = "The resource keeps the last five earlier runs; this one is older."
        return Headline("unknown", None, None, why, f"The present run is {analysis.status.run}: leave --run out.")
    return _of_present_run(evidence, analysis, now, next_command)


def _of_present_run(evidence: Evidence, analysis: Analysis, now: datetime, next_command: NextCommand) -> Headline:
    status = analysis.status
    if status.phase is None:
        is_new = now - analysis.created_at < _UNSEEN
        why = "It was created just now." if is_new else "Nothing has happened to it since it was created."
        return Headline(
            "Pending", None, analysis.created_at, why, "Look again in a moment." if is_new else _LOOK_AT_OPERATOR
        )
    reason, message = _reason(analysis)
    why, step = cause_and_step(reason, message)
    if detail := _waiting_detail(evidence.pods):
        why = f"{why} {detail}".strip()
    if (status.observed_generation or 0) < analysis.generation:
        why += " The latest change of its spec has not been taken note of yet."
    command = next_command(analysis)
    if not step or step == _NOTHING_TO_DO or status.phase is Phase.COMPLETED or reason == Reason.SUSPENDED:
        step = command or step or "Look at the timeline."
    state = f"{status.phase} / {status.stage}" if status.stage else str(status.phase)
    return Headline(state, reason, _since(evidence, analysis, reason), why or meaning(reason or ""), step)


def _reason(analysis: Analysis) -> tuple[str | None, str]:
    status = analysis.status
    if status.failure is not None:
        return status.failure.reason, status.failure.message
    ready = next((each for each in status.conditions if each.type == ConditionType.READY), None)
    return (ready.reason, ready.message) if ready else (None, "")


def _since(evidence: Evidence, analysis: Analysis, reason: str | None) -> datetime | None:
    """Since when it is so; None where nothing has recorded it."""
    status = analysis.status
    if status.has_ended:
        return status.finished_at
    if reason == Reason.QUEUED:
        return status.queued_at if (status.job_count or 1) == 1 else None
    pod = evidence.pods[-1] if evidence.pods else None
    return _since_of_pod(pod, evidence, reason) if pod else (status.started_at if reason == Reason.STARTING else None)


def _since_of_pod(pod: PodSeen, evidence: Evidence, reason: str | None) -> datetime | None:
    match reason:
        case Reason.STARTING:
            return pod.created_at
        case Reason.EXTRACTING:
            return _started(pod, EXTRACT_CONTAINER)
        case Reason.ANALYZING:
            return _started(pod, ANALYZE_CONTAINER)
        case Reason.UNSCHEDULABLE:
            condition = pod.condition("PodScheduled")
            return condition.since if condition else None
        case Reason.IMAGE_PULL_FAILED:
            about_it = (each for each in evidence.events if each.name == pod.name and each.is_warning)
            return min((each.first for each in about_it), default=None)
        case _:
            return None


def _started(pod: PodSeen, name: str) -> datetime | None:
    container = pod.container(name)
    return container.started_at if container else None


def _waiting_detail(pods: tuple[PodSeen, ...]) -> str:
    """What the newest pod says of its waiting, beyond the reason."""
    if not pods or pods[-1].phase != "Pending":
        return ""
    return next((f"({container_waits(each)})" for each in pods[-1].containers if is_stuck(each)), "")


def _of_earlier_run(analysis: Analysis, record: Run) -> Headline:
    words = explanation(record.reason)
    why = words.meaning if words else meaning(record.reason)
    present = analysis.status.run or 1
    step = f"This is over: the present run is {present} ({analysis.phase})."
    if record.phase is Phase.COMPLETED and record.report is not None:
        step += f" This run's report is {record.report.key} in the installation's bucket."
    return Headline(str(record.phase), record.reason, record.finished_at, why, step)
