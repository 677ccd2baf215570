"""A page as drawn, and what a person can tell apart on it."""

import ctypes
import math
from collections.abc import Iterator
from contextlib import closing
from typing import Any

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


class Drawing:
    """A page as drawn."""

    def __init__(self, page: Any) -> None:
        self._page = page
        width, height = page.get_size()
        scale = min(
            _PIXELS_PER_POINT,
            math.sqrt(_MAX_PIXELS / max(1.0, width * height)),
            _MAX_SIDE_PIXELS / max(1.0, width, height),
        )
        with closing(page.render(scale=scale, may_draw_forms=False)) as bitmap:
            self._pixels = bytes(bitmap.buffer)
            self._width, self._height, self._stride = bitmap.width, bitmap.height, bitmap.stride
            self._bytes_per_pixel = bitmap.n_channels
        self._origin = self._to_pixels(0.0, 0.0)
        (ax, ay), (bx, by) = self._to_pixels(width, 0.0), self._to_pixels(0.0, height)
        (x, y), width, height = self._origin, max(width, 0.001), max(height, 0.001)
        # Pixels to the right, and down, for a point to the right, and up.
        self._steps = ((ax - x) / width, (ay - y) / width, (bx - x) / height, (by - y) / height)

    def _rows(self, box: Box) -> Iterator[slice]:
        """Where in the pixels each row of `box` lies."""
        (x, y), (a, b, c, d) = self._origin, self._steps
        columns = (x + a * box.x0 + c * box.y0, x + a * box.x1 + c * box.y1)
        rows = (y + b * box.x0 + d * box.y0, y + b * box.x1 + d * box.y1)
        if not all(map(math.isfinite, columns + rows)):
            return
        left, right = math.floor(min(columns)), math.floor(max(columns))
        top, bottom = math.floor(min(rows)), math.floor(max(rows))
        left, right = max(0, left), min(self._width, right + 1)
        for row in range(max(0, top), min(self._height, bottom + 1)):
            start = row * self._stride
            yield slice(start + left * self._bytes_per_pixel, start + max(left, right) * self._bytes_per_pixel)

    def _to_pixels(self, x: float, y: float) -> tuple[int, int]:
        column, row = ctypes.c_int(), ctypes.c_int()
        pdfium_c.FPDF_PageToDevice(self._page, 0, 0, self._width, self._height, 0, x, y, column, row)
        return column.value, row.value

    def differs(self, other: "Drawing", box: Box) -> bool:
        """Whether a person can tell the two apart within `box`."""
        for row in self._rows(box):
            mine, others = self._pixels[row], other._pixels[row]
            if mine != others and any(abs(a - b) >= VISIBLE_DIFFERENCE for a, b in zip(mine, others, strict=True)):
                return True  # mostly at the first stroke of a letter: the rest is not looked at
        return False

    def has_contrast(self, box: Box) -> bool:
        """Whether something is to be seen within `box`."""
        darkest, brightest = 255, 0
        for row in self._rows(box):
            if pixels := self._pixels[row]:
                darkest = min(darkest, *pixels)
                brightest = max(brightest, *pixels)
                if brightest - darkest >= _PICTURE_CONTRAST:
                    return True
        return False

    def shade(self, box: Box) -> float | None:
        """The mean brightness within `box`, weighed as the eye does; None if it lies outside."""
        total, count, step = 0.0, 0, self._bytes_per_pixel
        for row in self._rows(box):
            pixels = self._pixels[row]
            total += BRIGHTNESS[2] * sum(pixels[0::step]) + BRIGHTNESS[1] * sum(pixels[1::step])
            total += BRIGHTNESS[0] * sum(pixels[2::step])
            count += len(pixels) // step
        return total / count if count else None
