"""Kopf's run is begun again, and not for ever; and what ends, ends."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dealguard_operator.restarts import end_with, run_until_stopped


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """What signals do to the tests themselves stays as it is."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class _Kopf:
    """Ends by itself after each of these times, then is asked to stop."""

    def __init__(self, *lives_seconds: float) -> None:
        self._lives = list(lives_seconds)
        self.now = 0.0
        self.pauses: list[float] = []

    def run(self) -> None:
        if self._lives:
            self.now += self._lives.pop(0)
            raise RuntimeError("the words of somebody else's object")

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def play(self) -> int:
        return run_until_stopped(self.run, clock=lambda: self.now, sleep=self.sleep)


@pytest.mark.parametrize(
    ("why", "lives", "code", "pauses"),
    [
        ("asked to stop", [], 0, []),
        ("a watch that ended it once", [3600], 0, [0.1]),
        ("an API server in trouble for a while", [1, 1, 1, 1], 0, [0.1, 0.5, 1, 2]),
        ("now and then for days", [3600] * 50, 0, [0.1] * 50),
        ("trouble, then peace, then trouble", [1, 1, 3600, 1], 0, [0.1, 0.5, 0.1, 0.5]),
        ("what a new start does not repair", [1] * 50, 1, [0.1, 0.5, 1, 2, 4, 5, 5, 5, 5, 5]),
    ],
)
def test_it_is_begun_again(
    why: str, lives: list[float], code: int, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    kopf = _Kopf(*lives)
    assert kopf.play() == code, why
    assert kopf.pauses == pauses, why
    assert "somebody else" not in caplog.text
    assert ("beginning again" in caplog.text) == bool(lives)


_RUNS = """
import asyncio, os, signal, sys, uvloop
from dealguard_operator.restarts import run_until_stopped
number = getattr(signal, sys.argv[1])
begun = []
async def run():
    begun.append(1)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(number, stopped.set)  # as Kopf does
    if len(begun) == 1:
        raise RuntimeError
    print("begun again", flush=True)
    os.kill(os.getpid(), number)
    await asyncio.wait_for(stopped.wait(), 10)
    print("stopped", flush=True)
def sleep(_):
    if sys.argv[2] == "between":
        os.kill(os.getpid(), number)
sys.exit(run_until_stopped(lambda: uvloop.run(run()), sleep=sleep))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(("when", "told"), [("between", ""), ("in the next", "begun again\nstopped\n")])
def test_who_is_asked_to_stop_between_two_runs_stops(name: str, when: str, told: str) -> None:
    """In a process of its own: it ends by the signal."""
    ended = subprocess.run(
        [sys.executable, "-c", _RUNS, name, when], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ended.returncode, ended.stdout) == (0, told), ended.stderr


async def test_what_takes_its_cancellation_for_something_else_is_cancelled_again() -> None:
    stopped = asyncio.Event()
    swallowed: list[int] = []

    async def watch() -> None:
        while len(swallowed) < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                swallowed.append(1)

    async def run() -> None:
        other = asyncio.create_task(watch())
        await asyncio.sleep(0)
        stopped.set()
        await asyncio.wait([other])
        raise RuntimeError("another watch failed")

    with pytest.raises(RuntimeError, match="another watch failed"):
        await end_with(run(), stopped)
    assert len(swallowed) == 3


async def test_what_keeps_kopf_from_its_clean_up_is_cancelled_again(caplog: pytest.LogCaptureFixture) -> None:
    stopped = asyncio.Event()

    async def observe() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    async def clean_up(others: list[asyncio.Task[None]]) -> None:
        await asyncio.wait(others)
        stopped.set()

    async def run() -> None:
        watches = asyncio.create_task(asyncio.sleep(0.05), name="multidimensional multitasker")
        observer = asyncio.create_task(observe(), name="resource observer")
        cleaning = asyncio.create_task(clean_up([watches, observer]), name="startup/cleanup activities")
        await watches
        observer.cancel()
        await asyncio.wait([cleaning])
        raise RuntimeError("a watch failed")

    with pytest.raises(RuntimeError, match="a watch failed"):
        await end_with(run(), stopped, look_seconds=0.02)
    assert "cancelling again: resource observer." in caplog.text


async def test_a_run_that_is_asked_to_stop_just_returns() -> None:
    async def run() -> None:
        await asyncio.sleep(0)

    await end_with(run(), asyncio.Event())
