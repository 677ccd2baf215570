"""When the stages of an attempt began and ended, read from its pod.

A container that could not be started is often told to have started in 1970, and whoever may write a pod's status may
write any time there. One such stage would spoil a histogram's sum for the life of the process, and a span of it the
whole batch that it is exported with. So what cannot be is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dealguard_api.resource import Stage
from dealguard_operator.model import ContainerState, PodState, Running, Terminated

# A container's times are of its node's clock, the pod's creation is of the API server's.
_CLOCKS_DIFFER = timedelta(hours=1)
# A Job ends within an hour (`spec.deadlineSeconds`); a node that does not answer may end its containers long after.
_POD_LIVES = timedelta(days=1)


@dataclass(frozen=True)
class StageInterval:
    """A stage that is over. Its times are the kubelet's and the API server's, in whole seconds."""

    stage: Stage
    began_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> float:
        """How long it took; never negative, whatever the clocks say."""
        return max(0.0, (self.ended_at - self.began_at).total_seconds())


def stage_intervals(pod: PodState) -> tuple[StageInterval, ...]:
    """The stages that are over in `pod`, in their order, without those whose times cannot be."""
    return tuple(stage for stage in _intervals(pod) if _can_be(stage.began_at, pod) and _can_be(stage.ended_at, pod))


def _can_be(time: datetime, pod: PodState) -> bool:
    return -_CLOCKS_DIFFER <= time - pod.created_at <= _POD_LIVES


def _intervals(pod: PodState) -> Iterator[StageInterval]:
    if (started_at := _started_at(pod.extract)) is not None:
        yield StageInterval(Stage.STARTING, pod.created_at, started_at)
    for stage, container in ((Stage.EXTRACTING, pod.extract), (Stage.ANALYZING, pod.analyze)):
        if isinstance(container, Terminated) and container.has_run:
            began_at, ended_at = container.started_at, container.finished_at
            if began_at is not None and ended_at is not None:
                yield StageInterval(stage, began_at, ended_at)


def _started_at(container: ContainerState) -> datetime | None:
    return container.started_at if isinstance(container, Running | Terminated) else None
