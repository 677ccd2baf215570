"""The attack cases, and real PDFs that carry them: one page a case, or beside the pages."""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Text
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from dealguard_analyzer.document import ExtractedDocument, HiddenText, SideText
from dealguard_analyzer.reading import read_pdf
from dealguard_api.pod import ExtractSettings
from dealguard_api.report import Language
from tests.contract_texts import ENGLISH, GERMAN, document_of

_FOLDER = Path(__file__).parent
_CONTRACT: dict[Language, str] = {"en": ENGLISH, "de": GERMAN}
_BESIDE = ("metadata", "annotation", "outline", "attachment")
_METADATA = ("/Title", "/Subject", "/Keywords", "/Author")
_HIDDEN = ("hidden", "offPage", "tiny")
# Between the parts of a case that runs over a page break.
_BREAK = " | "


@dataclass(frozen=True)
class Case:
    """One attack; see `cases.yaml`."""

    id: str
    language: Language
    place: str
    attempts: str
    findings: frozenset[str]
    text: str

    @property
    def is_printable(self) -> bool:
        """Whether a PDF's standard fonts have its characters."""
        try:
            self.text.encode("cp1252")
        except UnicodeEncodeError:
            return False
        return "\xad" not in self.text

    @property
    def quoted(self) -> str:
        """Its first line, as the reader gives it."""
        return self.text.replace(_BREAK, "\n").split("\n")[0]


def cases() -> list[Case]:
    """All attack cases."""
    raw: list[dict[str, Any]] = yaml.safe_load((_FOLDER / "cases.yaml").read_text("utf-8"))
    return [Case(**{**case, "findings": frozenset(case["findings"])}) for case in raw]


def harmless() -> list[str]:
    """Sentences that look like attacks and are none."""
    sentences: list[str] = yaml.safe_load((_FOLDER / "harmless.yaml").read_text("utf-8"))
    return sentences


def as_text(case: Case) -> ExtractedDocument:
    """The case in a contract, as the reader should give it."""
    contract = _CONTRACT[case.language]
    if case.place in _BESIDE:
        beside = SideText(case.place, case.text, 1 if case.place == "annotation" else None)  # type: ignore[arg-type]
        return replace(document_of(contract, language=case.language), side_texts=(beside,))
    pages = [f"{contract}\n{part}" for part in case.text.split(_BREAK)]
    document = document_of(*pages, language=case.language)
    if case.place not in _HIDDEN:
        return document
    hidden = HiddenText(len(contract) + 1, len(pages[0]), "sameColour")
    return replace(document, pages=(replace(document.pages[0], hidden=(hidden,)),))


def together(several: list[Case]) -> ExtractedDocument:
    """The cases in one contract, one after the other."""
    documents = [as_text(case) for case in several]
    found = [page for document in documents for page in document.pages]
    joined = document_of(*(page.text for page in found), language=several[0].language)
    pages = tuple(replace(page, hidden=old.hidden) for page, old in zip(joined.pages, found, strict=True))
    return replace(joined, pages=pages, side_texts=tuple(side for each in documents for side in each.side_texts))


class AttackPdf:
    """The printable cases of one language in one PDF, read as every PDF is.

    Args:
        language: whose cases.
        folder: where the file is put.
    """

    def __init__(self, language: Language, folder: Path) -> None:
        self.cases = [case for case in cases() if case.language == language and case.is_printable]
        self._first_page: dict[str, int] = {}
        path = folder / f"attacks.{language}.pdf"
        path.write_bytes(self._with_side_texts(self._pages(language)))
        self.document = read_pdf(path, ExtractSettings())

    def only(self, case: Case) -> ExtractedDocument:
        """What was read of this case, without the others."""
        if case.place in _BESIDE:
            beside = tuple(side for side in self.document.side_texts if case.text in side.text)
            return replace(self.document, pages=self.document.pages[:1], side_texts=beside)
        first = self._first_page[case.id]
        pages = tuple(page for page in self.document.pages if first <= page.number <= first + case.text.count(_BREAK))
        return replace(self.document, pages=pages, side_texts=())

    def _pages(self, language: Language) -> bytes:
        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=A4, invariant=1)
        _draw_contract(canvas, language)  # the first page is the contract alone
        canvas.showPage()
        number = 2
        for case in self.cases:
            if case.place not in _BESIDE:
                self._first_page[case.id] = number
                for part in case.text.split(_BREAK):
                    _draw_contract(canvas, language)
                    _draw(canvas, case.place, part)
                    canvas.showPage()
                    number += 1
        canvas.save()
        return buffer.getvalue()

    def _with_side_texts(self, pdf: bytes) -> bytes:
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
        by_place = {place: [case.text for case in self.cases if case.place == place] for place in _BESIDE}
        writer.add_metadata(dict(zip(_METADATA, by_place["metadata"], strict=False)))
        for text in by_place["annotation"]:
            writer.add_annotation(0, Text(rect=(500, 700, 520, 720), text=text))
        for text in by_place["outline"]:
            writer.add_outline_item(title=text, page_number=0)
        for name in by_place["attachment"]:
            writer.add_attachment(name, b"an attached file")
        buffer = io.BytesIO()
        writer.write(buffer)
        return buffer.getvalue()


def _draw_contract(canvas: Canvas, language: Language) -> None:
    text = canvas.beginText(56, 800)
    text.setFont("Helvetica", 9)
    text.textLines(_CONTRACT[language])
    canvas.drawText(text)


def _draw(canvas: Canvas, place: str, words: str) -> None:
    """The words of a case, at its place on the page."""
    x, y = {"offPage": (56.0, -200.0), "footer": (56.0, 20.0)}.get(place, (56.0, 400.0))
    text = canvas.beginText(x, y)
    text.setFont("Helvetica-Bold" if place == "title" else "Helvetica", 0.4 if place == "tiny" else 9)
    text.setFillGray(1.0 if place == "hidden" else 0.0)
    text.textLines(words)
    canvas.drawText(text)
