"""The cluster as other code uses it: `Cluster(name).up()`, `.environment()`, `.down()`."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from dealguard_cluster import (
    binaries,
    box,
    configs,
    containers,
    health,
    instances,
    object_storage,
    overlay,
    packages,
    pause_image,
    pki,
    preflight,
    supervision,
)
from dealguard_cluster.components import Component, components, with_arguments
from dealguard_cluster.console import Console
from dealguard_cluster.errors import ClusterError, MachineUnfitError
from dealguard_cluster.images import Image, ImageBuilder
from dealguard_cluster.layout import (
    BUCKET,
    DEFAULT_NAME,
    REGION,
    Layout,
    cache_root,
    cgroup_of,
    check_name,
    start_command,
    state_root,
)
from dealguard_cluster.locks import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

COMPONENT_TIMEOUT_SECONDS = 60
STOP_CONTAINERS_TIMEOUT_SECONDS = 3
STOP_TIMEOUT_SECONDS = 20

IMAGE_TARGETS = ("operator", "analyzer", "gateway")

# Erased by `up --fresh`: everything that the cluster knows, or kubectl of it, and no image.
FRESH_FOLDERS = ("etcd", "minio", "kubelet", "logs", "kubectl-cache")


@dataclass(frozen=True)
class ComponentStatus:
    """How one component is: supervisord's state, the process as the node numbers it (0 if none), and its health."""

    name: str
    state: str
    process_id: int
    healthy: bool


class Cluster:
    """One instance of the local cluster, by its name. All methods are safe to repeat."""

    def __init__(
        self,
        name: str = DEFAULT_NAME,
        console: Console | None = None,
        *,
        extra_arguments: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Name the instance; nothing is started.

        Args:
            extra_arguments: more command-line arguments by component, such as `{"kube-apiserver": ["--v=4"]}`.
        """
        self.name = check_name(name)
        self._console = console or Console()
        self._extra_arguments = extra_arguments or {}

    def build(self) -> list[Path]:
        """Build the programs that are missing and return the folders that a PATH needs for kubectl and helm."""
        preflight.check_room_for_programs()
        return self._build().folders

    def up(self, *, fresh: bool = False) -> None:
        """Start the cluster and wait until it is healthy.

        Args:
            fresh: begin with empty etcd, object storage and kubelet; images are kept.

        Raises:
            MachineUnfitError: this machine cannot run it.
            ComponentUnhealthyError: a component did not become healthy in time.
        """
        preflight.check()
        self._refuse_other_state()
        packages.ensure(packages.NODE, self._console)
        built = self._build()
        with self._turn():
            self._refuse_other_state()
            layout = instances.create_or_load(self.name, self._console)
            if fresh:
                self._end(layout)
                self._erase(layout)
            programs = with_arguments(
                components(layout, built, uplink=preflight.has_tun_device()), self._extra_arguments
            )
            if not preflight.has_tun_device():
                self._console.line(
                    "! Pods get no way out of the node: /dev/net/tun is missing; `modprobe tun` brings it."
                )
            self._start(layout, built, programs)
            self._wait(layout, built, programs)

    def down(self) -> None:
        """End every process, mount and interface of the cluster; its data stays for the next `up`."""
        self._refuse_other_state()
        if not instances.exists(self.name):
            return
        with self._turn():
            if instances.exists(self.name):  # still: another command may have deleted it
                self._end(self.layout)

    def delete(self) -> None:
        """End the cluster and erase its data."""
        self._refuse_other_state()
        if not instances.exists(self.name):
            return
        with self._turn():
            if instances.exists(self.name):
                layout = self.layout
                self._end(layout)
                shutil.rmtree(layout.state)
            self._lock_file.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Whether the node is there (healthy or not)."""
        return instances.exists(self.name) and box.first_process(self.layout) is not None

    def status(self) -> list[ComponentStatus]:
        """Every component's state as supervisord tells it, and its health.

        Raises:
            ClusterError: there is no instance of this name, or it is not running.
        """
        layout = self._running_layout()
        states = supervision.process_states(layout)
        missing = supervision.ProcessState("MISSING", 0, 0)
        return [
            ComponentStatus(
                name=program.name,
                state=states.get(program.name, missing).state,
                process_id=states.get(program.name, missing).process_id,
                healthy=health.is_healthy(layout, program),
            )
            for program in components(layout, binaries.locate(cache_root()), uplink=preflight.has_tun_device())
        ]

    @property
    def layout(self) -> Layout:
        """Folders and addresses of the instance.

        Raises:
            ClusterError: there is no instance of this name.
        """
        return instances.load(self.name)

    @property
    def kubeconfig(self) -> Path:
        """The path of the administrator's kubeconfig.

        Raises:
            ClusterError: there is no instance of this name, or it was never started.
        """
        return self._set_up_layout().kubeconfig

    def environment(self) -> dict[str, str]:
        """The variables that kubectl, helm and DealGuard's own programs need to use this cluster."""
        layout = self._set_up_layout()
        access_key, secret_key = object_storage.credentials(layout)
        folders = [str(folder) for folder in binaries.locate(cache_root()).folders]
        path = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder not in folders]
        return {
            "KUBECONFIG": str(layout.kubeconfig),
            # Else it is under $HOME, and without that variable in whatever folder they are run in.
            "KUBECACHEDIR": str(layout.kubectl_cache),
            "PATH": os.pathsep.join([*folders, *path]),
            "DEALGUARD_S3_ENDPOINT": layout.storage_url,
            "DEALGUARD_S3_ACCESS_KEY": access_key,
            "DEALGUARD_S3_SECRET_KEY": secret_key,
            "DEALGUARD_S3_BUCKET": BUCKET,
            "DEALGUARD_S3_REGION": REGION,
            "DEALGUARD_CLUSTER_HOST_IP": layout.host_address,
        }

    def load_image(self, archive: Path, name: str) -> None:
        """Import an image (docker-archive or OCI archive) into the node under a name."""
        containers.import_image(self._running_layout(), archive, name)

    def build_images(self, context: Path, targets: Iterable[str] = IMAGE_TARGETS) -> list[Image]:
        """Build targets of the Dockerfile, import what the node does not have yet, and return the images in order.

        Args:
            context: the folder with the Dockerfile, the root of the repository.
        """
        present = self.images()
        built = []
        for target in targets:
            image = self._image_builder.build(
                f"localhost/dealguard-{target}", context / "Dockerfile", target, {}, context
            )
            if image.name not in present:
                with self._console.step(f"Loading {image.name} into the cluster {self.name!r}"):
                    self.load_image(image.archive, image.name)
            containers.prune_images(self.layout, image.name)
            self._image_builder.prune_archives(image.name.rsplit(":", 1)[0])
            built.append(image)
        return built

    def image_names(self, context: Path) -> dict[str, str]:
        """The name of each target's image as the sources are now, by target; nothing is built."""
        return {
            target: self._image_builder.name(
                f"localhost/dealguard-{target}", context / "Dockerfile", target, {}, context
            )
            for target in IMAGE_TARGETS
        }

    def images(self) -> set[str]:
        """The names of all images in the node."""
        return containers.images(self._running_layout())

    def _build(self) -> binaries.Binaries:
        return binaries.build_all(cache_root(), self._console)

    @cached_property
    def _image_builder(self) -> ImageBuilder:
        return ImageBuilder(cache_root(), self._console)

    @property
    def _lock_file(self) -> Path:
        return state_root() / f"{self.name}.lock"

    def _turn(self) -> AbstractContextManager[None]:
        return locked(self._lock_file, self._console)

    def _running_layout(self) -> Layout:
        layout = self.layout
        self._refuse_other_state()  # its sockets would be asked
        if box.first_process(layout) is None:
            raise ClusterError(f"The cluster {self.name!r} is not running; start it with {start_command(self.name)}.")
        return layout

    def _set_up_layout(self) -> Layout:
        layout = self.layout
        if not (layout.kubeconfig.exists() and layout.storage_credentials.exists()):
            raise ClusterError(f"The cluster {self.name!r} is not set up: run {start_command(self.name)}.")
        return layout

    def _start(self, layout: Layout, built: binaries.Binaries, programs: tuple[Component, ...]) -> None:
        """Start the node, or start it again if it runs with another configuration than it would get now."""
        snapshotter = "overlayfs" if overlay.is_supported(layout.containerd_root) else "native"
        files = configs.node_files(
            layout, programs, pause_image=pause_image.image_name(built.pause), snapshotter=snapshotter
        )
        if box.first_process(layout) is not None:
            if configs.are_written(layout, files):
                return
            self._console.line("The configuration has changed; starting the node again.")
            self._end(layout)
        box.clean(layout)  # of one that was killed
        layout.run.mkdir(parents=True, exist_ok=True, mode=0o700)
        if pki.ensure(layout, built):
            self._console.line("✔ Certificates and kubeconfigs")
        object_storage.ensure_credentials(layout)
        configs.write(layout, files)
        (layout.run / "state").write_text(str(layout.state))
        box.start(layout)

    def _refuse_other_state(self) -> None:
        """Control groups and sockets go by the name alone: it can run once on a machine, and only its owner ends it."""
        other = instances.other_state(self.name)
        if other is not None and box.first_process_in(cgroup_of(self.name)) is not None:
            raise MachineUnfitError(
                f"A cluster named {self.name!r} already runs on this machine, with its data in {other}; use another "
                f"name, or set DEALGUARD_STATE={other.parent} to use that one or to end it "
                f"(`python -m dealguard_cluster --name {self.name} delete`)."
            )

    def _wait(self, layout: Layout, built: binaries.Binaries, programs: tuple[Component, ...]) -> None:
        for program in programs:
            self._wait_for(program.name, partial(health.is_healthy, layout, program), program.name)
            if program.name == "containerd":
                self._import_pause_image(layout, built)
            if program.name == "minio":
                object_storage.ensure_bucket(layout)
            if program.name == "kube-apiserver":
                pki.bind_administrators(layout, built)
        self._wait_for("node", lambda: health.node_is_ready(layout), "kubelet")
        self._wait_for(
            "service accounts", lambda: health.default_service_account_exists(layout), "kube-controller-manager"
        )

    def _wait_for(self, what: str, check: Callable[[], bool], log_of: str) -> None:
        limit = COMPONENT_TIMEOUT_SECONDS
        with self._console.step(what, announce=False) as step:
            health.wait_until(what, check, self.layout, log_of, timeout_seconds=limit, tell=step.update)

    def _import_pause_image(self, layout: Layout, built: binaries.Binaries) -> None:
        name = pause_image.image_name(built.pause)
        if name in containers.images(layout):
            return
        archive = layout.state / "pause.tar"
        pause_image.write_archive(built.pause, archive)
        containers.import_image(layout, archive, name)
        archive.unlink()

    def _end(self, layout: Layout) -> None:
        if box.first_process(layout) is not None:
            self._stop_pods(layout)
        box.stop(layout, timeout_seconds=STOP_TIMEOUT_SECONDS)
        box.refuse_leftovers(layout)

    def _stop_pods(self, layout: Layout) -> None:
        """Stop kubelet first, for it would start them again, then the pods; a node that is broken is just ended."""
        try:
            supervision.stop(layout, "kubelet")
            containers.stop_containers(layout, timeout_seconds=STOP_CONTAINERS_TIMEOUT_SECONDS)
        except ClusterError:
            return

    def _erase(self, layout: Layout) -> None:
        for folder in FRESH_FOLDERS:
            shutil.rmtree(layout.state / folder, ignore_errors=True)
