"""The document as one running text: pages joined, headers and footers left out, with the way back to page and offset.

A sentence that runs over a page break is interrupted by a page number or a repeated line; without them it is whole.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dealguard_analyzer.document import ExtractedDocument, Page, Word
from dealguard_api.report import Citation, Rectangle

MAX_QUOTE_CHARACTERS = 4000  # the report's bound on a quote

# A header or footer is at most this many lines; deeper repetitions are tables or forms.
_EDGE_LINES = 3
# Two pages may begin alike by chance; a line at the edge of three is a header.
_MIN_REPEATS = 3

# No two alternatives can match the same text, so a line costs its length. '§ 5' is a heading, not a page number.
_PAGE_NUMBER = re.compile(r"(?:[^\w§]|\d|[ivx]|page|seite|of|von|blatt)+", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of a page's text that stands unbroken in the running text."""

    start: int
    page_index: int
    page_offset: int


class RunningText:
    """The readable pages of a document as one string, `text`.

    Args:
        document: what was read.
        keep_edges: keep headers and footers, so that a quote of one is found too.
    """

    def __init__(self, document: ExtractedDocument, keep_edges: bool = False) -> None:
        self._pages = document.pages
        repeated = Counter[str]() if keep_edges else _repeated_edge_lines(document.pages)
        segments: list[_Segment] = []
        parts: list[str] = []
        length = 0
        for page_index, page in enumerate(document.pages):
            for start, end in [(0, len(page.text))] if keep_edges else _kept_stretches(page, repeated):
                segments.append(_Segment(length, page_index, start))
                parts.append(page.text[start:end])
                length += end - start + 1
        self.text = "\n".join(parts)
        self._segments = segments
        self._starts = [segment.start for segment in segments]

    def place(self, offset: int) -> tuple[int, int]:
        """(index of the page, offset in its text) of the character at `offset`."""
        segment = self._segments[max(0, bisect_right(self._starts, offset) - 1)]
        return segment.page_index, segment.page_offset + offset - segment.start

    def page_number(self, offset: int) -> int:
        """The number of the page on which the character at `offset` stands."""
        return self._pages[self.place(offset)[0]].number

    def cite(self, start: int, end: int) -> Citation:
        """The passage `text[start:end]`, without the white space around it, as a citation.

        Verified by construction: the quote is cut from the extracted text.
        """
        end = min(end, start + MAX_QUOTE_CHARACTERS)
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and self.text[end - 1].isspace():
            end -= 1
        first, first_offset = self.place(start)
        last, last_offset = self.place(max(start, end - 1))
        stop = last_offset + (1 if end > start else 0)
        return Citation(
            quote=self.text[start:end],
            page=self._pages[first].number,
            start=first_offset,
            end=stop,
            end_page=self._pages[last].number if last != first else None,
            rectangles=list(self._rectangles(first, first_offset, last, stop)),
            verified=end > start,
        )

    def _rectangles(self, first: int, start: int, last: int, end: int) -> Iterator[Rectangle]:
        for index in range(first, last + 1):
            page = self._pages[index]
            low = start if index == first else 0
            high = end if index == last else len(page.text)
            yield from _line_boxes(page, low, high)


def _line_boxes(page: Page, start: int, end: int) -> Iterator[Rectangle]:
    """One rectangle a line around the words within [start, end) of a page's text."""
    first = bisect_right(page.words, start, key=lambda word: word.end)
    line: list[Word] = []
    for position in range(first, len(page.words)):  # one at a time: words are made when asked for
        word = page.words[position]
        if word.start >= end:
            break
        if line and not _same_line(line[-1], word):
            yield _around(page.number, line)
            line = []
        line.append(word)
    if line:
        yield _around(page.number, line)


def _same_line(left: Word, right: Word) -> bool:
    middle = (right.y0 + right.y1) / 2
    return right.x0 >= left.x0 and left.y0 <= middle <= left.y1


def _around(page_number: int, words: list[Word]) -> Rectangle:
    return Rectangle(
        page=page_number,
        x0=min(word.x0 for word in words),
        y0=min(word.y0 for word in words),
        x1=max(word.x1 for word in words),
        y1=max(word.y1 for word in words),
    )


def _lines(text: str) -> list[tuple[int, int]]:
    """(start, end) of each line that is not blank."""
    spans = []
    start = 0
    for line in text.split("\n"):
        if line.strip():
            spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def _key(line: str) -> str:
    """What two headers have in common: the words, not the page's number."""
    return _DIGITS.sub("#", " ".join(line.split())).casefold()


def _edge_lines(page: Page) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    lines = _lines(page.text)
    return lines[:_EDGE_LINES], lines[-_EDGE_LINES:]


def _repeated_edge_lines(pages: tuple[Page, ...]) -> Counter[str]:
    """Keys of the lines that stand at the edge of several pages."""
    counts: Counter[str] = Counter()
    for page in pages:
        top, bottom = _edge_lines(page)
        counts.update({_key(page.text[start:end]) for start, end in top + bottom})
    least = max(_MIN_REPEATS, len(pages) // 5)
    return Counter({key: count for key, count in counts.items() if count >= least})


def _kept_stretches(page: Page, repeated: Counter[str]) -> Iterator[tuple[int, int]]:
    """The page's text between its header and its footer.

    Pages that are alike as a whole (forms, a clause repeated) are content, not furniture: what would take more than
    half of a page is kept.
    """
    top, bottom = _edge_lines(page)
    start, end = 0, len(page.text)
    for low, high in top:
        if not _is_furniture(page.text[low:high], repeated):
            break
        start = high
    for low, high in reversed(bottom):
        if low < start or not _is_furniture(page.text[low:high], repeated):
            break
        end = low
    if 2 * len(page.text[start:end].split()) < len(page.text.split()):
        start, end = 0, len(page.text)
    kept = page.text[start:end]
    if kept.strip():  # without white space around it: a sentence goes on across the page break
        yield start + len(kept) - len(kept.lstrip()), start + len(kept.rstrip())


def _is_furniture(line: str, repeated: Counter[str]) -> bool:
    return _key(line) in repeated or (len(line) <= 40 and _PAGE_NUMBER.fullmatch(line.strip()) is not None)
