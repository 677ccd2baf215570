"""A page as drawn, and what a person can tell apart on it."""

import ctypes
import math
from contextlib import closing
from itertools import chain
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]

from dealguard_analyzer.sandbox.page_objects import Box

# Colours are 0 to 255. Two that differ by less cannot be told apart on a page.
VISIBLE_DIFFERENCE = 24
# A letter of a scan is far darker than its paper; the noise of a blank one is not.
_PICTURE_CONTRAST = 60

# What red, green and blue contribute to it (ITU-R BT.601). pdfium's pixels begin with blue.
BRIGHTNESS = (0.299, 0.587, 0.114)

_PIXELS_PER_POINT = 2.0  # thin strokes of small print keep their colour
_MAX_PIXELS = 2_500_000  # a letter page has 1.9 million; the drawings of larger pages stay as small
_MAX_SIDE_PIXELS = 20_000
_BYTES_PER_PIXEL = 3


class Canvas:
    """Memory for one drawing at a time: to ask for some each time costs as much as drawing."""

    def __init__(self) -> None:
        self.pixels = bytearray()

    def bitmap(self, width: int, height: int, format: int, rev_byteorder: bool) -> Any:  # noqa: A002 - pypdfium2's
        """pdfium's view of it."""
        size_bytes = width * height * _BYTES_PER_PIXEL
        if len(self.pixels) < size_bytes:
            self.pixels = bytearray(size_bytes)
        memory = (ctypes.c_ubyte * size_bytes).from_buffer(self.pixels)
        return pypdfium2.PdfBitmap.new_native(width, height, format, rev_byteorder, memory)


class Drawing:
    """A page as drawn.

    Args:
        page: pdfium's.
        canvas: where to draw it; what was drawn there before is gone.
    """

    def __init__(self, page: Any, canvas: Canvas) -> None:
        self._page = page
        width, height = page.get_size()
        scale = min(
            _PIXELS_PER_POINT,
            math.sqrt(_MAX_PIXELS / max(1.0, width * height)),
            _MAX_SIDE_PIXELS / max(1.0, width, height),
        )
        with closing(page.render(scale=scale, may_draw_forms=False, bitmap_maker=canvas.bitmap)) as bitmap:
            self._width, self._height = bitmap.width, bitmap.height
        self._pixels, self._stride = canvas.pixels, self._width * _BYTES_PER_PIXEL
        self._origin = self._to_pixels(0.0, 0.0)
        (ax, ay), (bx, by) = self._to_pixels(width, 0.0), self._to_pixels(0.0, height)
        (x, y), width, height = self._origin, max(width, 0.001), max(height, 0.001)
        # Pixels to the right, and down, for a point to the right, and up.
        self._steps = ((ax - x) / width, (ay - y) / width, (bx - x) / height, (by - y) / height)

    def _rows(self, box: Box) -> tuple[range, int]:
        """Where in the pixels each row of `box` begins, and how many bytes it has."""
        (x, y), (a, b, c, d) = self._origin, self._steps
        x0, y0, x1, y1 = box
        try:
            left, right = math.floor(x + a * x0 + c * y0), math.floor(x + a * x1 + c * y1)
            top, bottom = math.floor(y + b * x0 + d * y0), math.floor(y + b * x1 + d * y1)
        except (OverflowError, ValueError):  # a box without end, or that is nowhere
            return range(0), 0
        left, right = (left, right) if left < right else (right, left)
        top, bottom = (top, bottom) if top < bottom else (bottom, top)
        first = max(0, left) * _BYTES_PER_PIXEL
        length = max(0, min(self._width, right + 1) * _BYTES_PER_PIXEL - first)
        top, bottom = max(0, top), min(self._height, bottom + 1)
        return range(top * self._stride + first, bottom * self._stride + first, self._stride), length

    def _to_pixels(self, x: float, y: float) -> tuple[int, int]:
        column, row = ctypes.c_int(), ctypes.c_int()
        pdfium_c.FPDF_PageToDevice(self._page, 0, 0, self._width, self._height, 0, x, y, column, row)
        return column.value, row.value

    def differs(self, other: "Drawing", box: Box) -> bool:
        """Whether a person can tell the two apart within `box`."""
        rows, length = self._rows(box)
        middle = len(rows) // 2  # where every letter has strokes: mostly, the rest is not looked at
        for start in chain(rows[middle:], rows[:middle]):
            mine, others = self._pixels[start : start + length], other._pixels[start : start + length]
            if mine != others and any(abs(a - b) >= VISIBLE_DIFFERENCE for a, b in zip(mine, others, strict=True)):
                return True
        return False

    def has_contrast(self, box: Box) -> bool:
        """Whether something is to be seen within `box`."""
        darkest, brightest = 255, 0
        rows, length = self._rows(box)
        for start in rows:
            if pixels := self._pixels[start : start + length]:
                darkest = min(darkest, *pixels)
                brightest = max(brightest, *pixels)
                if brightest - darkest >= _PICTURE_CONTRAST:
                    return True
        return False

    def shade(self, box: Box) -> float | None:
        """The mean brightness within `box`, weighed as the eye does; None if it lies outside."""
        total, count, step = 0.0, 0, _BYTES_PER_PIXEL
        rows, length = self._rows(box)
        for start in rows:
            pixels = self._pixels[start : start + length]
            total += BRIGHTNESS[2] * sum(pixels[0::step]) + BRIGHTNESS[1] * sum(pixels[1::step])
            total += BRIGHTNESS[0] * sum(pixels[2::step])
            count += len(pixels) // step
        return total / count if count else None
