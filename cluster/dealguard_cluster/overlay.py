"""Whether a folder can hold layers of the kernel's overlay file system (another overlay cannot)."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from dealguard_cluster.commands import run
from dealguard_cluster.errors import CommandFailedError

if TYPE_CHECKING:
    from pathlib import Path


def is_supported(folder: Path) -> bool:
    """Try it, in a mount namespace that ends with the try."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".overlay-") as trial:
        script = (
            'cd "$1" && mkdir lower upper work merged && '
            "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged"
        )
        try:
            run(["unshare", "--mount", "sh", "-c", script, "sh", trial], what="try an overlay mount")
        except CommandFailedError:
            return False
    return True
