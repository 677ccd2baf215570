"""PDFs for the tests of reading: ordinary ones by reportlab, hostile ones written object by object."""

import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Text
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, PdfObject, StreamObject, TextStringObject
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


@dataclass(frozen=True)
class RawPage:
    """A page of `pdf_of_raw_pages`: its content stream's operators, and entries of its dictionary.

    Its resources: font /F1, the see-through graphics state /Clear, the layer /Off that is switched off, the pictures
    /Scan (black lines on white) and /Blank (white), the form /WhiteForm with white text and /DarkForm with black text.
    """

    operators: str
    entries: str = ""


def pdf_of_raw_pages(*pages: RawPage, form_text: str = "") -> bytes:
    """A PDF written operator by operator."""
    lines = b"".join(b"\0" * 64 + b"\xff" * 64 for _ in range(32))
    picture = b"/Type/XObject/Subtype/Image/Width 64/Height 64/ColorSpace/DeviceGray/BitsPerComponent 8"
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Matrix[1 0 0 1 10 0]/Resources<</Font<</F1 3 0 R>>>>"
    shown = b"BT /F1 12 Tf 72 600 Td (%s) Tj ET" % form_text.encode("latin-1")
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[10 0 R]/D<</OFF[10 0 R]>>>>>>",
        3: _FONT,
        4: b"<</Font<</F1 3 0 R>>/ExtGState<</Clear<</ca 0/CA 0>>>>/Properties<</Off 10 0 R>>"
        b"/XObject<</Scan 5 0 R/Blank 6 0 R/WhiteForm 7 0 R/DarkForm 8 0 R>>>>",
        5: _stream(lines, picture),
        6: _stream(b"\xff" * 64 * 64, picture),
        7: _stream(b"1 g " + shown, form),
        8: _stream(shown, form),
        9: b"null",
        10: b"<</Type/OCG/Name(notes)>>",
    }
    kids = []
    for number, page in enumerate(pages):
        first = 11 + 2 * number
        kids.append(b"%d 0 R" % first)
        entries = page.entries if "/MediaBox" in page.entries else "/MediaBox[0 0 612 792]" + page.entries
        objects[first] = b"<</Type/Page/Parent 2 0 R/Contents %d 0 R/Resources 4 0 R%s>>" % (
            first + 1,
            entries.encode("latin-1"),
        )
        objects[first + 1] = _stream(page.operators.encode("latin-1"))
    objects[2] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    return raw_pdf(objects)


def pdf_with_shared_content(pages: int, content: bytes) -> bytes:
    """Many pages that all show the one stream object `content`; three kilobytes for twenty pages."""
    objects = {1: b"<</Type/Catalog/Pages 2 0 R>>", 3: _FONT, 4: content}
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
    objects.update({5 + number: page for number in range(pages)})
    kids = b" ".join(b"%d 0 R" % (5 + number) for number in range(pages))
    objects[2] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids)
    return raw_pdf(objects)


def slow_content(operators: int) -> bytes:
    """A content stream of a few kilobytes that unpacks to so many operators, each of them shown text."""
    return _stream(
        zlib.compress(b"BT /F1 9 Tf " + b"(abcdefgh) Tj 0 0 Td " * operators + b"ET", 9), b"/Filter/FlateDecode"
    )


def pdf_without_mappings(text: str) -> bytes:
    """Text in a font that does not say which letters its signs stand for: their numbers are not the letters'."""
    signs = "".join(f"{ord(letter) - 29:04x}" for letter in text)
    return raw_pdf(
        {
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: b"<</Type/Pages/Count 1/Kids[4 0 R]>>",
            3: b"<</Type/Font/Subtype/Type0/BaseFont/ABCDEF+Secret/Encoding/Identity-H/DescendantFonts[6 0 R]>>",
            4: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 5 0 R/Resources<</Font<</F1 3 0 R>>>>>>",
            5: _stream(f"BT /F1 6 Tf 20 700 Td <{signs}> Tj ET".encode()),
            6: b"<</Type/Font/Subtype/CIDFontType2/BaseFont/ABCDEF+Secret/CIDToGIDMap/Identity/DW 600"
            b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor 7 0 R>>",
            7: b"<</Type/FontDescriptor/FontName/ABCDEF+Secret/Flags 4/FontBBox[0 0 600 800]/ItalicAngle 0"
            b"/Ascent 800/Descent -200/CapHeight 700/StemV 80>>",
        }
    )


def pdf_of_placed_lines(*lines: tuple[float, float, str]) -> bytes:
    """One page with each line of text at its place (x, y), in this order."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.setFont("Helvetica", 9)
    for x, y, line in lines:
        canvas.drawString(x, y, line)
    canvas.save()
    return buffer.getvalue()


def _dictionary(entries: dict[str, PdfObject]) -> DictionaryObject:
    return DictionaryObject({NameObject(key): value for key, value in entries.items()})


def pdf_with_side_texts(**texts: str) -> bytes:
    """A contract with text beside its page: title, keyword, note, attachment, outline, script, xmp."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of_lines([PROSE]))))
    writer.add_metadata({"/Title": texts["title"], "/OwnEntry": texts["own_entry"]})
    writer.add_attachment(texts["attachment"], b"data")
    writer.add_outline_item(title=texts["outline"], page_number=0)
    script = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject(texts["script"])}
    named = ArrayObject([TextStringObject("start"), _dictionary(script)])
    writer.root_object["/Names"].get_object()[NameObject("/JavaScript")] = _dictionary({"/Names": named})
    writer.add_annotation(0, Text(rect=(50, 550, 200, 650), text=texts["note"]))
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a pdf:Keywords="{texts["keywords"]}">{texts["xmp"]}</a></x:xmpmeta>'
    stream = StreamObject()
    stream.set_data(xmp.encode())
    stream.update({NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")})
    writer.root_object[NameObject("/Metadata")] = writer._add_object(stream.flate_encode())
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
