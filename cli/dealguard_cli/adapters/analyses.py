"""Raw API objects to typed ones, and back. The only place that knows the resource's JSON outside its models."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from dealguard_api import names
from dealguard_api.conditions import Condition, ConditionType
from dealguard_api.resource import ContractAnalysisSpec, ContractAnalysisStatus, Phase, Run
from dealguard_cli.errors import CliReason, UnavailableError

RawObject = dict[str, Any]


@dataclass(frozen=True)
class Analysis:
    """A `ContractAnalysis` as the API server returned it; `raw` is for programs, without the managed fields."""

    name: str
    namespace: str
    uid: str
    generation: int
    created_at: datetime
    spec: ContractAnalysisSpec
    status: ContractAnalysisStatus
    raw: RawObject

    @property
    def phase(self) -> Phase:
        """Where it stands; Pending until the operator has seen it."""
        return self.status.phase or Phase.PENDING

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens by itself. A status that speaks of an older spec does not count."""
        return self.phase.is_terminal and (self.status.observed_generation or 0) >= self.generation

    @property
    def is_suspended(self) -> bool:
        """Whether it waits until somebody sets spec.suspend to false."""
        return self.spec.suspend and not self.is_finished

    @property
    def reconciling(self) -> Condition | None:
        """What is under way or waited for; None where nothing is."""
        return next((each for each in self.status.conditions if each.type == ConditionType.RECONCILING), None)

    @property
    def resource_name(self) -> str:
        """As `kubectl -o name` writes it."""
        return f"{names.SINGULAR}.{names.GROUP}/{self.name}"

    def recorded_run(self, run: int) -> Run | None:
        """The record of an earlier run, while the status keeps it."""
        return next((each for each in self.status.runs if each.run == run), None)

    def window(self, run: int) -> tuple[datetime, datetime | None]:
        """From when to when this run was the present one; the end None while it is."""
        present = self.status.run or 1
        before, after = self.recorded_run(run - 1), self.recorded_run(run + 1)
        begin = self.created_at
        if run == present and run > 1:
            begin = self.status.queued_at or begin
        elif before is not None:
            begin = before.finished_at or begin
        if run == present:
            return begin, None
        if run + 1 == present:
            return begin, self.status.queued_at
        return begin, after.started_at if after else None


def parse(raw: RawObject) -> Analysis:
    """`raw` as an `Analysis`.

    Raises:
        UnavailableError: it is not a shape this version knows.
    """
    metadata = {key: value for key, value in raw["metadata"].items() if key != "managedFields"}
    try:
        return Analysis(
            name=metadata.get("name", ""),  # a dry run with generateName returns none
            namespace=metadata["namespace"],
            uid=metadata.get("uid", ""),
            generation=metadata.get("generation", 0),
            created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
            spec=ContractAnalysisSpec.model_validate(raw["spec"]),
            status=ContractAnalysisStatus.model_validate(raw.get("status") or {}),
            raw={**raw, "metadata": metadata},
        )
    except (ValidationError, KeyError) as error:
        raise UnavailableError(
            CliReason.VERSION_MISMATCH,
            f"The cluster's {names.KIND} {metadata.get('name', '')} has a shape this dealguard does not know. "
            "Install the dealguard that belongs to the cluster's operator.",
        ) from error


def manifest(
    spec: ContractAnalysisSpec, namespace: str, name: str | None, slug: str, labels: dict[str, str]
) -> RawObject:
    """A `ContractAnalysis` to create, named `name`, or `slug` and a random ending that the server adds."""
    naming = {"name": name} if name else {"generateName": f"{slug}-"}
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"namespace": namespace, "labels": labels, **naming},
        # What has its default is left to the server: the manifest says what was asked.
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }
