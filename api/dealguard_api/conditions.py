"""The conditions of a `ContractAnalysis`, as kstatus, Argo CD and Flux read them.

| type | status | present |
|---|---|---|
| `Ready` | True: the report is stored. False: not (yet). | always, from the first status on |
| `Reconciling` | True: work is under way or waits for a place. | only while it is true (kstatus: abnormal-true) |
| `Stalled` | True: ended without a report; nothing more happens by itself. | only while it is true (abnormal-true) |
| `Finished` | True in every terminal phase; False otherwise. | always, so one `kubectl wait` covers all ends |

Each carries `observedGeneration`, so `kubectl wait` waits again after a new `runToken`.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from dealguard_api.base import WireModel


class ConditionType(StrEnum):
    """See the table in the module's docstring."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    FINISHED = "Finished"


class Condition(WireModel):
    """One aspect of the analysis's state, in the shape of `metav1.Condition`."""

    type: Annotated[str, Field(max_length=64, description="Ready, Reconciling, Stalled or Finished.")]
    status: Annotated[Literal["True", "False", "Unknown"], Field(description="Whether the condition holds.")]
    observed_generation: Annotated[
        int, Field(ge=0, description="The metadata.generation that this condition speaks of.")
    ]
    last_transition_time: Annotated[datetime, Field(description="When `status` last flipped.")]
    reason: Annotated[str, Field(max_length=64, description="Why, as a CamelCase word programs may match on.")]
    message: Annotated[str, Field(max_length=1024, description="Why, in words, with the next step.")]


def carry_transition_times(new: Iterable[Condition], old: Iterable[Condition]) -> list[Condition]:
    """`new`, with the transition time of each condition in `old` whose status did not flip."""
    before = {condition.type: condition for condition in old}
    return [
        condition.model_copy(update={"last_transition_time": previous.last_transition_time})
        if (previous := before.get(condition.type)) and previous.status == condition.status
        else condition
        for condition in new
    ]
