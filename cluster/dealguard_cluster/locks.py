"""Taking turns between commands that run at the same time."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from dealguard_cluster.console import Console


@contextmanager
def locked(file: Path, console: Console) -> Iterator[None]:
    """Hold an exclusive lock on a file, which is made if it is missing; the kernel frees it when we end.

    Who holds the lock may remove the file: whoever waits for it then takes the lock of a new one.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    told = False
    while True:
        with file.open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    console.line(f"  waiting for another command on this machine (lock {file}) ...")
                told = True
                fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_at(handle, file):
                yield
                return


def _is_at(handle: TextIO, file: Path) -> bool:
    """Whether an open file is still the one at its path."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), file.stat())
    except FileNotFoundError:
        return False
