"""Phase and reason as the four conditions that `dealguard_api.conditions` defines."""

from datetime import datetime

from dealguard_api.conditions import Condition, ConditionType, carry_transition_times
from dealguard_api.reasons import Reason
from dealguard_api.resource import ContractAnalysisStatus, Phase


def set_conditions(
    status: ContractAnalysisStatus, *, reason: Reason, message: str, generation: int, now: datetime
) -> ContractAnalysisStatus:
    """`status` with the conditions of its phase, all with `reason` and `message`.

    A condition's transition time moves only if its status flips against the conditions that `status` came with.
    """
    phase = status.phase or Phase.PENDING

    def condition(type_: ConditionType, is_true: bool) -> Condition:
        return Condition(
            type=type_,
            status="True" if is_true else "False",
            observed_generation=generation,
            last_transition_time=now,
            reason=reason,
            message=message,
        )

    conditions = [condition(ConditionType.READY, phase is Phase.COMPLETED)]
    # Reconciling and Stalled are abnormal-true: absent is their false.
    if not phase.is_terminal:
        conditions.append(condition(ConditionType.RECONCILING, True))
    elif phase is not Phase.COMPLETED:
        conditions.append(condition(ConditionType.STALLED, True))
    conditions.append(condition(ConditionType.FINISHED, phase.is_terminal))
    return status.model_copy(
        update={
            "observed_generation": generation,
            "conditions": carry_transition_times(conditions, status.conditions),
        }
    )


def observe_generation(status: ContractAnalysisStatus, generation: int) -> ContractAnalysisStatus:
    """`status`, unchanged but for speaking of `generation`: waiters compare it with the resource's."""
    speaks_of = {status.observed_generation, *(condition.observed_generation for condition in status.conditions)}
    if speaks_of == {generation}:
        return status
    return status.model_copy(
        update={
            "observed_generation": generation,
            "conditions": [
                condition.model_copy(update={"observed_generation": generation}) for condition in status.conditions
            ],
        }
    )


def current_reason(status: ContractAnalysisStatus) -> str | None:
    """The reason that the conditions carry, None before the first status."""
    return next((condition.reason for condition in status.conditions if condition.type == ConditionType.READY), None)
