"""From raw Kubernetes objects to the types of `model.py`.

Anybody with rights in a namespace can write odd labels, owners and statuses there, so nothing is taken for granted:
what a decision cannot do without is checked, everything else falls back to "not known".
"""

import sys
import zlib
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pydantic

from dealguard_api import names, pod
from dealguard_api.resource import ContractAnalysisSpec, ContractAnalysisStatus
from dealguard_api.untrusted import Raw, mapping_in, mappings_in, text_in
from dealguard_operator.decide import look_at
from dealguard_operator.errors import UnreadableResourceError
from dealguard_operator.model import (
    Analysis,
    ContainerState,
    JobCondition,
    JobState,
    KnownAnalysis,
    PackedAnalysis,
    PodState,
    Running,
    Terminated,
    Waiting,
)


def analysis_from(raw: Raw) -> Analysis:
    """The `ContractAnalysis` in `raw`.

    Raises:
        UnreadableResourceError: it does not fit this version's models.
    """
    metadata = mapping_in(raw, "metadata")
    try:
        return Analysis(
            namespace=sys.intern(metadata["namespace"]),
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            generation=int(metadata.get("generation", 1)),
            is_deleting="deletionTimestamp" in metadata,
            spec=ContractAnalysisSpec.model_validate(raw.get("spec") or {}),
            status=ContractAnalysisStatus.model_validate(raw.get("status") or {}),
            created_at=_time(metadata, "creationTimestamp"),
        )
    except pydantic.ValidationError as error:
        fields = ", ".join(sorted({".".join(str(part) for part in item["loc"]) for item in error.errors()}))
        raise UnreadableResourceError(f"these fields do not fit this version of the operator: {fields}") from None
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableResourceError(f"its metadata is incomplete ({type(error).__name__})") from None


def known_analysis_from(raw: Raw) -> KnownAnalysis:
    """The `ContractAnalysis` in `raw`, packed if it has ended and can be.

    Raises:
        UnreadableResourceError: it does not fit this version's models.
    """
    analysis = analysis_from(raw)
    try:
        return _packed(analysis, raw) if analysis.status.has_ended else analysis
    except (TypeError, ValueError):
        return analysis


def pack(analysis: Analysis) -> PackedAnalysis:
    """The same analysis, in little memory.

    Raises:
        TypeError: its text or its numbers are none that JSON may have.
    """
    metadata = {
        "namespace": analysis.namespace,
        "name": analysis.name,
        "uid": analysis.uid,
        "resourceVersion": analysis.resource_version,
        "generation": analysis.generation,
        **({"creationTimestamp": analysis.created_at.isoformat()} if analysis.created_at else {}),
        **({"deletionTimestamp": ""} if analysis.is_deleting else {}),
    }
    return _packed(
        analysis, {"metadata": metadata, "spec": analysis.spec.to_wire(), "status": analysis.status.to_wire()}
    )


def unpack(packed: PackedAnalysis) -> Analysis:
    """The analysis that was packed."""
    return analysis_from(orjson.loads(zlib.decompress(packed.content)))


# A status has its names and times several times: to two fifths of its length, in 30 µs.
_COMPRESSION = 1
_KEPT_METADATA = (
    "namespace",
    "name",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
)


def _packed(analysis: Analysis, raw: Raw) -> PackedAnalysis:
    metadata = mapping_in(raw, "metadata")
    kept = {
        "metadata": {key: metadata[key] for key in _KEPT_METADATA if key in metadata},
        "spec": mapping_in(raw, "spec"),
        "status": mapping_in(raw, "status"),
    }
    content = zlib.compress(orjson.dumps(kept), _COMPRESSION)
    return PackedAnalysis(analysis.namespace, analysis.uid, analysis.resource_version, content, look_at(analysis))


def job_from(raw: Raw) -> JobState:
    """The Job in `raw`.

    Raises:
        UnreadableResourceError: it lacks the metadata that every stored object has.
    """
    metadata = mapping_in(raw, "metadata")
    try:
        return JobState(
            namespace=sys.intern(metadata["namespace"]),
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            owner_uid=_controller(metadata, names.KIND).get("uid", ""),
            created_at=_required_time(metadata, "creationTimestamp"),
            deleting_since=_time(metadata, "deletionTimestamp"),
            conditions=tuple(
                JobCondition(
                    type=sys.intern(text_in(condition, "type")),
                    reason=sys.intern(text_in(condition, "reason")),
                    message=text_in(condition, "message"),
                    since=_time(condition, "lastTransitionTime"),
                )
                for condition in mappings_in(mapping_in(raw, "status"), "conditions")
                if condition.get("status") == "True"
            ),
            secret_name=_secret_name(raw) or metadata["name"],
            is_suspended=mapping_in(raw, "spec").get("suspend") is True,
            started_at=_time(mapping_in(raw, "status"), "startTime"),
            reuse_note=text_in(mapping_in(metadata, "annotations"), names.ANNOTATION_REUSE),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableResourceError(f"its metadata is incomplete ({type(error).__name__})") from None


def pod_from(raw: Raw) -> PodState:
    """The Pod in `raw`.

    Raises:
        UnreadableResourceError: it lacks the metadata that every stored object has.
    """
    metadata = mapping_in(raw, "metadata")
    status = mapping_in(raw, "status")
    owner = _controller(metadata, "Job")
    conditions = {text_in(item, "type"): item for item in mappings_in(status, "conditions")}
    scheduled = conditions.get("PodScheduled", {})
    disruption = conditions.get("DisruptionTarget", {})
    unschedulable = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
    try:
        return PodState(
            namespace=sys.intern(metadata["namespace"]),
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            analysis_uid=text_in(mapping_in(metadata, "labels"), names.LABEL_UID),
            job_name=text_in(owner, "name"),
            job_uid=text_in(owner, "uid"),
            created_at=_required_time(metadata, "creationTimestamp"),
            phase=sys.intern(text_in(status, "phase") or "Pending"),
            reason=text_in(status, "reason"),
            is_disrupted=disruption.get("status") == "True",
            disrupted_at=_time(disruption, "lastTransitionTime") if disruption.get("status") == "True" else None,
            unschedulable_message=text_in(scheduled, "message") if unschedulable else None,
            gone_by=_time(metadata, "deletionTimestamp"),
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
    for item in mappings_in(status, field):
        if item.get("name") == name:
            state = mapping_in(item, "state")
    if terminated := mapping_in(state, "terminated"):
        exit_code = terminated.get("exitCode")
        return Terminated(
            exit_code=exit_code if isinstance(exit_code, int) else -1,
            reason=text_in(terminated, "reason"),
            message=text_in(terminated, "message"),
            started_at=_time(terminated, "startedAt"),
            finished_at=_time(terminated, "finishedAt"),
        )
    if "running" in state:
        return Running(started_at=_time(mapping_in(state, "running"), "startedAt"))
    return Waiting(reason=text_in(mapping_in(state, "waiting"), "reason"))


def _secret_name(job: Raw) -> str:
    pod_spec = mapping_in(mapping_in(mapping_in(job, "spec"), "template"), "spec")
    volumes = (volume for volume in mappings_in(pod_spec, "volumes") if volume.get("name") == pod.EXTRACT_VOLUME)
    return next((text_in(mapping_in(volume, "secret"), "secretName") for volume in volumes), "")


def _controller(metadata: Raw, kind: str) -> Raw:
    for owner in mappings_in(metadata, "ownerReferences"):
        if owner.get("controller") is True and owner.get("kind") == kind:
            return owner
    return {}


# The calendar ends with 9999: there must be room for a deadline.
_LAST_YEAR = 9000


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
    if time.year > _LAST_YEAR:
        raise ValueError("a time that a deadline cannot be added to")
    try:
        return time.astimezone(UTC)
    except OverflowError:  # before the first year
        raise ValueError("a time before all times") from None
