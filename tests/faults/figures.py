"""What the fault tests measured: one line each, and all of it in build/faults.json."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# The form that was asked for.
IS_FULL = os.environ.get("DEALGUARD_FAULTS") == "full"
REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass
class Figure:
    """One scenario."""

    scenario: str
    line: str
    faults: int
    analyses: int
    lost: int = 0
    doubled: int = 0
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Figures:
    """Those of one test run."""

    figures: list[Figure] = field(default_factory=list)

    def add(self, scenario: str, line: str, *, faults: int, analyses: int, **values: Any) -> None:
        """Keep one and print it."""
        lost, doubled = values.pop("lost", 0), values.pop("doubled", 0)
        self.figures.append(Figure(scenario, line, faults, analyses, lost, doubled, values))
        print(line)

    def summary(self) -> str:
        """All together in one line."""
        faults, analyses, lost, doubled = (
            sum(getattr(figure, name) for figure in self.figures) for name in ("faults", "analyses", "lost", "doubled")
        )
        return f"{faults} faults injected, {analyses} analyses: {lost} lost, {doubled} doubled"

    def write(self) -> None:
        """Write them to build/faults.json, in place of those of the run before."""
        file = REPOSITORY / "build" / "faults.json"
        file.parent.mkdir(exist_ok=True)
        document = {
            "form": "full" if IS_FULL else "short",
            "summary": self.summary(),
            "figures": [asdict(figure) for figure in self.figures],
        }
        file.write_text(json.dumps(document, indent=2) + "\n")


# Those of this process.
FIGURES = Figures()
