"""Whether this machine can run the cluster, told before anything is tried."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from dealguard_cluster import cgroups
from dealguard_cluster.errors import MachineUnfitError
from dealguard_cluster.layout import cache_root, state_root

ELSEWHERE = "use `make deploy` with a kubeconfig of a cluster that you have instead."

# A cold build, measured: Go's modules 3 GB and its build cache 5 GB, programs 1 GB, images 2 GB.
FIRST_BUILD_BYTES = 11 * 10**9
# Later: what etcd, MinIO, logs and unpacked images may add.
RUN_BYTES = 2 * 10**9


def check() -> None:
    """Raise MachineUnfitError, in one sentence with what to do instead, if the machine cannot run the cluster."""
    problem = (
        platform_problem(sys.platform)
        or user_problem(os.geteuid())
        or cgroup_problem(cgroups.controllers())
        or disk_problem(free_bytes(cache_root()), free_bytes(state_root()), built=(cache_root() / "bin").exists())
    )
    if problem:
        raise MachineUnfitError(problem)


def platform_problem(platform: str) -> str | None:
    """A cluster node needs Linux."""
    if platform == "linux":
        return None
    return f"The local cluster needs Linux, and this is {platform}; {ELSEWHERE}"


def user_problem(user_id: int) -> str | None:
    """Namespaces, mounts and control groups need root."""
    if user_id == 0:
        return None
    return f"The local cluster needs root (for namespaces, mounts and control groups); run it with sudo, or {ELSEWHERE}"


def cgroup_problem(found: set[str]) -> str | None:
    """kubelet refuses to start without these controllers."""
    missing = cgroups.REQUIRED_CONTROLLERS - found
    if not missing:
        return None
    return f"This machine offers no control group for {', '.join(sorted(missing))}, which kubelet needs; {ELSEWHERE}"


def disk_problem(cache_free: int, state_free: int, *, built: bool) -> str | None:
    """Building and running need room."""
    for free, needed, folder, variable in (
        (cache_free, RUN_BYTES if built else FIRST_BUILD_BYTES, cache_root(), "DEALGUARD_CACHE"),
        (state_free, RUN_BYTES, state_root(), "DEALGUARD_STATE"),
    ):
        if free < needed:
            return (
                f"{folder} has {free / 1e9:.1f} GB free and the local cluster needs {needed / 1e9:.0f} GB there; "
                f"free some, or set {variable} to a folder on a larger disk."
            )
    return None


def has_tun_device() -> bool:
    """Whether the kernel offers TUN devices, which the pods' way out needs; the cluster runs without it too."""
    return Path("/dev/net/tun").exists()


def free_bytes(folder: Path) -> int:
    """Free space where a folder is, or would be made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
