"""The runs, kept on disk as they come, and the report that they make."""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.gateway.servers import GATEWAY, LABELS, OLD, PROXY
from benchmarks.operator.figures import Bar, bar_chart
from benchmarks.operator.summary import Measure, Run, measure, ratio

BODIES = "dealguard-200"
NAMES = {**LABELS, BODIES: "DealGuard, no ETags"}
_CONTENDERS = (GATEWAY, BODIES, OLD, PROXY)
_ASKED = {GATEWAY: "", BODIES: " without ETags"}
_AT_LEAST, _MORE_THAN = " (at least)", " (more than)"


@dataclass
class Results:
    """All runs by measure; each is written to disk at once, so that a benchmark that breaks off loses none."""

    file: Path
    facts: dict[str, Any]
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def add(
        self, key: str, contender: str, repeat: int, value: float, *, cpu_seconds: float | None = None, **detail: Any
    ) -> None:
        """One run of one of those compared."""
        self.runs.setdefault(key, []).append(Run(contender, repeat, value, cpu_seconds, detail=detail))
        self.save()

    def save(self) -> None:
        """Write the report as it is by now."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        document = [{**row.to_json(), "machine": self.facts} for row in self.rows()]
        draft = self.file.with_suffix(".tmp")
        draft.write_text(json.dumps(_finite(document), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(self.file)

    def rows(self) -> list[Measure]:
        """The issue's aims first, then everybody's own figures."""
        rows: list[Measure] = []
        if mine := self._of("capacity", GATEWAY):
            rows.append(_at_least(measure("polling clients on one core", "", mine), 5000))
        rows += self._ratios()
        if events := self._of("event_p99", GATEWAY):
            rows.append(measure("status change → client by events, p99", "ms", events, aim=250))
        for percentile in ("p50", "p99"):
            if accepted := self._of(f"accepted_{percentile}", GATEWAY):
                rows.append(measure(f"upload accepted, one at a time, {percentile}", "ms", accepted, aim=300))
        return rows + [
            measure(f"{title}: {NAMES[contender]}", unit, runs)
            for key, (title, unit) in _TITLES.items()
            for contender in _CONTENDERS
            if (runs := self._of(key, contender))
        ]

    def _ratios(self) -> list[Measure]:
        """How many times as many clients as each of the others: with ETags, and with whole answers as theirs are."""
        rows = []
        for ours in (GATEWAY, BODIES):
            for other, bound, aim in ((PROXY, _at_least, 5.0), (OLD, _more_than, 1.0)):
                mine, theirs = self._of("capacity", ours), self._of("capacity", other)
                if mine and theirs:
                    title = f"polling clients{_ASKED[ours]}, to: {LABELS[other]}"
                    rows.append(bound(ratio(title, mine, theirs, aim=aim), aim))
        return rows

    def _of(self, key: str, contender: str) -> list[Run]:
        return [run for run in self.runs.get(key, []) if run.contender == contender]

    def draw(self, folder: Path) -> list[Path]:
        """The figures."""
        folder.mkdir(parents=True, exist_ok=True)
        drawn = []
        for key in ("capacity", "poll_cpu", "way_p50", "burst", "contract_cpu"):
            title, unit = _TITLES[key]
            rows = [(who, measure(who, unit, runs)) for who in _CONTENDERS if (runs := self._of(key, who))]
            if rows:
                aim = 5000 if key == "capacity" else None
                bars = [Bar(who, NAMES[who], row.value, row.low, row.high) for who, row in rows]
                path = folder / f"gateway-{key.replace('_', '-')}.svg"
                path.write_text(bar_chart(title, unit, bars, aim=aim), encoding="utf-8")
                drawn.append(path)
        return drawn


_TITLES = {
    "capacity": ("Clients polling every 3 s on one core, p99 < 100 ms", ""),
    "poll_cpu": ("Server CPU per poll", "ms"),
    "event_p50": ("status change → client, p50", "ms"),
    "event_p99": ("status change → client, p99", "ms"),
    "accepted_p50": ("upload accepted, p50", "ms"),
    "accepted_p99": ("upload accepted, p99", "ms"),
    "accepted_max": ("upload accepted, longest", "ms"),
    "way_p50": ("Upload → completed, one at a time, p50", "s"),
    "way_max": ("upload → completed, one at a time, longest", "s"),
    "burst": ("All at once: until the last one is completed", "s"),
    "contract_cpu": ("CPU per contract, everything included", "s"),
    "rest_memory": ("memory at rest, without the cluster", "MB"),
    "rest_node_memory": ("memory at rest of the cluster's own programs", "MB"),
    "rest_cpu": ("CPU at rest, everything included", "ms/s"),
    "killed_open": ("killed in the middle: not completed in the time given", ""),
    "killed_seconds": ("killed in the middle: the last one completed after", "s"),
}


def _at_least(row: Measure, aim: float) -> Measure:
    return replace(row, aim=aim, reached=row.value >= aim, measure=f"{row.measure}{_AT_LEAST}")


def _more_than(row: Measure, aim: float) -> Measure:
    return replace(row, aim=aim, reached=row.value > aim, measure=f"{row.measure}{_MORE_THAN}")


def _aim(row: Measure) -> str:
    if row.aim is None:
        return ""
    sign = "≥" if row.measure.endswith(_AT_LEAST) else ">" if row.measure.endswith(_MORE_THAN) else "≤"
    return f"{sign} {row.aim:g}"


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def table(rows: Sequence[Measure]) -> str:
    """The rows as a Markdown table."""
    lines = ["| measure | median | range | CPU s | aim | reached |", "|---|---|---|---|---|---|"]
    for row in rows:
        seconds = [run.cpu_seconds for run in row.runs if run.cpu_seconds is not None]
        cells = (
            row.measure,
            f"{row.value:.3g} {row.unit}".strip() if row.value < 1000 else f"{row.value:,.0f} {row.unit}".strip(),
            f"{row.low:.4g}–{row.high:.4g}",
            f"{statistics.median(seconds):.2f}" if seconds else "",
            _aim(row),
            {True: "yes", False: "NO", None: ""}[row.reached],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
