"""How a container lives and ends: SIGTERM, the deadline, exit codes, and nothing said that should not be.

Python as PID 1 ignores SIGTERM unless somebody waits for it, and runs handlers only between two bytecodes of the main
thread: not while that one waits for a name server. So a thread of its own waits, for the signal and the deadline alike;
whichever comes first ends the process, with what is known by then.
"""

import os
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NoReturn, Protocol

from dealguard_analyzer.containers import termination
from dealguard_analyzer.containers.log import identify, log, silence_libraries
from dealguard_analyzer.containers.mounts import Mounts
from dealguard_analyzer.containers.settings import load_settings
from dealguard_analyzer.containers.storage_clock import StorageClock
from dealguard_analyzer.errors import AnalysisError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import OutcomeFailure, RunIdentity
from dealguard_api.reasons import explain

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})

# The Job's controller kills at the deadline; this much earlier we end ourselves and can still say why.
_RESERVE_SECONDS = 1.0
# How often it is asked anew how long is left: before the storage's first answer nobody knows.
_LOOK_SECONDS = 1.0
_MAX_MESSAGE_CHARACTERS = 1000


class Container(Protocol):
    """What a container does, without how it ends."""

    @property
    def name(self) -> str:
        """As the pod names it."""
        ...

    def run(self, deadline: datetime) -> termination.Outcome:
        """Do the work; what to write if it succeeds.

        Args:
            deadline: when it is ended from outside, by the control plane's clock.
        """
        ...

    def failed(self, failure: OutcomeFailure) -> termination.Outcome:
        """What to write if it does not. Called from another thread while `run` is running, too."""
        ...


def run_container(
    container: Container, mounts: Mounts, environment: Mapping[str, str], clock: StorageClock
) -> NoReturn:
    """Run `container` and end this process with its exit code.

    Args:
        container: what to do.
        mounts: where its files are.
        environment: says which run it is.
        clock: says how long is left; put right by the storage that `container` uses.
    """
    silence_libraries()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the contract
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    ending = _Ending(container, mounts.termination_message)
    try:
        identify(load_settings(RunIdentity, environment))
        deadline = mounts.read_deadline()
        threading.Thread(target=_watch, args=(ending, deadline, clock), daemon=True).start()
        outcome = container.run(deadline)
    except AnalysisError as error:
        ending.fail(error.exit_code, error.message)
    except Exception as error:
        log("unexpected error", type=type(error).__name__, where=_where(error))
        ending.fail(ExitCode.INTERNAL_ERROR, _unexpected(error).message)
    ending.succeed(outcome)


class _Ending:
    """Ends the process once, whoever comes first: the work, the signal or the deadline."""

    def __init__(self, container: Container, message_path: Path) -> None:
        self._container = container
        self._message_path = message_path
        self._started = time.monotonic()
        self._once = threading.Lock()  # taken and never given back

    def succeed(self, outcome: termination.Outcome) -> NoReturn:
        self._end(ExitCode.OK, lambda: outcome)

    def fail(self, code: ExitCode, message: str | None = None) -> NoReturn:
        failure = OutcomeFailure(
            reason=code.reason, message=(message or str(explain(code.reason)))[:_MAX_MESSAGE_CHARACTERS]
        )
        self._end(code, lambda: self._container.failed(failure))

    def _end(self, code: ExitCode, outcome: Callable[[], termination.Outcome]) -> NoReturn:
        self._once.acquire()
        termination.write(self._message_path, outcome())
        seconds = round(time.monotonic() - self._started, 2)
        log("ended", container=self._container.name, reason=code.reason, exit_code=int(code), seconds=seconds)
        os._exit(code)  # at once: nothing after this point may fail, wait, or speak


def _watch(ending: _Ending, deadline: datetime, clock: StorageClock) -> None:
    while (seconds_left := clock.seconds_until(deadline) - _RESERVE_SECONDS) > 0:
        if signal.sigtimedwait(SIGNALS, min(seconds_left, _LOOK_SECONDS)):
            ending.fail(ExitCode.TERMINATED)
    ending.fail(ExitCode.DEADLINE_EXCEEDED)


def _unexpected(error: Exception) -> AnalysisError:
    return AnalysisError(ExitCode.INTERNAL_ERROR, f"The analyzer failed unexpectedly ({type(error).__name__}).")


def _where(error: Exception) -> str:
    """The place in the code, without a line of it: enough to find the fault, nothing of the document."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
