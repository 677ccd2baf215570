"""The installed program on a pseudo terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("dealguard")


def run_on_terminal(*arguments: str, env: dict[str, str] | None = None, columns: int = 80) -> tuple[int, str]:
    """Run `dealguard` where nothing is configured; return the exit code and all it showed."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [PROGRAM, *arguments],
        stdin=child,
        stdout=child,
        stderr=child,
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            **(env or {}),
        },
    )
    os.close(child)
    shown = bytearray()
    try:
        while chunk := os.read(parent, 4096):
            shown += chunk
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(parent)
    return process.wait(timeout=60), shown.decode()
