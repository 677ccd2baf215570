"""When the stages of an attempt began and ended, read from its pod."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dealguard_api.resource import Stage
from dealguard_operator.model import ContainerState, PodState, Running, Terminated


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
    """The stages that are over in `pod`, in their order."""
    return tuple(_intervals(pod))


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
