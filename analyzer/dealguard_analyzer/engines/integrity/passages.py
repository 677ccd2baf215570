"""Where in a document words of an attack stand: on its pages, seen or hidden, or in what travels beside them."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from dealguard_analyzer.document import ExtractedDocument, SideText
from dealguard_analyzer.engines.integrity.grammar import Attack
from dealguard_analyzer.engines.integrity.seen_through import SeenThrough, see_through
from dealguard_analyzer.running_text import RunningText
from dealguard_api.report import Citation

# A quote is the sentence around the attack, and no more than so much of it on either side.
_MOST_BEFORE = 160
_MOST_AFTER = 300
# An attack that runs over a page break begins and ends within so many characters of it.
_REACH_OVER_A_BREAK = 400
_SENTENCE_END = re.compile(r"[.!?…][\"”’“)\]]*\s|\n\s*\n")
_BETWEEN_WORDS_OF_A_NAME = re.compile(r"[_+\-.]|%20|(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")


@dataclass(frozen=True)
class Found:
    """The words of one kind of attack in a document.

    Attributes:
        citations: on pages, each quote once.
        hidden: whether one of them stands where a person does not see it.
        beside: what stands on no page.
    """

    citations: list[Citation] = field(default_factory=list)
    hidden: bool = False
    beside: list[SideText] = field(default_factory=list)


class Passages:
    """A document prepared for the search of attacks."""

    def __init__(self, document: ExtractedDocument) -> None:
        self._document = document
        # With headers and footers, for an attack may be one.
        self._whole = RunningText(document, keep_edges=True)
        self._seen = see_through(self._whole.text)
        self._breaks = _PageBreaks(document) if len(document.pages) > 1 else None
        self._beside = [(side, see_through(_words_of(side)).text) for side in document.side_texts]

    def of(self, attack: Attack) -> Found:
        """Every passage with words of `attack`."""
        places = [(self._whole, *span) for span in _spans(attack, self._whole.text, self._seen)]
        if self._breaks is not None:
            places += [(self._breaks.reading, *span) for span in self._breaks.spans(attack)]
        found: dict[str, Citation] = {}
        for reading, start, end in places:
            citation = reading.cite(*_sentence_around(reading.text, start, end))
            quote = " ".join(citation.quote.split())
            if not any(quote in known for known in found):
                found[quote] = citation
        return Found(
            list(found.values()),
            any(self._is_hidden(reading, start) or self._is_hidden(reading, end - 1) for reading, start, end in places),
            [side for side, words in self._beside if next(attack.finditer(words), None) is not None],
        )

    def _is_hidden(self, reading: RunningText, position: int) -> bool:
        page_index, offset = reading.place(position)
        return any(stretch.start <= offset < stretch.end for stretch in self._document.pages[page_index].hidden)


class _PageBreaks:
    """The surroundings of the page breaks, without headers and footers: a sentence goes on across them."""

    def __init__(self, document: ExtractedDocument) -> None:
        self.reading = RunningText(document)
        text = self.reading.text
        self._stretches: list[tuple[int, SeenThrough]] = []
        for page in document.pages[1:]:
            start = bisect_left(range(len(text)), page.number, key=self.reading.page_number)
            low = max(0, start - _REACH_OVER_A_BREAK)
            self._stretches.append((low, see_through(text[low : start + _REACH_OVER_A_BREAK])))

    def spans(self, attack: Attack) -> Iterator[tuple[int, int]]:
        """(start, end) in the reading of each match that runs over a break."""
        for low, seen in self._stretches:
            for start, end in _spans(attack, self.reading.text[low : low + 2 * _REACH_OVER_A_BREAK], seen):
                if self.reading.page_number(low + start) != self.reading.page_number(low + end - 1):
                    yield low + start, low + end


def _spans(attack: Attack, text: str, seen: SeenThrough) -> Iterator[tuple[int, int]]:
    """(start, end) in `text` of each match, without the end of the sentence before it."""
    for match in attack.finditer(seen.text):
        words = match[0].lstrip(" \n\t\r.!?;:…*•")
        yield seen.original(match.end() - len(words), match.end()) if words else seen.original(*match.span())


def _words_of(side: SideText) -> str:
    """The side text as a sentence: the words of a file's name are joined by other signs than blanks."""
    return _BETWEEN_WORDS_OF_A_NAME.sub(" ", side.text) if side.kind == "attachment" else side.text


def _sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """(start, end) of the sentence, or of several, in which `text[start:end]` stands, bounded in length."""
    low = max(0, start - _MOST_BEFORE)
    for stop in _SENTENCE_END.finditer(text, low, start):
        low = stop.end()
    high = min(len(text), end + _MOST_AFTER)
    if (sentence_end := _SENTENCE_END.search(text, max(end - 1, start), high)) is not None:
        high = sentence_end.end()
    while low < start and low > 0 and not text[low - 1].isspace():
        low += 1
    while end < high < len(text) and not text[high].isspace() and not text[high - 1].isspace():
        high -= 1
    return low, high
