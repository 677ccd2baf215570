"""The operator in the test's own process, on the real API server; the test plays the kubelet.

The analysis pods ask for more CPU than any node has, so the real scheduler never binds them and no real kubelet
speaks for them; everything else about them (Job controller, garbage collection, admission) is real.
"""

import asyncio
import gc
import hashlib
import json
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kopf.testing import KopfRunner

from dealguard_api import names
from dealguard_cluster import Cluster
from dealguard_operator.kopf_settings import kopf_settings
from dealguard_operator.kubernetes_api import client_configuration
from dealguard_operator.main import Operator, build_registry
from dealguard_operator.settings import OperatorSettings
from tests.cluster.tools import Kubectl, analysis_manifest, now_text, wait_for

SHA256 = "ab" * 32
# No node has a thousand cores.
_NOWHERE = json.dumps({"requests": {"cpu": "1000", "memory": "1Mi"}, "limits": {"memory": "1Gi"}})


@dataclass(frozen=True)
class Analyses:
    """The analyses of one namespace, as the test makes them and follows them."""

    kubectl: Kubectl
    namespace: str

    def create(self, name: str, **spec: Any) -> None:
        """Create an analysis."""
        self.kubectl.apply(analysis_manifest(self.namespace, name, **spec))

    def patch(self, name: str, **spec: Any) -> None:
        """Change fields of an analysis's spec."""
        patch = json.dumps({"spec": spec})
        self.kubectl.check("-n", self.namespace, "patch", "ca", name, "--type=merge", "-p", patch)

    def get(self, name: str) -> dict[str, Any]:
        """The whole resource."""
        return self.kubectl.get("ca", name, self.namespace)

    def status(self, name: str) -> dict[str, Any]:
        """Its status; empty before the first."""
        status: dict[str, Any] = self.get(name).get("status", {})
        return status

    def statuses(self) -> dict[str, dict[str, Any]]:
        """The statuses of all, by name."""
        items = self.kubectl.items("ca", self.namespace)
        return {item["metadata"]["name"]: item.get("status", {}) for item in items}

    def wait(self, name: str, *, seconds: float = 60, **expected: Any) -> dict[str, Any]:
        """Wait until the status has the `expected` fields; `reason` is that of the conditions."""

        def probe() -> dict[str, Any] | None:
            status = self.status(name)
            seen = {**status, "reason": next((c["reason"] for c in status.get("conditions", [])), None)}
            return status if all(seen.get(field) == value for field, value in expected.items()) else None

        return wait_for(f"{name} to be {expected}; it is {self.status(name)}", probe, seconds)

    def wait_finished(self, name: str) -> dict[str, Any]:
        """Wait as a script would, then return the status."""
        self.kubectl.check("-n", self.namespace, "wait", "--for=condition=Finished", f"ca/{name}", "--timeout=60s")
        return self.status(name)

    def jobs(self, name: str | None = None) -> list[dict[str, Any]]:
        """The Jobs of one analysis, or of all."""
        return self.kubectl.items("jobs", self.namespace, *_selector(name))

    def pods(self, name: str | None = None) -> list[dict[str, Any]]:
        """The pods of one analysis, or of all, oldest first."""
        pods = self.kubectl.items("pods", self.namespace, *_selector(name))
        return sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """Type, reason and message of the Events about an analysis, oldest first."""
        events = self.kubectl.items("events", self.namespace, f"--field-selector=involvedObject.name={name}")
        events = [event for event in events if event["involvedObject"]["kind"] == names.KIND]
        events.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [(event["type"], event["reason"], event["message"]) for event in events]


def _selector(name: str | None) -> list[str]:
    return ["-l", f"{names.LABEL_NAME}={name}"] if name else []


def secret_name(job: dict[str, Any]) -> str:
    """The Secret that a Job's pods mount; its name cannot be guessed, only read from the Job."""
    volumes = job["spec"]["template"]["spec"]["volumes"]
    (name,) = {
        volume["secret"]["secretName"]
        for volume in volumes
        if "secret" in volume and not volume["secret"].get("optional")
    }
    return str(name)


@dataclass(frozen=True)
class Kubelet:
    """What a kubelet would write into the status of an analysis's pod."""

    analyses: Analyses

    def pod(self, name: str, number: int = 1) -> dict[str, Any]:
        """The analysis's pod number `number`, as soon as the Job controller made it."""

        def probe() -> dict[str, Any] | None:
            pods = self.analyses.pods(name)
            return pods[number - 1] if len(pods) >= number else None

        return wait_for(f"pod {number} of {name}", probe, 60)

    def extracting(self, name: str, number: int = 1) -> None:
        """`extract` runs."""
        self._write(name, number, "Pending", extract={"running": {"startedAt": now_text()}})

    def analyzing(self, name: str, number: int = 1) -> None:
        """`extract` ended well, `analyze` runs."""
        self._write(name, number, "Running", extract=_EXTRACTED(), analyze={"running": {"startedAt": now_text()}})

    def extract_fails(self, name: str, exit_code: int, number: int = 1) -> None:
        """`extract` ends with `exit_code`."""
        self._write(name, number, "Failed", extract=_terminated(exit_code))

    def analyze_fails(self, name: str, exit_code: int, number: int = 1, message: dict[str, Any] | None = None) -> None:
        """`analyze` ends with `exit_code`."""
        self._write(name, number, "Failed", extract=_EXTRACTED(), analyze=_terminated(exit_code, message))

    def succeeds(self, name: str, number: int = 1) -> None:
        """`analyze` ends with a result."""
        pod = self.pod(name, number)
        labels = pod["metadata"]["labels"]
        key = names.report_key(self.analyses.namespace, labels[names.LABEL_UID], int(labels[names.LABEL_RUN]))
        message = {"result": result(key), "usage": {"inputTokens": 100, "outputTokens": 10, "costUSD": "0.01"}}
        self._write(name, number, "Succeeded", extract=_EXTRACTED(), analyze=_terminated(0, message))

    def succeeds_with(self, name: str, report: bytes, document: bytes, *, engine: str = "claude") -> str:
        """`analyze` ends with `report` on `document`; the key under which the test is to store it."""
        number = 1
        labels = self.pod(name, number)["metadata"]["labels"]
        key = names.report_key(self.analyses.namespace, labels[names.LABEL_UID], int(labels[names.LABEL_RUN]))
        model = {"model": "claude-sonnet-5-5"} if engine == "claude" else {}
        about = {"key": key, "sha256": hashlib.sha256(report).hexdigest()}
        read = {"sha256": hashlib.sha256(document).hexdigest(), "bytes": len(document), "pages": 3, "language": "en"}
        self._write(
            name,
            number,
            "Succeeded",
            extract=_terminated(0, {"document": read}),
            analyze=_terminated(0, {"result": {**result(key), "report": about, "engine": engine, **model}}),
        )
        return key

    def _write(self, name: str, number: int, phase: str, **states: dict[str, Any]) -> None:
        pod = self.pod(name, number)
        statuses = {container: _container_status(container, state) for container, state in states.items()}
        status = {
            "phase": phase,
            "startTime": pod["metadata"]["creationTimestamp"],
            "initContainerStatuses": [statuses["extract"]],
            "containerStatuses": [statuses.get("analyze", _container_status("analyze", {"waiting": {}}))],
        }
        self.analyses.kubectl.check(
            "-n", self.analyses.namespace, "patch", "pod", pod["metadata"]["name"],
            "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}),
        )  # fmt: skip


def result(report_key: str) -> dict[str, Any]:
    """A result, as `analyze` writes it."""
    return {
        "contractType": "Lease",
        "riskLevel": "Medium",
        "riskScore": 9,
        "findings": {"medium": 2, "total": 2},
        "summary": "A lease.",
        "report": {"key": report_key, "sha256": SHA256},
        "engine": "rules",
    }


def _EXTRACTED() -> dict[str, Any]:  # noqa: N802
    return _terminated(0, {"document": {"sha256": SHA256, "bytes": 10, "pages": 3, "language": "en"}})


def _terminated(exit_code: int, message: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": "Completed" if exit_code == 0 else "Error",
            "message": json.dumps(message or {}),
            "startedAt": now_text(),
            "finishedAt": now_text(),
        }
    }


def _container_status(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "image": "x", "imageID": "x", "ready": False, "restartCount": 0, "state": state}


def operator_environment(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The environment of an operator that serves one namespace and whose pods no node takes."""
    storage = {key: value for key, value in cluster.environment().items() if key.startswith("DEALGUARD_S3_")}
    return {
        **storage,
        "KUBECONFIG": str(cluster.kubeconfig),
        "DEALGUARD_NAMESPACES": namespace,
        "DEALGUARD_ANALYZER_IMAGE": "localhost/dealguard-analyzer:none",
        "DEALGUARD_ANALYZER_IMAGE_PULL_POLICY": "Never",
        "DEALGUARD_EXTRACT_RESOURCES": _NOWHERE,
        "DEALGUARD_RESYNC_SECONDS": "2",
        "DEALGUARD_HEALTH_PORT": "0",
        "DEALGUARD_LOG_FORMAT": "plain",
    }


@contextmanager
def running_operator(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, kubeconfig: Path | None = None
) -> Iterator[KopfRunner]:
    """Run the operator, with Kopf's own runner, until the block ends."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig or environment["KUBECONFIG"]))
    settings = OperatorSettings.from_environment(environment)
    scope = [f"--namespace={namespace}" for namespace in settings.namespaces] or ["--all-namespaces"]
    arguments = ["run", "--standalone", *scope]
    runner = KopfRunner(
        arguments,
        registry=build_registry(Operator(settings, asyncio.run(client_configuration()))),
        settings=kopf_settings(settings),
        timeout=30,
    )
    with runner:
        yield runner
    # Kopf, stopped while its watches connect, leaves their TLS farewell to a loop that is closed by then.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    assert runner.exit_code == 0, runner.output


@pytest.fixture
def analyses(kubectl: Kubectl, namespace: str) -> Analyses:
    """The analyses of the test's namespace."""
    return Analyses(kubectl, namespace)


@pytest.fixture
def neighbour(kubectl: Kubectl) -> Iterator[Analyses]:
    """The analyses of another namespace."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl.check("create", "namespace", name)
    yield Analyses(kubectl, name)
    kubectl.check("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubelet(analyses: Analyses) -> Kubelet:
    """The test's own kubelet."""
    return Kubelet(analyses)


@pytest.fixture
def environment(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The environment of an operator for the test's namespace."""
    return operator_environment(cluster, namespace)


@pytest.fixture
def operator(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An operator that serves the test's namespace."""
    with running_operator(environment, monkeypatch):
        yield
