"""One child process: starting it, hearing it out with patience that ends, knowing how it died."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import BinaryIO

from dealguard_analyzer.reading.messages import Message, parse_message

# What the child's interpreter needs to find its modules, and nothing else: no key that may be in our environment.
_INHERITED_VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT")

# A page has at most 200,000 characters and as many words; a line beyond this is not one of ours.
_MAX_LINE_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1 << 20

# The child is ended by its own CPU time. The parent's clock is for one that waits or is starved: it must allow for a
# container with a tenth of a CPU and for the interpreter's start.
_WALL_SECONDS_PER_CPU_SECOND = 10
_START_SECONDS = 15.0


@dataclass(frozen=True)
class ChildLimits:
    """What one child may use.

    Attributes:
        max_pages: beyond it the child tells the number and reads none.
        max_seconds_per_page: CPU seconds for opening the file, and for each page.
        max_memory_bytes: of address space.
    """

    max_pages: int
    max_seconds_per_page: float
    max_memory_bytes: int


class Ending(Enum):
    """How a child ended that did not say so itself."""

    CRASHED = auto()  # by a signal or an error: mostly memory, at times a bug that the file found
    TOO_SLOW = auto()  # the step took more than its time
    OUT_OF_TIME = auto()  # the whole document did


class ChildEnded(Exception):  # noqa: N818 - an observation
    """The child is gone before it was done."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending
        super().__init__(ending.name)


@contextmanager
def start_child(
    file: BinaryIO, reader: str, first_page: int, limits: ChildLimits, deadline: float
) -> Iterator[Iterator[Message]]:
    """Run a child over `file`; it is gone when the block ends.

    Args:
        file: the PDF.
        reader: "pdfium" or "pypdf".
        first_page: where to begin, from 1.
        limits: what it may use.
        deadline: time.monotonic() at which the whole document must be read.

    Yields:
        Its messages; the iterator raises ChildEnded where they break off.
    """
    remaining_seconds = max(1.0, deadline - time.monotonic())
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "dealguard_analyzer.sandbox"),
            *("--reader", reader),
            *("--first-page", str(first_page)),
            *("--max-pages", str(limits.max_pages)),
            *("--max-seconds-per-page", str(limits.max_seconds_per_page)),
            *("--max-cpu-seconds", str(remaining_seconds)),
            *("--max-memory-bytes", str(limits.max_memory_bytes)),
        ],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ},
        close_fds=True,
    )
    try:
        yield _messages(process, limits.max_seconds_per_page, deadline)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _messages(process: subprocess.Popen[bytes], max_seconds_per_page: float, deadline: float) -> Iterator[Message]:
    patience_seconds = max_seconds_per_page * _WALL_SECONDS_PER_CPU_SECOND
    lines = _Lines(process)
    step_ends = time.monotonic() + _START_SECONDS + patience_seconds
    while True:
        line = lines.next(min(step_ends, deadline))
        if line is None:
            raise ChildEnded(_ending(process, lines.is_at_end, deadline))
        try:
            message = parse_message(line)
        except ValueError:
            raise ChildEnded(Ending.CRASHED) from None
        yield message
        step_ends = time.monotonic() + patience_seconds


def _ending(process: subprocess.Popen[bytes], is_at_end: bool, deadline: float) -> Ending:
    if time.monotonic() >= deadline:
        return Ending.OUT_OF_TIME
    if not is_at_end:
        return Ending.TOO_SLOW
    try:
        status = process.wait(timeout=_START_SECONDS)
    except subprocess.TimeoutExpired:  # it closed its output and lives on
        return Ending.CRASHED
    return {-signal.SIGPROF: Ending.TOO_SLOW, -signal.SIGXCPU: Ending.OUT_OF_TIME}.get(status, Ending.CRASHED)


class _Lines:
    """The lines of a child's output, each awaited until a point in time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._fd = process.stdout.fileno()
        self._buffer = bytearray()
        self._searched = 0
        self.is_at_end = False

    def next(self, until: float) -> bytes | None:
        """The next line without its end; None if none came until time.monotonic() was `until`, or none will."""
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if len(self._buffer) > _MAX_LINE_BYTES or not self._fill(until):
                return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def _fill(self, until: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._fd, selectors.EVENT_READ)
            if not selector.select(max(0.0, until - time.monotonic())):
                return False
        chunk = os.read(self._fd, _CHUNK_BYTES)
        self.is_at_end = not chunk
        self._buffer += chunk
        return bool(chunk)
