"""Running other programs: one place for how their failures are told."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from dealguard_cluster.errors import CommandFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

SHOWN_LINES = 15


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    input_text: str | None = None,
    timeout_seconds: float = 600,
    pass_fds: tuple[int, ...] = (),
) -> str:
    """Run a program to its end and return what it printed on standard output.

    Args:
        argv: program and arguments; never a secret among them, for every user of the machine can read them.
        what: what the program is to do, as the object of "Could not": "create the certificates".

    Raises:
        CommandFailedError: it could not be started, ended with an error or took too long.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            env=None if env is None else dict(env),
            cwd=cwd,
            input=input_text,
            stdin=subprocess.DEVNULL if input_text is None else None,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
            pass_fds=pass_fds,
        )
    except FileNotFoundError as error:
        raise CommandFailedError(f"Could not {what}: {words[0]} is not on this machine.") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailedError(f"Could not {what}: {words[0]} took longer than {timeout_seconds:.0f} s.") from error
    if done.returncode != 0:
        raise CommandFailedError(
            f"Could not {what}: {words[0]} ended with code {done.returncode}.\n{last_lines(done.stderr or done.stdout)}"
        )
    return done.stdout


def follow(
    argv: Sequence[str | Path],
    on_line: Callable[[str], None],
    *,
    what: str,
    advice: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> list[str]:
    """Run a program that takes long, hand on each line as it prints it, and return all lines.

    Args:
        what: as for `run`.
        advice: what a person should do if it fails, a sentence.

    Raises:
        CommandFailedError: it ended with an error.
    """
    lines: list[str] = []
    with subprocess.Popen(
        [str(word) for word in argv],
        env=None if env is None else dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            on_line(lines[-1])
    if process.returncode != 0:
        raise CommandFailedError(f"Could not {what}.\n{last_lines(chr(10).join(lines))}\n{advice}")
    return lines


def last_lines(text: str, count: int = SHOWN_LINES) -> str:
    """The end of a text, indented, for an error message."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-count:])
