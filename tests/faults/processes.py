"""Operators as processes of their own, which can be killed; forked from one that has imported the operator already.

An import takes two seconds of CPU, which fifty restarts need not pay each.
"""

import multiprocessing
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "pytest",  # a child imports what its parent was started as
        "tests.faults.processes",
        "dealguard_operator.main",
        # Imported when they are first used, with 300 models each.
        "kubernetes.aio.client.api.core_v1_api",
        "kubernetes.aio.client.api.batch_v1_api",
        "kubernetes.aio.client.api.custom_objects_api",
    ]
)


class OperatorProcess:
    """One operator. A context manager."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self.log = log
        self._process: ForkServerProcess | None = None
        self.starts = 0

    def __enter__(self) -> "OperatorProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it."""
        self._process = _CONTEXT.Process(target=_run, args=(self._environment, str(self.log)))
        self._process.start()
        self.starts += 1

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.is_alive()

    def revive(self) -> None:
        """Start it again if it has ended by itself, as a kubelet would."""
        if self._process is not None and not self._process.is_alive():
            self.start()

    def kill(self) -> None:
        """SIGKILL; returns at once."""
        assert self._process is not None
        self._process.kill()

    def wait_killed(self, seconds: float) -> bool:
        """Wait for its end; whether it came."""
        assert self._process is not None
        self._process.join(seconds)
        return not self._process.is_alive()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(20)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        self._process = None

    @property
    def beginnings(self) -> int:
        """How often Kopf began again, in all processes."""
        return self.log.read_text(errors="replace").count("beginning again")

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def probe(port: int, endpoint: str) -> int:
    """What an operator's `healthz` or `readyz` answers a kubelet; 0 if nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{endpoint}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _run(environment: dict[str, str], log: str) -> None:
    """The child: what `python -m dealguard_operator` does, with its environment and its log."""
    with Path(log).open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(environment)
    from dealguard_operator.main import main  # noqa: PLC0415 - imported in the parent of this process

    began = time.monotonic()
    code = main()
    print(f"ended after {time.monotonic() - began:.1f} s with {code}", file=sys.stderr)
    sys.exit(code)
