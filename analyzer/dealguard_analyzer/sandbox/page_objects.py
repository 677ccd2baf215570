"""What is painted on a page: its objects in painting order, those inside of form XObjects too, in page coordinates.

What belongs here: asking pdfium, and geometry. What never does: a judgement of what is seen.
"""

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

_MAX_DEPTH = 8  # of form XObjects; producers nest two or three

_RECTANGLE_SEGMENTS = (4, 5)  # a rectangle's path, closed by a flag or by a line back
_IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_FLOATS = tuple(ctypes.c_float() for _ in range(4))  # made once: it is what a question costs most

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
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
        return Box(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

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


class _Clips(dict[tuple[object, ...], tuple[Box, bool]]):
    """Clips by their outlines: many objects share one."""


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the form XObjects around an object do to it."""

    clips: _Clips
    matrix: Matrix = _IDENTITY
    clip: Box = EVERYWHERE
    clip_is_exact: bool = True
    depth: int = 0


@dataclass(frozen=True, slots=True)
class PageObject:
    """One object as painted. What it is asked for costs time each time.

    Attributes:
        handle: pdfium's.
        kind: FPDF_PAGEOBJ_TEXT, _PATH, _IMAGE or _SHADING.
    """

    handle: Any
    kind: int
    _around: _Surroundings

    def box(self) -> Box:
        """What it may paint on, clipping left out of account."""
        left, bottom, right, top = _FLOATS
        if not pdfium_c.FPDFPageObj_GetBounds(self.handle, left, bottom, right, top):
            return NOWHERE
        return _around([(left.value, bottom.value), (right.value, top.value)], self._around.matrix)

    def clip(self) -> tuple[Box, bool]:
        """The part of the page that it can be seen in, and whether that is exact or a box around a part."""
        own, is_exact = _clip(self.handle, self._around)
        return own.shared_with(self._around.clip), is_exact and self._around.clip_is_exact


def address(handle: Any) -> int:
    """The identity of one of pdfium's objects; 0 for none."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


def objects_of(page: Any) -> Iterator[PageObject]:
    """The page's objects in painting order, form XObjects opened."""
    return _inside(
        pdfium_c.FPDFPage_CountObjects(page), partial(pdfium_c.FPDFPage_GetObject, page), _Surroundings(_Clips())
    )


def _inside(count: int, get: Callable[[int], Any], around: _Surroundings) -> Iterator[PageObject]:
    for index in range(count):
        handle = get(index)
        kind = pdfium_c.FPDFPageObj_GetType(handle)
        thing = PageObject(handle, kind, around)
        if kind != pdfium_c.FPDF_PAGEOBJ_FORM:
            yield thing
        elif around.depth < _MAX_DEPTH:
            matrix = _product(_matrix(handle), around.matrix)
            yield from _inside(
                pdfium_c.FPDFFormObj_CountObjects(handle),
                partial(pdfium_c.FPDFFormObj_GetObject, handle),
                _Surroundings(around.clips, matrix, *thing.clip(), around.depth + 1),
            )


def _clip(handle: Any, around: _Surroundings) -> tuple[Box, bool]:
    path = pdfium_c.FPDFPageObj_GetClipPath(handle)
    count = pdfium_c.FPDFClipPath_CountPaths(path) if path else 0
    if count <= 0:
        return EVERYWHERE, True
    outlines = tuple(_corners(path, index) for index in range(count))
    key = (around.matrix, outlines)
    if key not in around.clips:
        around.clips[key] = _shared(outlines, around.matrix)
    return around.clips[key]


def _corners(path: Any, index: int) -> tuple[tuple[float, float], ...] | None:
    """Three corners of a clip's rectangle, which tell it; () if the path is empty, None if it is no rectangle."""
    segments = pdfium_c.FPDFClipPath_CountPathSegments(path, index)
    if segments not in _RECTANGLE_SEGMENTS:
        return None if segments > 0 else ()
    corners = []
    x, y, _, _ = _FLOATS
    for corner in range(3):
        pdfium_c.FPDFPathSegment_GetPoint(pdfium_c.FPDFClipPath_GetPathSegment(path, index, corner), x, y)
        corners.append((x.value, y.value))
    (xa, ya), (xb, yb), (xc, yc) = corners
    return tuple(corners) if (xa == xb and yb == yc) or (ya == yb and xb == xc) else None


def _shared(outlines: tuple[tuple[tuple[float, float], ...] | None, ...], matrix: Matrix) -> tuple[Box, bool]:
    """What lies in all of the rectangles, and whether all of the outlines are some."""
    box = EVERYWHERE
    for corners in outlines:
        if corners:
            box = _around(corners, matrix).shared_with(box)
    return box, None not in outlines


def _matrix(handle: Any) -> Matrix:
    matrix = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(handle, matrix):
        return _IDENTITY
    return (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)


def _product(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _around(points: Sequence[tuple[float, float]], matrix: Matrix) -> Box:
    """The box around all corners that the points span, moved by `matrix`."""
    xs, ys = zip(*points, strict=True)
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    if matrix == _IDENTITY:
        return Box(x0, y0, x1, y1)
    a, b, c, d, e, f = matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (x0, x1) for y in (y0, y1)]
    return Box(
        min(x for x, _ in corners), min(y for _, y in corners), max(x for x, _ in corners), max(y for _, y in corners)
    )
