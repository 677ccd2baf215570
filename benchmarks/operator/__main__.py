"""The operator beside the textbook operator, a Go twin and bare Jobs, on an instance of the local cluster of its own.

    .venv/bin/python -m benchmarks.operator [--quick] [--repeats 5] [--only fake-nodes,kubelet,population]

`--quick` is for development: small volumes, one repeat. Results go to build/bench/operator.json, figures of a whole run
to docs/benchmarks/, those of any other to build/bench/. Exit code 1: an aim was not reached.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.operator import measures
from benchmarks.operator.api import BenchmarkError
from benchmarks.operator.arena import REPOSITORY, Arena
from benchmarks.operator.contenders import BARE, DEALGUARD, LABELS, OPERATORS
from benchmarks.operator.report import draw, measures_of, table
from dealguard_cluster.errors import ClusterError

_PARTS = ("fake-nodes", "kubelet", "population")


def main() -> int:
    arguments = _parse_arguments()
    volumes = measures.QUICK if arguments.quick else measures.FULL
    begun, machine = datetime.now(UTC), measures.machine()
    runs: measures.Runs = {}
    folder = Path(tempfile.mkdtemp(prefix="dealguard-bench-"))
    try:
        with Arena(folder) as arena:
            asyncio.run(_run(arena, arguments, volumes, runs))
    except* (ClusterError, BenchmarkError) as group:
        # What was measured until then is not lost.
        print(f"The benchmark broke off: {_words(group)}. Logs: {folder}", file=sys.stderr)
    is_whole = not arguments.quick and set(arguments.only) == set(_PARTS)
    rows = measures_of(runs, volumes)
    output = REPOSITORY / "build" / "bench"
    output.mkdir(parents=True, exist_ok=True)
    facts = {
        "begun": begun.isoformat(),
        "seconds": round((datetime.now(UTC) - begun).total_seconds()),
        "quick": arguments.quick,
        "repeats": arguments.repeats,
        **machine,
    }
    document = [{**row.to_json(), "machine": facts} for row in rows]
    (output / "operator.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    drawn = draw(runs, volumes, REPOSITORY / "docs" / "benchmarks" if is_whole else output)
    print(table(rows))
    missed = [row.measure for row in rows if row.reached is False]
    print(f"\n{len(rows)} measures, {len(missed)} aims missed; load at the start: {machine['load']}.")
    print(f"Next: look at {output / 'operator.json'}{_figures(drawn)}; the operators' logs are in {folder}.")
    if arguments.quick:
        print("These are a quick run's figures: `make bench` on an idle machine measures.")
    return 1 if missed or not rows else 0


async def _run(arena: Arena, arguments: argparse.Namespace, volumes: measures.Volumes, runs: measures.Runs) -> None:
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    async with arena.api() as api:
        arena.use_fake_nodes(fake=True)
        tell("DealGuard makes the Job that the others copy")
        bench = measures.Bench(arena, api, volumes, runs)
        await bench.learn_template()
        for repeat in range(arguments.repeats) if "fake-nodes" in arguments.only else ():
            for contender in _in_turn((*OPERATORS, BARE), repeat):
                tell(f"repeat {repeat + 1} of {arguments.repeats}, fake nodes: {LABELS[contender]}")
                await bench.fake_node_run(contender, repeat)
        for repeat in range(arguments.repeats) if "population" in arguments.only else ():
            tell(f"repeat {repeat + 1} of {arguments.repeats}, memory and restart: {LABELS[DEALGUARD]}")
            await bench.population_run(repeat)
        arena.use_fake_nodes(fake=False)
        for repeat in range(arguments.repeats) if "kubelet" in arguments.only else ():
            for contender in _in_turn((*OPERATORS, BARE), repeat):
                tell(f"repeat {repeat + 1} of {arguments.repeats}, real kubelet: {LABELS[contender]}")
                await bench.kubelet_run(contender, repeat)
        tell("all measured; the cluster goes down")


def _in_turn(contenders: Sequence[str], repeat: int) -> Sequence[str]:
    """A-B-B-A: every other repeat runs them backwards, so that a machine that grows slower wrongs nobody."""
    return contenders if repeat % 2 == 0 else tuple(reversed(contenders))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operator", description="Measure the operator.")
    parser.add_argument("--quick", action="store_true", help="small volumes, one repeat unless said otherwise")
    parser.add_argument("--repeats", type=int, help="how often each is run (5; with --quick: 1)")
    parser.add_argument("--only", default=",".join(_PARTS), help=f"parts, of {', '.join(_PARTS)}")
    arguments = parser.parse_args()
    arguments.repeats = arguments.repeats or (1 if arguments.quick else 5)
    arguments.only = arguments.only.split(",")
    if unknown := set(arguments.only) - set(_PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
    return arguments


def _figures(drawn: list[Path]) -> str:
    return f" and the figures in {drawn[0].parent}" if drawn else ""


def _words(group: BaseExceptionGroup[Exception]) -> str:
    return "; ".join(
        _words(error) if isinstance(error, BaseExceptionGroup) else str(error) for error in group.exceptions
    )


if __name__ == "__main__":
    sys.exit(main())
