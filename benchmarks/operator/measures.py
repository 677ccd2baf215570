"""What is measured: each method runs one of those compared once and notes the numbers of that run."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dealguard_operator
from benchmarks.operator.api import ANALYSES, CORE, JOBS, Api, Raw, until
from benchmarks.operator.arena import Arena, empty
from benchmarks.operator.contenders import BARE, DEALGUARD, Running, running, template_path, write_template
from benchmarks.operator.load import Load, watched
from benchmarks.operator.processes import group_cpu_seconds
from benchmarks.operator.summary import Run, percentile

HELD = "bench-held"  # the namespace whose pods run until they are told to end: stages.yaml

Runs = dict[str, list[Run]]


@dataclass(frozen=True)
class Volumes:
    """How much is measured."""

    latency_analyses: int
    kubelet_analyses: int
    bursts: tuple[int, ...]
    waiting: int
    finished: int
    worked_on: int  # of the finished ones; the others come with their status, as from a backup
    running: int
    settle_seconds: float  # full looks of the operator at everything, every 30 s: they release what is not needed
    repeats: Mapping[str, int]  # by part, see `parts`

    @property
    def parts(self) -> tuple[str, ...]:
        """What is measured, each by itself: what costs least first, so that one who interrupts has most of it."""
        small, *large = (f"burst-{count}" for count in self.bursts)
        return ("latency", "kubelet", small, "waiting", "population", *large)


# An analysis of a burst costs all four together some 0.7 s on two idle cores.
FULL = Volumes(
    latency_analyses=30,
    kubelet_analyses=10,
    bursts=(200, 1000, 5000),
    waiting=2000,
    finished=10_000,
    worked_on=1000,
    running=500,
    settle_seconds=90,
    repeats={"latency": 5, "kubelet": 5, "burst-200": 5, "burst-1000": 5, "waiting": 5},
)
QUICK = Volumes(
    latency_analyses=20,
    kubelet_analyses=5,
    bursts=(50, 200),
    waiting=300,
    finished=300,
    worked_on=50,
    running=30,
    settle_seconds=35,
    repeats={},
)


@dataclass
class Cost:
    """CPU seconds of a stretch of time: of the operator, and of everything in the node."""

    operator: float
    cluster: float


@dataclass(frozen=True)
class Bench:
    """The runs on one arena; `runs` collects their numbers by measure."""

    arena: Arena
    api: Api
    volumes: Volumes
    runs: Runs

    async def learn_template(self) -> None:
        """Have DealGuard's operator make one Job, which the others copy, unless there is one."""
        if template_path(self.arena).exists():
            return
        async with self.arena.namespace(self.api, "bench-template") as namespace:
            with running(self.arena, DEALGUARD):
                async with watched(self.api, namespace) as load:
                    await _warm_up(load)
                    (job,) = await self.api.list(f"{JOBS}/namespaces/{namespace}/jobs")
                    write_template(self.arena, job)

    async def latency_run(self, contender: str, repeat: int) -> None:
        """Latency at one a second, on fake nodes."""
        with running(self.arena, contender) as process:
            await self._latency(process, repeat)

    async def burst_run(self, contender: str, repeat: int, count: int) -> None:
        """A burst, on fake nodes, whose cluster is not used again: to delete it takes as long as the burst."""
        with running(self.arena, contender) as process:
            await self._burst(process, repeat, count)

    async def kubelet_run(self, contender: str, repeat: int) -> None:
        """One after the other on the real kubelet: creation to end, and the container's exit to the end."""
        with running(self.arena, contender) as process:
            async with self._load(f"bench-kubelet-{contender}-{repeat}", contender) as load:
                begin = self._cost(process)
                for number in range(self.volumes.kubelet_analyses):
                    await load.create(f"one-{number}")
                    await load.wait_done(f"one-{number}", timeout_seconds=120)
                cost = self._cost(process, begin)
                times = {name: one for name, one in load.times.items() if name.startswith("one-")}
                exits = await load.exit_times()
        totals = [(one.done or 0.0) - one.created for one in times.values()]
        tails = [(one.done or 0.0) - exits[name] for name, one in times.items()]
        self._note_percentiles("kubelet_total", contender, repeat, totals, cost)
        self._note_percentiles("kubelet_exit", contender, repeat, tails, cost)

    async def population_run(self, repeat: int) -> None:
        """Memory with many finished ones, a restart with some running that end meanwhile, memory after deletion."""
        arena, api, settle_seconds = self.arena, self.api, self.volumes.settle_seconds
        async with (
            self._load(f"bench-many-{repeat}", None) as many,
            arena.namespace(api, HELD) as held,
            watched(api, held) as held_load,
        ):
            with running(arena, DEALGUARD) as first:
                await _warm_up(many)
                await asyncio.sleep(5)
                empty_mb = first.resident_mb()
                worked_on = min(self.volumes.worked_on, self.volumes.finished)
                await many.create_many("done", worked_on)
                await many.wait_done()
                await many.restore_many("restored", "done-0", self.volumes.finished - worked_on)
                await asyncio.sleep(settle_seconds)
                first_mb = first.resident_mb()
                await _hold(held_load, self.volumes.running)
                first.kill()
                await _release(api, held)
            with running(arena, DEALGUARD) as second:
                await self._restart(second, held_load, many.namespace, repeat)
                second_mb = second.resident_mb()
                await empty(api, many.namespace)
                await empty(api, held)
                await asyncio.sleep(settle_seconds)
                after_mb = second.resident_mb()
        self._note("memory_finished", repeat, max(first_mb, second_mb), processed_mb=first_mb, restarted_mb=second_mb)
        self._note("memory_after", repeat, 100 * (after_mb / empty_mb - 1), empty_mb=empty_mb, after_mb=after_mb)

    async def _latency(self, process: Running, repeat: int) -> None:
        contender = process.contender
        async with self._load(f"bench-latency-{contender}-{repeat}", contender) as load:
            begin, began_at = self._cost(process), time.monotonic()
            for number in range(self.volumes.latency_analyses):
                await asyncio.sleep(max(0.0, began_at + number - time.monotonic()))
                await load.create(f"one-{number}")
            times = await load.wait_done("one-")
            cost = self._cost(process, begin)
        waits = [1000 * ((one.job_seen or 0.0) - one.created) for one in times]
        self._note_percentiles("job_exists", contender, repeat, waits, cost)

    async def _burst(self, process: Running, repeat: int, count: int) -> None:
        contender = process.contender
        async with self._load(f"bench-burst-{contender}-{count}-{repeat}", contender, is_kept=True) as load:
            with self.arena.audited(contender) as writes:
                begin, began_at = self._cost(process), time.time()
                await load.create_many("burst", count)
                created_seconds = time.time() - began_at
                times = await load.wait_done("burst-")
                await asyncio.sleep(1)  # what is written last is counted too
                cost = self._cost(process, begin)
        last = max(one.done or 0.0 for one in times) - began_at
        detail = {"created_seconds": round(created_seconds, 2)}
        self._add(f"burst_{count}", Run(contender, repeat, last, cost.operator, cost.cluster, detail))
        if contender == BARE:
            return
        kinds = _count(writes)
        counted = sum(number for kind, number in kinds.items() if not kind.endswith((" events", " leases")))
        per_analysis_ms = 1000 * cost.operator / count
        self._add(f"writes_{count}", Run(contender, repeat, counted / count, detail=kinds))
        self._add(f"cpu_{count}", Run(contender, repeat, per_analysis_ms, cost.operator, cost.cluster))

    async def _restart(self, process: Running, load: Load, finished_namespace: str, repeat: int) -> None:
        """From the process's start until all that ended while none was there are Completed, and a new one has a Job."""
        began_at = time.time()
        with self.arena.audited(DEALGUARD) as writes:
            await load.create("new")
            (new,) = await load.wait(lambda one: one.job_seen is not None, "a Job", prefix="new", timeout_seconds=300)
            times = await load.wait_done("held-", timeout_seconds=300)
            held_done = max(one.done or 0.0 for one in times) - began_at
            new_job = (new.job_seen or 0.0) - began_at
            cpu_seconds = process.cpu_seconds()
            await asyncio.sleep(self.volumes.settle_seconds)  # a write to a finished one may come with a resync
        to_finished = sum(entry["objectRef"].get("namespace") == finished_namespace for entry in writes)
        detail = {"held_done": held_done, "new_job": new_job}
        self._add("restart", Run(DEALGUARD, repeat, max(held_done, new_job), cpu_seconds, detail=detail))
        self._note("restart_writes", repeat, to_finished)

    @asynccontextmanager
    async def _load(self, name: str, contender: str | None, *, is_kept: bool = False) -> AsyncIterator[Load]:
        """A load in a namespace of its own, whose first one is done; None: nobody runs yet."""
        template = json.loads(template_path(self.arena).read_text()) if contender == BARE else None
        async with (
            self.arena.namespace(self.api, name, is_kept=is_kept),
            watched(self.api, name, template) as load,
        ):
            if contender is not None:
                await _warm_up(load)
            yield load

    def _cost(self, process: Running, since: Cost | None = None) -> Cost:
        before = since or Cost(0.0, 0.0)
        return Cost(process.cpu_seconds() - before.operator, group_cpu_seconds(self.arena.cgroup) - before.cluster)

    def _note_percentiles(self, name: str, contender: str, repeat: int, values: list[float], cost: Cost) -> None:
        for percent, detail in ((50, {"samples": [round(value, 4) for value in values]}), (99, {})):
            run = Run(contender, repeat, percentile(values, percent), cost.operator, cost.cluster, detail)
            self._add(f"{name}_p{percent}", run)

    def _note(self, name: str, repeat: int, value: float, **detail: Any) -> None:
        self._add(name, Run(DEALGUARD, repeat, value, detail=detail))

    def _add(self, name: str, run: Run) -> None:
        self.runs.setdefault(name, []).append(run)


async def _warm_up(load: Load) -> None:
    """One that is not counted: whoever is measured is connected and has done everything once."""
    await load.create("warm-up")
    await load.wait_done("warm-up", timeout_seconds=120)


async def _hold(load: Load, count: int) -> None:
    """Have `count` analyses in `Analyzing`."""
    await load.create_many("held", count)
    path = f"{ANALYSES}/namespaces/{load.namespace}/contractanalyses"

    async def all_run() -> bool:
        return all(item.get("status", {}).get("stage") == "Analyzing" for item in await load.api.list(path))

    await until(f"{count} running analyses", all_run)


async def _release(api: Api, namespace: str) -> None:
    """Let the held pods end while nobody looks, and wait until they have."""
    path = f"{CORE}/namespaces/{namespace}/pods"
    patch = {"metadata": {"annotations": {"dealguard.io/released": "yes"}}}
    for pod in await api.list(path):
        name = pod["metadata"]["name"]
        await api.request("PATCH", f"{path}/{name}", patch, kind="application/merge-patch+json")

    async def all_ended() -> bool:
        return all(pod["status"]["phase"] == "Succeeded" for pod in await api.list(path))

    await until("the held pods to end", all_ended)


def _count(writes: list[Raw]) -> dict[str, int]:
    """How many writes there were of each verb and resource."""
    kinds: dict[str, int] = {}
    for entry in writes:
        target = entry["objectRef"]
        kind = f"{entry['verb']} {'/'.join(filter(None, (target['resource'], target.get('subresource'))))}"
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def machine() -> dict[str, Any]:
    """What the figures depend on beside the code."""
    return {"cores": os.cpu_count(), "load": [round(value, 2) for value in os.getloadavg()]}


def revision() -> str:
    """The commit of the operator's code, with `-dirty` where it was changed since; empty where git does not know it."""
    folder = Path(dealguard_operator.__file__).parent
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]  # no tags
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
