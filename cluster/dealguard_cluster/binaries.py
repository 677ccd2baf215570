"""The programs of the cluster, built from the Go modules in `cluster/go/` into a cache keyed by all that goes in."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dealguard_cluster.commands import follow, run
from dealguard_cluster.errors import CommandFailedError
from dealguard_cluster.locks import locked
from dealguard_cluster.toolchain import WHEEL_VERSION, Version, find_go, installed_go, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from dealguard_cluster.console import Console

MODULES = Path(__file__).resolve().parent.parent / "go"
KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)


def pinned_version(go_mod: str, module: str) -> str:
    """The version that a go.mod requires of a module."""
    found = re.search(rf"^(?:require)?\s*{re.escape(module)}\s+(v\S+)", go_mod, flags=re.MULTILINE)
    if not found:
        raise CommandFailedError(f"The go.mod of the local cluster does not require {module}.")
    return found[1]


@dataclass(frozen=True)
class Tool:
    """One Go module, of `cluster/go/` if not said otherwise, and what is built from it.

    `module` is the required module whose version names the build, None for a program of our own; `programs` maps what
    `go build` calls a result to what we call it; `stamps` are packages whose variables get the version, as Kubernetes'
    own build does; `variables` are further ones (package.name, value) that the tool's own build sets.
    """

    name: str
    module: str | None
    programs: tuple[tuple[str, str], ...]
    stamps: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    modules: Path = MODULES

    @property
    def folder(self) -> Path:
        """The folder of the module."""
        return self.modules / self.name

    @property
    def version(self) -> str:
        """The version of the module as its go.mod pins it, such as `v1.34.4`."""
        if self.module is None:
            return "v1.0.0"
        return pinned_version((self.folder / "go.mod").read_text(encoding="utf-8"), self.module)

    @property
    def packages(self) -> str:
        """What to build, as `go build` takes it: the module's `tool` lines, or the program in its folder."""
        return "." if self.module is None else "tool"

    @property
    def linker_flags(self) -> str:
        """No symbol tables, and the version where `kubectl version` and helm look for it."""
        major, minor = self.version.removeprefix("v").split(".")[:2]
        values = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor}
        stamped = [f"-X {package}.{name}={value}" for package in self.stamps for name, value in values.items()]
        stamped += [f"-X {name}={value}" for name, value in self.variables]
        return " ".join(["-s", "-w", *stamped])

    def key(self, go_version: str, machine: str) -> str:
        """The name of the cache folder: changes with everything that changes the result."""
        digest = hashlib.sha256()
        for file in sorted(self.folder.iterdir()):
            if file.suffix in {".mod", ".sum", ".go"}:
                digest.update(f"{file.name}\n".encode() + file.read_bytes())
        digest.update("\n".join([self.linker_flags, go_version, machine]).encode())
        return f"{self.name}-{short_version(self.version)}-{digest.hexdigest()[:12]}"


KUBERNETES = Tool(
    "kubernetes",
    "k8s.io/kubernetes",
    tuple((program, program) for program in KUBERNETES_PROGRAMS),
    stamps=("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"),
)
ETCD = Tool("etcd", "go.etcd.io/etcd/server/v3", (("server", "etcd"),))
MINIO = Tool("minio", "github.com/minio/minio", (("minio", "minio"),))
HELM = Tool(
    "helm",
    "helm.sh/helm/v3",
    (("helm", "helm"),),
    # What `helm template` and `helm lint` take for the cluster's version; without it, 1.20.
    variables=tuple(
        zip(
            ("helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor", "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor"),
            KUBERNETES.version.removeprefix("v").split(".")[:2],
            strict=True,
        )
    ),
)
PAUSE = Tool("pause", None, (("pause", "pause"),))
TOOLS = (PAUSE, KUBERNETES, ETCD, MINIO, HELM)


@dataclass(frozen=True)
class Binaries:
    """Where the built programs lie."""

    kubernetes_folder: Path
    etcd: Path
    minio: Path
    helm: Path
    pause: Path
    kubernetes_version: str

    def kube(self, program: str) -> Path:
        """One of Kubernetes' own programs."""
        return self.kubernetes_folder / program

    @property
    def folders(self) -> list[Path]:
        """What a PATH needs for kubectl and helm."""
        return [self.kubernetes_folder, self.helm.parent]


def short_version(version: str) -> str:
    """A version without `v`; of a pseudo-version (`v0.0.0-<time>-<commit>`) the commit."""
    return version.rsplit("-", 1)[-1] if version.startswith("v0.0.0-") else version.removeprefix("v")


def build_all(cache: Path, console: Console) -> Binaries:
    """Build what is not in the cache yet and return where everything lies.

    Several callers at once are safe: one builds, the others wait for its result.

    Raises:
        CommandFailedError: a build failed.
    """
    go = find_go(required_go(), cache, console)
    folders = _folders(cache, _go_version(go))
    for tool in TOOLS:
        _build(tool, go, folders[tool.name], console)
    return _binaries(folders)


def build_one(tool: Tool, cache: Path, console: Console) -> Path:
    """Build a program that is none of the cluster's own, such as a benchmark's, and return the folder of its build.

    Raises:
        CommandFailedError: the build failed.
    """
    go = find_go(parse_version(go_line((tool.folder / "go.mod").read_text())), cache, console)
    target = cache / "bin" / tool.key(_go_version(go), platform.machine())
    _build(tool, go, target, console)
    return target


def download(folder: Path, module: str, cache: Path, console: Console) -> Path:
    """The files of a module that is used as it is, such as definitions of resources, in Go's own cache of modules.

    Args:
        folder: with a go.mod that requires the module, and the go.sum that it is checked against.

    Raises:
        CommandFailedError: it could not be downloaded, or is not what it was.
    """
    go = find_go(parse_version(go_line((folder / "go.mod").read_text())), cache, console)
    argv: list[str | Path] = [go, "mod", "download", "-json", module]
    told = json.loads(run(argv, what=f"download the module {module}", cwd=folder, env=environment()))
    return Path(told["Dir"])


def locate(cache: Path) -> Binaries:
    """Where everything lies once it is built; builds and installs nothing, so it need not be there."""
    go = installed_go(required_go(), cache)
    return _binaries(_folders(cache, _go_version(go) if go else f"go{WHEEL_VERSION}"))


def required_go() -> Version:
    """The oldest Go that can build everything."""
    return max(parse_version(go_line((tool.folder / "go.mod").read_text())) for tool in TOOLS)


def _folders(cache: Path, go_version: str) -> dict[str, Path]:
    return {tool.name: cache / "bin" / tool.key(go_version, platform.machine()) for tool in TOOLS}


def _binaries(folders: dict[str, Path]) -> Binaries:
    return Binaries(
        kubernetes_folder=folders["kubernetes"],
        etcd=folders["etcd"] / "etcd",
        minio=folders["minio"] / "minio",
        helm=folders["helm"] / "helm",
        pause=folders["pause"] / "pause",
        kubernetes_version=KUBERNETES.version,
    )


def go_line(go_mod: str) -> str:
    """The `go` line of a go.mod: the oldest Go that can build it."""
    return next(line for line in go_mod.splitlines() if line.startswith("go "))


def _go_version(go: Path) -> str:
    return run([go, "env", "GOVERSION"], what="ask Go's version", env=environment()).strip()


def _build(tool: Tool, go: Path, target: Path, console: Console) -> None:
    if target.exists():
        return
    with locked(target.parent / f"{tool.name}.lock", console):
        if target.exists():
            return
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with console.step(f"Building {tool.name} {short_version(tool.version)} (once)") as step:
            total = _count_packages(tool, go, step.update)
            _compile(tool, go, partial, total, step.update)
        for built, ours in tool.programs:
            (partial / built).rename(partial / ours)
        partial.rename(target)


def environment() -> dict[str, str]:
    """What Go's programs are run with: the same build whatever the caller's settings are."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        # git refuses to tell of a checkout that another user owns; what is built does not come from it anyway.
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _count_packages(tool: Tool, go: Path, tell: Callable[[str], None]) -> int:
    """Download the modules that are missing and count the packages to compile."""
    downloaded = 0

    def on_line(line: str) -> None:
        nonlocal downloaded
        downloaded += line.startswith("go: downloading")
        tell(f"downloading modules, {downloaded} so far")

    tell("looking for its modules")
    printed = _follow([go, "list", "-deps", "-f", "{{.ImportPath}}", tool.packages], tool, on_line)
    return sum(not line.startswith("go: ") for line in printed)


def _compile(tool: Tool, go: Path, target: Path, total: int, tell: Callable[[str], None]) -> None:
    compiled = 0

    def on_line(line: str) -> None:
        nonlocal compiled
        compiled += 1
        tell(f"{compiled} of {total} packages compiled, now {line[-60:]}")

    flags = ["-v", "-trimpath", "-ldflags", tool.linker_flags]
    _follow([go, "build", *flags, "-o", f"{target}/", tool.packages], tool, on_line)


def _follow(argv: list[str | Path], tool: Tool, on_line: Callable[[str], None]) -> list[str]:
    return follow(
        argv,
        on_line,
        what=f"build {tool.name} {tool.version}",
        advice=(
            "Correct what it says (if modules could not be downloaded, this machine does not reach its Go module "
            "proxy), then try again: what was compiled is kept."
        ),
        cwd=tool.folder,
        env=environment(),
    )
