"""Whether this machine can run the cluster, told before anything is tried."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dealguard_cluster import binaries, cgroups, toolchain
from dealguard_cluster.errors import MachineUnfitError
from dealguard_cluster.layout import cache_root, state_root

if TYPE_CHECKING:
    from collections.abc import Iterable

ELSEWHERE = "use `make deploy` with a kubeconfig of a cluster that you have instead."

# A cold build, measured.
MODULES_BYTES = 3 * 10**9
COMPILED_BYTES = 5 * 10**9
PROGRAMS_BYTES = 1 * 10**9
IMAGES_BYTES = 2 * 10**9
# Later: what etcd, MinIO, logs and unpacked images may add.
RUN_BYTES = 2 * 10**9


@dataclass(frozen=True)
class Need:
    """Room that a folder needs on its file system (`device`, as stat numbers it); `variable` moves the folder."""

    folder: Path
    variable: str
    needed_bytes: int
    device: int
    free_bytes: int


def check() -> None:
    """Raise MachineUnfitError, in one sentence with what to do instead, if the machine cannot run the cluster."""
    _refuse(
        platform_problem(sys.platform)
        or user_problem(os.geteuid())
        or cgroup_problem(cgroups.controllers())
        or disk_problem([*_build_needs(), *_image_needs(), _need(state_root(), "DEALGUARD_STATE", RUN_BYTES)])
    )


def check_user() -> None:
    """Raise MachineUnfitError unless we are root: an instance's files and processes are for root alone."""
    _refuse(user_problem(os.geteuid()))


def check_room_for_programs() -> None:
    """Raise MachineUnfitError if the programs are not built yet and there is no room for that."""
    _refuse(disk_problem(_build_needs()))


def check_room_for_images() -> None:
    """Raise MachineUnfitError if there is no room to build images."""
    _refuse(disk_problem(_image_needs()))


def _refuse(problem: str | None) -> None:
    if problem:
        raise MachineUnfitError(problem)


def _build_needs() -> list[Need]:
    """What building the programs needs; nothing if Kubernetes, by far the largest, is built."""
    if binaries.locate(cache_root()).kubernetes_folder.exists():
        return []
    caches = toolchain.cache_folders(toolchain.installed_go(binaries.required_go(), cache_root()))
    return [
        _need(caches["GOCACHE"], "GOCACHE", COMPILED_BYTES),
        _need(caches["GOMODCACHE"], "GOMODCACHE", MODULES_BYTES),
        _need(cache_root(), "DEALGUARD_CACHE", PROGRAMS_BYTES),
    ]


def _image_needs() -> list[Need]:
    return [_need(cache_root(), "DEALGUARD_CACHE", IMAGES_BYTES)]


def _need(folder: Path, variable: str, needed_bytes: int) -> Need:
    there = nearest_existing(folder)
    return Need(folder, variable, needed_bytes, there.stat().st_dev, shutil.disk_usage(there).free)


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


def disk_problem(needs: Iterable[Need]) -> str | None:
    """Building and running need room; folders on one file system share it."""
    by_device: dict[int, list[Need]] = {}
    for need in needs:
        by_device.setdefault(need.device, []).append(need)
    for sharing in by_device.values():
        needed, free = sum(need.needed_bytes for need in sharing), min(need.free_bytes for need in sharing)
        if free < needed:
            folders = ", ".join(dict.fromkeys(str(need.folder) for need in sharing))
            variables = " or ".join(dict.fromkeys(need.variable for need in sharing))
            return (
                f"The disk of {folders} has {free / 1e9:.1f} GB free and the local cluster needs {needed / 1e9:.0f} GB "
                f"there; free some, or set {variables} to a folder on a larger disk."
            )
    return None


def has_tun_device() -> bool:
    """Whether the kernel offers TUN devices, which the pods' way out needs; the cluster runs without it too."""
    return Path("/dev/net/tun").exists()


def nearest_existing(folder: Path) -> Path:
    """The folder, or what is there of its parents while it is not made yet."""
    while not folder.exists():
        folder = folder.parent
    return folder
