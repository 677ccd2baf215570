"""Reading page by page in children, so that a page which kills its reader costs that page and not the document.

    pdfium opens the file ──▶ pages, each in its turn ──▶ end
        │ does not                 │ a page kills the child
        ▼                          ▼
    pypdf opens it            a new child begins with that page; if that one dies on it too, the page is unreadable
        │ does not            and the next child begins after it
        ▼
    DocumentUnreadable

Text that stands on no page comes last; XMP metadata from a child of its own (pypdf), which may fail and cost only that.

The second try is there because a child that has read a thousand pages may die of what it has gathered, on an innocent
page. A page that takes too long is not tried again: each page's time is counted by itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from dealguard_analyzer.document import Page, SideText
from dealguard_analyzer.errors import DocumentError
from dealguard_analyzer.reading.child import ChildEnded, ChildLimits, Ending, start_child
from dealguard_analyzer.reading.messages import (
    End,
    Message,
    Opened,
    PageRead,
    PageUnreadable,
    RefusedToOpen,
    SideTextRead,
)
from dealguard_analyzer.sandbox.wire import MAX_SIDE_TEXTS_PER_KIND, PageFault
from dealguard_api.exit_codes import ExitCode

# All text of a document; the longest contract of CUAD has half a million characters.
_MAX_CHARACTERS = 20_000_000

_FAULTS: dict[PageFault, str] = {
    "damaged": "The page is damaged.",
    "picture": "The page is a picture without text: it needs OCR.",
    "unmapped": "The page's fonts do not say which letters their signs stand for: it needs OCR.",
    "too-much-text": "The page has far more text than a page of a contract.",
}
_ENDINGS = {
    Ending.CRASHED: "The page is damaged, or needs more memory than allowed.",
    Ending.TOO_SLOW: "Reading the page takes longer than allowed.",
    Ending.OUT_OF_TIME: "The time for reading the document was used up before this page.",
}
_TOO_MUCH_TEXT_BEFORE = "The text of the pages before this one is already longer than allowed."
_OPENING_TOO_SLOW = "The PDF is built such that merely opening it takes longer than allowed."


@dataclass
class Reading:
    """What has been read so far.

    Attributes:
        page_count: number of pages; None until a reader has opened the file.
        pages: the readable ones, in order.
        unreadable: page number → why, as a sentence.
        needing_ocr: how many of the unreadable ones are pictures, or as good as that, so not damaged.
        unmapped: how many of those have text, in signs whose letters are not known.
        side_texts: what stands on no page.
    """

    page_count: int | None = None
    pages: list[Page] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)
    needing_ocr: int = 0
    unmapped: int = 0
    characters: int = 0
    side_texts: list[SideText] = field(default_factory=list)

    @property
    def pages_done(self) -> int:
        """How many pages are read or known to be unreadable; always the first ones."""
        return len(self.pages) + len(self.unreadable)

    @property
    def is_complete(self) -> bool:
        """Whether no page is left."""
        return self.page_count is not None and self.pages_done >= self.page_count

    def open(self, page_count: int) -> None:
        """A child opened the file."""
        if self.page_count not in (None, page_count):
            raise ChildEnded(Ending.CRASHED)
        self.page_count = page_count

    def add(self, message: PageRead | PageUnreadable) -> None:
        """A child had its say on the next page."""
        if self.is_complete or message.number != self.pages_done + 1:
            raise ChildEnded(Ending.CRASHED)
        if isinstance(message, PageUnreadable):
            self.unreadable[message.number] = _FAULTS[message.fault]
            self.needing_ocr += message.fault in ("picture", "unmapped")
            self.unmapped += message.fault == "unmapped"
        elif self.characters + len(message.text) > _MAX_CHARACTERS:
            self.give_up_all(_TOO_MUCH_TEXT_BEFORE)
        else:
            self.characters += len(message.text)
            self.pages.append(message.to_page())

    def add_side_text(self, message: SideTextRead) -> None:
        """A child found text beside the pages; what it says twice, or beyond what it may say, is left out."""
        text = message.to_side_text()
        alike = sum(known.kind == text.kind for known in self.side_texts)
        if alike < MAX_SIDE_TEXTS_PER_KIND and text not in self.side_texts:
            self.side_texts.append(text)

    def give_up_next(self, why: str) -> None:
        """The next page is unreadable."""
        self.unreadable[self.pages_done + 1] = why

    def give_up_all(self, why: str) -> None:
        """All pages that are left are unreadable."""
        while not self.is_complete:
            self.give_up_next(why)


class IsolatedReader:
    """Reads one file.

    Args:
        file: the PDF.
        limits: of each child.
        max_seconds: for the whole document, on the clock.
        on_page: told (pages done, pages in all) after each page.
    """

    def __init__(
        self, file: BinaryIO, limits: ChildLimits, max_seconds: float, on_page: Callable[[int, int], None]
    ) -> None:
        self._file = file
        self._limits = limits
        self._deadline = time.monotonic() + max_seconds
        self._on_page = on_page
        self._reading = Reading()
        self._has_metadata = False

    def read(self) -> Reading:
        """Read all pages.

        Raises:
            DocumentError: the file is encrypted, has too many pages, or no reader finds a page in it.
        """
        for reader in ("pdfium", "pypdf"):
            while not self._reading.is_complete:
                try:
                    self._read_with_one_child(reader)
                except ChildEnded as end:
                    if self._reading.page_count is None:
                        break
                    self._blame(end.ending)
                except _NotOpened:
                    break
            if self._reading.page_count:
                self._read_metadata()
                return self._reading
            self._reading = Reading()
        slow = time.monotonic() >= self._deadline
        raise DocumentError(ExitCode.DOCUMENT_UNREADABLE, _OPENING_TOO_SLOW if slow else None)

    def _read_with_one_child(self, reader: str) -> None:
        self._first_page = self._reading.pages_done + 1
        with start_child(self._file, reader, self._first_page, self._limits, self._deadline) as messages:
            for message in messages:
                if isinstance(message, End):
                    self._has_metadata = message.metadata
                    break
                self._take(message)
        if not self._reading.is_complete:
            raise ChildEnded(Ending.CRASHED)  # it claims to be done and is not

    def _read_metadata(self) -> None:
        """What only pypdf reads. Without it the document is still read: it is no part of the contract."""
        if not self._has_metadata:
            return
        try:
            with start_child(self._file, "metadata", 1, self._limits, self._deadline) as messages:
                for message in messages:
                    if isinstance(message, SideTextRead):
                        self._reading.add_side_text(message)
                    elif not isinstance(message, Opened):
                        break
        except ChildEnded:
            pass

    def _take(self, message: Message) -> None:
        if isinstance(message, RefusedToOpen):
            if message.refusal == "encrypted":
                raise DocumentError(ExitCode.DOCUMENT_ENCRYPTED)
            raise _NotOpened
        if isinstance(message, Opened):
            if message.pages > self._limits.max_pages:
                raise _too_many_pages(message.pages, self._limits.max_pages)
            self._reading.open(message.pages)
        elif isinstance(message, PageRead | PageUnreadable):
            self._reading.add(message)
            self._on_page(self._reading.pages_done, self._reading.page_count or 0)
        elif isinstance(message, SideTextRead):
            self._reading.add_side_text(message)

    def _blame(self, ending: Ending) -> None:
        """Decide which page a child died of."""
        if self._reading.is_complete:
            return  # it died of what stands on no page
        if ending is Ending.OUT_OF_TIME:
            self._reading.give_up_all(_ENDINGS[ending])
        elif ending is Ending.TOO_SLOW or self._reading.pages_done + 1 == self._first_page:
            self._reading.give_up_next(_ENDINGS[ending])


class _NotOpened(Exception):  # noqa: N818 - an answer
    """The reader finds no document in the file."""


def _too_many_pages(pages: int, max_pages: int) -> DocumentError:
    detail = f"The document has {pages:,} pages; the limit is {max_pages:,}."
    return DocumentError(ExitCode.TOO_MANY_PAGES, detail)
