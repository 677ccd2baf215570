"""What the child says: one JSON object a line, told apart by `kind`.

    {"kind": "opened", "pages": 12}                                    once, first
    {"kind": "page", "number": 1, "text": "…", "offsets": "…", "boxes": "…"}
    {"kind": "unreadable", "number": 2, "fault": "damaged"}            instead of "page"
    {"kind": "end"}                                                    once, last
    {"kind": "refused", "refusal": "encrypted"}                        instead of all of the above

`offsets` holds start and end of each word of the text (32-bit unsigned integers), `boxes` its x0, y0, x1, y1 in PDF
user space (32-bit floats), both in the machine's byte order and base64: a page may have thousands, and as numbers in
JSON they cost more time than reading them from the PDF. In `text`, U+FFFE stands for a hyphen at a line end, which the
parent resolves. Refusals and faults are words of these lists, never the file's.
"""

from array import array
from dataclasses import dataclass, field
from typing import Literal

Refusal = Literal["encrypted", "damaged"]
PageFault = Literal["damaged", "picture", "too-much-text"]

LINE_END_HYPHEN = "\ufffe"  # as pdfium itself marks it


@dataclass(frozen=True, slots=True)
class PageContent:
    """What stands on a page, and where; without offsets and boxes if the reader knows no places."""

    text: str
    offsets: "array[int]" = field(default_factory=lambda: array("I"))
    boxes: "array[float]" = field(default_factory=lambda: array("f"))


class Refused(Exception):  # noqa: N818 - an answer about the file, not an error of ours
    """A reader does not open the file."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal: Refusal = refusal
        super().__init__(refusal)
