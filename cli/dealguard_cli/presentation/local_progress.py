"""Progress of analyses on this machine: a bar on a terminal, a few lines elsewhere. On standard error.

The bar of one contract goes by its pages, that of several by contracts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from dealguard_analyzer.pipeline import Progress as Step
from dealguard_api.report import Report
from dealguard_api.resource import Stage
from dealguard_cli.local_analysis import Outcome
from dealguard_cli.presentation import words
from dealguard_cli.presentation.terminal import shown_name

_STAGE_WORDS = {Stage.EXTRACTING: "reading", Stage.ANALYZING: "analysing"}
_PAGES_PER_LINE = 100  # a long document is read for seconds: a log wants a sign of life, not every page


@contextmanager
def analyzing(console: Console, name: str) -> Iterator[Callable[[Step], None]]:
    """A function to tell each step to, which shows it for as long as the block runs."""
    if not console.is_terminal:
        yield _PlainSteps(console, shown_name(name))
        return
    with _bar(console) as bar:
        task = bar.add_task(shown_name(name), total=None)

        def show(step: Step) -> None:
            bar.update(
                task,
                description=f"{shown_name(name)}: {_STAGE_WORDS[step.stage]}",
                completed=step.done,
                total=step.total,
            )

        yield show


@contextmanager
def analyzing_several(console: Console, total: int) -> Iterator[Callable[[Outcome], None]]:
    """A function to tell each outcome to, for as long as the block runs."""
    if not console.is_terminal:
        yield _PlainOutcomes(console, total)
        return
    with _bar(console) as bar:
        task = bar.add_task(f"analysing {words.count(total, 'contract')}", total=total)

        def show(outcome: Outcome) -> None:
            bar.advance(task)
            bar.update(task, description=f"done: {shown_name(outcome.file.name)}")

        yield show


def _bar(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True, expand=True)


class _PlainOutcomes:
    """A line for each file that is done, in the order they are."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0

    def __call__(self, outcome: Outcome) -> None:
        self._done += 1
        result = outcome.result
        what = words.risk(result) if isinstance(result, Report) else f"failed: {result.reason}"
        name = shown_name(outcome.file.name)
        self._console.print(f"{self._done} of {self._total}: {name}: {what}", soft_wrap=True)


class _PlainSteps:
    """A line when a stage begins, and now and then within a long one."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._stage: Stage | None = None

    def __call__(self, step: Step) -> None:
        if step.stage is not self._stage:
            self._stage = step.stage
            pages = f", {words.count(step.total, 'page')}" if step.stage is Stage.EXTRACTING else ""
            self._say(f"{_STAGE_WORDS[step.stage]}{pages}")
        elif step.stage is Stage.EXTRACTING and step.done and step.done % _PAGES_PER_LINE == 0:
            self._say(f"page {step.done} of {step.total}")

    def _say(self, text: str) -> None:
        self._console.print(f"{self._name}: {text}", soft_wrap=True)
