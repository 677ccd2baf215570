"""Makes the PDFs of the contracts in `tests/contracts/` with different producers. The same text gives the same bytes.

The text's marks: `# ` title, `= ` line under the title, `## ` heading, `! ` aligned to the right, `~ left | right` a
line of signatures; everything else is a paragraph.
"""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
import typst
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, SimpleDocTemplate

FOLDER = Path(__file__).parent / "contracts"
MARKS = ("# ", "= ", "## ", "! ", "~ ")

_VERA = Path(reportlab.__file__).parent / "fonts"
_DAY = datetime(2025, 1, 1, tzinfo=UTC)  # any fixed day: the same text gives the same bytes


@dataclass(frozen=True)
class Contract:
    """One contract: its text, and what its report must say."""

    name: str
    language: str
    text: str
    expected: dict  # type: ignore[type-arg]  # JSON

    def pdf(self) -> bytes:
        """The contract as the producer makes it that the expectation names."""
        return PRODUCERS[self.expected["producer"]](list(_lines(self.text)), self.language)


def contracts() -> list[Contract]:
    """Every contract of the folder, by name."""
    return [
        Contract(
            name=path.name.removesuffix(".txt"),
            language=path.suffixes[0].lstrip("."),
            text=path.read_text(encoding="utf-8"),
            expected=json.loads(path.with_suffix(".json").read_text(encoding="utf-8")),
        )
        for path in sorted(FOLDER.glob("*.*.txt"))
    ]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """(mark, words) of each line that is not blank; the mark of a paragraph is ''."""
    for line in text.splitlines():
        mark = next((mark for mark in MARKS if line.startswith(mark)), "")
        if line.strip():
            yield mark, line.removeprefix(mark).strip()


Lines = list[tuple[str, str]]

_TEXT = ParagraphStyle(
    "text", fontName="Times-Roman", fontSize=11, leading=15, alignment=TA_JUSTIFY, spaceAfter=6, allowWidows=0
)
_SMALL = ParagraphStyle("small", _TEXT, fontSize=11, leading=15)


def _paragraphs(lines: Lines, text: ParagraphStyle) -> list[Paragraph]:
    styles = {
        "": text,
        "# ": ParagraphStyle("title", text, fontName="Times-Bold", fontSize=15, leading=19, alignment=TA_CENTER),
        "= ": ParagraphStyle("subtitle", text, alignment=TA_CENTER),
        "## ": ParagraphStyle("heading", text, fontName="Times-Bold", spaceBefore=6, keepWithNext=1),
        "! ": ParagraphStyle("right", text, alignment=TA_RIGHT),
        "~ ": ParagraphStyle("signatures", text, spaceBefore=24),
    }
    return [Paragraph(escape(words), styles[mark]) for mark, words in lines]


def _reportlab(lines: Lines, language: str) -> bytes:
    """One column, justified, with soft line ends."""
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=2.5 * cm, rightMargin=2.5 * cm, lang=language, invariant=1, title=lines[0][1]
    )
    document.build(_paragraphs(lines, _TEXT))
    return buffer.getvalue()


def _two_columns(lines: Lines, language: str) -> bytes:
    """Two columns of small print between a header and a footer, as standard terms are printed."""
    buffer = io.BytesIO()
    width, height = A4

    def edges(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont("Times-Italic", 8)
        canvas.drawString(2 * cm, height - 1.2 * cm, lines[0][1])
        word = "Seite" if language == "de" else "Page"
        canvas.drawCentredString(width / 2, 1 * cm, f"{word} {document.page}")

    column = (width - 5 * cm) / 2
    frames = [Frame(x, 2 * cm, column, height - 4 * cm, id=str(x)) for x in (2 * cm, 3 * cm + column)]
    document = BaseDocTemplate(buffer, pagesize=A4, lang=language, invariant=1, title=lines[0][1])
    document.addPageTemplates([PageTemplate(id="columns", frames=frames, onPage=edges)])
    document.build(_paragraphs(lines, _SMALL))
    return buffer.getvalue()


def _fpdf(lines: Lines, language: str) -> bytes:
    """Embedded TrueType subsets, left-aligned."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(_DAY)
    pdf.set_title(lines[0][1])
    pdf.set_lang(language)
    pdf.add_font("Vera", "", _VERA / "Vera.ttf")
    pdf.add_font("Vera", "B", _VERA / "VeraBd.ttf")
    pdf.set_auto_page_break(auto=True, margin=20)
    pdf.add_page()
    for mark, words in lines:
        pdf.set_font("Vera", "B" if mark in {"# ", "## "} else "", 14 if mark == "# " else 10)
        align = {"# ": "C", "= ": "C", "! ": "R"}.get(mark, "L")
        pdf.multi_cell(0, 5.5, words, align=align, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(2)
    return bytes(pdf.output())


def _typst(lines: Lines, language: str) -> bytes:
    """Hyphenated and justified, with ligatures and a page number."""
    source = [
        f'#set document(title: {json.dumps(lines[0][1], ensure_ascii=False)}, date: none)\n#set page(paper: "a4",'
        f' margin: 2.5cm, numbering: "1 / 1")\n#set text(lang: "{language}", size: 11pt)\n'
        "#set par(justify: true, leading: 0.8em)\n"
    ]
    wrappers = {
        "# ": "#align(center, text(size: 15pt, weight: 700, {}))",
        "= ": "#align(center, {})",
        "## ": "#block(above: 1.6em, text(weight: 700, {}))",
        "! ": "#align(right, {})",
    }
    for mark, words in lines:
        content = f"text({json.dumps(words, ensure_ascii=False)})"
        source.append(wrappers.get(mark, "#par({})").format(content) + "\n\n")
    made = typst.compile("".join(source).encode())
    assert isinstance(made, bytes)
    return made


def _rewritten(lines: Lines, language: str) -> bytes:
    """Another program's file, merged and compressed by pypdf: object streams, no outline, another order of objects."""
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(_reportlab(lines, language))))
    for page in writer.pages:
        page.compress_content_streams()
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


PRODUCERS: dict[str, Callable[[Lines, str], bytes]] = {
    "reportlab": _reportlab,
    "two-columns": _two_columns,
    "fpdf2": _fpdf,
    "typst": _typst,
    "pypdf": _rewritten,
}
