"""The gateway beside a service of the old kind and a proxy that asks the API server, on one machine.

    .venv/bin/python -m benchmarks.gateway [--quick] [--repeats 3] [--only polling,events,way,kill] [--figures]

`--quick` is for development: small volumes, one repeat. Results go to build/bench/gateway.json (those of a
partial or quick run to build/bench/gateway-quick.json) after every single run; `--figures` draws those of a whole run
into docs/benchmarks/. Exit code 1: an aim was not reached, or it broke off.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from benchmarks.gateway.capacity import Load, find_capacity
from benchmarks.gateway.events import measure_events
from benchmarks.gateway.place import INSTANCE, REPOSITORY, Place, make_contracts
from benchmarks.gateway.results import BODIES, Results, table
from benchmarks.gateway.servers import GATEWAY, OLD, PROXY, running
from benchmarks.gateway.way import Client, at_rest, killed_in_the_middle, many_ways
from benchmarks.operator.api import BenchmarkError
from benchmarks.operator.measures import machine
from benchmarks.operator.summary import percentile
from dealguard_cluster.errors import ClusterError

PARTS = ("polling", "events", "way", "kill")


@dataclass(frozen=True)
class Volumes:
    """How much of everything."""

    load: Load
    organizations: int
    users_each: int
    contracts: int
    followers: int
    changes: int
    in_a_row: int
    at_once: int
    rest_seconds: float
    killed: int
    kill_limit_seconds: float  # ARQ leaves a lost job alone for its timeout and ten seconds


FULL = Volumes(Load(6, 15, 4), 20, 10, 5000, 200, 300, 20, 20, 30, 5, 400)
QUICK = Volumes(Load(5, 6, 2), 4, 5, 400, 20, 40, 3, 5, 5, 3, 60)


class Benchmark:
    """The parts, each of which adds its runs to the results."""

    def __init__(self, place: Place, volumes: Volumes, results: Results) -> None:
        self._place, self._volumes, self._results = place, volumes, results
        self._began = time.monotonic()

    async def run(self, parts: Sequence[str], repeats: int) -> None:
        """All parts, one after the other."""
        for part in parts:
            for repeat in range(repeats):
                self._tell(f"{part}, repeat {repeat + 1} of {repeats}")
                await {"polling": self.polling, "events": self.events, "way": self.way, "kill": self.kill}[part](repeat)

    async def polling(self, repeat: int) -> None:
        """How many clients one core serves."""
        volumes = self._volumes
        async with (
            self._place.api() as api,
            self._place.organizations(api, volumes.organizations, volumes.users_each) as users,
        ):
            contracts = await make_contracts(api, users, volumes.contracts)
            with self._place.others_on_their_core():
                for contender in _in_turn((GATEWAY, BODIES, OLD, PROXY), repeat):
                    self._tell(f"  polling: {contender}")
                    served = GATEWAY if contender == BODIES else contender
                    # Not in a thread: it ends with an interruption, and nothing else has to go on meanwhile.
                    found = find_capacity(self._place, served, contracts, volumes.load, etags=contender != BODIES)
                    spent, steps = found.cpu_seconds, found.steps
                    self._results.add("capacity", contender, repeat, found.clients, cpu_seconds=spent, steps=steps)
                    self._results.add("poll_cpu", contender, repeat, found.cpu_ms_per_poll, cpu_seconds=spent)

    async def events(self, repeat: int) -> None:
        """How fast a change is told."""
        volumes = self._volumes
        async with (
            self._place.api() as api,
            self._place.organizations(api, volumes.organizations, volumes.users_each) as users,
        ):
            contracts = await make_contracts(api, users, volumes.followers)
            with running(self._place, GATEWAY) as system:
                before = system.cpu_seconds()
                latencies = await measure_events(system, api, contracts, volumes.changes, per_second=5)
                spent = system.cpu_seconds() - before
        for percent in (50, 99):
            value = percentile(latencies, percent)
            self._results.add(f"event_p{percent}", GATEWAY, repeat, value, cpu_seconds=spent, samples=latencies)

    async def way(self, repeat: int) -> None:
        """From the upload to `completed`."""
        volumes, results = self._volumes, self._results
        async with self._place.api() as api, self._place.organizations(api, 1, 1) as users:
            for contender in _in_turn((GATEWAY, OLD), repeat):
                self._tell(f"  the whole way: {contender}")
                with running(self._place, contender, whole=True) as system:
                    async with Client(system, users[0]) as client:
                        await many_ways(client, 1, at_once=False)  # the first one finds cold caches
                        rest = await at_rest(system, volumes.rest_seconds)
                        accepted, done, spent = await many_ways(client, volumes.in_a_row, at_once=False)
                        _, burst, burst_spent = await many_ways(client, volumes.at_once, at_once=True)
                own, node = rest["own_memory_mb"], rest["node_memory_mb"]
                idle = 1000 * (rest["own_cpu_per_second"] + rest["node_cpu_per_second"])
                whole = sum(spent.values())
                detail = {"accepted": accepted, "done": done, **spent}
                for percent in (50, 99):
                    value = 1000 * percentile(accepted, percent)
                    results.add(f"accepted_p{percent}", contender, repeat, value, cpu_seconds=whole)
                results.add("accepted_max", contender, repeat, 1000 * max(accepted), cpu_seconds=whole)
                results.add("way_p50", contender, repeat, percentile(done, 50), cpu_seconds=whole, **detail)
                results.add("way_max", contender, repeat, max(done), cpu_seconds=whole)
                burst_cpu = sum(burst_spent.values())
                results.add("burst", contender, repeat, max(burst), cpu_seconds=burst_cpu, done=burst, **burst_spent)
                results.add("contract_cpu", contender, repeat, burst_cpu / len(burst), cpu_seconds=burst_cpu)
                results.add("rest_memory", contender, repeat, sum(own.values()), parts=own)
                results.add("rest_node_memory", contender, repeat, sum(node.values()), parts=node)
                results.add("rest_cpu", contender, repeat, idle)

    async def kill(self, repeat: int) -> None:
        """What is lost."""
        volumes = self._volumes
        async with self._place.api() as api, self._place.organizations(api, 1, 1) as users:
            for contender in _in_turn((GATEWAY, OLD), repeat):
                self._tell(f"  killed in the middle: {contender}")
                with running(self._place, contender, whole=True) as system:
                    async with Client(system, users[0]) as client:
                        limit = volumes.kill_limit_seconds
                        seen = await killed_in_the_middle(client, volumes.killed, copies=20, limit_seconds=limit)
                self._results.add("killed_open", contender, repeat, seen["not_completed"], **seen)
                if seconds := seen["seconds_until_completed"]:
                    self._results.add("killed_seconds", contender, repeat, max(seconds))

    def _tell(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.0f} s] {text}", file=sys.stderr, flush=True)


def main() -> int:
    arguments = _parse_arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    folder = Path(tempfile.mkdtemp(prefix="dealguard-bench-"))
    is_whole = not arguments.quick and arguments.only == list(PARTS)
    begun = datetime.now(UTC).isoformat()
    facts = {"begun": begun, "quick": arguments.quick, "repeats": arguments.repeats, **machine()}
    file = REPOSITORY / "build" / "bench" / ("gateway.json" if is_whole else "gateway-quick.json")
    results = Results(file, facts)
    broke_off = True
    try:
        with Place(folder, arguments.instance) as place:
            benchmark = Benchmark(place, QUICK if arguments.quick else FULL, results)
            asyncio.run(benchmark.run(arguments.only, arguments.repeats))
        broke_off = False
    except* (ClusterError, BenchmarkError, KeyboardInterrupt) as group:
        print(f"The benchmark broke off: {_words(group)}. What was measured is kept.", file=sys.stderr)
    rows = results.rows()
    print(table(rows))
    if arguments.figures and is_whole and not broke_off:
        results.draw(REPOSITORY / "docs" / "benchmarks")
    missed = [row.measure for row in rows if row.reached is False]
    print(f"\n{len(rows)} measures, {len(missed)} aims missed; load at the start: {facts['load']}.")
    print(f"Next: look at {file}; the logs of what ran are in {folder}.")
    if not is_whole:
        print("These are a part's figures: `make bench-gateway` on an idle machine measures.")
    return 1 if missed or broke_off else 0


def _in_turn(contenders: Sequence[str], repeat: int) -> Sequence[str]:
    """A-B-B-A: every other repeat runs them backwards, so that a machine that grows slower wrongs nobody."""
    return contenders if repeat % 2 == 0 else tuple(reversed(contenders))


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(f"signal {number}")


def _words(group: BaseExceptionGroup[BaseException]) -> str:
    return "; ".join(
        _words(error) if isinstance(error, BaseExceptionGroup) else str(error) or type(error).__name__
        for error in group.exceptions
    )


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description="Measure the gateway.")
    parser.add_argument("--quick", action="store_true", help="small volumes, one repeat unless said otherwise")
    parser.add_argument("--repeats", type=int, help="how often each is run (3; with --quick: 1)")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, of {', '.join(PARTS)}")
    parser.add_argument("--figures", action="store_true", help="draw a whole run's figures into docs/benchmarks")
    parser.add_argument("--instance", default=INSTANCE, help="of the local cluster (%(default)s)")
    arguments = parser.parse_args()
    arguments.repeats = arguments.repeats or (1 if arguments.quick else 3)
    arguments.only = arguments.only.split(",")
    if unknown := set(arguments.only) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
