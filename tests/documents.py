"""PDFs that the tests need: the samples, and small ones made on the spot."""

import io
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

REPOSITORY = Path(__file__).resolve().parent.parent

_CLAUSES = (
    "This Agreement is entered into as of March 1, 2024 by and between Example Alpha LLC and Example Beta Inc.",
    "The initial term of this Agreement is three years from the Effective Date.",
    "This Agreement shall be governed by the laws of the State of Delaware.",
    "Neither party may assign this Agreement without the prior written consent of the other party.",
)


def sample_contract(language: str) -> Path:
    """One of the two sample contracts: `de` or `en`."""
    (path,) = (REPOSITORY / "samples").glob(f"*.{language}.pdf")
    return path


def pdf_with_pages(count: int) -> bytes:
    """An English contract-like PDF of `count` pages, the same bytes every time."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    for number in range(1, count + 1):
        canvas.drawString(72, 780, f"Section {number}")
        for line, clause in enumerate(_CLAUSES):
            canvas.drawString(72, 750 - 20 * line, clause)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def picture_only_pdf() -> bytes:
    """A page with shapes and no text, as a scanner without text recognition leaves it."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    for offset in range(0, 300, 20):
        canvas.rect(72 + offset, 400, 10, 10 + offset / 3, fill=1)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def encrypted_pdf(user_password: str) -> bytes:
    """A contract that opens with `user_password` only (AES-256)."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_with_pages(1))))
    writer.encrypt(user_password=user_password, owner_password="owner", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
