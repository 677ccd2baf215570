"""The processes that are compared, each from its start to its end; none outlives the benchmark, however that ends."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from benchmarks.gateway.place import OTHER_CORE, REPOSITORY, SERVER_CORE, Place
from benchmarks.operator.api import BenchmarkError
from benchmarks.operator.processes import resident_mb

GATEWAY, OLD, PROXY = "dealguard", "old", "proxy"
LABELS = {GATEWAY: "DealGuard", OLD: "FastAPI + Redis/ARQ", PROXY: "asks the API server"}
SIGNING_KEY = secrets.token_hex(32)
_START_SECONDS, _STOP_SECONDS = 120, 30
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Part:
    """One process."""

    name: str
    process: "subprocess.Popen[bytes]"

    def cpu_seconds(self) -> float:
        """User and system time so far, that of its ended children included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / _TICKS_PER_SECOND

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@dataclass
class System:
    """One of those compared, as it runs; `parts` by name, the one that answers HTTP as `web`."""

    contender: str
    port: int
    place: Place
    parts: dict[str, Part] = field(default_factory=dict)
    folder: Path = Path()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Of all its own processes so far."""
        return sum(part.cpu_seconds() for part in self.parts.values())

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of each process."""
        return {name: resident_mb(part.process.pid) for name, part in self.parts.items()}

    def start(self, name: str, arguments: Sequence[str], environment: dict[str, str], core: int | None = None) -> Part:
        """Start one of its processes; it ends when this one does, even by SIGKILL."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("DEALGUARD_", "BENCH_"))}
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        with (self.place.folder / f"{self.contender}-{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *pinned, *arguments],
                env={**clean, **environment},
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
            )
        self.parts[name] = Part(name, process)
        return self.parts[name]

    def stop(self) -> None:
        """End all of it, the last one started first."""
        for part in reversed(self.parts.values()):
            part.stop()


@contextmanager
def running(place: Place, contender: str, *, pinned: bool = False, whole: bool = False) -> Iterator[System]:
    """One of those compared.

    Args:
        place: where.
        contender: which.
        pinned: what answers HTTP to the server's core, the rest to the other.
        whole: with what works on the contracts too: the operator, the worker.
    """
    system = System(contender, _free_port(), place)
    system.folder = place.folder / f"{contender}-{system.port}"
    system.folder.mkdir()
    cores = (SERVER_CORE, OTHER_CORE) if pinned else (None, None)
    with ExitStack() as stack:
        stack.callback(system.stop)
        {GATEWAY: _start_gateway, OLD: _start_old, PROXY: _start_proxy}[contender](system, *cores)
        if whole:
            {GATEWAY: start_operator, OLD: start_worker}[contender](system)
        yield system


def _start_gateway(system: System, core: int | None, _: int | None) -> None:
    health_port = _free_port()
    environment = {
        **system.place.storage_environment,
        "DEALGUARD_HOST": "127.0.0.1",
        "DEALGUARD_PORT": str(system.port),
        "DEALGUARD_HEALTH_PORT": str(health_port),
        "DEALGUARD_SESSION_KEYS": Fernet.generate_key().decode(),
        "DEALGUARD_TOKEN_LOGIN": "true",
        # One user is as many clients as are needed: their share of a replica is not what is measured.
        "DEALGUARD_REQUESTS_PER_SECOND": "100000",
        "DEALGUARD_UPLOADS_PER_MINUTE": "100000",
        "KUBECONFIG": str(system.place.gateway_account),
    }
    part = system.start("web", [sys.executable, "-m", "dealguard_gateway"], environment, core)
    _wait_for_answer(part, f"http://127.0.0.1:{health_port}/readyz", 200)


def _start_old(system: System, core: int | None, other_core: int | None) -> None:
    socket_path = system.folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket_path), "--dir", str(system.folder), "--appendonly", "yes"]
    redis = system.start("redis", ["redis-server", *options], {}, other_core)
    _wait_until(redis, socket_path.exists)
    _start_uvicorn(system, "old_system", old_environment(system), core)


def _start_proxy(system: System, core: int | None, _: int | None) -> None:
    server, ca_file = system.place.api_server
    _start_uvicorn(system, "naive_proxy", {"BENCH_API_SERVER": server, "BENCH_CA_FILE": str(ca_file)}, core)


def _start_uvicorn(system: System, module: str, environment: dict[str, str], core: int | None) -> None:
    options = ["--port", str(system.port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    words = [sys.executable, "-m", "uvicorn", f"benchmarks.gateway.{module}:app", *options]
    _wait_for_answer(system.start("web", words, environment, core), f"{system.url}/openapi.json", 200)


def start_operator(system: System) -> None:
    """DealGuard's operator, as a process of this machine, with its default settings."""
    place = system.place
    environment = {
        **place.storage_environment,
        "KUBECONFIG": str(place.administrator),
        "DEALGUARD_ANALYZER_IMAGE": place.analyzer_image,
        "DEALGUARD_ANALYZER_IMAGE_PULL_POLICY": "Never",
        "DEALGUARD_HEALTH_PORT": str(port := _free_port()),
    }
    part = system.start("operator", [sys.executable, "-m", "dealguard_operator"], environment)
    _wait_for_answer(part, f"http://127.0.0.1:{port}/readyz", 200)


def start_worker(system: System) -> None:
    """The old system's worker: ten jobs at once, ARQ's default."""
    words = [sys.executable, "-m", "arq", "benchmarks.gateway.old_system.WorkerSettings"]
    system.start("worker", words, old_environment(system))


def old_environment(system: System) -> dict[str, str]:
    """What the old system's processes are told."""
    return {
        "BENCH_REDIS_SOCKET": str(system.folder / "redis.sock"),
        "BENCH_UPLOADS": str(system.folder),
        "BENCH_SIGNING_KEY": SIGNING_KEY,
    }


def _wait_for_answer(part: Part, url: str, status: int) -> None:
    def answers() -> bool:
        try:
            return httpx.get(url, trust_env=False, timeout=5).status_code == status
        except httpx.TransportError:
            return False

    _wait_until(part, answers)


def _wait_until(part: Part, probe: Callable[[], bool]) -> None:
    end = time.monotonic() + _START_SECONDS
    while not probe():
        if part.process.poll() is not None or time.monotonic() > end:
            raise BenchmarkError(f"{part.name} did not start; its log is in the benchmark's folder")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
