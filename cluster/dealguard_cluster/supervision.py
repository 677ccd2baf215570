"""supervisord, PID 1 of a node, asked through its socket from the host."""

from __future__ import annotations

import http.client
import xmlrpc.client
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from dealguard_cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dealguard_cluster.layout import Layout

# Not there, gone in the middle of an answer, or answering with an error.
FAILURES = (OSError, http.client.HTTPException, xmlrpc.client.Error)


@dataclass(frozen=True)
class ProcessState:
    """A program as supervisord sees it.

    `process_id` is the node's own number, 0 if it does not run; `started_at` in seconds since 1970, 0 if it never did.
    """

    state: str
    process_id: int
    started_at: int


def process_states(layout: Layout) -> dict[str, ProcessState]:
    """The state of every program, by name; empty if supervisord does not answer."""
    try:
        with _supervisor(layout) as supervisor:
            found = supervisor.getAllProcessInfo()
    except FAILURES:
        return {}
    return {info["name"]: ProcessState(info["statename"], int(info["pid"]), int(info["start"])) for info in found}


def stop(layout: Layout, program: str) -> None:
    """Stop a program and wait until it has ended.

    Raises:
        ClusterError: supervisord does not answer, or the program does not run.
    """
    try:
        with _supervisor(layout) as supervisor:
            supervisor.stopProcess(program)
    except FAILURES as error:
        raise ClusterError(f"Could not stop {program}: {error}.") from error


def start(layout: Layout, program: str) -> None:
    """Start a program that was stopped, and wait until it runs.

    Raises:
        ClusterError: supervisord does not answer, or the program runs already or not for long.
    """
    try:
        with _supervisor(layout) as supervisor:
            supervisor.startProcess(program)
    except FAILURES as error:
        raise ClusterError(f"Could not start {program}: {error}.") from error


@contextmanager
def _supervisor(layout: Layout) -> Iterator[Any]:
    transport = SupervisorTransport(serverurl=f"unix://{layout.supervisor_socket}")
    try:
        yield xmlrpc.client.ServerProxy("http://supervisor", transport=transport).supervisor
    finally:
        if transport.connection:  # its own close() closes another one (supervisor 4.3)
            transport.connection.close()
