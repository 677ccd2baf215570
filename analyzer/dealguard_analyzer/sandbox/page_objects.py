"""What is painted on a page: its objects in painting order, those inside of form XObjects too, in page coordinates.

What belongs here: asking pdfium, and geometry. What never does: a judgement of what is seen.
"""

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

from dealguard_analyzer.sandbox import calls

_MAX_DEPTH = 8  # of form XObjects; producers nest two or three

_RECTANGLE_SEGMENTS = (4, 5)  # a rectangle's path, closed by a flag or by a line back
_IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

_BOUNDS = array("f", [0.0] * 4)
_BOUNDS_PLACES = calls.places(_BOUNDS)
_POINT = array("f", [0.0] * 2)
_POINT_PLACES = calls.places(_POINT)
_MATRIX = array("f", [0.0] * 6)
_MATRIX_PLACE = calls.places(_MATRIX)[0]

Matrix = tuple[float, float, float, float, float, float]


class Box(NamedTuple):
    """A rectangle in PDF user space, in points. Empty if it has no area."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        """In square points."""
        return max(0.0, self.x1 - self.x0) * max(0.0, self.y1 - self.y0)

    def shared_with(self, other: "Box") -> "Box":
        """What lies in both."""
        if other is EVERYWHERE:
            return self
        if self is EVERYWHERE:
            return other
        (x0, y0, x1, y1), (left, bottom, right, top) = self, other
        return Box(
            left if left > x0 else x0,
            bottom if bottom > y0 else y0,
            right if right < x1 else x1,
            top if top < y1 else y1,
        )

    def overlap(self, other: "Box") -> float:
        """The area that lies in both; asked for every text and every shape, so without calls."""
        width = (self.x1 if self.x1 < other.x1 else other.x1) - (self.x0 if self.x0 > other.x0 else other.x0)
        height = (self.y1 if self.y1 < other.y1 else other.y1) - (self.y0 if self.y0 > other.y0 else other.y0)
        return width * height if width > 0 and height > 0 else 0.0

    def has(self, x: float, y: float) -> bool:
        """Whether the point lies within."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


EVERYWHERE = Box(-math.inf, -math.inf, math.inf, math.inf)
NOWHERE = Box(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the form XObjects around an object do to it.

    `outlines` has the boxes of the clips' outlines within, by their addresses: many objects share some.
    """

    matrix: Matrix = _IDENTITY
    clip: Box = EVERYWHERE
    clip_is_exact: bool = True
    depth: int = 0
    outlines: "dict[int | None, Box | None]" = field(default_factory=dict)


class PageObject(NamedTuple):
    """One object as painted. What it is asked for costs time each time.

    Attributes:
        handle: its address.
        kind: FPDF_PAGEOBJ_TEXT, _PATH, _IMAGE or _SHADING.
        around: where it stands.
    """

    handle: int
    kind: int
    around: _Surroundings

    def box(self) -> Box:
        """What it may paint on, clipping left out of account."""
        if not calls.object_bounds(self.handle, *_BOUNDS_PLACES):
            return NOWHERE
        left, bottom, right, top = _BOUNDS
        return _around(left, bottom, right, top, self.around.matrix)

    def clip(self) -> tuple[Box, bool]:
        """The part of the page that it can be seen in, and whether that is exact or a box around a part."""
        own, is_exact = _clip(self.handle, self.around)
        return own.shared_with(self.around.clip), is_exact and self.around.clip_is_exact


def objects_of(page: Any) -> Iterator[PageObject]:
    """The page's objects in painting order, form XObjects opened."""
    get = partial(calls.page_object, calls.address(page.raw))
    return _inside(pdfium_c.FPDFPage_CountObjects(page), get, _Surroundings())


def _inside(count: int, get: Callable[[int], int], around: _Surroundings) -> Iterator[PageObject]:
    for index in range(count):
        handle = get(index)
        kind = calls.object_kind(handle)
        thing = PageObject(handle, kind, around)
        if kind != pdfium_c.FPDF_PAGEOBJ_FORM:
            yield thing
        elif around.depth < _MAX_DEPTH:
            matrix = _product(_matrix(handle), around.matrix)
            yield from _inside(
                calls.count_form_objects(handle),
                partial(calls.form_object, handle),
                _Surroundings(matrix, *thing.clip(), around.depth + 1),
            )


def _clip(handle: int, around: _Surroundings) -> tuple[Box, bool]:
    """What lies in all outlines of the object's clip, and whether all of them are rectangles."""
    box, is_exact = EVERYWHERE, True
    path = calls.object_clip(handle)
    for index in range(calls.count_clip_paths(path) if path else 0):
        start = calls.clip_segment(path, index, 0)
        if start not in around.outlines:
            around.outlines[start] = _outline(path, index, start, around.matrix)
        outline = around.outlines[start]
        if outline is None:
            is_exact = False
        else:
            box = outline.shared_with(box)
    return box, is_exact


def _outline(path: int, index: int, start: int | None, matrix: Matrix) -> Box | None:
    """The rectangle that is a clip's outline; everywhere if the outline is empty, None if it is no rectangle."""
    segments = calls.count_clip_segments(path, index)
    if segments not in _RECTANGLE_SEGMENTS:
        return None if segments > 0 else EVERYWHERE
    xa, ya = _point(start)
    xb, yb = _point(calls.clip_segment(path, index, 1))
    xc, yc = _point(calls.clip_segment(path, index, 2))
    is_rectangle = (xa == xb and yb == yc) or (ya == yb and xb == xc)
    return _around(xa, ya, xc, yc, matrix) if is_rectangle else None


def _point(segment: int | None) -> tuple[float, float]:
    calls.segment_point(segment, *_POINT_PLACES)
    x, y = _POINT
    return x, y


def _matrix(handle: int) -> Matrix:
    if not calls.object_matrix(handle, _MATRIX_PLACE):
        return _IDENTITY
    a, b, c, d, e, f = _MATRIX
    return a, b, c, d, e, f


def _product(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _around(xa: float, ya: float, xc: float, yc: float, matrix: Matrix) -> Box:
    """The box around a rectangle, given by two corners, that is moved by `matrix`."""
    x0, x1 = (xa, xc) if xa < xc else (xc, xa)
    y0, y1 = (ya, yc) if ya < yc else (yc, ya)
    if matrix == _IDENTITY:
        return Box(x0, y0, x1, y1)
    a, b, c, d, e, f = matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (x0, x1) for y in (y0, y1)]
    return Box(
        min(x for x, _ in corners), min(y for _, y in corners), max(x for x, _ in corners), max(y for _, y in corners)
    )
