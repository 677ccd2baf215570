"""What the fault tests measured: one line each, and all of it in build/faults.json."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # every test run imports this module
    from tests.faults.stage import Stage

# The form that was asked for.
IS_FULL = os.environ.get("DEALGUARD_FAULTS") == "full"
REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass
class Figure:
    """One scenario. `lost` and `doubled` are None where the scenario looks for something else."""

    scenario: str
    line: str
    faults: int
    analyses: int
    lost: int | None = None
    doubled: int | None = None
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Figures:
    """Those of one test run."""

    figures: list[Figure] = field(default_factory=list)

    def add(self, scenario: str, line: str, *, faults: int, analyses: int, **values: Any) -> None:
        """Keep one and print it."""
        self._keep(Figure(scenario, line, faults, analyses, values=values))

    def add_stage(
        self, scenario: str, line: str, stage: "Stage", *, faults: int, doubled: Iterable[str] = (), **values: Any
    ) -> None:
        """Keep one of analyses that all are to be at their right end, once; fail if one is not.

        Args:
            doubled: what else was found to be doubled, beside what the stage itself knows.
        """
        lost, twice = stage.lost(), [*stage.doubled(), *doubled]
        line = f"{line}: {len(stage.created)} analyses, {len(lost)} lost, {len(twice)} doubled"
        self._keep(Figure(scenario, line, faults, len(stage.created), len(lost), len(twice), values=values))
        assert not lost
        assert not twice

    def _keep(self, figure: Figure) -> None:
        self.figures.append(figure)
        print(figure.line)

    def summary(self) -> str:
        """All together in one line."""
        faults, analyses = (sum(getattr(figure, name) for figure in self.figures) for name in ("faults", "analyses"))
        counted = sum(figure.analyses for figure in self.figures if figure.lost is not None)
        lost, doubled = (sum(getattr(figure, name) or 0 for figure in self.figures) for name in ("lost", "doubled"))
        ends = f"of {counted} every end, Job and report was counted, {lost} lost, {doubled} doubled"
        return f"{faults} faults injected, {analyses} analyses: {ends}"

    def write(self) -> None:
        """Write them to build/faults.json, in place of those of the run before."""
        file = REPOSITORY / "build" / "faults.json"
        file.parent.mkdir(exist_ok=True)
        document = {
            "form": "full" if IS_FULL else "short",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            # Who else worked on the machine: with more than the cores can do, times are longer than they need be.
            "cores": os.cpu_count(),
            "load": [round(load, 1) for load in os.getloadavg()],
            "summary": self.summary(),
            "figures": [asdict(figure) for figure in self.figures],
        }
        file.write_text(json.dumps(document, indent=2) + "\n")


# Those of this process.
FIGURES = Figures()
