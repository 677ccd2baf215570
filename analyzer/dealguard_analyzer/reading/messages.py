"""The child's answers (`sandbox.wire`), checked: it has met a hostile file, so nothing it says is taken on trust."""

import math
from array import array
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from dealguard_analyzer.document import HiddenText, Page, SideText, Words
from dealguard_analyzer.sandbox.wire import MAX_SIDE_TEXT_CHARACTERS, HiddenSpan, PageFault, Refusal, SideTextKind

_PageNumber = Annotated[int, Field(ge=1)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Opened(_Message):
    """A reader opened the file."""

    kind: Literal["opened"]
    pages: Annotated[int, Field(ge=0)]


class PageRead(_Message):
    """A page's text, and the offsets and boxes of its words."""

    kind: Literal["page"]
    number: _PageNumber
    text: str
    offsets: Base64Bytes
    boxes: Base64Bytes
    hidden: list[HiddenSpan] = []

    @model_validator(mode="after")
    def _words_are_within_the_text(self) -> Self:
        words = self.words
        if len(words.boxes) != 4 * len(words) or len(words.offsets) % 2:
            raise ValueError("offsets and boxes do not match")
        offsets = words.offsets.tolist()
        if offsets != sorted(offsets) or (offsets and offsets[-1] > len(self.text)):
            raise ValueError("a word lies outside the text, or before the one before it")
        if not all(map(math.isfinite, words.boxes)):
            raise ValueError("a box is nowhere")
        edges = [edge for start, end, _ in self.hidden for edge in (start, end)]
        if edges != sorted(edges) or any(not 0 <= edge <= len(self.text) for edge in edges):
            raise ValueError("a hidden stretch lies outside the text, or before the one before it")
        return self

    @cached_property
    def words(self) -> Words:
        """The words, decoded."""
        offsets, boxes = array("I"), array("f")
        offsets.frombytes(self.offsets)
        boxes.frombytes(self.boxes)
        return Words(offsets, boxes)

    def to_page(self) -> Page:
        """The page, of the child's message nothing else kept."""
        return Page(self.number, self.text, self.words, tuple(HiddenText(*span) for span in self.hidden))


class PageUnreadable(_Message):
    """A page that the reader could not read."""

    kind: Literal["unreadable"]
    number: _PageNumber
    fault: PageFault


class SideTextRead(_Message):
    """Text that stands on no page."""

    kind: Literal["side"]
    side: SideTextKind
    text: Annotated[str, Field(min_length=1, max_length=MAX_SIDE_TEXT_CHARACTERS)]
    page: _PageNumber | None = None

    def to_side_text(self) -> SideText:
        """The text, of the child's message nothing else kept."""
        return SideText(self.side, self.text, self.page)


class End(_Message):
    """The child has read to the last page.

    `metadata`: the file has some that only the metadata reader reads.
    """

    kind: Literal["end"]
    metadata: bool


class RefusedToOpen(_Message):
    """The reader does not open the file."""

    kind: Literal["refused"]
    refusal: Refusal


Message = Opened | PageRead | PageUnreadable | SideTextRead | End | RefusedToOpen

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def parse_message(line: bytes) -> Message:
    """One line of the child's.

    Raises:
        ValueError: it is none of the messages.
    """
    return _ADAPTER.validate_json(line)
