"""Beginning a run, and the next one when `spec.runToken` asks for it."""

from datetime import datetime

from dealguard_api.reasons import Reason, explain
from dealguard_api.resource import ContractAnalysisStatus, Phase, Run, Stage
from dealguard_operator.model import Analysis
from dealguard_operator.policies.conditions import current_reason, set_conditions

MAX_RUNS_KEPT = 5  # the schema's bound of status.runs


def asks_for_another_run(analysis: Analysis) -> bool:
    """Whether a finished analysis is to run again: only a new runToken says so, and cancel overrules it."""
    token = analysis.spec.run_token
    return token is not None and token != analysis.status.run_token and not analysis.spec.cancel


def begin_run(analysis: Analysis, now: datetime) -> ContractAnalysisStatus:
    """The status of a run that was just asked for; the run before moves to `runs`."""
    before = analysis.status
    runs = before.runs if before.run is None else [*before.runs, _finished_run(before)][-MAX_RUNS_KEPT:]
    status = ContractAnalysisStatus(
        phase=Phase.PENDING,
        stage=Stage.QUEUED,
        run=(before.run or 0) + 1,
        run_token=analysis.spec.run_token,
        runs=runs,
        job_count=1,
        queued_at=now,
        conditions=before.conditions,
    )
    return set_conditions(
        status,
        reason=Reason.QUEUED,
        message=str(explain(Reason.QUEUED)),
        generation=analysis.generation,
        now=now,
    )


def begin_another_job(analysis: Analysis, status: ContractAnalysisStatus, now: datetime) -> ContractAnalysisStatus:
    """`status`, back in the queue for another Job of the same run, which finds what an earlier one stored."""
    queued = status.model_copy(
        update={
            "phase": Phase.PENDING,
            "stage": Stage.QUEUED,
            "job_count": (status.job_count or 1) + 1,
            "job_name": None,
            "started_at": None,
        }
    )
    message = str(explain(Reason.QUEUED))
    return set_conditions(queued, reason=Reason.QUEUED, message=message, generation=analysis.generation, now=now)


def _finished_run(status: ContractAnalysisStatus) -> Run:
    return Run(
        run=status.run or 1,
        run_token=status.run_token,
        phase=status.phase or Phase.FAILED,
        reason=(status.failure.reason if status.failure else None) or current_reason(status) or Reason.COMPLETED,
        started_at=status.started_at,
        finished_at=status.finished_at,
        report=status.result.report if status.result else None,
        usage=status.usage,
    )
