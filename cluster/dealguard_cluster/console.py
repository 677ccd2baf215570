"""How the commands tell what they do: one line a step, live on a terminal, plain when piped."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

# Piped output gets at most one line in this time: a log stays readable and still shows that something moves.
PLAIN_INTERVAL_SECONDS = 15.0
LIVE_INTERVAL_SECONDS = 0.1


class Console:
    """Writes steps and their progress to a stream, standard error by default: standard output is for results."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`."""
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()

    def line(self, text: str) -> None:
        """Write a line."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def step(self, title: str, *, announce: bool = True) -> Iterator[Step]:
        """Tell of one step: while it runs (`update`) and, with the time it took, when it has ended.

        Args:
            announce: whether a log, too, shows that the step begins; not worth a line where it takes a moment.
        """
        step = Step(title, self._stream, self._live)
        step.begin(announce=announce or self._live)
        try:
            yield step
        except BaseException:
            step.end("failed")
            raise
        step.end("done")


@dataclass
class Step:
    """One step under way."""

    title: str
    stream: TextIO
    live: bool
    started: float = field(default_factory=time.monotonic)
    shown_at: float = 0.0
    result: str = ""

    def begin(self, *, announce: bool) -> None:
        """Tell that the step begins."""
        self.shown_at = time.monotonic()
        if announce:
            self._write(f"  {self.title} ...")

    def update(self, text: str) -> None:
        """Tell how far the step is, now and then."""
        now = time.monotonic()
        if now - self.shown_at < (LIVE_INTERVAL_SECONDS if self.live else PLAIN_INTERVAL_SECONDS):
            return
        self.shown_at = now
        self._write(f"  {self.title}: {text} ({now - self.started:.0f} s)")

    def end(self, outcome: str) -> None:
        """Tell how the step ended."""
        seconds = time.monotonic() - self.started
        mark = "✔" if outcome == "done" else "✘"
        note = self.result or ("" if outcome == "done" else outcome)
        self._write(f"{mark} {self.title}{': ' + note if note else ''} ({seconds:.1f} s)", last=True)

    def _write(self, text: str, *, last: bool = False) -> None:
        if not self.live:
            print(text, file=self.stream, flush=True)
        else:
            # A line that wraps could not be taken back by the next one.
            shown = text if last else text[: shutil.get_terminal_size().columns - 1]
            print(f"\r\x1b[2K{shown}", end="\n" if last else "", file=self.stream, flush=True)
