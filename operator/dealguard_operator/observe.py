"""From raw Kubernetes objects to the types of `model.py`.

Anybody with rights in a namespace can write odd labels, owners and statuses there, so nothing is taken for granted:
what a decision cannot do without is checked, everything else falls back to "not known".
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pydantic

from dealguard_api import names, pod
from dealguard_api.resource import ContractAnalysisSpec, ContractAnalysisStatus
from dealguard_operator.errors import UnreadableResourceError
from dealguard_operator.model import (
    Analysis,
    ContainerState,
    JobCondition,
    JobState,
    PodState,
    Running,
    Terminated,
    Waiting,
)

Raw = Mapping[str, Any]


def analysis_from(raw: Raw) -> Analysis:
    """The `ContractAnalysis` in `raw`.

    Raises:
        UnreadableResourceError: it does not fit this version's models.
    """
    metadata = _mapping(raw, "metadata")
    try:
        return Analysis(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            generation=int(metadata.get("generation", 1)),
            is_deleting="deletionTimestamp" in metadata,
            spec=ContractAnalysisSpec.model_validate(raw.get("spec") or {}),
            status=ContractAnalysisStatus.model_validate(raw.get("status") or {}),
        )
    except pydantic.ValidationError as error:
        fields = ", ".join(sorted({".".join(str(part) for part in item["loc"]) for item in error.errors()}))
        raise UnreadableResourceError(f"these fields do not fit this version of the operator: {fields}") from None
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableResourceError(f"its metadata is incomplete ({type(error).__name__})") from None


def job_from(raw: Raw) -> JobState:
    """The Job in `raw`.

    Raises:
        UnreadableResourceError: it lacks the metadata that every stored object has.
    """
    metadata = _mapping(raw, "metadata")
    try:
        return JobState(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            owner_uid=_controller(metadata, names.KIND).get("uid", ""),
            created_at=_required_time(metadata, "creationTimestamp"),
            deleting_since=_time(metadata, "deletionTimestamp"),
            conditions=tuple(
                JobCondition(
                    type=_text(condition, "type"),
                    reason=_text(condition, "reason"),
                    message=_text(condition, "message"),
                    since=_time(condition, "lastTransitionTime"),
                )
                for condition in _mappings(_mapping(raw, "status"), "conditions")
                if condition.get("status") == "True"
            ),
            secret_name=_secret_name(raw) or metadata["name"],
            is_suspended=_mapping(raw, "spec").get("suspend") is True,
            started_at=_time(_mapping(raw, "status"), "startTime"),
            reuse_note=_text(_mapping(metadata, "annotations"), names.ANNOTATION_REUSE),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableResourceError(f"its metadata is incomplete ({type(error).__name__})") from None


def pod_from(raw: Raw) -> PodState:
    """The Pod in `raw`.

    Raises:
        UnreadableResourceError: it lacks the metadata that every stored object has.
    """
    metadata = _mapping(raw, "metadata")
    status = _mapping(raw, "status")
    owner = _controller(metadata, "Job")
    conditions = {_text(item, "type"): item for item in _mappings(status, "conditions")}
    scheduled = conditions.get("PodScheduled", {})
    unschedulable = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
    try:
        return PodState(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            analysis_uid=_text(_mapping(metadata, "labels"), names.LABEL_UID),
            job_name=_text(owner, "name"),
            job_uid=_text(owner, "uid"),
            created_at=_required_time(metadata, "creationTimestamp"),
            phase=_text(status, "phase") or "Pending",
            reason=_text(status, "reason"),
            is_disrupted=conditions.get("DisruptionTarget", {}).get("status") == "True",
            unschedulable_message=_text(scheduled, "message") if unschedulable else None,
            scheduled_at=_time(scheduled, "lastTransitionTime") if scheduled.get("status") == "True" else None,
            extract=_container(status, "initContainerStatuses", pod.EXTRACT_CONTAINER),
            analyze=_container(status, "containerStatuses", pod.ANALYZE_CONTAINER),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableResourceError(f"its metadata is incomplete ({type(error).__name__})") from None


def gone(pod_state: PodState) -> PodState:
    """The same pod after its deletion: it keeps what it said last."""
    return replace(pod_state, is_gone=True)


def _container(status: Raw, field: str, name: str) -> ContainerState:
    state: Raw = {}
    for item in _mappings(status, field):
        if item.get("name") == name:
            state = _mapping(item, "state")
    if terminated := _mapping(state, "terminated"):
        exit_code = terminated.get("exitCode")
        return Terminated(
            exit_code=exit_code if isinstance(exit_code, int) else -1,
            reason=_text(terminated, "reason"),
            message=_text(terminated, "message"),
            started_at=_time(terminated, "startedAt"),
            finished_at=_time(terminated, "finishedAt"),
        )
    if "running" in state:
        return Running(started_at=_time(_mapping(state, "running"), "startedAt"))
    return Waiting(reason=_text(_mapping(state, "waiting"), "reason"))


def _secret_name(job: Raw) -> str:
    pod_spec = _mapping(_mapping(_mapping(job, "spec"), "template"), "spec")
    volumes = (volume for volume in _mappings(pod_spec, "volumes") if volume.get("name") == pod.EXTRACT_VOLUME)
    return next((_text(_mapping(volume, "secret"), "secretName") for volume in volumes), "")


def _controller(metadata: Raw, kind: str) -> Raw:
    for owner in _mappings(metadata, "ownerReferences"):
        if owner.get("controller") is True and owner.get("kind") == kind:
            return owner
    return {}


def _mapping(raw: Raw, key: str) -> Raw:
    value = raw.get(key)
    return value if isinstance(value, Mapping) else {}


def _mappings(raw: Raw, key: str) -> list[Raw]:
    value = raw.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def _text(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _required_time(raw: Raw, key: str) -> datetime:
    return _parse_time(raw[key])


def _time(raw: Raw, key: str) -> datetime | None:
    value = raw.get(key)
    try:
        return _parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _parse_time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time.astimezone(UTC)
