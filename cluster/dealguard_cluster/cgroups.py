"""The control groups of a node, under version 1 (one tree a controller), version 2 (one tree) and the mix of both."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# What kubelet needs; it refuses to start without them.
REQUIRED_CONTROLLERS = frozenset({"cpu", "cpuset", "memory"})
# Groups that the node's own programs (box) and its pods (kubepods, made by kubelet) are kept in.
BOX = "box"


def is_version_2(root: Path = ROOT) -> bool:
    """Whether the machine has the one tree of version 2 at the usual place."""
    return (root / "cgroup.controllers").exists()


def controllers(root: Path = ROOT) -> set[str]:
    """The controllers that this machine offers."""
    if is_version_2(root):
        return set((root / "cgroup.controllers").read_text().split())
    if not root.exists():
        return set()
    return {name for folder in root.iterdir() if (folder / "cgroup.procs").exists() for name in folder.name.split(",")}


def hierarchies(root: Path = ROOT) -> list[Path]:
    """The root of every tree, each once (`cpu` and `cpuacct` may be links to one tree)."""
    if is_version_2(root):
        return [root]
    return sorted({folder.resolve() for folder in root.iterdir() if (folder / "cgroup.procs").exists()})


def create(group: str) -> None:
    """Make a node's groups in every tree."""
    for tree in hierarchies():
        top = tree / group
        top.mkdir(exist_ok=True)
        if is_version_2():
            _enable_controllers(tree)
            _enable_controllers(top)
        else:
            _copy_cpuset(tree, top)
        box = top / BOX
        box.mkdir(exist_ok=True)
        if not is_version_2():
            _copy_cpuset(top, box)


def join(group: str) -> None:
    """Move the calling process into a node's group for programs, in every tree."""
    for tree in hierarchies():
        (tree / group / BOX / "cgroup.procs").write_text("0")


def processes(group: str) -> set[int]:
    """The processes in a node's groups, as the caller's PID namespace numbers them."""
    found: set[int] = set()
    for folder in _folders(group):
        with contextlib.suppress(OSError):
            found |= {int(line) for line in (folder / "cgroup.procs").read_text().split() if line != "0"}
    return found


def remove(group: str, *, timeout_seconds: float = 5) -> list[Path]:
    """Remove a node's groups and return those that could not be removed within the time."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        left = []
        for folder in sorted(_folders(group), key=lambda path: len(path.parts), reverse=True):
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                left.append(folder)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def _folders(group: str) -> list[Path]:
    tops = [tree / group for tree in hierarchies() if (tree / group).is_dir()]
    return [folder for top in tops for folder in (top, *(path for path in top.rglob("*") if path.is_dir()))]


def _enable_controllers(folder: Path) -> None:
    for name in (folder / "cgroup.controllers").read_text().split():
        with contextlib.suppress(OSError):  # some controllers cannot be handed down; kubelet says so if it needs one
            (folder / "cgroup.subtree_control").write_text(f"+{name}")


def _copy_cpuset(parent: Path, child: Path) -> None:
    """Give a new version 1 cpuset its parent's processors and memory: empty, it takes no process."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (parent / name).exists() and not (child / name).read_text().strip():
            (child / name).write_text((parent / name).read_text())
