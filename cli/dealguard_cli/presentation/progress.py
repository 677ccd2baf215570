"""Progress while analyses go on: a live table on a terminal, one line a change elsewhere. Always on standard error."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from dealguard_api.reasons import Reason, explain
from dealguard_api.resource import Phase, Stage
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.following import Observer
from dealguard_cli.presentation import words
from dealguard_cli.presentation.terminal import phase_text, safe

_STAGE_WORDS = {
    Stage.QUEUED: "waits for a free place",
    Stage.STARTING: "pod is starting",
    Stage.EXTRACTING: "reading the document",
    Stage.ANALYZING: "analysing the contract",
}
# What these mean is what the stage says.
_NORMAL_PROGRESS = {
    str(reason): (explain(reason).meaning, str(explain(reason)))
    for reason in (Reason.QUEUED, Reason.STARTING, Reason.EXTRACTING, Reason.ANALYZING)
}


@contextmanager
def following(console: Console, analyses: Sequence[Analysis]) -> Iterator[Observer]:
    """An observer that shows what it is told, for as long as the block runs."""
    if not console.is_terminal:
        yield _PlainProgress(console)
        return
    progress = _LiveProgress(analyses)
    with Live(progress, console=console, refresh_per_second=8, transient=True):
        yield progress


@contextmanager
def uploading(console: Console, name: str, size_bytes: int) -> Iterator[Progress | None]:
    """A bar on a terminal (advance its only task), else nothing: a pipe gets the line about the created resource."""
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("Uploading {task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        bar.add_task(safe(name), total=size_bytes)
        yield bar


def describe(analysis: Analysis) -> str:
    """Where it stands, in words: 'Processing: analysing the contract, 12 pages'; and why, where it does not go on."""
    status = analysis.status
    parts = [_STAGE_WORDS[status.stage]] if status.stage else []
    parts += [words.count(status.document.pages, "page")] if status.document else []
    parts += [f"attempt {status.attempt_count}"] if (status.attempt_count or 0) > 1 else []
    parts += [safe(status.failure.reason)] if status.failure else []
    sentences = [", ".join(parts)] if parts else []
    sentences += [why] if (why := _why_it_waits(analysis)) else []
    return f"{analysis.phase}: {'. '.join(sentences)}" if sentences else str(analysis.phase)


def _why_it_waits(analysis: Analysis) -> str | None:
    """The operator's words, such as on an image that cannot be pulled, a full quota or a failed attempt."""
    reconciling = analysis.reconciling
    if reconciling is None or reconciling.message in _NORMAL_PROGRESS.get(reconciling.reason, ()):
        return None
    return safe(" ".join(reconciling.message.split()))


class _PlainProgress:
    """One line for each change, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._said: dict[str, str] = {}
        self._connected = True

    def changed(self, analysis: Analysis) -> None:
        words_now = describe(analysis)
        if self._said.get(analysis.uid) != words_now:
            self._said[analysis.uid] = words_now
            self._say(f"{analysis.name}  {words_now}")

    def deleted(self, analysis: Analysis) -> None:
        self._say(f"{analysis.name}  was deleted")

    def disconnected(self, message: str) -> None:
        if self._connected:
            self._connected = False
            self._say(f"{message} Trying again.")

    def connected(self) -> None:
        if not self._connected:
            self._connected = True
            self._say("The cluster answers again.")

    def _say(self, line: str) -> None:
        elapsed = words.duration(time.monotonic() - self._started)
        self._console.print(f"[{elapsed:>5}] {line}", soft_wrap=True)


@dataclass
class _Row:
    analysis: Analysis
    spinner: Spinner
    ended_after_seconds: float | None = None
    deleted: bool = False


class _LiveProgress:
    """A table that is drawn anew several times a second, so that spinners turn and seconds count."""

    def __init__(self, analyses: Sequence[Analysis]) -> None:
        self._started = time.monotonic()
        self._rows = {each.uid: _Row(each, Spinner("dots", style="cyan")) for each in analyses}
        self._problem: str | None = None

    def changed(self, analysis: Analysis) -> None:
        row = self._rows[analysis.uid]
        row.analysis = analysis
        if analysis.is_finished and row.ended_after_seconds is None:
            row.ended_after_seconds = time.monotonic() - self._started

    def deleted(self, analysis: Analysis) -> None:
        row = self._rows[analysis.uid]
        row.deleted = True
        row.ended_after_seconds = time.monotonic() - self._started

    def disconnected(self, message: str) -> None:
        self._problem = f"{message} Trying again."

    def connected(self) -> None:
        self._problem = None

    def __rich__(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for may_wrap in (False, False, True, False):  # mark, name, state, elapsed
            table.add_column(no_wrap=not may_wrap, overflow="fold")
        for row in self._rows.values():
            table.add_row(*self._cells(row))
        return Group(table, Text(self._problem, style="yellow")) if self._problem else table

    def _cells(self, row: _Row) -> tuple[RenderableType, ...]:
        seconds = row.ended_after_seconds
        elapsed = words.duration(time.monotonic() - self._started if seconds is None else seconds)
        state = Text("deleted", style="red") if row.deleted else _coloured(row.analysis)
        return _mark(row), Text(row.analysis.name), state, Text(elapsed, style="dim")


def _mark(row: _Row) -> RenderableType:
    if row.ended_after_seconds is None:
        return row.spinner
    if row.analysis.phase is Phase.COMPLETED:
        return Text("✓", style="green")
    return Text("✗", style="red")


def _coloured(analysis: Analysis) -> Text:
    phase, separator, rest = describe(analysis).partition(":")
    del phase
    return phase_text(analysis.phase).append(separator + rest)
