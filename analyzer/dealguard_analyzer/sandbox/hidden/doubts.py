"""Step 1: which text objects of a page may be hidden, from what the objects say of themselves."""

import math
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

from dealguard_analyzer.sandbox import calls
from dealguard_analyzer.sandbox.hidden.drawing import BRIGHTNESS
from dealguard_analyzer.sandbox.page_objects import EVERYWHERE, Box, PageObject, objects_of

# Colours are 0 to 255. Text which differs by less from what it may stand on is worth a look.
_SAFE_DIFFERENCE = 75
_WHITE = 255
_OPAQUE = 255

# An underline touches a twentieth of its text's box; from this share on, text counts as under or on something.
_DOUBTFUL_OVERLAP = 0.2
_DOUBTFUL_STROKE_POINTS = 3.0  # a line as thick can cover text
_MIN_SEEN = 0.7  # less of a text's box within its clip is more than half a letter beyond the edge of a table's cell

_BAND_POINTS = 24.0  # shapes are looked up by the strips of the page that they touch
_MAX_BANDS = 4  # what touches more of them is tall
_MAX_BANDS_OF_TEXT = 500  # more is taller than any page
_MAX_COMPARISONS = 10_000  # of text with shapes; beyond it, drawing the page costs less

_MAX_OBJECTS = 600  # a page with more is a drawing, or painted word by word: all of its text is doubtful
_MAX_OBJECTS_LOOKED_AT = 20_000
_MAX_PICTURES = 1000  # a scan in strips has some dozens

_COLOUR = array("I", [0] * 4)
_COLOUR_PLACES = calls.places(_COLOUR)
_DRAW_MODE = array("i", [0] * 2)
_DRAW_MODE_PLACES = calls.places(_DRAW_MODE)
_STROKE_WIDTH = array("f", [0.0])
_STROKE_WIDTH_PLACE = calls.places(_STROKE_WIDTH)
_OPTIONAL = b"O\0C\0\0\0"  # the mark of a layer's content, in UTF-16
_MARK_NAME = array("B", bytes(len(_OPTIONAL)))
_MARK_NAME_PLACE = calls.places(_MARK_NAME)[:1]
_MARK_NAME_BYTES = array("L", [0])
_MARK_NAME_BYTES_PLACE = calls.places(_MARK_NAME_BYTES)

_NO_INK_MODES = (pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Something painted that is no text. `shade` is its brightness, or None where it has many."""

    order: int
    box: Box
    shade: float | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the proof needs to know of a doubtful text object."""

    handle: int
    clip: Box
    has_ink: bool


@dataclass
class Doubts:
    """The text objects of a page that may be hidden.

    Attributes:
        texts: by the object's address.
        pictures: boxes of the pictures, as far as they are seen.
        is_drawing: the page has too many objects to look at: all of its text is doubtful.
    """

    texts: dict[int, Doubt] = field(default_factory=dict)
    pictures: list[Box] = field(default_factory=list)
    is_drawing: bool = False

    @property
    def any(self) -> bool:
        """Whether the page must be drawn."""
        return self.is_drawing or bool(self.texts)

    @classmethod
    def about(cls, page: Any) -> "Doubts":
        """Ask all objects of the page."""
        things = list(islice(objects_of(page), _MAX_OBJECTS_LOOKED_AT))
        pictures = [thing for thing in things if thing.kind == pdfium_c.FPDF_PAGEOBJ_IMAGE]
        doubts = cls(
            pictures=[picture.box().shared_with(picture.clip()[0]) for picture in pictures[:_MAX_PICTURES]],
            is_drawing=len(things) > _MAX_OBJECTS,
        )
        if doubts.is_drawing:
            return doubts
        shapes = _Shapes()
        for order, thing in enumerate(things):
            if thing.kind != pdfium_c.FPDF_PAGEOBJ_TEXT and (shape := _shape(order, thing)) is not None:
                shapes.add(shape)
        for order, thing in enumerate(things):
            if thing.kind == pdfium_c.FPDF_PAGEOBJ_TEXT and _is_doubtful(order, thing, shapes):
                doubts.texts[thing.handle] = Doubt(thing.handle, thing.clip()[0], _has_ink(thing.handle))
        return doubts

    def of(self, handle: int | None) -> Doubt | None:
        """The doubt about a text object, if there is one."""
        if not handle:
            return None
        known = self.texts.get(handle)
        if known is None and self.is_drawing:
            known = self.texts[handle] = Doubt(handle, EVERYWHERE, _has_ink(handle))
        return known


class _Shapes:
    """The shapes of a page, found by height."""

    def __init__(self) -> None:
        self._bands: defaultdict[int, list[_Shape]] = defaultdict(list)
        self._tall: list[_Shape] = []
        self._comparisons = 0

    @property
    def are_too_many(self) -> bool:
        """Whether looking further costs more than it saves."""
        return self._comparisons > _MAX_COMPARISONS

    def add(self, shape: _Shape) -> None:
        """One more, painted after those before."""
        if not all(map(math.isfinite, (shape.box.y0, shape.box.y1))) or shape.box.area <= 0:
            return
        bands = _bands(shape.box)
        if len(bands) > _MAX_BANDS:
            self._tall.append(shape)
        else:
            for band in bands:
                self._bands[band].append(shape)

    def near(self, box: Box) -> Iterator[Sequence[_Shape]]:
        """Those that may touch `box`, in groups, some of them twice if it is tall."""
        for shapes in (self._tall, *(self._bands.get(band, ()) for band in _bands(box)[:_MAX_BANDS_OF_TEXT])):
            if shapes:
                self._comparisons += len(shapes)
                yield shapes


def _bands(box: Box) -> range:
    return range(math.floor(box.y0 / _BAND_POINTS), math.floor(box.y1 / _BAND_POINTS) + 1)


def _shape(order: int, thing: PageObject) -> _Shape | None:
    """What an object that is no text may cover or lie under; None if it is a thin line, or nothing."""
    if thing.kind != pdfium_c.FPDF_PAGEOBJ_PATH:
        return _Shape(order, thing.box(), None)
    calls.path_draw_mode(thing.handle, *_DRAW_MODE_PLACES)
    is_filled, is_stroked = _DRAW_MODE
    if is_filled:
        return _Shape(order, thing.box(), shade_of(thing.handle)[0])
    if is_stroked and _stroke_width(thing.handle) >= _DOUBTFUL_STROKE_POINTS:
        return _Shape(order, thing.box(), None)
    return None


def _stroke_width(handle: int) -> float:
    """In points; 0 if the object has none."""
    return _STROKE_WIDTH[0] if calls.object_stroke_width(handle, *_STROKE_WIDTH_PLACE) else 0.0


def shade_of(handle: int) -> tuple[float | None, bool]:
    """The brightness of an object's filling (0 black, 255 white; None if it is a pattern), and whether it is opaque."""
    if not calls.object_fill_colour(handle, *_COLOUR_PLACES):
        return None, True
    red, green, blue, alpha = _COLOUR
    return BRIGHTNESS[0] * red + BRIGHTNESS[1] * green + BRIGHTNESS[2] * blue, alpha == _OPAQUE


def _has_ink(handle: int) -> bool:
    """Whether a text object is painted at all."""
    return calls.text_render_mode(handle) not in _NO_INK_MODES


def _is_doubtful(order: int, thing: PageObject, shapes: _Shapes) -> bool:
    """Whether a text object may be hidden."""
    shade, is_opaque = shade_of(thing.handle)
    if shade is None or not is_opaque or shade > _WHITE - _SAFE_DIFFERENCE:
        return True
    if calls.text_render_mode(thing.handle) != pdfium_c.FPDF_TEXTRENDERMODE_FILL:
        return True
    if calls.object_has_transparency(thing.handle) or is_optional(thing.handle):
        return True
    box = thing.box()
    return _may_be_clipped(thing, box) or _is_among(shapes, order, box, shade)


def is_optional(handle: int) -> bool:
    """Whether the object is marked as content of a layer that may be switched off."""
    for index in range(min(8, calls.count_marks(handle))):
        mark = calls.object_mark(handle, index)
        has_name = calls.mark_name(mark, *_MARK_NAME_PLACE, len(_OPTIONAL), *_MARK_NAME_BYTES_PLACE)
        if has_name and _MARK_NAME_BYTES[0] == len(_OPTIONAL) and _MARK_NAME.tobytes() == _OPTIONAL:
            return True
    return False


def _may_be_clipped(thing: PageObject, box: Box) -> bool:
    clip, is_exact = thing.clip()
    return not is_exact or box.overlap(clip) < _MIN_SEEN * box.area


def _is_among(shapes: _Shapes, order: int, box: Box, shade: float) -> bool:
    """Whether enough of the text lies under something, or on something of like brightness."""
    if shapes.are_too_many or not math.isfinite(box.area):
        return True
    touched, enough = 0.0, _DOUBTFUL_OVERLAP * box.area
    for group in shapes.near(box):
        for shape in group:
            if shape.order < order and shape.shade is not None and abs(shape.shade - shade) >= _SAFE_DIFFERENCE:
                continue
            touched += shape.box.overlap(box)
            if touched > enough:
                return True
    return False
