"""The page and what it needs: its own files, and PDF.js, which shows documents in it."""

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dealguard_gateway.http.static_folder import StaticFolder
from dealguard_gateway.routes.lookup import services_of
from dealguard_gateway.settings import GatewaySettings, SettingsError

router = APIRouter(include_in_schema=False)

PAGE_FOLDER = Path(__file__).resolve().parent.parent / "page"
# Beside the source, where scripts/setup puts it.
_PDFJS_FOLDER = PAGE_FOLDER.parent.parent / "pdfjs"
_PDFJS_PROGRAMS = ("build/pdf.min.mjs", "build/pdf.worker.min.mjs")


@router.api_route("/", methods=["GET", "HEAD"])
async def index(request: Request) -> Response:
    """The page."""
    return _folder(PAGE_FOLDER).answer("index.html", request)


@router.api_route("/page/{path:path}", methods=["GET", "HEAD"])
async def page_file(path: str, request: Request) -> Response:
    """A file of the page."""
    return _folder(PAGE_FOLDER).answer(path, request)


@router.api_route("/pdfjs/{path:path}", methods=["GET", "HEAD"])
async def pdfjs_file(path: str, request: Request) -> Response:
    """A file of PDF.js."""
    return _folder(pdfjs_folder(services_of(request).settings)).answer(path, request)


def pdfjs_folder(settings: GatewaySettings) -> Path:
    """Where PDF.js is."""
    return settings.pdfjs_folder or _PDFJS_FOLDER


def check_page(settings: GatewaySettings) -> None:
    """Read the page and PDF.js, at start.

    Raises:
        SettingsError: one of them is not there.
    """
    if "index.html" not in _folder(PAGE_FOLDER):
        raise SettingsError(f"The gateway cannot start: its page is missing in {PAGE_FOLDER}. Install it again, whole.")
    folder = pdfjs_folder(settings)
    missing = [name for name in _PDFJS_PROGRAMS if name not in _folder(folder)]
    if missing:
        raise SettingsError(
            f"The gateway cannot start: PDF.js is missing in {folder} ({', '.join(missing)}). Run scripts/setup, or "
            "set DEALGUARD_PDFJS_FOLDER to an unpacked pdfjs-dist."
        )


@lru_cache(maxsize=8)
def _folder(folder: Path) -> StaticFolder:
    return StaticFolder.read(folder)
