"""Kopf's run, begun again when it ends by itself.

Kopf gives up, on purpose, when a watch says what it does not expect: an ERROR other than 410 in the stream, 404 or 410
for the request, a line that was cut in its middle. Nothing of that outlives a new start, which takes half a second
here. As a new container it would take two seconds of imports, and ten, twenty, forty seconds of the kubelet's back-off.
"""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

# Before the first new start, the second and so on, of runs that end soon after they began. Then the process ends: what
# is still wrong is the installation's to see, in its restarts.
_PAUSES_SECONDS = (0.1, 0.5, 1, 2, 4, 5, 5, 5, 5, 5)
_SOON_SECONDS = 60
# What has not ended after so long is left behind.
_LONGEST_END_SECONDS = 10.0
_CANCEL_AGAIN_SECONDS = 0.1
# Kopf's own names: the task that holds all its watches, and the one that cleans up when all others have ended.
_WATCHES, _CLEAN_UP = "multidimensional multitasker", "startup/cleanup activities"
# After the end of its watches Kopf cleans up within a second or so.
_LOOK_SECONDS, _PATIENT_LOOKS, _LOOKS = 1.0, 5, 15


def run_until_stopped(
    run: Callable[[], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Call `run` until it returns; the process's exit code, 1 if it failed too often.

    Args:
        run: returns when the process is asked to stop, and raises when it ends by itself.
        clock: a monotonic clock, in seconds.
        sleep: waits some seconds.
    """
    failures = 0
    while True:
        began_at = clock()
        try:
            run()
        except Exception as error:
            _end_on_signals()
            failures = failures + 1 if clock() - began_at < _SOON_SECONDS else 1
            # By type: a message may quote the object that a watch told of.
            if failures > len(_PAUSES_SECONDS):
                logger.error("Kopf ended %s times in a row (%s); the process ends.", failures, type(error).__name__)
                return 1
            pause_seconds = _PAUSES_SECONDS[failures - 1]
            logger.warning("Kopf ended (%s), beginning again in %.1f s.", type(error).__name__, pause_seconds)
            sleep(pause_seconds)
        else:
            return 0


def _end_on_signals() -> None:
    """End the process when it is asked to, until the next run says what to do then.

    uvloop leaves signals with nobody after a run, and the next one's beginning would be told of none of them.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


async def end_with(
    run: Coroutine[Any, Any, None], stopped: asyncio.Event, *, look_seconds: float = _LOOK_SECONDS
) -> None:
    """Await Kopf's run, and from `stopped` on, end everything that still waits.

    Kopf waits five seconds for its other watches when one has failed, and then cancels each once. A watch whose waiter
    for a pause is cancelled in the same moment takes that for the pause, begins again with closed connections, and
    waits for new credentials: the process would neither work nor end (Kopf 1.45, `stream` in `clients/api.py`).
    What takes its only cancellation for something else before the clean-up keeps Kopf from it: that is cancelled again.

    Args:
        run: Kopf's.
        stopped: set at the end of the clean-up, or of a start that was cancelled.
        look_seconds: how often it is looked whether Kopf is at its end without ending.
    """
    # Before the run begins: Kopf takes every later task for one of its own.
    stop = asyncio.create_task(stopped.wait())
    task = asyncio.create_task(run)
    await _clean_up(task, stop, look_seconds)
    tries = round(_LONGEST_END_SECONDS / _CANCEL_AGAIN_SECONDS)
    while not task.done() and tries:
        tries -= 1
        await asyncio.wait([task], timeout=_CANCEL_AGAIN_SECONDS)
        for other in asyncio.all_tasks() - {task, asyncio.current_task()}:
            other.cancel()
    stop.cancel()
    if not task.done():
        raise TimeoutError("Kopf did not end")
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _clean_up(task: asyncio.Task[None], stop: asyncio.Task[Any], look_seconds: float) -> None:
    """Wait until Kopf has cleaned up, or ended without; cancel what keeps it from that once its watches have ended."""
    has_watched, looks = False, 0
    while looks < _LOOKS and not (task.done() or stop.done()):
        await asyncio.wait((task, stop), timeout=look_seconds, return_when=asyncio.FIRST_COMPLETED)
        others = {other for other in asyncio.all_tasks() - {task, stop} if other is not asyncio.current_task()}
        watches = any(other.get_name() == _WATCHES for other in others)
        has_watched = has_watched or watches
        looks = looks + 1 if has_watched and not watches else 0
        if looks > _PATIENT_LOOKS and not stop.done():
            left = [other for other in others if other.get_name() != _CLEAN_UP]
            names = ", ".join(sorted(other.get_name() for other in left))
            logger.warning("Kopf's watches have ended and Kopf has not; cancelling again: %s.", names)
            for other in left:
                other.cancel()
