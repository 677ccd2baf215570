"""What a Dockerfile's target is made of: the files of the context that go into it.

Reads no more of the language than our Dockerfile uses.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dealguard_cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Never part of what an image means, and changed by merely running the code.
IGNORED_FOLDERS = frozenset({"__pycache__"})


@dataclass
class Stage:
    """One stage: the stages that it builds on or copies from, and the paths that it copies from the context."""

    uses: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)


def content_digest(dockerfile: Path, target: str, build_args: Mapping[str, str], context: Path) -> str:
    """Twelve hexadecimal digits that change with whatever changes the target's image.

    That is: the Dockerfile, the build arguments, and name, mode and content of each file that the target's stages copy.

    Raises:
        ClusterError: the Dockerfile has no such target, or copies what is not there.
    """
    text = dockerfile.read_text(encoding="utf-8")
    digest = hashlib.sha256("\n".join([text, target, *(f"{k}={v}" for k, v in sorted(build_args.items()))]).encode())
    for source in sorted(context_sources(text, target)):
        path = context / source
        if not path.exists():
            raise ClusterError(f"{dockerfile} copies {source}, which is not in {context}; correct the Dockerfile.")
        for file in sorted([path] if path.is_file() else _files(path)):
            executable = bool(file.stat().st_mode & 0o100)
            digest.update(f"\0{file.relative_to(context)}\0{executable}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def context_sources(text: str, target: str) -> set[str]:
    """The paths that a target's stages copy from the context.

    Raises:
        ClusterError: there is no such target.
    """
    stages = parse(text)
    if target not in stages:
        raise ClusterError(f"The Dockerfile has no target {target!r}; it has: {', '.join(stages)}.")
    wanted, seen = [target], set[str]()
    while wanted:
        name = wanted.pop()
        if name in stages and name not in seen:
            seen.add(name)
            wanted.extend(stages[name].uses)
    return set().union(*(stages[name].sources for name in seen))


def parse(text: str) -> dict[str, Stage]:
    """The named stages of a Dockerfile."""
    stages: dict[str, Stage] = {}
    current = Stage()
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split()
        instruction = words[0].upper() if words else ""
        if instruction == "FROM":
            current = Stage(uses={words[1]})
            if len(words) == 4 and words[2].upper() == "AS":
                stages[words[3]] = current
        elif instruction in {"COPY", "ADD"}:
            _read_copy(shlex.split(line)[1:], current)
    return stages


def _read_copy(words: list[str], stage: Stage) -> None:
    options = [word for word in words if word.startswith("--")]
    paths = [word for word in words if not word.startswith("--")]
    from_stages = [option.removeprefix("--from=") for option in options if option.startswith("--from=")]
    if from_stages:
        stage.uses.update(from_stages)
    else:
        stage.sources.update(paths[:-1])


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and not IGNORED_FOLDERS.intersection(file.parts)]
