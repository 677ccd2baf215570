"""What runs first in a node's namespaces: arranges mounts and network, then becomes supervisord (PID 1 there).

Everything that a component would do at a fixed path of the host (`/run/containerd`, `/var/lib/kubelet`, `/var/lib/cni`,
`/var/log/pods`, machine-wide kernel settings) is laid over with something of the node's own first, so that nothing
of the host is touched and all of it ends with the namespace.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

from dealguard_cluster import cgroups
from dealguard_cluster.commands import run
from dealguard_cluster.errors import ClusterError
from dealguard_cluster.instances import load
from dealguard_cluster.layout import HOST_NETWORK

LINK_TIMEOUT_SECONDS = 10

# Folders that are laid over fixed paths: below the instance's state -> where the components look.
FIXED_PATHS = {
    "kubelet": "/var/lib/kubelet",
    "logs/pods": "/var/log/pods",
    "logs/containers": "/var/log/containers",
}

# Settings of the whole machine that kubelet writes at its start, with the values that it wants. It gets files of its
# own to read and write in their place (kubelet: pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables).
KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

PROGRAM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(name: str, host_network_fd: int) -> None:
    """Arrange the namespaces of the instance `name` and become its supervisord."""
    layout = load(name)
    cgroups.join(layout.cgroup)
    socket.sethostname(layout.name)
    _arrange_mounts(layout.state, layout.run)
    _keep_host_network(host_network_fd)
    _arrange_network(layout.node_address, layout.host_address, layout.config / "node.nft")
    environment = {"PATH": PROGRAM_PATH, "HOME": "/root", "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)}
    supervisord = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(layout.config / "supervisord.conf")]
    os.execve(sys.executable, supervisord, environment)


def _arrange_mounts(state: Path, run_folder: Path) -> None:
    _lay_private_run(run_folder)
    _mount("--make-rshared", "/")  # what kubelet needs to hand mounts on to pods; stays within this namespace
    for source, target in FIXED_PATHS.items():
        _bind(state / source, Path(target))
    # Addresses given to pods before: all their network namespaces are gone.
    _mkdir(Path("/var/lib/cni"))
    _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/var/lib/cni")
    settings = state / "kernel-settings"
    for path, value in KERNEL_SETTINGS.items():
        own = settings / path
        _mkdir(own.parent)
        own.write_text(f"{value}\n")
        _mount("--bind", str(own), f"/proc/sys/{path}")


def _lay_private_run(run_folder: Path) -> None:
    """Replace /run by an empty one in which only the instance's own folder is the host's."""
    staging = Path("/mnt")
    _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(staging))
    inside = staging / run_folder.relative_to("/run")
    _mkdir(inside)
    _mount("--bind", str(run_folder), str(inside))
    _mount("--move", str(staging), "/run")


def _keep_host_network(descriptor: int) -> None:
    """Give the host's network namespace a name among the node's mounts, for the one program that works in both."""
    Path(HOST_NETWORK).touch()
    _mount("--bind", f"/proc/self/fd/{descriptor}", HOST_NETWORK, pass_fds=(descriptor,))
    os.close(descriptor)


def _arrange_network(address: str, gateway: str, rules: Path) -> None:
    deadline = time.monotonic() + LINK_TIMEOUT_SECONDS
    while not _interface_exists("eth0"):
        if time.monotonic() > deadline:
            raise ClusterError("The link to the host did not appear; try `up` again.")
        time.sleep(0.01)
    for words in (
        "link set lo up",
        f"address add {address}/30 dev eth0",
        "link set eth0 up",
        f"route add default via {gateway} metric 1000",  # slirp4netns' own comes first
    ):
        run(["ip", *words.split()], what="set up the node's network")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")  # of this network namespace
    run(["nft", "-f", str(rules)], what="set up the node's address translation")


def _interface_exists(name: str) -> bool:
    return any(interface == name for _, interface in socket.if_nameindex())


def _bind(source: Path, target: Path) -> None:
    _mkdir(source)
    _mkdir(target)
    _mount("--bind", str(source), str(target))


def _mkdir(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


def _mount(*words: str, pass_fds: tuple[int, ...] = ()) -> None:
    run(["mount", "--no-mtab", *words], what="arrange the node's mounts", pass_fds=pass_fds)


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]))
    except (ClusterError, OSError) as error:
        sys.exit(f"The node could not be arranged: {error}")
