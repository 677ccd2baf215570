"""From the runs to the report: the measures with their aims, a table, the JSON file and the figures."""

import statistics
from collections.abc import Iterator
from pathlib import Path

from benchmarks.operator import waiting
from benchmarks.operator.contenders import BARE, DEALGUARD, LABELS, OPERATORS, TEXTBOOK, TWIN
from benchmarks.operator.figures import Bar, bar_chart
from benchmarks.operator.measures import Runs, Volumes
from benchmarks.operator.summary import Measure, Run, measure, ratio

_ALL = (*OPERATORS, BARE)


def measures_of(runs: Runs, volumes: Volumes) -> list[Measure]:
    """Every measure that the runs allow, the issue's aims first, in its order."""
    rows: list[Measure | None] = [
        _own(runs, "job_exists_p50", "created → Job exists, 1/s, p50", "ms", aim=100),
        _own(runs, "job_exists_p99", "created → Job exists, 1/s, p99", "ms", aim=250),
        _ratio(runs, "job_exists_p50", "created → Job exists, p50, to the Go twin", TWIN, aim=1.5),
        _ratio(runs, "kubelet_exit_p50", "container exit → Completed, p50, to the textbook", TEXTBOOK, aim=0.4),
        _own(runs, "kubelet_exit_p99", "container exit → Completed, p99", "s", aim=1.5),
        _ratio(runs, "kubelet_total_p50", "created → Completed, p50, to the bare Job's Complete", BARE, aim=1.1),
    ]
    own, shared = largest_burst(runs, DEALGUARD), largest_burst(runs, DEALGUARD, TWIN)
    for count in volumes.bursts:
        rows += [
            _ratio(runs, f"burst_{count}", f"burst of {count}: last one done, to bare Jobs", BARE, aim=1.25),
            _ratio(runs, f"burst_{count}", f"burst of {count}: last one done, to the textbook", TEXTBOOK, aim=0.5),
        ]
    restart = f"restart, {volumes.finished} finished, {volumes.running} running"
    rows += [
        _own(runs, f"writes_{own}", f"API writes per analysis, burst of {own}", "", aim=7),
        _own(runs, f"cpu_{own}", f"operator CPU per analysis, burst of {own}", "ms", aim=8),
        _ratio(runs, f"cpu_{shared}", f"operator CPU per analysis, burst of {shared}, to the Go twin", TWIN, aim=3),
        _own(runs, "memory_finished", f"memory with {volumes.finished} finished", "MB", aim=200),
        _own(runs, "memory_after", "memory after their deletion, above an empty one's", "%", aim=20),
        _own(runs, "restart", f"{restart}: caught up", "s", aim=15),
        _own(runs, "restart_writes", f"{restart}: writes to finished ones", "", aim=0),
    ]
    return [row for row in rows if row is not None] + waiting.rows(runs, volumes.waiting) + _of_each(runs)


def largest_burst(runs: Runs, *contenders: str) -> int:
    """The largest burst that all of these went through in the same repeat; 0: there is none."""
    return max((count for count, together in _bursts(runs) if together >= set(contenders)), default=0)


def fullest_burst(runs: Runs) -> int:
    """The burst that most of those compared went through in the same repeat, the largest of them; 0: there is none."""
    return max(_bursts(runs), key=lambda burst: (len(burst[1]), burst[0]), default=(0, set()))[0]


def _bursts(runs: Runs) -> Iterator[tuple[int, set[str]]]:
    """How large, and who was in it, for each repeat of each burst."""
    for name, taken in runs.items():
        if name.startswith("burst_"):
            for repeat in {run.repeat for run in taken}:
                yield int(name.removeprefix("burst_")), {run.contender for run in taken if run.repeat == repeat}


def _of_each(runs: Runs) -> list[Measure]:
    """What stands behind the ratios: every contender's own figures, without an aim."""
    units = {"job": "ms", "kubelet": "s", "burst": "s", "writes": "", "cpu": "ms"}
    return [
        measure(f"{name}: {LABELS[contender]}", units[name.split("_")[0]], mine)
        for name in sorted(runs)
        if name.split("_")[0] in units
        for contender in _ALL
        if (mine := _runs_of(runs, name, contender))
    ]


def _own(runs: Runs, key: str, name: str, unit: str, *, aim: float) -> Measure | None:
    mine = _runs_of(runs, key, DEALGUARD)
    return measure(name, unit, mine, aim=aim) if mine else None


def _ratio(runs: Runs, key: str, name: str, to: str, *, aim: float) -> Measure | None:
    mine, theirs = _runs_of(runs, key, DEALGUARD), _runs_of(runs, key, to)
    is_paired = {run.repeat for run in mine} & {run.repeat for run in theirs}
    return ratio(name, mine, theirs, aim=aim) if is_paired else None


def _runs_of(runs: Runs, key: str, contender: str) -> list[Run]:
    return [run for run in runs.get(key, []) if run.contender == contender]


def table(measures: list[Measure]) -> str:
    """The measures as a Markdown table."""
    lines = ["| measure | median | range | repeats | CPU s | aim | reached |", "|---|---|---|---|---|---|---|"]
    for row in measures:
        seconds = [run.cpu_seconds for run in row.runs if run.cpu_seconds is not None]
        cells = (
            row.measure,
            f"{row.value:.3g} {row.unit}".strip(),
            f"{row.low:.3g}–{row.high:.3g}",
            str(len(row.runs)),
            f"{statistics.median(seconds):.2f}" if seconds else "",
            "" if row.aim is None else f"≤ {row.aim:g}",
            {True: "yes", False: "NO", None: ""}[row.reached],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(runs: Runs, folder: Path) -> list[Path]:
    """Draw the figures and return where they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    # CPU time and writes of one burst: a larger one that leaves somebody out compares less.
    count = fullest_burst(runs)
    charts = {
        "job-exists": ("job_exists_p50", "Created → Job exists at one a second, p50", "ms", 100),
        "container-exit": ("kubelet_exit_p50", "Container exit → Completed on a real kubelet, p50", "s", None),
        "created-completed": ("kubelet_total_p50", "Created → Completed, an analysis of one second, p50", "s", None),
        **{
            f"burst-{size}": (f"burst_{size}", f"Burst of {size}: until the last one is done", "s", None)
            for size in sorted({size for size, _ in _bursts(runs)})
        },
        "cpu": (f"cpu_{count}", f"Operator CPU per analysis, burst of {count}", "ms", 8),
        "writes": (f"writes_{count}", f"API writes per analysis, Events apart, burst of {count}", "", 7),
    }
    drawn = []
    for name, (key, title, unit, aim) in charts.items():
        rows = [measure(contender, unit, mine) for contender in _ALL if (mine := _runs_of(runs, key, contender))]
        if rows:
            bars = [Bar(row.measure, LABELS[row.measure], row.value, row.low, row.high) for row in rows]
            path = folder / f"operator-{name}.svg"
            path.write_text(bar_chart(title, unit, bars, aim=aim), encoding="utf-8")
            drawn.append(path)
    return drawn
