"""The text of a document, page by page: what reading produces and engines consume.

Offsets count Unicode code points within one page's `text`.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import overload

from dealguard_analyzer.sandbox import wire
from dealguard_api.report import DocumentInfo, UnreadablePage


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or the part of it that stands on one line, and its box.

    `text[start:end]` of its page is the word. The box is in PDF user space: points (1/72 inch) from the page's lower
    left corner, without the page's rotation, as PDF viewers take it.
    """

    start: int
    end: int
    x0: float
    y0: float
    x1: float
    y1: float


class Words(Sequence[Word]):
    """The words of a page, made when asked for: 24 bytes a word, where a `Word` takes 300 and a long document has 10⁶.

    Args:
        offsets: start and end of each word, one after the other ("I").
        boxes: x0, y0, x1, y1 of each word, one after the other ("f").
    """

    __slots__ = ("boxes", "offsets")

    def __init__(self, offsets: "array[int]", boxes: "array[float]") -> None:
        self.offsets = offsets
        self.boxes = boxes

    @classmethod
    def of(cls, words: Iterable[Word]) -> "Words":
        """The same words, stored compactly."""
        offsets, boxes = array("I"), array("f")
        for word in words:
            offsets.extend((word.start, word.end))
            boxes.extend((word.x0, word.y0, word.x1, word.y1))
        return cls(offsets, boxes)

    def __len__(self) -> int:
        return len(self.offsets) // 2

    @overload
    def __getitem__(self, index: int) -> Word: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Word]: ...

    def __getitem__(self, index: int | slice) -> Word | Sequence[Word]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        start, end = self.offsets[2 * position : 2 * position + 2]
        x0, y0, x1, y1 = (round(edge, 1) for edge in self.boxes[4 * position : 4 * position + 4])
        return Word(start, end, x0, y0, x1, y1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


HiddenReason = wire.HiddenReason


@dataclass(frozen=True, slots=True)
class HiddenText:
    """A stretch of a page's text that a person who looks at the page does not see: `text[start:end]`, and why."""

    start: int
    end: int
    reason: HiddenReason


@dataclass(frozen=True, slots=True)
class Page:
    """One readable page. `number` counts from 1; `text` is as `sandbox/normalise.py` describes it.

    `words` are in the order of the text; they may be missing though there is text: the second reader knows no boxes.
    `hidden` are the parts of the text that a reader of the page does not see, in order, not overlapping.
    """

    number: int
    text: str
    words: Sequence[Word] = ()
    hidden: tuple[HiddenText, ...] = ()


SideTextKind = wire.SideTextKind


@dataclass(frozen=True, slots=True)
class SideText:
    """Text that travels with the document and stands on no page: a title, a note, the name of an attached file.

    Never part of the contract's text. `page` is the page of an annotation.
    """

    kind: SideTextKind
    text: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ExtractedDocument:
    """A document as text. `pages` holds the readable ones in order; the others are named with why."""

    info: DocumentInfo
    pages: tuple[Page, ...]
    unreadable_pages: tuple[UnreadablePage, ...] = field(default=())
    side_texts: tuple[SideText, ...] = field(default=())
