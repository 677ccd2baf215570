"""The extracted text on its way from `extract` to `analyze`: JSON lines in the shared in-memory volume.

The first line names the document, its unreadable pages and what stands on no page; each other line is a page in the
form of `sandbox.wire`.
"""

import base64
import json
from pathlib import Path

from pydantic import BaseModel, ValidationError

from dealguard_analyzer.document import ExtractedDocument, Page, Words
from dealguard_analyzer.errors import AnalysisError
from dealguard_analyzer.reading.messages import PageRead, SideTextRead
from dealguard_api.exit_codes import ExitCode
from dealguard_api.report import DocumentInfo, UnreadablePage


class _Header(BaseModel):
    info: DocumentInfo
    pages: int
    unreadable_pages: list[UnreadablePage]
    side_texts: list[SideTextRead]


def write_document(path: Path, document: ExtractedDocument) -> None:
    """Write `document` under `path`, there only once it is whole.

    Raises:
        OSError: the volume is full.
    """
    unfinished = path.with_suffix(".part")
    header = _Header(
        info=document.info,
        pages=len(document.pages),
        unreadable_pages=list(document.unreadable_pages),
        side_texts=[SideTextRead(kind="side", side=s.kind, text=s.text, page=s.page) for s in document.side_texts],
    )
    with unfinished.open("wb") as file:
        file.write(header.model_dump_json().encode() + b"\n")
        for page in document.pages:
            file.write(_encode(page) + b"\n")
    unfinished.rename(path)


def read_document(path: Path) -> ExtractedDocument:
    """The document that `write_document` wrote.

    Raises:
        AnalysisError: there is none, or it is not whole.
    """
    try:
        with path.open("rb") as file:
            header = _Header.model_validate_json(next(file, b""))
            pages = tuple(PageRead.model_validate_json(line).to_page() for line in file)
    except (OSError, ValidationError):
        raise _missing() from None
    if len(pages) != header.pages:
        raise _missing()
    side_texts = tuple(side.to_side_text() for side in header.side_texts)
    return ExtractedDocument(header.info, pages, tuple(header.unreadable_pages), side_texts)


def _encode(page: Page) -> bytes:
    words = page.words if isinstance(page.words, Words) else Words.of(page.words)
    line = {
        "kind": "page",
        "number": page.number,
        "text": page.text,
        "offsets": base64.b64encode(words.offsets).decode(),
        "boxes": base64.b64encode(words.boxes).decode(),
        "hidden": [[stretch.start, stretch.end, stretch.reason] for stretch in page.hidden],
    }
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()


def _missing() -> AnalysisError:
    return AnalysisError(ExitCode.INTERNAL_ERROR, "The text that the extract container should have left is not there.")
