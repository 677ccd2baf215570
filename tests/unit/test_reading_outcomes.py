"""Every document ends in its text or in the reason that says what to do; a table of documents."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.errors import DocumentError
from dealguard_analyzer.reading import read_pdf
from dealguard_api.pod import ExtractSettings
from dealguard_api.reasons import Reason
from tests import odd_pdfs as make

CONTRACT = make.pdf_of_lines([make.PROSE])


@dataclass(frozen=True)
class Refused:
    """A document that is not analysed."""

    name: str
    pdf: Callable[[], bytes]
    reason: Reason
    says: str
    settings: dict[str, Any] = field(default_factory=dict)


REFUSED = [
    Refused("empty file", lambda: b"", Reason.DOCUMENT_EMPTY, "0 bytes"),
    Refused("a text file", lambda: b"Dear Sirs", Reason.NOT_A_PDF, "Export the contract as PDF"),
    Refused("a header after the first kilobyte", lambda: b"x" * 1100 + CONTRACT, Reason.NOT_A_PDF, "not a PDF"),
    Refused("more bytes than allowed", lambda: CONTRACT, Reason.DOCUMENT_TOO_LARGE, "MB", {"max_pdf_bytes": 1000}),
    Refused(
        "another file than the one named",
        lambda: CONTRACT,
        Reason.CHECKSUM_MISMATCH,
        "spec.document.sha256",
        {"expected_sha256": "0" * 64},
    ),
    Refused(
        "a password", lambda: make.encrypted(CONTRACT, "secret"), Reason.DOCUMENT_ENCRYPTED, "without the password"
    ),
    Refused("a header and nothing else", lambda: b"%PDF-1.7\n", Reason.DOCUMENT_UNREADABLE, "print it to a new PDF"),
    Refused("cut in the middle", lambda: CONTRACT[: len(CONTRACT) // 2], Reason.DOCUMENT_UNREADABLE, "damaged"),
    Refused("a page tree that contains itself", make.page_tree_loop, Reason.DOCUMENT_UNREADABLE, "damaged"),
    Refused(
        "more pages than allowed",
        lambda: make.pdf_of_lines(*[[make.PROSE]] * 4),
        Reason.TOO_MANY_PAGES,
        "4 pages; the limit is 3",
        {"max_pages": 3},
    ),
    Refused(
        "five thousand pages",
        lambda: make.pdf_with_shared_content(5000, make.text_content(make.PROSE)),
        Reason.TOO_MANY_PAGES,
        "5,000 pages; the limit is 2,000",
    ),
    Refused("a scan", make.scanned_pdf, Reason.NO_TEXT_LAYER, "its pages are pictures"),
    Refused("a scan with a page number", lambda: make.scanned_pdf("Seite 1"), Reason.NO_TEXT_LAYER, "pictures"),
    Refused("blank pages", lambda: make.pdf_of_lines([], []), Reason.NO_TEXT_LAYER, "no letters of text on 2 pages"),
    Refused("one word", lambda: make.pdf_of_lines(["Contract"]), Reason.NO_TEXT_LAYER, "8 letters of text on 1 page"),
    Refused(
        "a bomb as its only page",
        lambda: make.pdf_with_contents(make.bomb_content(200 << 20)),
        Reason.DOCUMENT_UNREADABLE,
        "more memory than allowed",
        {"max_memory_bytes": 192 << 20},
    ),
    Refused(
        "10,000 pages in a file of 1.4 MB",
        lambda: make.pdf_with_shared_content(10_000, make.text_content(make.PROSE)),
        Reason.TOO_MANY_PAGES,
        "10,000 pages",
    ),
    Refused(
        "200 pages that share one slow stream of 40 KB",
        lambda: make.pdf_with_shared_content(200, make.slow_content(300_000)),
        Reason.DOCUMENT_UNREADABLE,
        "was used up",
        {"max_seconds_per_page": 0.4, "max_seconds": 3},
    ),
    Refused(
        "a font that does not say which letters its signs are",
        lambda: make.pdf_without_mappings(make.PROSE),
        Reason.NO_TEXT_LAYER,
        "do not say which letters",
    ),
    Refused("no time", lambda: CONTRACT, Reason.DOCUMENT_UNREADABLE, "takes longer", {"max_seconds": 0.001}),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused(case: Refused, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as refusal:
        _read(tmp_path, case.pdf(), **case.settings)
    assert refusal.value.reason == case.reason
    assert case.says in refusal.value.message
    assert str(tmp_path) not in refusal.value.message


@dataclass(frozen=True)
class Read:
    """A document that is analysed, at least in part."""

    name: str
    pdf: Callable[[], bytes]
    readable: list[int]
    unreadable: dict[int, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def _bomb_between_two_pages() -> bytes:
    return make.pdf_with_contents(
        make.text_content(make.PROSE), make.bomb_content(200 << 20), make.text_content(make.PROSE)
    )


def _on_a_page_of(media_box: str) -> bytes:
    """White text, so that the page must be drawn to be judged."""
    white = f"1 g BT /F1 12 Tf 72 600 Td ({make.PROSE}) Tj ET"
    return make.pdf_of_raw_pages(make.RawPage(white, f"/MediaBox[{media_box}]"))


READ = [
    Read("ordinary", lambda: CONTRACT, [1]),
    Read(
        "the digest that was named",
        lambda: CONTRACT,
        [1],
        {},
        {"expected_sha256": hashlib.sha256(CONTRACT).hexdigest()},
    ),
    Read("exactly as large as allowed", lambda: CONTRACT, [1], {}, {"max_pdf_bytes": len(CONTRACT)}),
    Read("junk before the header", lambda: b"x" * 900 + CONTRACT, [1]),
    Read("encrypted with an empty password", lambda: make.encrypted(CONTRACT, ""), [1]),
    Read("a blank page is a page without text", lambda: make.pdf_of_lines([make.PROSE], []), [1, 2]),
    Read(
        "a trailer without a root: the second reader", lambda: make.page_count_lie(1).replace(b"/Root 1 0 R", b""), [1]
    ),
    Read("a scanned page", lambda: make.joined(CONTRACT, make.scanned_pdf()), [1], {2: "OCR"}),
    Read("a page count that lies", lambda: make.page_count_lie(3), [1], {2: "damaged", 3: "damaged"}),
    Read("a page out of memory", _bomb_between_two_pages, [1, 3], {2: "memory"}, {"max_memory_bytes": 192 << 20}),
    Read(
        "a page in a font without letters",
        lambda: make.joined(CONTRACT, make.pdf_without_mappings(make.PROSE), CONTRACT),
        [1, 3],
        {2: "do not say which letters"},
    ),
    Read("a page of a hundred miles", lambda: _on_a_page_of("0 0 1e9 1e9"), [1]),
    Read("a page without any extent", lambda: _on_a_page_of("0 0 0 0"), [1]),
    Read("a page as thin as a hair", lambda: _on_a_page_of("0 0 0.01 1e6"), [1]),
    Read("a page out of time", lambda: make.slow_pdf(make.PROSE), [1, 3], {2: "longer"}, {"max_seconds_per_page": 1}),
]


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_read(case: Read, tmp_path: Path) -> None:
    document = _read(tmp_path, case.pdf(), **case.settings)
    assert [page.number for page in document.pages] == case.readable
    assert {page.page: True for page in document.unreadable_pages} == dict.fromkeys(case.unreadable, True)
    for page in document.unreadable_pages:
        assert case.unreadable[page.page] in page.reason
    assert document.pages[0].text == make.PROSE
    assert document.info.pages == len(case.readable) + len(case.unreadable)


def test_info_describes_the_file(tmp_path: Path) -> None:
    info = _read(tmp_path, CONTRACT).info
    assert (info.bytes, info.sha256) == (len(CONTRACT), hashlib.sha256(CONTRACT).hexdigest())
    assert info.language == "en"


def test_same_bytes_same_text(tmp_path: Path) -> None:
    pdf = _bomb_between_two_pages()
    first, second = (_read(tmp_path, pdf, max_memory_bytes=192 << 20) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ["missing.pdf", "."], ids=["no such file", "a folder"])
def test_not_a_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as refusal:
        read_pdf(tmp_path / name, ExtractSettings())
    assert refusal.value.reason == Reason.DOCUMENT_NOT_FOUND


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "K\udcfcndigung.pdf"  # latin-1, as old archives have it
    path.write_bytes(CONTRACT)
    assert read_pdf(path, ExtractSettings()).pages[0].text == make.PROSE


def test_progress_is_told_page_by_page(tmp_path: Path) -> None:
    path = tmp_path / "contract.pdf"
    path.write_bytes(make.joined(CONTRACT, make.scanned_pdf(), CONTRACT))
    told: list[tuple[int, int]] = []
    read_pdf(path, ExtractSettings(), on_page=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def _read(folder: Path, pdf: bytes, **settings: Any) -> ExtractedDocument:
    path = folder / "contract.pdf"
    path.write_bytes(pdf)
    return read_pdf(path, ExtractSettings(**settings))
