"""Those that are compared: DealGuard's operator, the textbook operator, the Go twin, and bare Jobs without any."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.operator.api import BenchmarkError
from benchmarks.operator.arena import HERE, REPOSITORY, Arena
from benchmarks.operator.processes import cpu_seconds, resident_mb

DEALGUARD, TEXTBOOK, TWIN, BARE = "dealguard", "textbook", "twin", "bare"
OPERATORS = (DEALGUARD, TWIN, TEXTBOOK)
LABELS = {
    DEALGUARD: "DealGuard",
    TWIN: "Go twin",
    TEXTBOOK: "textbook Kopf",
    BARE: "bare Jobs",
}
# Small enough that a node has room for many; the pods do nothing.
_RESOURCES = json.dumps({"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "64Mi"}})
_STOP_SECONDS = 15


@dataclass(frozen=True)
class Running:
    """One that runs; bare Jobs have no process."""

    contender: str
    process: "subprocess.Popen[bytes] | None"

    def cpu_seconds(self) -> float:
        """CPU time so far."""
        return cpu_seconds(self._id) if self.process else 0.0

    def resident_mb(self) -> float:
        """Resident memory now."""
        return resident_mb(self._id) if self.process else 0.0

    def kill(self) -> None:
        """End it as a lost node would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def _id(self) -> int:
        assert self.process is not None
        if self.process.poll() is not None:
            raise BenchmarkError(f"{self.contender} ended by itself; its log is in the benchmark's folder")
        return self.process.pid


@contextmanager
def running(arena: Arena, contender: str, **more: str) -> Iterator[Running]:
    """One of those compared, from its start to its end; `more` of the environment."""
    process = None if contender == BARE else start(arena, contender, **more)
    try:
        yield Running(contender, process)
    finally:
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start(arena: Arena, contender: str, **more: str) -> "subprocess.Popen[bytes]":
    """Start an operator as a process of this machine."""
    template = str(template_path(arena))
    arguments = {
        DEALGUARD: [sys.executable, "-m", "dealguard_operator"],
        TWIN: [str(arena.programs.twin), "-template", template],
        TEXTBOOK: [sys.executable, "-m", "kopf", "run", "--standalone", "--all-namespaces", str(HERE / "textbook.py")],
    }[contender]
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("DEALGUARD_")},
        **{key: value for key, value in arena.environment.items() if key.startswith("DEALGUARD_S3_")},
        "KUBECONFIG": str(arena.kubeconfig_of(contender)),
        "BENCH_JOB_TEMPLATE": template,
        "DEALGUARD_ANALYZER_IMAGE": arena.image,
        "DEALGUARD_ANALYZER_IMAGE_PULL_POLICY": "Never",
        "DEALGUARD_EXTRACT_RESOURCES": _RESOURCES,
        "DEALGUARD_ANALYZE_RESOURCES": _RESOURCES,
        "DEALGUARD_HEALTH_PORT": "0",
        **more,
    }
    with (arena.folder / f"{contender}.log").open("ab") as log:
        process = subprocess.Popen(arguments, env=environment, stdout=log, stderr=log, cwd=REPOSITORY)
    print(f"          {LABELS[contender]} is process {process.pid}", file=sys.stderr, flush=True)
    return process


def template_path(arena: Arena) -> Path:
    """Where the Job lies that the others make: one of DealGuard's own, so that all run the same pods."""
    return arena.folder / "job-template.json"


def write_template(arena: Arena, job: dict[str, object]) -> None:
    """Make a template of a Job that DealGuard's operator made."""
    spec = dict(job["spec"])  # type: ignore[call-overload]
    for of_its_own in ("selector", "manualSelector"):
        spec.pop(of_its_own, None)
    labels = {
        key: value
        for key, value in job["metadata"]["labels"].items()
        if not key.startswith("batch.kubernetes.io")  # type: ignore[index]
    }
    pod = spec["template"]
    pod["metadata"] = {"labels": labels}
    for volume in pod["spec"]["volumes"]:
        if "secret" in volume and not volume["secret"].get("optional"):
            volume["secret"]["secretName"] = "bench-shared"
    template = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"labels": labels}, "spec": spec}
    template_path(arena).write_text(json.dumps(template))
