"""The child's answers (`sandbox.wire`), checked: it has met a hostile file, so nothing it says is taken on trust."""

import math
from array import array
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from dealguard_analyzer.document import Page, Words
from dealguard_analyzer.sandbox.wire import PageFault, Refusal

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
        return Page(self.number, self.text, self.words)


class PageUnreadable(_Message):
    """A page that the reader could not read."""

    kind: Literal["unreadable"]
    number: _PageNumber
    fault: PageFault


class End(_Message):
    """The child has read to the last page."""

    kind: Literal["end"]


class RefusedToOpen(_Message):
    """The reader does not open the file."""

    kind: Literal["refused"]
    refusal: Refusal


Message = Opened | PageRead | PageUnreadable | End | RefusedToOpen

_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def parse_message(line: bytes) -> Message:
    """One line of the child's.

    Raises:
        ValueError: it is none of the messages.
    """
    return _ADAPTER.validate_json(line)
