"""The first reader: pdfium."""

import ctypes
import mmap
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

from dealguard_analyzer.sandbox import calls
from dealguard_analyzer.sandbox.columns import read_columns
from dealguard_analyzer.sandbox.hidden import find_hidden
from dealguard_analyzer.sandbox.normalise import WORD, mark_line_end_hyphens, normalise
from dealguard_analyzer.sandbox.page_objects import Box
from dealguard_analyzer.sandbox.side_texts import annotations_of, side_texts_of
from dealguard_analyzer.sandbox.wire import PageContent, PageFault, Refused, SideContent

# A dense page has 10,000 characters; twenty times that is a plan or a bomb.
_MAX_CHARACTERS_PER_PAGE = 200_000

# A page without a visible character, or with fewer than this under pictures that cover a quarter of it (a scan with a
# stamp or a page number), has its text where we cannot read it ...
_FEW_CHARACTERS = 20
_SCAN_COVERAGE = 0.25
# ... unless it is as good as empty: fewer dark pixels than this share of a thumbnail. White pictures are common.
_MIN_INK = 0.005
_THUMBNAIL_PIXELS = 300
_DARK = 230
_MAX_OBJECTS_LOOKED_AT = 2000

# A page is not read if as many of its signs have no known letter; bullets and symbols are few.
_MAX_UNMAPPED = 0.3
_SAMPLE_CHARACTERS = 200  # of a page are asked for, as each question takes time
_BETWEEN_WORDS = " \r\n\t\xa0"

_FIRST, _LAST = array("f", [0.0] * 4), array("f", [0.0] * 4)
_FIRST_PLACE, _LAST_PLACE = calls.places(_FIRST)[0], calls.places(_LAST)[0]

_INVISIBLE = re.compile(r"[\s\ufffd]")

# A stream's dictionary stands in the open in every PDF, also where strings and streams are encrypted.
_XMP_MARK = re.compile(rb"/XML\b")


class PdfiumDocument:
    """An open PDF.

    Args:
        file: the whole file, mapped copy-on-write (ctypes wants a writable buffer).

    Raises:
        Refused: it needs a password, or pdfium finds no document in it.
    """

    def __init__(self, file: mmap.mmap) -> None:
        self._file = file
        self._annotations: list[SideContent] = []
        self._buffer = (ctypes.c_char * len(file)).from_buffer(file)
        try:
            self._pdf = pypdfium2.PdfDocument(self._buffer)
        except pypdfium2.PdfiumError as error:
            locked = error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY)
            raise Refused("encrypted" if locked else "damaged") from None
        if self._pdf.get_formtype() != pdfium_c.FORMTYPE_NONE:
            self._pdf.init_forms()  # draws the values that a form leaves to the viewer to draw

    def __len__(self) -> int:
        return len(self._pdf)

    @property
    def has_metadata(self) -> bool:
        """Whether there is XMP, which pdfium does not read."""
        return _XMP_MARK.search(self._file) is not None

    def annotations(self) -> Iterator[SideContent]:
        """What the annotations of the page read last say."""
        return iter(self._annotations)

    def side_texts(self) -> Iterator[SideContent]:
        """What the document says beside its pages."""
        return side_texts_of(self._pdf)

    def read(self, number: int) -> PageContent | PageFault:
        """What stands on page `number` (from 1), or why we cannot say."""
        self._annotations = []
        try:
            with closing(self._load(number)) as page, closing(page.get_textpage()) as text_page:
                return _read(page, text_page)
        except pypdfium2.PdfiumError:
            return "damaged"

    def _load(self, number: int) -> Any:
        page = self._pdf[number - 1]
        if pdfium_c.FPDFPage_GetAnnotCount(page) <= 0:
            return page
        self._annotations = list(annotations_of(page, number))  # flattening takes them away
        # Form values and text annotations are on the page that a person sees, but in its text only after flattening,
        # and then only once the page is loaded again.
        pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY)
        page.close()
        return self._pdf[number - 1]


def _read(page: Any, text_page: Any) -> PageContent | PageFault:
    if text_page.count_chars() > _MAX_CHARACTERS_PER_PAGE:
        return "too-much-text"
    characters = _characters(text_page)
    if _is_unmapped(characters, text_page):
        return "unmapped"
    text, origins = normalise(characters, lambda index: _is_drawn(text_page, index))
    visible_characters = len(text) - len(_INVISIBLE.findall(text))
    if visible_characters < _FEW_CHARACTERS and _is_picture(page, visible_characters):
        return "picture"
    words = _words(text, origins, text_page)
    if (columns := read_columns(text, origins, words)) is not None:
        text, origins = mark_line_end_hyphens(*columns)
        words = _words(text, origins, text_page)
    content = PageContent(text, hidden=find_hidden(page, text_page, text, origins, words))
    for start, end, box in words:
        content.offsets.extend((start, end))
        content.boxes.extend((box.x0, box.y0, box.x1, box.y1))
    return content


def _is_unmapped(characters: str, text_page: Any) -> bool:
    """Whether so many signs of the page have no known letter that its text is not what a person reads there.

    For a font that does not say which letters its signs stand for, pdfium gives the signs' numbers.
    """
    signs = [index for index, character in enumerate(characters) if character not in _BETWEEN_WORDS]
    sample = signs[:: len(signs) // _SAMPLE_CHARACTERS + 1]
    if len(sample) < _FEW_CHARACTERS:
        return False
    unmapped = sum(
        characters[index] == "\ufffd"
        or "\ue000" <= characters[index] <= "\uf8ff"
        or pdfium_c.FPDFText_HasUnicodeMapError(text_page, index) == 1
        for index in sample
    )
    return bool(unmapped >= _MAX_UNMAPPED * len(sample))


def _characters(text_page: Any) -> str:
    """The page's characters, such that an index here is pdfium's character index."""
    count = text_page.count_chars()
    text: str = text_page.get_text_range()
    if len(text) == count:
        return text
    # The text leaves out characters that the index counts (unmapped, overprinted): ask for each, four times slower.
    return "".join(chr(pdfium_c.FPDFText_GetUnicode(text_page, index)) for index in range(count))


def _words(text: str, origins: list[int], text_page: Any) -> list[tuple[int, int, Box]]:
    """Start, end and box of each word."""
    words = []
    get_box, handle = calls.character_line_box, calls.address(text_page.raw)
    for match in WORD.finditer(text):
        start, end = match.span()
        # The loose boxes (the font's height) of the outer characters enclose the word, in whichever direction it runs.
        get_box(handle, origins[start], _FIRST_PLACE)
        get_box(handle, origins[end - 1], _LAST_PLACE)
        x0, y1, x1, y0 = _FIRST
        left, top, right, bottom = _LAST
        box = Box(
            left if left < x0 else x0,
            bottom if bottom < y0 else y0,
            right if right > x1 else x1,
            top if top > y1 else y1,
        )
        words.append((start, end, box))
    return words


def _is_drawn(text_page: Any, index: int) -> bool:
    """Whether a character covers any width of the page."""
    left, _, right, _ = text_page.get_charbox(index)
    return bool(right - left > 0.1)


def _is_picture(page: Any, visible_characters: int) -> bool:
    """Whether a person would see more on the page than its few characters."""
    return (visible_characters == 0 or _picture_coverage(page) >= _SCAN_COVERAGE) and _has_ink(page)


def _picture_coverage(page: Any) -> float:
    """The share of the page under pictures; more than 1 where they overlap."""
    width, height = page.get_size()
    pictures = (pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_FORM)
    area = sum(_area(thing) for thing in _objects(page) if pdfium_c.FPDFPageObj_GetType(thing) in pictures)
    return float(area / max(1.0, width * height))


def _has_ink(page: Any) -> bool:
    """Whether the page is more than an empty one with a line or a small logo."""
    bitmap = page.render(scale=_THUMBNAIL_PIXELS / max(1.0, *page.get_size()), grayscale=True)
    with closing(bitmap):
        pixels = bytes(bitmap.buffer)
    dark = sum(count for value, count in Counter(pixels).items() if value < _DARK)
    return dark >= _MIN_INK * len(pixels)


def _objects(page: Any) -> Iterator[Any]:
    for index in range(min(_MAX_OBJECTS_LOOKED_AT, pdfium_c.FPDFPage_CountObjects(page))):
        yield pdfium_c.FPDFPage_GetObject(page, index)


def _area(thing: Any) -> float:
    """The area of an object's bounding box, in square points."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium_c.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
        return 0.0
    return float(max(0.0, right.value - left.value) * max(0.0, top.value - bottom.value))
