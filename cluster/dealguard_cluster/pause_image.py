"""The image that every pod's sandbox is made from: one static program, written as a docker-archive."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def image_name(program: Path) -> str:
    """The image's name: its tag is the key of the program's build."""
    return f"localhost/dealguard-{program.name}:{program.parent.name.rsplit('-', 1)[-1]}"


def write_archive(program: Path, target: Path) -> None:
    """Write the image as a docker-archive; the same program gives the same bytes."""
    layer = _tar({program.name: program.read_bytes()})
    config = json.dumps(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps(
        [{"Config": config_name, "RepoTags": [image_name(program)], "Layers": ["layer.tar"]}]
    ).encode()
    target.write_bytes(_tar({"layer.tar": layer, config_name: config, "manifest.json": manifest}))


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
