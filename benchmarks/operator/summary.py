"""From raw runs to the figures that are reported: percentiles, medians, ranges, and whether an aim is reached."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all are not above (nearest rank): one that was measured.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("a percentile of nothing")
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


@dataclass(frozen=True)
class Run:
    """What one run of one of those compared gave; `values` holds samples or one number, in the measure's unit."""

    contender: str
    repeat: int
    value: float
    cpu_seconds: float | None = None  # of the operator, while measured
    cluster_cpu_seconds: float | None = None  # of everything in the node: API server, etcd, controllers
    detail: dict[str, Any] = field(default_factory=dict)
    revision: str = ""  # of the operator's code; empty: it was not noted
    begun: str = ""  # when, in ISO 8601


@dataclass(frozen=True)
class Measure:
    """One row of the report: the median over its runs, beside its aim (None: reported without one)."""

    measure: str
    value: float
    unit: str
    aim: float | None
    reached: bool | None
    low: float
    high: float
    runs: tuple[Run, ...]

    def to_json(self) -> dict[str, Any]:
        """As it stands in build/bench/operator.json."""
        return asdict(self)


def measure(name: str, unit: str, runs: Sequence[Run], *, aim: float | None = None) -> Measure:
    """The median and range of runs; an aim is reached when the median is not above it."""
    values = [run.value for run in runs]
    median = statistics.median(values)
    reached = None if aim is None else median <= aim
    return Measure(name, median, unit, aim, reached, min(values), max(values), tuple(runs))


def ratio(name: str, of: Sequence[Run], to: Sequence[Run], *, aim: float) -> Measure:
    """How many times one's value is the other's: run by run of the same repeat, so that a slow minute hits both."""
    others = {run.repeat: run.value for run in to}
    pairs = [
        Run(
            contender=f"{run.contender}/{to[0].contender}",
            repeat=run.repeat,
            value=run.value / others[run.repeat] if others[run.repeat] else math.inf,
            detail={"of": run.value, "to": others[run.repeat]},
            revision=run.revision,
            begun=run.begun,
        )
        for run in of
        if run.repeat in others
    ]
    return measure(name, "×", pairs, aim=aim)


def add_runs(runs: dict[str, list[Run]], taken: Mapping[str, Sequence[Run]], *, revision: str, begun: str) -> None:
    """Add what was `taken` in one go, with the code that it is of and when that was: `runs` may be of several days."""
    for name, new in taken.items():
        runs.setdefault(name, []).extend(replace(run, revision=revision, begun=begun) for run in new)


def save_runs(runs: Mapping[str, Sequence[Run]], path: Path) -> None:
    """Keep raw runs by measure, so that others can be added later."""
    document = {name: [asdict(run) for run in taken] for name, taken in runs.items()}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_runs(path: Path) -> dict[str, list[Run]]:
    """The runs that `save_runs` kept; none if there is no such file."""
    if not path.exists():
        return {}
    return {name: [Run(**run) for run in taken] for name, taken in json.loads(path.read_text("utf-8")).items()}
