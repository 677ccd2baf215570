"""Cache keys of the local cluster's builds: they change with what changes the result, and with nothing else."""

import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dealguard_cluster import binaries, dockerfile, pause_image, toolchain
from dealguard_cluster.commands import run
from dealguard_cluster.console import Console
from dealguard_cluster.errors import ClusterError, CommandFailedError
from dealguard_cluster.images import ImageBuilder
from dealguard_cluster.toolchain import parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8\n", (1, 26, 8)), ("go 1.24.0", (1, 24, 0)), ("go1.27rc1", (1, 27)), ("devel", (0,))],
    ids=["go env GOVERSION", "a go.mod's line", "a release candidate", "nothing to read"],
)
def test_parse_version(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


def test_go_versions_compare_as_numbers() -> None:
    assert parse_version("go1.26.10") > parse_version("go1.26.9")


@pytest.mark.parametrize(
    ("go_mod", "version"),
    [
        ("require example.org/a v1.2.3\n", "v1.2.3"),
        ("require (\n\texample.org/b v9.9.9\n\texample.org/a v1.2.3 // indirect\n)\n", "v1.2.3"),
        ("require example.org/a/v2 v2.0.0\nrequire example.org/a v1.2.3\n", "v1.2.3"),
    ],
    ids=["one line", "a block", "a longer name does not count"],
)
def test_pinned_version(go_mod: str, version: str) -> None:
    assert binaries.pinned_version(go_mod, "example.org/a") == version


def test_pinned_version_missing() -> None:
    with pytest.raises(CommandFailedError, match=r"example\.org/a"):
        binaries.pinned_version("module x\n", "example.org/a")


@pytest.mark.parametrize(
    ("version", "short"),
    [("v1.34.4", "1.34.4"), ("v0.0.0-20260212201848-7aac2a2c5b7c", "7aac2a2c5b7c")],
    ids=["a release", "a commit"],
)
def test_short_version(version: str, short: str) -> None:
    assert binaries.short_version(version) == short


@pytest.mark.parametrize("tool", binaries.TOOLS, ids=lambda tool: tool.name)
def test_every_tool_is_pinned_with_hashes(tool: binaries.Tool) -> None:
    assert tool.version.startswith("v")
    assert (tool.folder / "go.sum").exists() == (tool.module is not None)
    assert tool.key("go1.26.8", "x86_64").startswith(f"{tool.name}-")


def test_key_changes_with_go_and_machine() -> None:
    keys = {binaries.ETCD.key(go, machine) for go in ("go1.26.8", "go1.27.0") for machine in ("x86_64", "aarch64")}
    assert len(keys) == 4


def test_kubernetes_gets_its_version() -> None:
    """Helm and `kubectl version` read these; without them a cluster says v0.0.0-master."""
    flags = binaries.KUBERNETES.linker_flags
    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in flags
    assert "-X k8s.io/component-base/version.gitMinor=34" in flags


def test_locating_builds_nothing(tmp_path: Path) -> None:
    """`status` and `env` ask this, on machines where nothing is built yet."""
    found = binaries.locate(tmp_path)
    assert found.kube("kubectl").is_relative_to(tmp_path / "bin")
    assert found.kubernetes_folder.name.startswith("kubernetes-1.34.4-")
    assert not list(tmp_path.iterdir())


def test_caches_of_a_go_that_is_not_there_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMODCACHE", "/large/modules")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.delenv("GOCACHE", raising=False)
    assert toolchain.cache_folders(None) == {
        "GOMODCACHE": Path("/large/modules"),
        "GOCACHE": Path("/caches/go-build"),
    }


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("git") is None or toolchain.installed_go(binaries.required_go(), Path()) is None,
    reason="needs root, git and Go",
)
def test_checkout_of_another_user_can_be_built(tmp_path: Path) -> None:
    """git refuses to tell Go of such a repository, and Go then refuses to list a program in it."""
    (tmp_path / "go.mod").write_text("module example.org/x\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() {}\n")
    run(["git", "init", "--quiet", tmp_path], what="make a repository")
    os.chown(tmp_path, 65534, 65534)
    os.chown(tmp_path / ".git", 65534, 65534)
    go = toolchain.installed_go(binaries.required_go(), Path())
    assert go
    listed = run([go, "list", "-deps", "."], what="list", env=binaries.environment(), cwd=tmp_path)
    assert "example.org/x" in listed.split()


def test_two_newest_archives_of_each_image_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for age_seconds, name in enumerate(["operator-new", "operator-older", "operator-oldest", "analyzer-only"]):
        (folder / f"dealguard-{name}.tar").touch()
        os.utime(folder / f"dealguard-{name}.tar", (1000 - age_seconds, 1000 - age_seconds))
    kept = ImageBuilder(tmp_path, Console()).prune_archives("localhost/dealguard-operator")
    assert kept == {"localhost/dealguard-operator:new", "localhost/dealguard-operator:older"}
    assert {file.name for file in folder.iterdir()} == {
        "dealguard-operator-new.tar",
        "dealguard-operator-older.tar",
        "dealguard-analyzer-only.tar",
    }


DOCKERFILE = """\
ARG BASE_IMAGE=base
FROM ${BASE_IMAGE} AS build
COPY shared.txt \\
     /shared.txt
FROM build AS a-build
COPY a /a
FROM build AS b-build
COPY b b2 /b/
FROM ${BASE_IMAGE} AS a
COPY --from=a-build /a /a
FROM ${BASE_IMAGE} AS b
COPY --chown=1:1 --from=b-build /b /b
"""


@pytest.mark.parametrize(
    ("target", "sources"),
    [("a", {"shared.txt", "a"}), ("b", {"shared.txt", "b", "b2"}), ("build", {"shared.txt"})],
    ids=["through two stages", "several sources", "a stage itself"],
)
def test_context_sources(target: str, sources: set[str]) -> None:
    assert dockerfile.context_sources(DOCKERFILE, target) == sources


def test_unknown_target() -> None:
    with pytest.raises(ClusterError, match=r"no target 'c'.*a-build"):
        dockerfile.context_sources(DOCKERFILE, "c")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    for folder in ("a", "b", "b2"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "code.py").write_text(folder)
    (tmp_path / "shared.txt").write_text("shared")
    return tmp_path


def touch_cache(context: Path) -> None:
    (context / "a" / "__pycache__").mkdir()
    (context / "a" / "__pycache__" / "code.pyc").write_text("x")


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        (lambda context: (context / "a" / "code.py").write_text("new"), True),
        (lambda context: (context / "a" / "code.py").rename(context / "a" / "other.py"), True),
        (lambda context: (context / "a" / "code.py").chmod(0o755), True),
        (lambda context: (context / "shared.txt").write_text("new"), True),
        (lambda context: (context / "Dockerfile").write_text(DOCKERFILE + "USER 1\n"), True),
        (lambda context: (context / "b" / "code.py").write_text("new"), False),
        (lambda context: (context / "README.md").write_text("new"), False),
        (lambda context: os.utime(context / "a" / "code.py", (0, 0)), False),
        (touch_cache, False),
    ],
    ids=[
        "content",
        "name",
        "mode",
        "another stage",
        "recipe",
        "another target",
        "not copied",
        "only its time",
        "bytecode",
    ],
)
def test_content_digest(context: Path, change: Callable[[Path], object], changes: bool) -> None:
    def digest() -> str:
        return dockerfile.content_digest(context / "Dockerfile", "a", {"BASE_IMAGE": "x"}, context)

    before = digest()
    change(context)
    assert (digest() != before) == changes


def test_content_digest_changes_with_arguments(context: Path) -> None:
    digests = {dockerfile.content_digest(context / "Dockerfile", "a", {"X": value}, context) for value in "12"}
    assert len(digests) == 2


def test_missing_source_is_named(context: Path) -> None:
    (context / "shared.txt").unlink()
    with pytest.raises(ClusterError, match=r"copies shared\.txt"):
        dockerfile.content_digest(context / "Dockerfile", "a", {}, context)


def test_the_projects_dockerfile_has_the_targets() -> None:
    text = (Path(__file__).resolve().parents[2] / "Dockerfile").read_text()
    for target, never in (("operator", "analyzer"), ("analyzer", "operator")):
        sources = dockerfile.context_sources(text, target)
        assert any(f"dealguard_{target}" in source for source in sources)
        assert not any(f"dealguard_{never}" in source for source in sources)


def test_pause_image_is_an_archive_that_containerd_reads(tmp_path: Path) -> None:
    folder = tmp_path / "pause-1.0.0-0123456789ab"
    folder.mkdir()
    (folder / "pause").write_bytes(b"program")
    for name in ("one.tar", "two.tar"):
        pause_image.write_archive(folder / "pause", tmp_path / name)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes(), (
        "the same program, the same bytes"
    )
    with tarfile.open(tmp_path / "one.tar") as archive:
        manifest_file = archive.extractfile("manifest.json")
        assert manifest_file
        manifest = json.load(manifest_file)[0]
        assert manifest["RepoTags"] == ["localhost/dealguard-pause:0123456789ab"]
        assert {manifest["Config"], *manifest["Layers"]} <= set(archive.getnames())
