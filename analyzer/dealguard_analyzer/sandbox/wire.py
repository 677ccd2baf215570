"""What the child says: one JSON object a line, told apart by `kind`.

    {"kind": "opened", "pages": 12}                                    once, first
    {"kind": "page", "number": 1, "text": "…", "offsets": "…", "boxes": "…", "hidden": [[4, 9, "tiny"]]}
    {"kind": "unreadable", "number": 2, "fault": "damaged"}            instead of "page"
    {"kind": "side", "side": "annotation", "text": "…", "page": 1}     after that page; `page` null: of no page
    {"kind": "end", "metadata": true}                                  once, last; whether there is XMP metadata
    {"kind": "refused", "refusal": "encrypted"}                        instead of all of the above

`offsets` holds start and end of each word of the text (32-bit unsigned integers), `boxes` its x0, y0, x1, y1 in PDF
user space (32-bit floats), both in the machine's byte order and base64: a page may have thousands, and as numbers in
JSON they cost more time than reading them from the PDF. In `text`, U+FFFE stands for a hyphen at a line end, which the
parent resolves. `hidden` holds start, end and reason of what is not seen, in order. Refusals, faults and reasons are
words of these lists, never the file's.
"""

from array import array
from dataclasses import dataclass, field
from typing import Literal

Refusal = Literal["encrypted", "damaged"]
PageFault = Literal["damaged", "picture", "too-much-text", "unmapped"]
HiddenReason = Literal["invisible", "sameColour", "covered", "clipped", "offPage", "tiny"]
HiddenSpan = tuple[int, int, HiddenReason]  # start, end, why
SideTextKind = Literal["metadata", "annotation", "attachment", "outline", "script"]

# Side texts are there to be searched for attacks, not to be read: so many characters each, and so many of a kind.
MAX_SIDE_TEXT_CHARACTERS = 2000
MAX_SIDE_TEXTS_PER_KIND = 100

LINE_END_HYPHEN = "\ufffe"  # as pdfium itself marks it


@dataclass(frozen=True, slots=True)
class PageContent:
    """What stands on a page, and where; without offsets and boxes if the reader knows no places."""

    text: str
    offsets: "array[int]" = field(default_factory=lambda: array("I"))
    boxes: "array[float]" = field(default_factory=lambda: array("f"))
    hidden: list[HiddenSpan] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SideContent:
    """Text of a document that stands on no page; `page` is that of an annotation."""

    kind: SideTextKind
    text: str
    page: int | None = None


class Refused(Exception):  # noqa: N818 - an answer about the file, not an error of ours
    """A reader does not open the file."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal: Refusal = refusal
        super().__init__(refusal)
