"""PDFs for the tests of reading: ordinary ones by reportlab, hostile ones written object by object."""

import io
import zlib
from collections.abc import Iterable

from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

PROSE = "This Agreement shall be governed by the laws of the State of Delaware, and by no other law of any other state."


def pdf_of_lines(*pages: Iterable[str]) -> bytes:
    """One page for each argument, one line for each string in it."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(72, 780 - 16 * number, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def pdf_with_form_value(label: str, value: str) -> bytes:
    """A page with a text field that somebody filled in."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.drawString(72, 780, label)
    canvas.acroForm.textfield(name="field", value=value, x=72, y=700, width=300, height=24)
    canvas.save()
    return buffer.getvalue()


def scanned_pdf(stamp: str = "") -> bytes:
    """A page that is a picture of text, with `stamp` as its only real text."""
    image = Image.new("L", (600, 850), 255)
    for row in range(30):
        ImageDraw.Draw(image).text((40, 40 + 25 * row), PROSE, fill=0)
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.drawImage(ImageReader(image), 0, 0, *A4)
    canvas.drawString(280, 20, stamp)
    canvas.save()
    return buffer.getvalue()


def encrypted(pdf: bytes, user_password: str) -> bytes:
    """The same PDF, opened by `user_password` only; empty: by anybody, with restricted rights."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    writer.encrypt(user_password=user_password, owner_password="owner", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def joined(*pdfs: bytes) -> bytes:
    """The pages of several PDFs in one."""
    writer = PdfWriter()
    for pdf in pdfs:
        writer.append(io.BytesIO(pdf))
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def raw_pdf(objects: dict[int, bytes]) -> bytes:
    """A PDF of these objects with a right cross-reference table; object 1 is the catalog."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    offsets = {}
    for number, body in sorted(objects.items()):
        offsets[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    xref, size = out.tell(), max(objects) + 1
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
    for number in range(1, size):
        out.write(b"%010d 00000 n \n" % offsets[number])
    out.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, xref))
    return out.getvalue()


_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def pdf_with_contents(*contents: bytes) -> bytes:
    """A PDF with one page for each content stream (a whole stream object)."""
    font, first = 3, 4
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", font: _FONT}
    kids = []
    for index, content in enumerate(contents):
        page, stream = first + 2 * index, first + 2 * index + 1
        kids.append(b"%d 0 R" % page)
        objects[page] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
            % stream
        )
        objects[stream] = content
    objects[2] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    return raw_pdf(objects)


def text_content(text: str) -> bytes:
    """The content stream of a page with one line of text."""
    return _stream(b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text.encode("latin-1"))


def bomb_content(size_bytes: int) -> bytes:
    """A content stream of a few kilobytes that unpacks to `size_bytes` (deflated twice)."""
    packer = zlib.compressobj(9)
    chunk = b" " * (1 << 20)
    once = b"".join(packer.compress(chunk) for _ in range(size_bytes >> 20)) + packer.flush()
    return _stream(zlib.compress(once, 9), b"/Filter[/FlateDecode/FlateDecode]")


def slow_pdf(innocent: str) -> bytes:
    """Three pages, the second of which asks for ten forms that each ask for ten forms, and so on."""
    levels, first_form = 8, 10
    names = b"".join(b"/X%d %d 0 R" % (level, first_form + level) for level in range(levels))
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Count 3/Kids[4 0 R 6 0 R 8 0 R]>>",
        3: _FONT,
        5: text_content(innocent),
        7: _stream(b"/X0 Do " * 10),
        9: text_content(innocent),
    }
    for page in (4, 6, 8):
        objects[page] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>/XObject<<%s>>>>>>" % (page + 1, names)
        )
    for level in range(levels):
        inner = b"/X%d Do " % (level + 1) * 10 if level + 1 < levels else b"BT /F1 12 Tf (x) Tj ET"
        objects[first_form + level] = _stream(
            inner,
            b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>/XObject<<%s>>>>" % names,
        )
    return raw_pdf(objects)


def page_tree_loop() -> bytes:
    """A page tree whose only branch is itself."""
    return raw_pdf({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Count 5/Kids[2 0 R 2 0 R]>>"})


def page_count_lie(claimed: int) -> bytes:
    """One page, and a page tree that claims to have `claimed`."""
    return raw_pdf(
        {
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: b"<</Type/Pages/Count %d/Kids[4 0 R]>>" % claimed,
            3: _FONT,
            4: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 5 0 R/Resources<</Font<</F1 3 0 R>>>>>>",
            5: text_content(PROSE),
        }
    )
