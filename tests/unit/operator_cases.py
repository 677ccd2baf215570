"""Analyses, Jobs and pods as the operator would observe them, for tables of cases."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes.aio import client

from dealguard_api import names
from dealguard_api.resource import ContractAnalysisSpec, ContractAnalysisStatus
from dealguard_operator.decide import decide
from dealguard_operator.model import (
    Analysis,
    Decision,
    JobCondition,
    JobState,
    Observation,
    PodState,
    Running,
    Terminated,
    Waiting,
)
from dealguard_operator.settings import OperatorSettings

T0 = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
NAMESPACE = "acme"
NAME = "lease"
UID = "26c3fb45-c885-4f0f-aa1a-0424f8681e46"
JOB_UID = "fe24feff-2a7e-4956-a33a-8403f7f5d7cd"
SECRET_NAME = "the-jobs-secret"
REPORT_KEY = names.report_key(NAMESPACE, UID, 1)
SHA256 = "ab" * 32
KEY = f"documents/{NAMESPACE}/lease.pdf"

ENVIRONMENT = {
    "DEALGUARD_ANALYZER_IMAGE": "registry.example/analyzer:1",
    "DEALGUARD_S3_ENDPOINT": "http://storage.example:9000",
    "DEALGUARD_S3_ACCESS_KEY": "the-access-key",
    "DEALGUARD_S3_SECRET_KEY": "the-secret-key",
    "DEALGUARD_S3_BUCKET": "dealguard",
}
# An API server that is not there.
NOWHERE = client.Configuration(host="http://127.0.0.1:9")


def settings(**more: str) -> OperatorSettings:
    """The least settings, with `more` variables (names without the prefix)."""
    return OperatorSettings.from_environment({**ENVIRONMENT, **{f"DEALGUARD_{key}": v for key, v in more.items()}})


def at(seconds: float) -> datetime:
    """A time after the start of the story."""
    return T0 + timedelta(seconds=seconds)


def analysis(status: ContractAnalysisStatus | None = None, *, generation: int = 1, **spec: Any) -> Analysis:
    """An analysis; `spec` in wire names over a minimal one."""
    return Analysis(
        namespace=NAMESPACE,
        name=NAME,
        uid=UID,
        resource_version="100",
        generation=generation,
        is_deleting=False,
        spec=ContractAnalysisSpec.model_validate({"document": {"key": KEY}, **spec}),
        status=status or ContractAnalysisStatus(),
        created_at=at(0),
    )


def job(*conditions: JobCondition, name: str = names.job_name(NAME, UID, 1), **fields: Any) -> JobState:
    """A Job of the analysis, created a second after the start of the story."""
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": name,
        "uid": JOB_UID,
        "resource_version": "200",
        "owner_uid": UID,
        "created_at": at(1),
        "deleting_since": None,
        "conditions": conditions,
        "secret_name": SECRET_NAME,
    }
    return JobState(**{**defaults, **fields})


def condition(type_: str, reason: str = "", message: str = "", seconds: float = 60) -> JobCondition:
    """A condition of a Job that is True."""
    return JobCondition(type_, reason, message, at(seconds))


def pod(number: int = 1, *, job_name: str = names.job_name(NAME, UID, 1), **fields: Any) -> PodState:
    """The Job's pod number `number`, each created 40 s after the one before."""
    defaults: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": f"{job_name}-{number:05}",
        "uid": f"pod-{number}",
        "resource_version": "300",
        "analysis_uid": UID,
        "job_name": job_name,
        "job_uid": JOB_UID,
        "created_at": at(2 + 40 * (number - 1)),
    }
    return PodState(**{**defaults, **fields})


def extracted(number: int = 1) -> Terminated:
    """`extract` ended well, with what it read."""
    document = {"sha256": SHA256, "bytes": 1000, "pages": 12, "language": "en"}
    return ended(0, {"document": document}, number=number, start=3, end=5)


def ended(
    exit_code: int,
    message: dict[str, Any] | str = "",
    *,
    reason: str = "Error",
    number: int = 1,
    start: float = 6,
    end: float = 30,
) -> Terminated:
    """A container of pod `number` that ended; times are for pod 1."""
    shift = 40 * (number - 1)
    text = message if isinstance(message, str) else json.dumps(message)
    return Terminated(exit_code, reason, text, at(start + shift), at(end + shift))


def usage(input_tokens: int = 1000, cost: str = "0.05") -> dict[str, Any]:
    """What an engine consumed, as it travels."""
    return {"inputTokens": input_tokens, "outputTokens": 10, "costUSD": cost}


def result(**more: Any) -> dict[str, Any]:
    """The result in the termination message of `analyze`, as it travels."""
    return {
        "contractType": "Lease",
        "riskLevel": "High",
        "riskScore": 12,
        "findings": {"critical": 0, "high": 1, "medium": 2, "low": 0, "total": 3},
        "summary": "A lease of ten years.",
        "report": {"key": REPORT_KEY, "sha256": SHA256},
        "engine": "claude",
        "model": "claude-sonnet-5-5",
        **more,
    }


def succeeded(number: int = 1, **more: Any) -> PodState:
    """A pod whose `analyze` ended with a result."""
    message = {"result": result(**more), "usage": usage()}
    return pod(number, phase="Running", extract=extracted(number), analyze=ended(0, message, number=number))


def failed(exit_code: int, number: int = 1, failure: dict[str, str] | None = None, **more: Any) -> PodState:
    """A pod whose `analyze` ended without a result."""
    message = {"failure": failure, "usage": more.pop("usage", None)} if failure or "usage" in more else ""
    return pod(
        number, phase="Failed", extract=extracted(number), analyze=ended(exit_code, message, number=number), **more
    )


def running(number: int = 1) -> PodState:
    """A pod in which `analyze` runs."""
    return pod(number, phase="Running", extract=extracted(number), analyze=Running(at(6 + 40 * (number - 1))))


def pulling(reason: str) -> PodState:
    """A pod that waits for its image."""
    return pod(extract=Waiting(reason))


def never_started() -> PodState:
    """A pod that was deleted before a container of it ran, as its kubelet reports it."""
    unknown = Terminated(137, "ContainerStatusUnknown", "The container could not be located.")
    return pod(phase="Failed", extract=unknown, analyze=unknown)


def settle(observation: Observation, seconds: float = 60, **chosen: Any) -> tuple[ContractAnalysisStatus, Decision]:
    """Decide once, as the reconciler would with nothing left to ask: the resulting status and the decision."""
    decision = decide(observation, at(seconds), **chosen)
    if decision.needs_fresh:
        decision = decide(replace(observation, is_fresh=True), at(seconds), **chosen)
    return decision.status or observation.analysis.status, decision


def started(**spec: Any) -> ContractAnalysisStatus:
    """The status once the Job is there, a second after the analysis was created."""
    queued, _ = settle(Observation(analysis(**spec), has_place=False), 0)
    status, _ = settle(Observation(analysis(queued, **spec), job=job()), 1)
    return status


def completed(**spec: Any) -> ContractAnalysisStatus:
    """The status of a run that went well."""
    status, _ = settle(Observation(analysis(started(**spec), **spec), job=job(), pods=(succeeded(),)), 31)
    return status


def suspended() -> ContractAnalysisStatus:
    """The status of a run that was suspended, and whose Job is gone."""
    status, _ = settle(Observation(analysis(started(), suspend=True), job=job()), 20)
    return status
