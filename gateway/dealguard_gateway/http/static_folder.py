"""Files that are the same for everybody: read once, at start, and served from memory.

What is not among them is not there: no path of a request ever becomes a path on the disk.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from starlette.requests import Request
from starlette.responses import Response

from dealguard_gateway.problems import NotFoundProblem

# By suffix, since the system's own table differs between machines. A file of another kind is not served.
_MEDIA_TYPES = {
    ".bcmap": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".ftl": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".icc": "application/vnd.iccprofile",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".pfb": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class StaticFile:
    """One file.

    Args:
        content: its bytes.
        media_type: for `Content-Type`.
        etag: of its content.
    """

    content: bytes
    media_type: str
    etag: str


class StaticFolder:
    """The files of a folder and those below, by their path in it: `build/pdf.min.mjs`."""

    def __init__(self, files: Mapping[str, StaticFile]) -> None:
        self._files = files

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read all files of the kinds that a page is made of; hidden ones are left out."""
        return cls(
            {path.relative_to(folder).as_posix(): _read(path) for path in sorted(folder.rglob("*")) if _is_served(path)}
        )

    def __contains__(self, path: str) -> bool:
        """Whether the file is there."""
        return path in self._files

    def answer(self, path: str, request: Request) -> Response:
        """The file, or that the client has it already.

        Raises:
            NotFoundProblem: there is no such file.
        """
        file = self._files.get(path)
        if file is None:
            raise NotFoundProblem("file-not-found", "There is no such file. The page is at /.")
        # Kept, but asked for each time: what belongs together must be of one version.
        headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(file.content, headers=headers, media_type=file.media_type)


def _is_served(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix in _MEDIA_TYPES


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    return StaticFile(content, _MEDIA_TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
