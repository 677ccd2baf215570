"""Kopf's run, begun again when it ends by itself.

Kopf gives up, on purpose, when a watch says what it does not expect: an ERROR other than 410 in the stream, 404 or 410
for the request, a line that was cut in its middle. Nothing of that outlives a new start, which takes half a second
here. As a new container it would take two seconds of imports, and ten, twenty, forty seconds of the kubelet's back-off.
"""

import asyncio
import contextlib
import logging
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


async def end_with(run: Coroutine[Any, Any, None], stopped: asyncio.Event) -> None:
    """Await Kopf's run, and from `stopped` on, end everything that still waits.

    Kopf waits five seconds for its other watches when one has failed, and then cancels each once. A watch whose waiter
    for a pause is cancelled in the same moment takes that for the pause, begins again with closed connections, and
    waits for new credentials: the process would neither work nor end (Kopf 1.45, `stream` in `clients/api.py`).
    """
    # Before the run begins: Kopf takes every later task for one of its own.
    stop = asyncio.create_task(stopped.wait())
    task = asyncio.create_task(run)
    await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
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
