"""The manifests of a run's Job and of its Secret, from analysis and settings to plain data, without I/O."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dealguard_api import names
from dealguard_api.exit_codes import PERMANENT
from dealguard_api.pod import (
    ANALYZE_CONTAINER,
    ANALYZE_SECRET_KEYS,
    API_KEY_FILE,
    API_KEY_MOUNT_PATH,
    CHECKPOINT_DELETE_URL,
    CHECKPOINT_GET_URL,
    CHECKPOINT_PUT_URL,
    DEADLINE,
    DOCUMENT_URL,
    EXTRACT_CONTAINER,
    EXTRACT_SECRET_KEYS,
    EXTRACT_VOLUME,
    REPORT_GET_URL,
    REPORT_PUT_URL,
    SECRET_MOUNT_PATH,
    TERMINATION_MESSAGE_PATH,
    WORK_MOUNT_PATH,
    AnalyzeSettings,
    RunIdentity,
)
from dealguard_operator.model import Analysis, JobState
from dealguard_operator.presign import RunUrls
from dealguard_operator.settings import OperatorSettings

Manifest = dict[str, Any]

# The conventional "nonroot", as in the image; a number, so that the kubelet can verify runAsNonRoot.
_USER_ID = 65532
# The analyzer writes what it spent and leaves within a second of SIGTERM.
_GRACE_SECONDS = 5
_ANALYZE_VOLUME, _API_KEY_VOLUME, _WORK_VOLUME = "analyze-job", "api-key", "work"
# Too many to guess one.
_SECRET_NAME_BYTES = 8


def job_manifest(
    analysis: Analysis, name: str, run: int, settings: OperatorSettings, *, reuse_note: str = ""
) -> Manifest:
    """The Job of one run.

    Args:
        analysis: whose run it is.
        name: the Job's name; its Secret has another one each time, so that nobody can put one there before.
        run: the run's number.
        settings: what the installation chose.
        reuse_note: what its report will have followed from; empty if nobody asks.
    """
    labels = _labels(analysis, run)
    secret_name = f"{name}-{secrets.token_hex(_SECRET_NAME_BYTES)}"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": analysis.namespace,
            "labels": labels,
            **({"annotations": {names.ANNOTATION_REUSE: reuse_note}} if reuse_note else {}),
            "ownerReferences": [_owner(names.API_VERSION, names.KIND, analysis.name, analysis.uid)],
        },
        "spec": {
            "activeDeadlineSeconds": analysis.spec.deadline_seconds,
            "backoffLimit": analysis.spec.backoff_limit,
            "ttlSecondsAfterFinished": settings.job_ttl_seconds,
            # An attempt starts after the one before has ended: two would be paid twice.
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": _pod_failure_policy(),
            "template": {"metadata": {"labels": labels}, "spec": _pod_spec(analysis, secret_name, run, settings)},
        },
    }


def secret_manifest(analysis: Analysis, job: JobState, run: int, urls: RunUrls, settings: OperatorSettings) -> Manifest:
    """The Secret of `job`: its URLs, its deadline, and, where the engine needs it, the installation's own API key.

    It dies with the Job.
    """
    key = settings.api_key if _needs_api_key(analysis) else None
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": job.secret_name,
            "namespace": job.namespace,
            "labels": _labels(analysis, run),
            "ownerReferences": [_owner("batch/v1", "Job", job.name, job.uid)],
        },
        "immutable": True,
        "stringData": {
            DOCUMENT_URL: urls.document_get,
            REPORT_GET_URL: urls.report_get,
            REPORT_PUT_URL: urls.report_put,
            CHECKPOINT_GET_URL: urls.checkpoint_get,
            CHECKPOINT_PUT_URL: urls.checkpoint_put,
            CHECKPOINT_DELETE_URL: urls.checkpoint_delete,
            DEADLINE: deadline_of(analysis, job).isoformat().replace("+00:00", "Z"),
            **({API_KEY_FILE: key.get_secret_value()} if key else {}),
        },
    }


def deadline_of(analysis: Analysis, job: JobState) -> datetime:
    """When all attempts of `job` end."""
    return job.began_at + timedelta(seconds=analysis.spec.deadline_seconds)


def _labels(analysis: Analysis, run: int) -> dict[str, str]:
    return {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_COMPONENT: names.COMPONENT_ANALYZER,
        names.LABEL_NAME: names.label_value(analysis.name),
        names.LABEL_UID: analysis.uid,
        names.LABEL_RUN: str(run),
    }


def _owner(api_version: str, kind: str, name: str, uid: str) -> Manifest:
    # Without blockOwnerDeletion, which would need rights on finalizers where the cluster enforces those.
    return {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": True}


def _pod_failure_policy() -> Manifest:
    # Rules are tried in order: a document that cannot be analysed stays so, even if the node is going away as well.
    permanent = {"operator": "In", "values": sorted(int(code) for code in PERMANENT)}
    rules: list[Manifest] = [
        {"action": "FailJob", "onExitCodes": {"containerName": container, **permanent}}
        for container in (EXTRACT_CONTAINER, ANALYZE_CONTAINER)
    ]
    rules.append({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]})
    return {"rules": rules}


def _pod_spec(analysis: Analysis, secret_name: str, run: int, settings: OperatorSettings) -> Manifest:
    with_api_key = _needs_api_key(analysis)
    identity = RunIdentity(
        analysis_uid=analysis.uid, analysis_namespace=analysis.namespace, analysis_name=analysis.name, run=run
    ).to_environment()
    extract = settings.extract.model_copy(update={"expected_sha256": analysis.spec.document.sha256})
    analyze_mounts = [_mount(_ANALYZE_VOLUME, SECRET_MOUNT_PATH), _mount(_WORK_VOLUME, WORK_MOUNT_PATH)]
    if with_api_key:
        analyze_mounts.append(_mount(_API_KEY_VOLUME, API_KEY_MOUNT_PATH))
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        # Hostile input is read here: no token, and no list of the namespace's services in the environment.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER_ID,
            "runAsGroup": _USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [
            _container(
                EXTRACT_CONTAINER,
                settings,
                settings.extract_resources,
                identity | extract.to_environment(),
                [_mount(EXTRACT_VOLUME, SECRET_MOUNT_PATH), _mount(_WORK_VOLUME, WORK_MOUNT_PATH, read_only=False)],
            )
        ],
        "containers": [
            _container(
                ANALYZE_CONTAINER,
                settings,
                settings.analyze_resources,
                identity | _analyze_settings(analysis, run, settings).to_environment(),
                analyze_mounts,
            )
        ],
        "volumes": [
            _secret_volume(EXTRACT_VOLUME, secret_name, {key: key for key in EXTRACT_SECRET_KEYS}),
            _secret_volume(_ANALYZE_VOLUME, secret_name, {key: key for key in ANALYZE_SECRET_KEYS}),
            {
                "name": _WORK_VOLUME,
                "emptyDir": {"medium": "Memory", "sizeLimit": str(settings.work_volume_bytes)},
            },
            *([_api_key_volume(secret_name, settings)] if with_api_key else []),
        ],
    }


def _container(
    name: str,
    settings: OperatorSettings,
    resources: Any,
    environment: Mapping[str, str],
    mounts: list[Manifest],
) -> Manifest:
    return {
        "name": name,
        "image": settings.analyzer_image,
        "imagePullPolicy": settings.analyzer_image_pull_policy,
        "args": [name],
        "env": [
            # Kubernetes expands $(NAME) in values; $$ is a literal dollar sign.
            {"name": key, "value": value.replace("$", "$$")}
            for key, value in sorted(environment.items())
        ],
        "resources": resources,
        "volumeMounts": mounts,
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        # Not the log as a fallback: a traceback could quote the contract.
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _analyze_settings(analysis: Analysis, run: int, settings: OperatorSettings) -> AnalyzeSettings:
    spec = analysis.spec
    return AnalyzeSettings(
        engine=spec.engine,
        language=spec.language,
        perspective=spec.perspective,
        max_cost_usd=spec.max_cost_usd,
        # To name it to whoever can correct it: the installation's own key is not theirs.
        api_key_secret=None if settings.api_key else f"{analysis.namespace}/{settings.api_key_secret_name}",
        api_key_secret_key=settings.api_key_secret_key,
        report_key=names.report_key(analysis.namespace, analysis.uid, run),
        **dict(settings.claude),
    )


def _secret_volume(name: str, secret_name: str, items: dict[str, str]) -> Manifest:
    return {
        "name": name,
        "secret": {
            "secretName": secret_name,
            # Read by a user who is not the file's owner; nobody else is in the container.
            "defaultMode": 0o444,
            "items": [{"key": key, "path": path} for key, path in items.items()],
        },
    }


def _needs_api_key(analysis: Analysis) -> bool:
    return analysis.spec.engine in ("auto", "claude")


def _api_key_volume(job_secret_name: str, settings: OperatorSettings) -> Manifest:
    if settings.api_key is not None:
        return _secret_volume(_API_KEY_VOLUME, job_secret_name, {API_KEY_FILE: API_KEY_FILE})
    volume = _secret_volume(_API_KEY_VOLUME, settings.api_key_secret_name, {settings.api_key_secret_key: API_KEY_FILE})
    # Without it, `auto` falls back to the rules and `claude` says which Secret is missing.
    volume["secret"]["optional"] = True
    return volume


def _mount(volume: str, path: str, *, read_only: bool = True) -> Manifest:
    return {"name": volume, "mountPath": path, "readOnly": read_only}
