"""The node's containerd, reached through its socket: images and running containers of Kubernetes' namespace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dealguard_cluster.commands import run
from dealguard_cluster.errors import CommandFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from dealguard_cluster.layout import Layout

KUBERNETES_NAMESPACE = "k8s.io"
BUILDS_KEPT = 3  # of each of our images


def answers(layout: Layout) -> bool:
    """Whether containerd answers."""
    if not layout.containerd_socket.exists():
        return False
    try:
        _ctr(layout, "version", what="reach containerd", timeout_seconds=5)
    except CommandFailedError:
        return False
    return True


def images(layout: Layout) -> set[str]:
    """The names of all images in the node."""
    return set(_ctr(layout, "images", "list", "--quiet", what="list the node's images").split())


def import_image(layout: Layout, archive: Path, name: str) -> None:
    """Import an image from a docker-archive or OCI archive.

    Raises:
        CommandFailedError: the archive cannot be read, or holds no image of that name.
    """
    _ctr(layout, "images", "import", str(archive), what=f"import {archive}")
    if name not in images(layout):
        raise CommandFailedError(
            f"{archive} was imported, but holds no image named {name}; check the name it was saved under."
        )


def prune_images(layout: Layout, latest: str) -> None:
    """Remove older builds of an image from the node, all but the last few that were loaded.

    Nothing else removes them: kubelet's own collection is off, for an image that was imported cannot be pulled again.
    A few are kept because something installed may still name the build before.

    Args:
        latest: the build that has just been loaded or found there.
    """
    repository = latest.rsplit(":", 1)[0]
    history = layout.state / "loaded-images" / repository.rsplit("/", 1)[-1]
    loaded = history.read_text().split() if history.exists() else []
    if loaded[-1:] == [latest]:
        return
    kept = [*(name for name in loaded if name != latest), latest][-BUILDS_KEPT:]
    history.parent.mkdir(exist_ok=True)
    history.write_text("".join(f"{name}\n" for name in kept))
    for name in images(layout):
        if name.startswith(f"{repository}:") and name not in kept:
            _ctr(layout, "images", "remove", name, what=f"remove {name}")


def stop_containers(layout: Layout, *, timeout_seconds: float) -> None:
    """Ask every running container to end (SIGTERM) and wait for that, at most for the time."""
    for container in _running(layout):
        try:
            _ctr(layout, "tasks", "kill", "--signal", "SIGTERM", container, what="stop a container", timeout_seconds=5)
        except CommandFailedError:
            continue  # it has ended in the meantime
    deadline = time.monotonic() + timeout_seconds
    while _running(layout) and time.monotonic() < deadline:
        time.sleep(0.1)


def _running(layout: Layout) -> list[str]:
    lines = _ctr(layout, "tasks", "list", what="list the containers", timeout_seconds=5).splitlines()[1:]
    return [words[0] for words in map(str.split, lines) if words[-1] == "RUNNING"]


def _ctr(layout: Layout, *words: str, what: str, timeout_seconds: float = 300) -> str:
    base = ["ctr", f"--address={layout.containerd_socket}", f"--namespace={KUBERNETES_NAMESPACE}"]
    return run([*base, *words], what=what, timeout_seconds=timeout_seconds)
