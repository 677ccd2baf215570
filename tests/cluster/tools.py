"""Small helpers of the cluster tests: kubectl as a person would use it, manifests, waiting."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from dealguard_api import names

T = TypeVar("T")


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


def wait_for(what: str, probe: Callable[[], T | None], timeout_seconds: float = 60) -> T:
    """Ask `probe` until it answers something true; fail with `what` after the timeout."""
    end = time.monotonic() + timeout_seconds
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {timeout_seconds:.0f} s in vain for {what}"
        time.sleep(0.1)
