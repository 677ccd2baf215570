"""The operator beside the textbook operator, a Go twin and bare Jobs, on an instance of the local cluster of its own.

    .venv/bin/python -m benchmarks.operator [--quick] [--repeats N] [--only latency,…] [--compared …] [--continue]

`--quick` is for development: small volumes, one repeat. Results go to build/bench/operator.json after each run, and the
runs themselves to build/bench/operator-runs.json, from where `--continue` adds to them; a quick run's to
operator-quick.json and operator-quick-runs.json. Figures are drawn into docs/benchmarks/, a quick run's into
build/bench/. Exit code 1: an aim was not reached.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.operator import measures, waiting
from benchmarks.operator.api import BenchmarkError
from benchmarks.operator.arena import REPOSITORY, Arena
from benchmarks.operator.contenders import BARE, DEALGUARD, LABELS, OPERATORS
from benchmarks.operator.report import draw, measures_of, table
from benchmarks.operator.summary import Measure, add_runs, load_runs, save_runs
from dealguard_cluster.errors import ClusterError


def main() -> int:
    arguments = _parse_arguments()
    begun, machine = datetime.now(UTC), measures.machine()
    output = REPOSITORY / "build" / "bench"
    output.mkdir(parents=True, exist_ok=True)
    name = "operator-quick" if arguments.quick else "operator"
    report, kept = output / f"{name}.json", output / f"{name}-runs.json"
    runs = load_runs(kept) if arguments.go_on else {}

    def save() -> list[Measure]:
        """Keep what was measured until now: hours may follow, and somebody's Ctrl-C."""
        rows = measures_of(runs, arguments.volumes)
        facts = {
            "begun": begun.isoformat(),
            "seconds": round((datetime.now(UTC) - begun).total_seconds()),
            "quick": arguments.quick,
            **machine,
        }
        document = [{**row.to_json(), "repeats": len(row.runs), "machine": facts} for row in rows]
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        report.write_text(text, encoding="utf-8")
        save_runs(runs, kept)
        return rows

    folder = Path(tempfile.mkdtemp(prefix="dealguard-bench-"))
    try:
        asyncio.run(_run(folder, arguments, runs, save))
    except* (ClusterError, BenchmarkError, KeyboardInterrupt) as group:
        # What was measured until then is not lost.
        print(f"The benchmark broke off: {_words(group)}. Logs: {folder}", file=sys.stderr)
    rows = save()
    drawn = draw(runs, output if arguments.quick else REPOSITORY / "docs" / "benchmarks")
    print(table(rows))
    missed = [row.measure for row in rows if row.reached is False]
    print(f"\n{len(rows)} measures, {len(missed)} aims missed; load at the start: {machine['load']}.")
    print(f"Next: look at {report}{_figures(drawn)}; the operators' logs are in {folder}.")
    if arguments.quick:
        print("These are a quick run's figures: `make bench` on an idle machine measures.")
    return 1 if missed or not rows else 0


async def _run(
    folder: Path, arguments: argparse.Namespace, runs: measures.Runs, save: Callable[[], list[Measure]]
) -> None:
    began, volumes, revision = time.monotonic(), arguments.volumes, measures.revision()
    done = 1 + max((run.repeat for taken in runs.values() for run in taken), default=-1)

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    async with AsyncExitStack() as cluster:
        is_used_up = True
        for part in (part for part in volumes.parts if part in arguments.only):
            repeats = arguments.repeats or volumes.repeats.get(part, 1)
            for repeat in range(repeats):
                compared = [contender for contender in _compared(part) if contender in arguments.compared]
                for contender in _in_turn(compared, repeat):
                    tell(f"{part}, repeat {repeat + 1} of {repeats}: {LABELS[contender]}")
                    is_burst = part.startswith("burst")
                    if is_burst or is_used_up:
                        await cluster.aclose()
                        bench = await _begin(cluster, folder, volumes)
                    is_used_up = is_burst
                    bench.arena.use_fake_nodes(fake=part != "kubelet")
                    taken, begun = measures.Runs(), datetime.now(UTC).isoformat(timespec="seconds")
                    try:
                        await _measure(replace(bench, runs=taken), part, contender, done + repeat)
                    finally:
                        add_runs(runs, taken, revision=revision, begun=begun)
                    save()
        tell("all measured; the cluster goes down")


async def _begin(cluster: AsyncExitStack, folder: Path, volumes: measures.Volumes) -> measures.Bench:
    """An empty cluster, and the Job that the others copy."""
    arena = cluster.enter_context(Arena(folder))
    api = await cluster.enter_async_context(arena.api())
    arena.use_fake_nodes(fake=True)
    bench = measures.Bench(arena, api, volumes, runs={})
    await bench.learn_template()
    return bench


async def _measure(bench: measures.Bench, part: str, contender: str, repeat: int) -> None:
    """One run of one of those compared."""
    match part.split("-"):
        case ["latency"]:
            await bench.latency_run(contender, repeat)
        case ["kubelet"]:
            await bench.kubelet_run(contender, repeat)
        case ["burst", count]:
            await bench.burst_run(contender, repeat, int(count))
        case ["population"]:
            await bench.population_run(repeat)
        case ["waiting"]:
            await waiting.waiting_run(bench, repeat)


def _compared(part: str) -> Sequence[str]:
    """Who is measured in a part."""
    match part:
        case "population" | "waiting":
            return (DEALGUARD,)
        case "latency":
            return OPERATORS
        case _:
            return (*OPERATORS, BARE)


def _in_turn(contenders: Sequence[str], repeat: int) -> Sequence[str]:
    """A-B-B-A: every other repeat runs them backwards, so that a machine that grows slower wrongs nobody."""
    return contenders if repeat % 2 == 0 else tuple(reversed(contenders))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operator", description="Measure the operator.")
    parser.add_argument("--quick", action="store_true", help="small volumes, one repeat unless said otherwise")
    parser.add_argument("--continue", dest="go_on", action="store_true", help="add to the runs that there are already")
    parser.add_argument("--repeats", type=int, help="how often each part is run (unless said: as measures.py says)")
    parser.add_argument("--finished", type=int, help="finished analyses in the part `population` (10,000)")
    parser.add_argument("--only", help="parts, separated by commas (unless said: all)")
    parser.add_argument("--compared", help=f"of {', '.join(LABELS)}, separated by commas (unless said: all)")
    arguments = parser.parse_args()
    arguments.volumes = measures.QUICK if arguments.quick else measures.FULL
    if arguments.finished:
        arguments.volumes = replace(arguments.volumes, finished=arguments.finished)
    parts = arguments.volumes.parts
    arguments.only = arguments.only.split(",") if arguments.only else list(parts)
    if unknown := set(arguments.only) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    arguments.compared = arguments.compared.split(",") if arguments.compared else list(LABELS)
    if unknown := set(arguments.compared) - set(LABELS):
        parser.error(f"{', '.join(sorted(unknown))} cannot be compared; there are {', '.join(LABELS)}")
    return arguments


def _figures(drawn: list[Path]) -> str:
    return f" and the figures in {drawn[0].parent}" if drawn else ""


def _words(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_words(one) for one in error.exceptions)
    return str(error) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
