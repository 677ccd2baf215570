"""How many clients that poll every 3 s one core serves: the largest number whose p99 stays under 100 ms."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gateway.old_system_data import prepare
from benchmarks.gateway.place import OTHER_CORE, Place, User
from benchmarks.gateway.servers import OLD, System, running
from benchmarks.operator.api import BenchmarkError

MAX_P99_MS = 100.0
_FIRST, _LAST = 250, 32_000


@dataclass(frozen=True)
class Load:
    """How thorough the search is."""

    warm_seconds: int
    measure_seconds: int
    bisections: int


@dataclass
class Capacity:
    """What a search found."""

    clients: int = 0
    cpu_ms_per_poll: float = float("nan")
    cpu_seconds: float = 0.0
    steps: list[dict[str, Any]] = field(default_factory=list)


def find_capacity(
    place: Place, contender: str, contracts: Sequence[tuple[User, str]], load: Load, *, etags: bool = True
) -> Capacity:
    """The largest number of clients; doubled until it is too many, then bisected. A new process for all of it."""
    found = Capacity()
    with running(place, contender, pinned=True) as system:
        targets = _targets(system, contracts)

        def is_served(clients: int) -> bool:
            before = system.parts["web"].cpu_seconds()
            step = poll(system, targets, clients, load, etags=etags)
            step["server_cpu_seconds"] = seconds = system.parts["web"].cpu_seconds() - before
            step["cpu_ms_per_poll"] = 1000 * seconds / max(1, step["all_polls"])
            step["memory_mb"] = system.memory_mb()
            found.steps.append(step)
            found.cpu_seconds += seconds
            is_good = step["p99_ms"] < MAX_P99_MS and not step["errors"] and step["polls"] > 0
            if is_good and clients > found.clients:
                found.clients = clients
            return is_good

        search(is_served, load.bisections)
    # Where it is busiest and still in time; if it never was, where it was least late.
    good = [step for step in found.steps if step["clients"] == found.clients] or found.steps[:1]
    found.cpu_ms_per_poll = good[-1]["cpu_ms_per_poll"]
    return found


def search(is_served: Callable[[int], bool], bisections: int) -> int:
    """The largest number for which `is_served` said yes, 0 if there was none."""
    low, high = 0, _FIRST
    while high <= _LAST and is_served(high):
        low, high = high, high * 2
    for _ in range(bisections if low < _LAST else 0):
        middle = (low + high) // 2
        low, high = (middle, high) if is_served(middle) else (low, middle)
    return low


def poll(system: System, targets: Path, clients: int, load: Load, *, etags: bool = True) -> dict[str, Any]:
    """What so many clients see, from the generator on the other core."""
    done = subprocess.run(
        [
            *("setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(OTHER_CORE), str(system.place.pollers)),
            *("-address", f"127.0.0.1:{system.port}", "-targets", str(targets), "-clients", str(clients)),
            *("-warm", f"{load.warm_seconds}s", "-measure", f"{load.measure_seconds}s", f"-etags={str(etags).lower()}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"the load generator failed: {done.stderr[-500:]}")
    step: dict[str, Any] = json.loads(done.stdout)
    return step


def _targets(system: System, contracts: Sequence[tuple[User, str]]) -> Path:
    if system.contender == OLD:
        lines = prepare(system, contracts)
    else:
        lines = [{"path": f"/contracts/{user.organization}.{name}", "token": user.token} for user, name in contracts]
    path = system.folder / "targets.jsonl"
    path.touch(0o600)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path
