"""Makes the sample contracts' PDFs from their text: `python samples/generate.py`. The same text gives the same bytes.

The text's marks: `# ` title, `= ` line under the title, `## ` heading, `! ` aligned to the right, `~ left | right` a
line of signatures, `---` a new page; everything else is a paragraph.
"""

from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

_TEXT = ParagraphStyle(
    "text", fontName="Times-Roman", fontSize=11, leading=14.5, alignment=TA_JUSTIFY, spaceAfter=5, allowWidows=0
)
_TITLE = ParagraphStyle("title", _TEXT, fontName="Times-Bold", fontSize=17, leading=22, alignment=TA_CENTER)
_SUBTITLE = ParagraphStyle("subtitle", _TEXT, alignment=TA_CENTER)
_HEADING = ParagraphStyle("heading", _TEXT, fontName="Times-Bold", fontSize=12, spaceBefore=9, keepWithNext=1)
_RIGHT = ParagraphStyle("right", _TEXT, alignment=TA_RIGHT)
_STYLES = {"# ": _TITLE, "= ": _SUBTITLE, "## ": _HEADING, "! ": _RIGHT}

_PAGE_WORDS = {"de": "Seite", "en": "Page"}


def generate(text_path: Path, pdf_path: Path) -> None:
    """Write the PDF of one contract; its language is the part before `.txt`."""
    language = text_path.suffixes[-2].lstrip(".")
    lines = text_path.read_text(encoding="utf-8").splitlines()
    title = lines[0].removeprefix("# ")

    def footer(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont("Times-Roman", 9)
        canvas.drawCentredString(A4[0] / 2, 1.2 * cm, f"{title} – {_PAGE_WORDS[language]} {document.page}")

    document = SimpleDocTemplate(
        str(pdf_path),
        pagesize=A4,
        leftMargin=2.5 * cm,
        rightMargin=2.5 * cm,
        topMargin=2.2 * cm,
        bottomMargin=2.2 * cm,
        title=title,
        author="DealGuard samples",
        lang=language,
        invariant=1,  # no time and no random identifier in the file
    )
    document.build([_flowable(line) for line in lines if line.strip()], onFirstPage=footer, onLaterPages=footer)


def _flowable(line: str) -> Flowable:
    if line == "---":
        return PageBreak()
    if line.startswith("~ "):
        cells = [Paragraph(escape(cell.strip()), _SUBTITLE) for cell in line.removeprefix("~ ").split("|")]
        return Table([cells], colWidths=[8 * cm, 8 * cm], spaceBefore=14)
    for mark, style in _STYLES.items():
        if line.startswith(mark):
            return Paragraph(escape(line.removeprefix(mark)), style)
    return Paragraph(escape(line), _TEXT) if line.strip() else Spacer(1, 0)


def main() -> None:
    """Write every contract of this folder."""
    for text_path in sorted(Path(__file__).parent.glob("*.*.txt")):
        generate(text_path, text_path.with_suffix(".pdf"))


if __name__ == "__main__":
    main()
