"""Progress of an analysis on this machine: a bar by pages on a terminal, a few lines elsewhere. On standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from dealguard_analyzer.pipeline import Progress as Step
from dealguard_api.resource import Stage
from dealguard_cli.presentation import words
from dealguard_cli.presentation.terminal import safe

_STAGE_WORDS = {Stage.EXTRACTING: "reading", Stage.ANALYZING: "analysing"}
_PAGES_PER_LINE = 100  # a long document is read for seconds: a log wants a sign of life, not every page


@contextmanager
def analyzing(console: Console, name: str) -> Iterator[Callable[[Step], None]]:
    """A function to tell each step to, which shows it for as long as the block runs."""
    if not console.is_terminal:
        yield _PlainSteps(console, safe(name))
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(safe(name), total=None)

        def show(step: Step) -> None:
            bar.update(
                task, description=f"{safe(name)}: {_STAGE_WORDS[step.stage]}", completed=step.done, total=step.total
            )

        yield show


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
