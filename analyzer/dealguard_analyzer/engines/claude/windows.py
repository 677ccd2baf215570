"""Cutting a contract that is too long for one request into overlapping windows, at borders where little is lost.

What belongs here: where to cut, in characters. What never does: tokens and requests; `planning` knows those.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.running_text import MAX_QUOTE_CHARACTERS

# A window begins this much before the end of the one before: what runs over a cut stands whole in one of the two, up to
# the longest quote that a report holds, and half as much again for the search of a good place.
OVERLAP_CHARACTERS: Final = MAX_QUOTE_CHARACTERS * 3 // 2
# Less is not divided any further: it would hold one clause.
LEAST_CHARACTERS: Final = 2_000

_PAGE_BREAK = "\f"
# From the best border to the worst; the last one always exists.
_BORDERS: Final = tuple(
    re.compile(border)
    for border in (
        _PAGE_BREAK,
        r"\n[ \t]*\n",  # a paragraph
        r"\n(?=[ \t]*(?:§|Art|[0-9]+[.)]|\([0-9a-z]+\)|[A-Z][A-Z ]{3,}))",  # what looks like the next clause
        r"\n",
        r"(?<=[.;:!?])\s",
        r"\s",
        "",
    )
)


@dataclass(frozen=True)
class PagePart:
    """A page, or the part of it that stands in a window."""

    number: int
    text: str


@dataclass(frozen=True)
class Window:
    """A stretch of the contract: [start, end) of its pages, one after the other with a character between two."""

    start: int
    end: int
    parts: tuple[PagePart, ...]
    is_whole: bool

    @property
    def pages(self) -> str:
        """'7' or '7-12'."""
        numbers = (self.parts[0].number, self.parts[-1].number) if self.parts else (0, 0)
        return str(numbers[0]) if numbers[0] == numbers[1] else f"{numbers[0]}-{numbers[1]}"


class ContractPages:
    """The readable pages of a document as something that can be cut."""

    def __init__(self, document: ExtractedDocument) -> None:
        self._pages = document.pages
        # A form feed in a page would look like a page's end.
        self._text = _PAGE_BREAK.join(page.text.replace(_PAGE_BREAK, " ") for page in document.pages)
        self._starts: list[int] = []
        offset = 0
        for page in document.pages:
            self._starts.append(offset)
            offset += len(page.text) + 1

    @property
    def whole(self) -> Window:
        """Everything."""
        return self._window(0, len(self._text))

    def cut(self, max_characters: int) -> list[Window]:
        """Windows of at most `max_characters` that cover everything and overlap."""
        return list(self._cut(0, len(self._text), max_characters))

    def halves(self, window: Window) -> list[Window]:
        """`window` as two or three smaller ones; empty if it is too small for that."""
        length = window.end - window.start
        if length < 2 * LEAST_CHARACTERS:
            return []
        return list(self._cut(window.start, window.end, max(LEAST_CHARACTERS, length * 5 // 8)))

    def _cut(self, start: int, stop: int, size: int) -> Iterator[Window]:
        overlap = min(OVERLAP_CHARACTERS, size // 4)
        while stop - start > size:
            end = self._last_border(start + size - size // 5, start + size)
            yield self._window(start, end)
            # Two thirds of the overlap are kept, wherever the border is.
            start = self._first_border(end - overlap, end - overlap * 2 // 3)
        yield self._window(start, stop)

    def _last_border(self, low: int, high: int) -> int:
        """The best place to end a window, in (low, high]."""
        for border in _BORDERS:
            ends = [match.end() for match in border.finditer(self._text, low + 1, high) if match.end() > low]
            if ends:
                return ends[-1]
        return high

    def _first_border(self, low: int, high: int) -> int:
        """The best place to begin a window, in [low, high)."""
        for border in _BORDERS:
            match = border.search(self._text, low, high)
            if match is not None:
                return match.end()
        return low

    def _window(self, start: int, end: int) -> Window:
        first = max(0, bisect_right(self._starts, start) - 1)
        parts = []
        for page, offset in zip(self._pages[first:], self._starts[first:], strict=True):
            if offset >= end:
                break
            parts.append(PagePart(page.number, page.text[max(0, start - offset) : end - offset]))
        return Window(start, end, tuple(parts), is_whole=start == 0 and end == len(self._text))
