"""The one translation: from the resource, as the API server has it, to the contract that clients see.

Whoever may write a resource may write nonsense into its status. What cannot be understood is left out; what can is
shown.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from dealguard_api.reasons import Reason
from dealguard_api.report import DocumentInfo, FindingCounts, RiskLevel, Usage
from dealguard_api.resource import Phase
from dealguard_api.text import one_line
from dealguard_api.untrusted import Raw, mapping_in, mappings_in, text_in
from dealguard_gateway.model import (
    ANNOTATION_FILE_NAME,
    MAX_FILE_NAME_CHARACTERS,
    Contract,
    ContractFailure,
    ContractOptions,
    ContractStage,
    ContractStatus,
    ContractSummary,
)
from dealguard_gateway.problems import contract_not_found

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL)
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_STATUSES = {phase.value: ContractStatus(phase.value.lower()) for phase in Phase}
_RISKS = {level.value: level for level in RiskLevel}
_STAGES = {stage.value.capitalize(): stage for stage in ContractStage}
_EPOCH = datetime.fromtimestamp(0, UTC)

ModelT = TypeVar("ModelT", bound=BaseModel)


def contract_id(namespace: str, name: str) -> str:
    """How clients call the analysis `name` in `namespace`."""
    return f"{namespace}.{name}"


def is_namespace(text: str) -> bool:
    """Whether a namespace can be called that."""
    return _NAMESPACE.fullmatch(text) is not None


def split_id(id: str) -> tuple[str, str]:  # noqa: A002 - what clients call it
    """Namespace and name of the contract `id`; both are DNS names, safe in paths and keys.

    Raises:
        NotFoundProblem: no contract can be called that.
    """
    namespace, _, name = id.partition(".")
    if not is_namespace(namespace) or _NAME.fullmatch(name) is None:
        raise contract_not_found()
    return namespace, name


def file_name_of(raw: Raw) -> str | None:
    """What the file was called where it came from, on one line."""
    name = text_in(mapping_in(mapping_in(raw, "metadata"), "annotations"), ANNOTATION_FILE_NAME)
    return one_line(name)[:MAX_FILE_NAME_CHARACTERS] or None


def status_of(raw: Raw) -> ContractStatus:
    """Where it stands. A run that was asked for and that the operator has not seen yet is pending."""
    status = _STATUSES.get(text_in(mapping_in(raw, "status"), "phase"), ContractStatus.PENDING)
    return ContractStatus.PENDING if status in FINISHED and _asks_for_another_run(raw) else status


FINISHED = frozenset({ContractStatus.COMPLETED, ContractStatus.FAILED, ContractStatus.CANCELLED})


def _asks_for_another_run(raw: Raw) -> bool:
    spec, status = mapping_in(raw, "spec"), mapping_in(raw, "status")
    token = text_in(spec, "runToken")
    return bool(token) and token != text_in(status, "runToken") and spec.get("cancel") is not True


def contract_from(raw: Raw) -> Contract:
    """The contract that the resource `raw` stands for; it never fails on what a status holds."""
    metadata, spec, status = (mapping_in(raw, key) for key in ("metadata", "spec", "status"))
    namespace, name = text_in(metadata, "namespace"), text_in(metadata, "name")
    stands = status_of(raw)
    is_finished = stands in FINISHED
    # While a new run is only asked for, the status still tells of the one before.
    is_asked_for = stands is ContractStatus.PENDING and text_in(status, "phase") in _ENDED_PHASES
    told: Raw = {} if is_asked_for else status
    summary = _summary(mapping_in(told, "result")) if stands is ContractStatus.COMPLETED else None
    run = _number(status, "run", 1)
    return Contract(
        id=contract_id(namespace, name),
        organization=namespace,
        name=name,
        file_name=file_name_of(raw),
        status=stands,
        stage=None if is_finished else _STAGES.get(text_in(told, "stage"), ContractStage.QUEUED),
        message=None if is_finished else _message(told),
        suspended=not is_finished and spec.get("suspend") is True,
        submitted_by=text_in(spec, "submittedBy") or None,
        created_at=_time(metadata, "creationTimestamp") or _EPOCH,
        queued_at=_time(told, "queuedAt"),
        started_at=_time(told, "startedAt"),
        finished_at=_time(told, "finishedAt"),
        run=run + 1 if is_asked_for else run,
        attempts=_number(told, "attemptCount", 0),
        options=_options(spec),
        document=_model(DocumentInfo, mapping_in(status, "document")),
        summary=summary,
        failure=_failure(told) if stands is ContractStatus.FAILED else None,
        usage=_model(Usage, mapping_in(told, "usage")),
        reused=_reason(told) == Reason.CACHED,
        links=_links(namespace, name, has_report=summary is not None),
    )


_ENDED_PHASES = frozenset(phase.value for phase in Phase if phase.is_terminal)


def _links(namespace: str, name: str, *, has_report: bool) -> dict[str, str]:
    path = f"/contracts/{contract_id(namespace, name)}"
    links = {"self": path, "document": f"{path}/document", "events": f"{path}/events"}
    return {**links, "report": f"{path}/report"} if has_report else links


def _options(spec: Raw) -> ContractOptions:
    given = {
        field: value
        for field in ("engine", "language")
        if (value := text_in(spec, field)) in get_args(ContractOptions.model_fields[field].annotation)
    }
    return ContractOptions(**given, perspective=text_in(spec, "perspective") or None)


def _summary(result: Raw) -> ContractSummary | None:
    level = _RISKS.get(text_in(result, "riskLevel"))
    if level is None:
        return None
    return ContractSummary(
        text=text_in(result, "summary"),
        contract_type=text_in(result, "contractType") or None,
        risk_level=level,
        risk_score=_number(result, "riskScore", 0),
        findings=_model(FindingCounts, mapping_in(result, "findings")) or FindingCounts(),
        engine=text_in(result, "engine"),
        model=text_in(result, "model") or None,
    )


def _failure(status: Raw) -> ContractFailure:
    failure = mapping_in(status, "failure")
    return ContractFailure(
        reason=text_in(failure, "reason") or _reason(status) or Reason.INTERNAL_ERROR,
        message=text_in(failure, "message") or "The analysis failed and does not say why. Run it again.",
    )


def _message(status: Raw) -> str | None:
    return _condition(status, "Reconciling", "message") or None


def _reason(status: Raw) -> str:
    return _condition(status, "Ready", "reason")


def _condition(status: Raw, type_: str, field: str) -> str:
    return next((text_in(each, field) for each in mappings_in(status, "conditions") if each.get("type") == type_), "")


def _number(raw: Raw, key: str, default: int) -> int:
    value = raw.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def _time(raw: Raw, key: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text_in(raw, key))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _model(model: type[ModelT], raw: Mapping[str, Any]) -> ModelT | None:
    if not raw:
        return None
    try:
        return model.model_validate(raw)
    except ValidationError:
        return None
