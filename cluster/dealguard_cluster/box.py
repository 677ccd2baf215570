"""A node's Linux namespaces: started as one process, ended by ending it, and nothing of them left behind.

The process `unshare` (seen from the host) has one child: supervisord, PID 1 of the node. When that ends, however it
ends, the kernel ends every process, mount and interface of the node with it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dealguard_cluster import cgroups
from dealguard_cluster.commands import last_lines, run
from dealguard_cluster.errors import ClusterError, CommandFailedError, ComponentUnhealthyError
from dealguard_cluster.layout import cache_root, state_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from dealguard_cluster.layout import Layout

START_TIMEOUT_SECONDS = 15


@dataclass(frozen=True)
class Leftovers:
    """What is still there of a node that was ended; all empty is the promise."""

    processes: tuple[int, ...]
    mounts: tuple[str, ...]
    interfaces: tuple[str, ...]
    cgroups: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return bool(self.processes or self.mounts or self.interfaces or self.cgroups)

    def __str__(self) -> str:
        """One line for a person."""
        parts = {
            "processes": self.processes,
            "mounts": self.mounts,
            "interfaces": self.interfaces,
            "control groups": self.cgroups,
        }
        return "; ".join(f"{kind} {', '.join(map(str, found))}" for kind, found in parts.items() if found)


def start(layout: Layout) -> None:
    """Start the namespaces, link them to the host, and wait until supervisord answers in them.

    Raises:
        ComponentUnhealthyError: they ended at once, or supervisord did not come up in time.
    """
    cgroups.create(layout.cgroup)
    layout.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    host_network = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        _spawn(layout, host_network)
    finally:
        os.close(host_network)
    _wait(layout, lambda: first_process(layout) is not None)
    process = first_process(layout)
    if process is not None:
        _link(layout, process)
    _wait(layout, layout.supervisor_socket.exists)


def first_process(layout: Layout) -> int | None:
    """The node's PID 1 as the host numbers it; None if the node is not running.

    Found, not recorded: in the node's control group, it is the one that is number 1 one namespace below ours.
    """
    return first_process_in(layout.cgroup)


def first_process_in(cgroup: str) -> int | None:
    """The same, by the node's control group alone."""
    depth = len(_namespaced_ids("self"))
    for process in cgroups.processes(f"{cgroup}/{cgroups.BOX}"):
        ids = _namespaced_ids(str(process))
        if len(ids) == depth + 1 and ids[-1] == 1:
            return process
    return None


def stop(layout: Layout, *, timeout_seconds: float) -> None:
    """End the node: in order by supervisord if it does so within the time, else at once."""
    first = first_process(layout)
    if first is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(first, signal.SIGTERM)
        if not _wait_for_end(first, timeout_seconds):
            with contextlib.suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)
            _wait_for_end(first, 5)
    clean(layout)


def clean(layout: Layout) -> None:
    """Remove what a node that has ended left on the host."""
    deadline = time.monotonic() + 5
    while (left := cgroups.processes(layout.cgroup)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    with contextlib.suppress(CommandFailedError):  # the kernel removes it with the namespace, only not at once
        run(["ip", "link", "delete", layout.host_interface], what="remove the link to the node")
    cgroups.remove(layout.cgroup)
    shutil.rmtree(layout.run, ignore_errors=True)


def leftovers(layout: Layout) -> Leftovers:
    """What is on the host of a node that should have ended."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    ours = tuple(
        mount for mount in mounts if Path(mount).is_relative_to(layout.state) or Path(mount).is_relative_to(layout.run)
    )
    interface = Path("/sys/class/net", layout.host_interface)
    groups = [tree / layout.cgroup for tree in cgroups.hierarchies()]
    return Leftovers(
        processes=tuple(sorted(cgroups.processes(layout.cgroup))),
        mounts=ours,
        interfaces=(layout.host_interface,) if interface.exists() else (),
        cgroups=tuple(str(group) for group in groups if group.exists()),
    )


def _environment() -> dict[str, str]:
    """Only what the node's init needs: nothing of the caller's environment reaches the cluster's programs."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(Path.home()),
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        "DEALGUARD_STATE": str(state_root()),
        "DEALGUARD_CACHE": str(cache_root()),
    }


def _spawn(layout: Layout, host_network: int) -> None:
    namespaces = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts"]
    tied = ["--fork", "--kill-child=SIGKILL", "--mount-proc"]
    init = [sys.executable, "-m", "dealguard_cluster.inside", layout.name, str(host_network)]
    with layout.log_of("node").open("w") as output:
        subprocess.run(
            ["setsid", "--fork", *namespaces, *tied, *init],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_environment(),
            pass_fds=(host_network,),
            check=True,
        )


def _wait(layout: Layout, condition: Callable[[], bool]) -> None:
    """Wait for a condition while the node starts; what the node's init prints is always an error."""
    log = layout.log_of("node")
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not condition():
        if log.stat().st_size > 0 and first_process(layout) is None:
            raise ComponentUnhealthyError(f"The node ended at once; {log} says:\n{last_lines(log.read_text())}")
        if time.monotonic() > deadline:
            raise ComponentUnhealthyError(f"The node did not start within {START_TIMEOUT_SECONDS} s; see {log}.")
        time.sleep(0.02)


def _namespaced_ids(process: str) -> list[int]:
    """A process's numbers in all PID namespaces that it is in, ours first; empty if it has ended."""
    try:
        lines = Path("/proc", process, "status").read_text().splitlines()
    except OSError:
        return []
    return [int(number) for line in lines if line.startswith("NSpid:") for number in line.split()[1:]]


def _link(layout: Layout, process: int) -> None:
    """Link the node's network namespace to the host's."""
    name = layout.host_interface
    run(
        ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(process)], what="link the node"
    )
    run(["ip", "address", "add", f"{layout.host_address}/30", "dev", name], what="address the link to the node")
    run(["ip", "link", "set", name, "up"], what="bring up the link to the node")


def _wait_for_end(process: int, timeout_seconds: float) -> bool:
    """Wait until a process that may not be our child has ended; whether it did within the time."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([handle], [], [], timeout_seconds)
        return bool(ready)
    finally:
        os.close(handle)


def refuse_leftovers(layout: Layout) -> None:
    """Check that nothing is left.

    Raises:
        ClusterError: something is.
    """
    if left := leftovers(layout):
        raise ClusterError(f"The cluster {layout.name!r} was ended, but left behind: {left}. Run `down` once more.")
