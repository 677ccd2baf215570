"""Step 2: what of the doubtful text is seen on the page as drawn; and what needs no drawing."""

import math
from array import array
from collections.abc import Sequence
from typing import Any

import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

from dealguard_analyzer.sandbox import calls
from dealguard_analyzer.sandbox.hidden.doubts import Doubt, Doubts, is_optional, shade_of
from dealguard_analyzer.sandbox.hidden.drawing import VISIBLE_DIFFERENCE, Canvas, Drawing
from dealguard_analyzer.sandbox.page_objects import Box
from dealguard_analyzer.sandbox.wire import HiddenReason, HiddenSpan

# Text lower than this is a line of dust on paper; the small print of banks has 5.
_MIN_VISIBLE_POINTS = 1.5

# Pictures that cover as much of the page may be a scan.
_SCAN_COVERAGE = 0.25
# A text layer has a few signs where the scanner saw specks; an instruction is longer.
_MAX_SPECK_CHARACTERS = 20

# Where a converter cut a long page into several, half a line at the edge is painted again nearby; at the edge of a
# table's cell a letter or two may be cut off.
_CUT_NEARBY_CHARACTERS = 400
_MAX_CUT_CHARACTERS = 2

_BOX = array("d", [0.0] * 4)
_BOX_PLACES = calls.places(_BOX)
_CANVAS_WITH_TEXT, _CANVAS_WITHOUT_TEXT = Canvas(), Canvas()

Words = Sequence[tuple[int, int, Box]]
Reasons = dict[int, HiddenReason]


def find_hidden(page: Any, text_page: Any, text: str, origins: Sequence[int], words: Words) -> list[HiddenSpan]:
    """The stretches of a page's text that are not seen.

    Args:
        page: pdfium's page, as `text_page` was made from it.
        text_page: its text.
        text: the page's text.
        origins: for each character of `text`, pdfium's index of it.
        words: start, end and box of each word of `text`.

    Returns:
        In order, not overlapping.
    """
    reasons = _plainly_hidden(page, text_page, origins, words)
    doubts = Doubts.about(page)
    has_text_layer = False
    if doubts.any:
        proof = _Proof(page, text_page, origins, words, doubts)
        proof.run(reasons)
        has_text_layer = proof.layer_characters > proof.hidden_characters
    spans = _stretches(text, reasons)
    return [span for span in spans if not (_is_cut(text, span, spans) or (has_text_layer and _is_speck(text, span)))]


def _plainly_hidden(page: Any, text_page: Any, origins: Sequence[int], words: Words) -> Reasons:
    """What lies outside of the page, and what is too small."""
    reasons: Reasons = {}
    paper = _paper(page)
    for start, end, box in words:
        if not paper.has((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2):
            reasons.update(dict.fromkeys(range(start, end), "offPage"))
        elif min(box.x1 - box.x0, box.y1 - box.y0) < _MIN_VISIBLE_POINTS and _is_tiny(text_page, origins[start:end]):
            reasons.update(dict.fromkeys(range(start, end), "tiny"))
    return reasons


def _paper(page: Any) -> Box:
    rectangle = pdfium_c.FS_RECTF()
    pdfium_c.FPDF_GetPageBoundingBox(page, rectangle)
    return Box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)


def _is_tiny(text_page: Any, indexes: Sequence[int]) -> bool:
    """Whether none of the characters is large, by the font as it is scaled and by the glyph as it is drawn.

    Both, as a font may call any number its size, and a dash is flat in any.
    """
    matrix = pdfium_c.FS_MATRIX()
    for index in indexes:
        left, bottom, right, top = text_page.get_charbox(index)
        if max(right - left, top - bottom) >= _MIN_VISIBLE_POINTS:
            return False
        if not pdfium_c.FPDFText_GetMatrix(text_page, index, matrix):
            return False
        size = pdfium_c.FPDFText_GetFontSize(text_page, index)
        if size * min(math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d)) >= _MIN_VISIBLE_POINTS:
            return False
    return True


class _Proof:
    """The comparison of a page as drawn with the same page without its doubtful text.

    Attributes:
        layer_characters: how many of them are the text layer of a picture.
        hidden_characters: how many are hidden.
    """

    def __init__(self, page: Any, text_page: Any, origins: Sequence[int], words: Words, doubts: Doubts) -> None:
        self._page = page
        self._text_page = text_page
        self._origins = origins
        self._words = words
        self._doubts = doubts
        self.layer_characters = self.hidden_characters = 0

    def run(self, reasons: Reasons) -> None:
        """Add the doubtful characters that are not seen to `reasons`."""
        doubtful = self._doubtful(reasons)
        if not doubtful:
            return
        self._with_text = Drawing(self._page, _CANVAS_WITH_TEXT)
        for doubt in self._doubts.texts.values():
            calls.set_object_active(doubt.handle, False)
        self._without_text = Drawing(self._page, _CANVAS_WITHOUT_TEXT)
        scan = self._scan()
        for position, characters in doubtful.items():
            unseen = [(offset, doubt, box) for offset, doubt, box in characters if not self._is_seen(box)]
            if unseen and self._is_layer(scan, self._words[position][2], unseen[0][1]):
                self.layer_characters += len(unseen)
                continue
            self.hidden_characters += len(unseen)
            reasons.update({offset: self._reason(doubt, box) for offset, doubt, box in unseen})

    def _doubtful(self, reasons: Reasons) -> dict[int, list[tuple[int, Doubt, Box]]]:
        """Index of a word → offset in the text, doubt and box of each of its doubtful characters."""
        doubtful: dict[int, list[tuple[int, Doubt, Box]]] = {}
        text_page, object_of, doubt_about = calls.address(self._text_page.raw), calls.character_object, self._doubts.of
        for position, (start, end, _) in enumerate(self._words):
            for offset in range(start, end):
                if offset in reasons:
                    continue
                index = self._origins[offset]
                doubt = doubt_about(object_of(text_page, index))
                if doubt is not None:
                    calls.character_box(text_page, index, *_BOX_PLACES)
                    left, right, bottom, top = _BOX
                    doubtful.setdefault(position, []).append((offset, doubt, Box(left, bottom, right, top)))
        return doubtful

    def _is_seen(self, box: Box) -> bool:
        return self._with_text.differs(self._without_text, box)

    def _scan(self) -> list[Box]:
        """The pictures of the page, if they cover so much of it that it may be a scan."""
        paper = _paper(self._page)
        covered = sum(picture.shared_with(paper).area for picture in self._doubts.pictures)
        return self._doubts.pictures if covered >= _SCAN_COVERAGE * max(1.0, paper.area) else []

    def _is_layer(self, scan: list[Box], word: Box, doubt: Doubt) -> bool:
        """Whether a word that is not seen says, as far as can be known, what a picture shows there."""
        x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
        is_on_scan = any(picture.has(x, y) for picture in scan)
        is_stencil = not doubt.has_ink and not scan  # letters that a pattern was painted through
        return (is_on_scan or is_stencil) and self._without_text.has_contrast(word)

    def _reason(self, doubt: Doubt, box: Box) -> HiddenReason:
        shade, is_opaque = shade_of(doubt.handle)
        if not doubt.has_ink or not is_opaque or is_optional(doubt.handle):
            return "invisible"
        if not doubt.clip.has((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2):
            return "clipped"
        behind = self._without_text.shade(box)
        if shade is None or behind is None or abs(shade - behind) < 2 * VISIBLE_DIFFERENCE:
            return "sameColour"
        return "covered"


def _stretches(text: str, reasons: Reasons) -> list[HiddenSpan]:
    """Characters hidden alike, joined over the white space between them; without letter or digit they do not count."""
    spans: list[HiddenSpan] = []
    for offset in sorted(reasons):
        reason = reasons[offset]
        if spans and spans[-1][2] == reason and not text[spans[-1][1] : offset].strip():
            spans[-1] = (spans[-1][0], offset + 1, reason)
        else:
            spans.append((offset, offset + 1, reason))
    return [span for span in spans if _letters(text, span)]


def _letters(text: str, span: HiddenSpan) -> int:
    return sum(map(str.isalnum, text[span[0] : span[1]]))


def _is_speck(text: str, span: HiddenSpan) -> bool:
    return span[2] not in ("offPage", "tiny", "clipped") and _letters(text, span) < _MAX_SPECK_CHARACTERS


def _is_cut(text: str, span: HiddenSpan, spans: list[HiddenSpan]) -> bool:
    """Whether a stretch is clipped by the page's making, not to hide it."""
    start, end, reason = span
    if reason != "clipped":
        return False
    if _letters(text, span) <= _MAX_CUT_CHARACTERS:
        return True
    near = range(max(0, start - _CUT_NEARBY_CHARACTERS), min(len(text), end + _CUT_NEARBY_CHARACTERS))
    hidden = {offset for low, high, _ in spans for offset in range(max(low, near.start), min(high, near.stop))}
    visible = "".join(" " if offset in hidden else text[offset] for offset in near)
    return " ".join(text[start:end].split()) in " ".join(visible.split())
