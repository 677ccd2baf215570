"""What thousands that wait cost those that run: the delay of a running analysis's status, with and without a queue.

All are in the namespace whose pods run until they are told to end, and every place is taken. The running ones end one
after the other: some while nobody waits, some while the others are being created, some while all of those wait.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.operator.api import ANALYSES, CORE, Api, until
from benchmarks.operator.contenders import DEALGUARD, running
from benchmarks.operator.load import Load, watched
from benchmarks.operator.measures import HELD, Bench, Runs
from benchmarks.operator.summary import Measure, Run, measure, percentile, ratio

# How many end in each of the three situations, and how far apart.
_ENDS = 20
_PAUSE_SECONDS = 0.3
NOBODY, COMING, ALL = "nobody", "coming", "all"


async def waiting_run(bench: Bench, repeat: int) -> None:
    """One run of all three situations, one after the other in the same process."""
    count = bench.volumes.waiting
    async with bench.arena.namespace(bench.api, HELD) as namespace, watched(bench.api, namespace) as load:
        with running(bench.arena, DEALGUARD, DEALGUARD_MAX_RUNNING=str(3 * _ENDS)) as process:
            async with _exits(bench.api, namespace) as exits:
                await _hold_all(load)
                for situation in (NOBODY, COMING, ALL):
                    began = process.cpu_seconds()
                    coming = asyncio.create_task(_come(load, count if situation == COMING else 0))
                    delays = await _end_in_turn(load, exits, situation)
                    await coming
                    for percent in (50, 99):
                        value = 1000 * percentile(delays, percent)
                        run = Run(DEALGUARD, repeat, value, process.cpu_seconds() - began, detail={"samples": delays})
                        bench.runs.setdefault(f"waiting_{situation}_p{percent}", []).append(run)
                    if situation == COMING:
                        await _until_all_wait(load, count)


def rows(runs: Runs, count: int) -> list[Measure]:
    """The measures, as far as they were taken."""
    what = "a running one's pod ended → Completed"
    situations = {NOBODY: "nobody waits", COMING: f"{count} are being created", ALL: f"{count} wait"}
    calm, full = (runs.get(f"waiting_{situation}_p50", []) for situation in (NOBODY, ALL))
    # It is to be the same; a fifth is what two runs of the same differ by.
    against = [ratio(f"{what}, p50, {situations[ALL]}, to nobody", full, calm, aim=1.2)] if full else []
    return against + [
        measure(f"{what}, {situation}, p{percent}", "ms", taken)
        for key, situation in situations.items()
        for percent in (50, 99)
        if (taken := runs.get(f"waiting_{key}_p{percent}"))
    ]


async def _hold_all(load: Load) -> None:
    """Have all places taken by analyses that run until they are told to end."""
    for situation in (NOBODY, COMING, ALL):
        for number in range(_ENDS):
            await load.create(f"{situation}-{number}")
    path = f"{ANALYSES}/namespaces/{load.namespace}/contractanalyses"

    async def all_run() -> bool:
        return all(item.get("status", {}).get("stage") == "Analyzing" for item in await load.api.list(path))

    await until("all to run", all_run)


async def _come(load: Load, count: int) -> None:
    await load.create_many("waits", count)


async def _until_all_wait(load: Load, count: int) -> None:
    """Wait until each of those that came is told that it waits; some took the places of those that ended."""
    path = f"{ANALYSES}/namespaces/{load.namespace}/contractanalyses"

    async def all_are_seen() -> bool:
        seen = [item for item in await load.api.list(path) if item["metadata"]["name"].startswith("waits-")]
        return len(seen) == count and all("phase" in item.get("status", {}) for item in seen)

    await until("all to wait", all_are_seen)
    await asyncio.sleep(5)  # nothing is left to do


async def _end_in_turn(load: Load, exits: dict[str, float], situation: str) -> list[float]:
    """Let the pods of a situation end, one after the other; seconds from each one's end to its `Completed`."""
    path = f"{CORE}/namespaces/{load.namespace}/pods"
    mine = {f"{situation}-{number}" for number in range(_ENDS)}
    patch = {"metadata": {"annotations": {"dealguard.io/released": "yes"}}}
    for pod in await load.api.list(path):
        if _analysis_of(pod) in mine:
            name = pod["metadata"]["name"]
            await load.api.request("PATCH", f"{path}/{name}", patch, kind="application/merge-patch+json")
            await asyncio.sleep(_PAUSE_SECONDS)
    await load.wait_done(f"{situation}-")
    await until("the pods' ends to be seen", lambda: _all_in(mine, exits))
    # Two watches of one process: the analysis's event may come before the pod's.
    return [max(0.0, (load.times[name].done or 0.0) - exits[name]) for name in sorted(mine)]


async def _all_in(names: set[str], exits: dict[str, float]) -> bool:
    return names <= exits.keys()


@asynccontextmanager
async def _exits(api: Api, namespace: str) -> AsyncIterator[dict[str, float]]:
    """When the pod of each analysis was seen to have ended; filled while the block runs."""
    exits: dict[str, float] = {}

    async def follow() -> None:
        async for event in api.watch(f"{CORE}/namespaces/{namespace}/pods"):
            pod = event["object"]
            if pod.get("status", {}).get("phase") == "Succeeded":
                exits.setdefault(_analysis_of(pod), time.time())

    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(follow())
        try:
            yield exits
        finally:
            watch.cancel()


def _analysis_of(pod: dict[str, object]) -> str:
    metadata = pod["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata.get("labels", {}).get("dealguard.io/analysis-name"))
