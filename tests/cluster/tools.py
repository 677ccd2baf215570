"""Small helpers of the cluster tests: kubectl as a person would use it, manifests, waiting."""

import fcntl
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dealguard_api import names
from dealguard_cluster import Cluster, MachineUnfitError

T = TypeVar("T")


@contextmanager
def only_run_with(name: str) -> Iterator[None]:
    """The guarantee that no other test run uses the clusters that the lock `name` stands for."""
    with Path(f"/run/{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail("another test run uses the test clusters: wait for its end, then run this again", pytrace=False)
        yield


@contextmanager
def running_cluster(name: str, extra_arguments: Mapping[str, Sequence[str]] | None = None) -> Iterator[Cluster]:
    """A cluster that begins empty and ends with the block; one that already runs is used with its data and left alone.

    Args:
        extra_arguments: more command-line arguments by component.
    """
    cluster = Cluster(name, extra_arguments=extra_arguments)
    was_running = cluster.is_running()
    try:
        cluster.up(fresh=not was_running)
    except MachineUnfitError as error:
        pytest.fail(f"these tests need the local cluster: {error}", pytrace=False)
    yield cluster
    if not was_running:
        cluster.down()


@dataclass(frozen=True)
class Kubectl:
    """The real kubectl, with one kubeconfig."""

    program: str
    kubeconfig: str

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run it; the caller looks at the exit code."""
        return subprocess.run(
            [self.program, "--kubeconfig", self.kubeconfig, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def check(self, *arguments: str, stdin: str | None = None) -> str:
        """Run it and return what it printed; fail with its words."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def wait_established(self, definition: str, timeout_seconds: float = 30) -> None:
        """Wait until the API server serves a CustomResourceDefinition.

        Not by `kubectl wait`: it fails on a definition so new that it has no conditions yet.
        """
        end = time.monotonic() + timeout_seconds
        established = '{.status.conditions[?(@.type=="Established")].status}'
        while self.run("get", "crd", definition, "-o", f"jsonpath={established}").stdout != "True":
            assert time.monotonic() < end, f"{definition} is not established"
            time.sleep(0.2)

    def try_apply(self, manifest: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """`kubectl apply`; the caller looks at the exit code."""
        return self.run("apply", "-f", "-", stdin=json.dumps(manifest))

    def apply(self, manifest: dict[str, Any]) -> None:
        """`kubectl apply`, which must succeed."""
        answer = self.try_apply(manifest)
        assert answer.returncode == 0, answer.stderr

    def get(self, resource: str, name: str, namespace: str) -> dict[str, Any]:
        """One object as JSON."""
        result: dict[str, Any] = json.loads(self.check("-n", namespace, "get", resource, name, "-o", "json"))
        return result

    def items(self, resource: str, namespace: str, *arguments: str) -> list[dict[str, Any]]:
        """All objects of a kind as JSON."""
        result: list[dict[str, Any]] = json.loads(
            self.check("-n", namespace, "get", resource, "-o", "json", *arguments)
        )["items"]
        return result


def analysis_manifest(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    """A ContractAnalysis with `spec` over a minimal one; a field given as None is left out."""
    merged = {"document": {"key": f"documents/{namespace}/contract.pdf"}, **spec}
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {field: value for field, value in merged.items() if value is not None},
    }


def now_text() -> str:
    """The time as Kubernetes writes it: RFC 3339, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wait_for(what: str, probe: Callable[[], T | None], timeout_seconds: float = 60) -> T:
    """Ask `probe` until it answers something true; fail with `what` after the timeout."""
    end = time.monotonic() + timeout_seconds
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {timeout_seconds:.0f} s in vain for {what}"
        time.sleep(0.1)
