"""What the tests of the command line need: the program as a user runs it, a played operator, a line that can be cut."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from tests.cluster.tools import Kubectl, wait_for

PROGRAM = Path(sys.executable).with_name("dealguard")


@dataclass(frozen=True)
class Program:
    """The installed `dealguard`, with one environment."""

    environment: dict[str, str]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end; the caller looks at the exit code."""
        return subprocess.run(
            [PROGRAM, *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *arguments: str, **environment: str) -> "Running":
        """Start it."""
        return Running(
            subprocess.Popen(
                [PROGRAM, *arguments],
                env={**self.environment, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )


@dataclass(frozen=True)
class Running:
    """A program that was started."""

    process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@dataclass(frozen=True)
class PlayedOperator:
    """Writes into status what an operator would."""

    kubectl: Kubectl
    namespace: str

    def submitted(self, count: int = 1) -> list[str]:
        """The names of the analyses, once there are `count`."""
        found = wait_for(
            f"{count} analyses to be created",
            lambda: names if len(names := self._names()) >= count else None,
        )
        return sorted(found)

    def _names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.kubectl.items("ca", self.namespace)]

    def set(self, name: str, **status: Any) -> None:
        """Merge `status` into the analysis's."""
        self.kubectl.check(
            *("-n", self.namespace, "patch", "ca", name, "--subresource=status", "--type=merge"),
            *("-p", json.dumps({"status": {"observedGeneration": 1, **status}})),
        )

    def complete(self, name: str, key: str | None = None, sha256: str = "a" * 64) -> None:
        """Finish it with a result."""
        result = {
            "riskLevel": "High",
            "riskScore": 16,
            "findings": {"high": 2, "total": 2},
            "summary": "Five years, renews by itself.",
            "report": {"key": key or f"reports/{self.namespace}/u/1.json", "sha256": sha256},
            "engine": "rules",
        }
        self.set(name, phase="Completed", stage=None, result=result, durationSeconds=3)

    def fail(self, name: str, reason: str, message: str) -> None:
        """Finish it with a failure."""
        self.set(name, phase="Failed", stage=None, failure={"reason": reason, "message": message})


class Line:
    """A TCP line to the API server that can be cut and mended, on an address of this machine."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        with self._lock:
            self._is_cut = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let new connections through."""
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        """No more of it."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._is_cut:
                    client.close()
                    continue
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server:
            ends = {client, server}
            with self._lock:
                self._open |= ends
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()
            with self._lock:
                self._open -= ends


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way, until either end has enough."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def edited_kubeconfig(kubeconfig: Path, target: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a kubeconfig, changed by `edit`."""
    config = yaml.safe_load(kubeconfig.read_text())
    edit(config)
    target.touch(mode=0o600)
    target.write_text(yaml.safe_dump(config))
    return target
