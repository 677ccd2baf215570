"""The image builder's real storage: what an interrupted build leaves does not stop the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dealguard_cluster import packages
from dealguard_cluster.console import Console
from dealguard_cluster.errors import CommandFailedError
from dealguard_cluster.images import Image, ImageBuilder

if TYPE_CHECKING:
    from pathlib import Path

NAME = "localhost/dealguard-interrupted:1"


def test_old_steps_can_be_removed_though_an_interrupted_build_holds_one(tmp_path: Path) -> None:
    packages.ensure(packages.IMAGES, Console())
    builder = ImageBuilder(tmp_path, Console())
    image = Image(NAME, builder._archive(NAME))
    (tmp_path / "Dockerfile").write_text("FROM scratch AS part\nCOPY file.txt /file.txt\n")
    for content in ("first", "second"):
        (tmp_path / "file.txt").write_text(content)
        builder._build(image, tmp_path / "Dockerfile", "part", {}, tmp_path)
    for step in builder._buildah("images", "--quiet", "--filter=dangling=true").split():
        builder._buildah("from", step)  # the working container that a build killed at its next step leaves
    with pytest.raises(CommandFailedError, match="in use by a container"):
        builder._buildah("rmi", "--prune")

    builder._remove_leftovers()
    builder._buildah("rmi", "--prune")

    assert builder._buildah("images", "--all", "--format", "{{.Name}}:{{.Tag}}").split() == [NAME]
