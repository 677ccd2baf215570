"""Debian packages that the cluster needs, installed where they are missing and never started as services."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dealguard_cluster.commands import run
from dealguard_cluster.errors import ClusterError, CommandFailedError, MachineUnfitError
from dealguard_cluster.locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dealguard_cluster.console import Console

# A file that each package brings, and the package. Looking for the file takes any origin: a containerd that the
# machine already has is as good as Debian's.
NODE = {
    "/usr/bin/containerd": "containerd",
    "/usr/sbin/runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "/usr/sbin/nft": "nftables",
    "/usr/bin/nsenter": "util-linux",
    "/bin/ip": "iproute2",
    "/usr/bin/slirp4netns": "slirp4netns",
}
IMAGES = {
    "/usr/bin/buildah": "buildah",
    "/usr/sbin/debootstrap": "debootstrap",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
}

POLICY = Path("/usr/sbin/policy-rc.d")


def ensure(needed: dict[str, str], console: Console) -> None:
    """Install those of the packages that are missing.

    Raises:
        MachineUnfitError: packages are missing and this is no Debian.
    """
    missing = missing_packages(needed)
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None:
        raise MachineUnfitError(
            f"The local cluster needs these Debian packages, and this machine has no apt-get: {names}."
        )
    with (
        locked(Path("/run/dealguard/packages.lock"), console),
        console.step(f"Installing Debian packages: {names}") as step,
    ):
        step.update("reading package lists")
        with _no_services():
            _apt("update", "-qq")
            step.update("installing")
            _apt("install", "-y", "-qq", "--no-install-recommends", *missing)
    if still := missing_packages(needed):
        raise ClusterError(f"apt-get installed {names}, but files of {' '.join(still)} are not where Debian has them.")


def missing_packages(needed: dict[str, str]) -> list[str]:
    """The packages whose file is not there."""
    return [package for file, package in needed.items() if not Path(file).exists()]


def _apt(*words: str) -> None:
    # apt's own lock may be held by the machine's automatic updates for a while.
    options = ["-o", "DPkg::Lock::Timeout=120"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run(["apt-get", *options, *words], what=f"run apt-get {words[0]}", env=environment, timeout_seconds=900)
    except CommandFailedError as error:
        raise CommandFailedError(
            f"{error}\nCheck that this machine reaches its Debian mirror, then try again."
        ) from error


@contextmanager
def _no_services() -> Iterator[None]:
    """Keep packages from starting their services (containerd's would) by Debian's own means, /usr/sbin/policy-rc.d."""
    if POLICY.exists():
        yield  # the machine has a policy of its own
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(POLICY.stat().st_mode | stat.S_IXUSR)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
