"""Images of the project's Dockerfile, built by buildah without a registry and kept in a cache keyed by their content.

The base is made on this machine by debootstrap: a Debian with python3 and nothing else. It is a build argument of the
Dockerfile (`BASE_IMAGE`), so that anyone else builds the same Dockerfile on an ordinary public Python image.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dealguard_cluster import dockerfile as dockerfiles
from dealguard_cluster import overlay, packages, preflight
from dealguard_cluster.commands import follow, run
from dealguard_cluster.locks import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dealguard_cluster.console import Console

BASE_SUITE = "bookworm"
BASE_PACKAGES = ("python3", "ca-certificates")
# What nothing in a container reads. Two thirds of what debootstrap installs.
BASE_STRIPPED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/zoneinfo/right",
    "usr/share/zoneinfo/posix",
    "var/cache/apt",
    "var/cache/debconf",
    "var/lib/apt/lists",
    "var/log",
)
BASE_REPOSITORY = "localhost/dealguard-base"
# Raised when the recipe in this file changes in a way that its constants do not show.
BASE_RECIPE = 1

ARCHIVES_KEPT = 2  # of each image: this one, and what one goes back to
LAYERS_KEPT = 100  # of all images and steps, some 5 GB; beyond it the steps' caches are made anew
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
RUN_ROOT = Path("/run/dealguard-buildah")


@dataclass(frozen=True)
class Image:
    """A built image."""

    name: str
    archive: Path

    @property
    def size_bytes(self) -> int:
        """The size of all its layers, unpacked, as the archive holds them."""
        with tarfile.open(self.archive) as archive:
            return sum(member.size for member in archive if member.isfile() and not member.name.endswith(".json"))


class ImageBuilder:
    """Builds images with a buildah storage of its own under the cache."""

    def __init__(self, cache: Path, console: Console) -> None:
        """Use `cache/images`; nothing is built yet."""
        self._folder = cache / "images"
        self._console = console

    def name(self, repository: str, dockerfile: Path, target: str, build_args: Mapping[str, str], context: Path) -> str:
        """The name that an image has by its content: `repository:twelve-digits`."""
        arguments = {"BASE_IMAGE": base_name(), **build_args}
        return f"{repository}:{dockerfiles.content_digest(dockerfile, target, arguments, context)}"

    def build(
        self, repository: str, dockerfile: Path, target: str, build_args: Mapping[str, str], context: Path
    ) -> Image:
        """Build a target of a Dockerfile unless its archive is in the cache, and return it.

        Args:
            repository: the name without a tag, such as `localhost/dealguard-operator`.
            build_args: more build arguments; `BASE_IMAGE` is always given.

        Raises:
            CommandFailedError: a step of the build failed; the message shows the end of its output.
        """
        name = self.name(repository, dockerfile, target, build_args, context)
        image = Image(name, self._archive(name))
        if image.archive.exists():
            image.archive.touch()  # so that it counts as recently used
            return image
        preflight.check_room_for_images()
        packages.ensure(packages.IMAGES, self._console)
        with locked(self._folder / "storage.lock", self._console):
            if not image.archive.exists():
                self._remove_leftovers()
                self._ensure_base()
                self._build(image, dockerfile, target, {"BASE_IMAGE": base_name(), **build_args}, context)
                self._prune(repository)
        return image

    def _remove_leftovers(self) -> None:
        """Remove the working containers of interrupted builds: an image that one of them uses cannot be removed.

        Who holds the lock is the only one who builds, so that every container there is, is a leftover.
        """
        self._buildah("rm", "--all")

    def _ensure_base(self) -> None:
        """Make the base image unless the storage has it."""
        if base_name() in self._stored():
            return
        rootfs = self._folder / "base.partial"
        _remove_tree(rootfs)
        with self._console.step(f"Making the base image ({BASE_SUITE} with {', '.join(BASE_PACKAGES)}; once)") as step:
            _bootstrap(rootfs, step.update)
            step.update("storing it")
            container = self._buildah("from", "scratch").strip()
            self._buildah("add", "--quiet", container, str(rootfs), "/")
            self._buildah("commit", "--quiet", "--rm", container, base_name())
        _remove_tree(rootfs)

    def _build(self, image: Image, dockerfile: Path, target: str, build_args: Mapping[str, str], context: Path) -> None:
        words = ["bud", "--layers", "--pull=never", "--network=host", "--format=docker", f"--target={target}"]
        words += [f"--build-arg={key}={value}" for key, value in build_args.items()]
        words += [f"--volume={CA_BUNDLE}:{CA_BUNDLE}:ro", f"--tag={image.name}", f"--file={dockerfile}", str(context)]
        with self._console.step(f"Building the image {image.name}") as step:
            follow(
                self._command(*words),
                step.update,
                what=f"build the image {image.name}",
                advice="Correct what the step says, then run the same command again: the steps before it are kept.",
                env=self._environment(),
            )
            step.update("writing its archive")
            partial = image.archive.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            self._buildah("push", "--quiet", image.name, f"docker-archive:{partial}:{image.name}")
            partial.rename(image.archive)
            step.result = f"{image.size_bytes / 1e6:.0f} MB"

    def prune_archives(self, repository: str) -> set[str]:
        """Remove the archives of a repository that were not used for longest; return the names of the images kept."""
        prefix = f"{repository.rsplit('/', 1)[-1]}-"
        archives = sorted(self._folder.glob(f"{prefix}*.tar"), key=lambda file: file.stat().st_mtime, reverse=True)
        for archive in archives[ARCHIVES_KEPT:]:
            archive.unlink(missing_ok=True)
        return {f"{repository}:{archive.stem.removeprefix(prefix)}" for archive in archives[:ARCHIVES_KEPT]}

    def _prune(self, repository: str) -> None:
        """Remove the builds of a repository that were not used for longest, and step caches once there are many."""
        kept = self.prune_archives(repository)
        old = [name for name in self._stored() if name.startswith(f"{repository}:") and name not in kept]
        if old:
            self._buildah("rmi", "--force", *old)
        if len(list((self._folder / "storage" / "overlay-layers").glob("*.tar-split.gz"))) > LAYERS_KEPT:
            self._buildah("rmi", "--prune")

    def _archive(self, name: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{name.rsplit('/', 1)[-1].replace(':', '-')}.tar"

    def _stored(self) -> set[str]:
        listed = self._buildah("images", "--format", "{{.Name}}:{{.Tag}}")
        return set(listed.split())

    def _buildah(self, *words: str) -> str:
        return run(self._command(*words), what=f"run buildah {words[0]}", env=self._environment())

    def _command(self, *words: str) -> list[str]:
        driver = "overlay" if overlay.is_supported(self._folder) else "vfs"
        return [
            # In a mount namespace of its own: its storage's mounts end with it, also where it is interrupted.
            "unshare",
            "--mount",
            "buildah",
            f"--root={self._folder / 'storage'}",
            f"--runroot={RUN_ROOT}",
            f"--storage-driver={driver}",
            *words,
        ]

    def _environment(self) -> dict[str, str]:
        # The machine's own configuration of registries has no say: no registry is asked for anything.
        registries = self._folder / "registries.conf"
        registries.write_text("unqualified-search-registries = []\n")
        return {**os.environ, "BUILDAH_ISOLATION": "chroot", "CONTAINERS_REGISTRIES_CONF": str(registries)}


def base_name() -> str:
    """The base image's name: its tag changes with the recipe."""
    recipe = "\n".join([str(BASE_RECIPE), BASE_SUITE, *BASE_PACKAGES, *BASE_STRIPPED])
    return f"{BASE_REPOSITORY}:{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _bootstrap(rootfs: Path, tell: Callable[[str], None]) -> None:
    done = 0

    def on_line(line: str) -> None:
        nonlocal done
        done += line.startswith(("I: Unpacking", "I: Configuring", "I: Retrieving"))
        tell(f"{done} steps, now {line.removeprefix('I: ')}")

    # What debootstrap mounts in the new system (proc, sys) ends with it, whatever becomes of it.
    namespace = ["unshare", "--mount"]
    packages_wanted = f"--include={','.join(BASE_PACKAGES)}"
    follow(
        [*namespace, "debootstrap", "--variant=minbase", packages_wanted, BASE_SUITE, rootfs, *_mirror()],
        on_line,
        what="make the base image",
        advice="Check that this machine reaches its Debian mirror, then run the same command again.",
    )
    for folder in BASE_STRIPPED:
        _empty(rootfs / folder)


def _mirror() -> list[str]:
    """The mirror that this machine's apt uses for the suite; none leaves debootstrap its default."""
    listed = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian", f"Codename: {BASE_SUITE}"],
        what="ask apt for its mirror",
    )
    return listed.split()[:1]


def _empty(folder: Path) -> None:
    if folder.exists():
        for child in folder.iterdir():
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink()


def _remove_tree(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
