"""The contract as sentences under headings: what the rules read.

Patterns are written against `Sentence.lower`: lower case, white space collapsed to single blanks.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.engines.rules.searching import SearchableText
from dealguard_analyzer.engines.rules.word_list import words
from dealguard_analyzer.running_text import RunningText
from dealguard_api.report import Citation

# Longer "sentences" are tables or run-on lists: cut, so that a pattern's cost stays bounded.
MAX_SENTENCE_CHARACTERS = 1500
_MAX_HEADING_CHARACTERS = 90
_MAX_HEADING_WORDS = 9

# A short numbered sentence is not a heading.
_VERB = re.compile(
    r"\b(?:shall|will|may|must|is|are|has|have|agrees?|means|ist|sind|wird|werden|hat|haben|kann|können|darf"
    r"|gilt|gelten"
    r"|beträgt|endet|beginnt|verjähren|haftet)\b",
    re.IGNORECASE,
)
_ENUMERATOR = (
    r"(?:§{1,2} ?\d+[a-z]?|(?:article|section|artikel|abschnitt|ziffer) [\divx]+|\(?\d{1,2}(?:\.\d{1,2}){0,3}\)?"
    r"|\(?[a-z]{1,3}\)|[ivx]{1,5}\.)"
)
_STARTS_ITEM = re.compile(rf"\s*(?:{_ENUMERATOR}[.:)]?\s|[•▪–-]\s)", re.IGNORECASE)
_ONLY_ENUMERATOR = re.compile(rf"\W*(?:{_ENUMERATOR}[.:)]?|[A-Z]\.)\W*", re.IGNORECASE)
_LEADING_ENUMERATOR = re.compile(rf"^\W*{_ENUMERATOR}[.:)]?\s+", re.IGNORECASE)

# A full stop, question mark or exclamation mark that is followed by what may begin a sentence.
_STOP = re.compile(r"[.!?][\"”’“)\]]*(?=\s+[\"“„‘(\[§A-ZÄÖÜ0-9])")
_ABBREVIATIONS = frozenset(
    words(
        "no nos inc corp co ltd llc l.p l.l.c mr mrs ms dr st sec art para fig ex exh vs approx dept univ u.s u.s.a"
        " p.o n.a n.v b.v s.a e.g i.e a.m p.m jan feb mar apr jun jul aug sep sept oct nov dec"
        " nr abs ziff bzw vgl z.b d.h u.a i.d.r i.s.d i.v.m gem ggf str tel s.o evtl inkl zzgl usw lit rn hr fr prof"
        " dipl ing kfm geb mio mrd std"
    )
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence. `start` and `end` are offsets in the running text; `heading` is its section's, in lower case."""

    index: int
    start: int
    end: int
    text: str
    lower: str
    heading: str
    is_heading: bool


class ContractText:
    """A document cut into sentences.

    Attributes:
        running: the whole text; offsets of sentences count in it.
        flat: the running text with every white-space character as one blank, so that offsets stay the same.
        sentences: all sentences in order; headings are sentences too.
        lower: the sentences' lower-case forms, one a line, for searching all at once.
    """

    def __init__(self, document: ExtractedDocument) -> None:
        self.running = RunningText(document)
        self.flat = re.sub(r"\s", " ", self.running.text)
        self.sentences = tuple(_sentences(self.running.text))
        self.lower = "\n".join(sentence.lower for sentence in self.sentences)
        self._searchable = SearchableText(self.lower)
        self._line_starts: list[int] = []
        position = 0
        for sentence in self.sentences:
            self._line_starts.append(position)
            position += len(sentence.lower) + 1

    def sentences_with(self, pattern: re.Pattern[str]) -> Iterator[Sentence]:
        """The sentences, headings left out, in which `pattern` matches, in order, each once."""
        last = -1
        for match in self._searchable.finditer(pattern):
            index = bisect_right(self._line_starts, match.start()) - 1
            if index != last and not self.sentences[index].is_heading:
                last = index
                yield self.sentences[index]

    def cite(self, sentence: Sentence) -> Citation:
        """The sentence, word for word."""
        return self.running.cite(sentence.start, sentence.end)


def lower_same_length(text: str) -> str:
    """`text` in lower case, character by character, so that offsets stay the same."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def _sentences(text: str) -> Iterator[Sentence]:
    index, heading = 0, ""
    for start, end in _spans(text):
        collapsed = " ".join(text[start:end].split())
        if not collapsed:
            continue
        lower = lower_same_length(collapsed)
        name = _heading(collapsed)
        heading = heading if name is None else name
        yield Sentence(index, start, end, collapsed, lower, heading, is_heading=name is not None)
        index += 1


def _heading(sentence: str) -> str | None:
    """The heading's words in lower case, without number, if the sentence is one."""
    if len(sentence) > _MAX_HEADING_CHARACTERS:
        return None
    words = _LEADING_ENUMERATOR.sub("", sentence).strip(" .:–-")
    if not words or not words[0].isalpha() or len(words.split()) > _MAX_HEADING_WORDS or ";" in words:
        return None
    numbered = words != sentence.strip(" .:–-")
    titled = _is_title_case(words)
    # '(2) Für jede Mahnung berechnen wir 5 Euro.' is a sentence: only its small words tell it from a heading.
    named = titled or not (sentence.endswith(".") or sentence.startswith("("))
    if not (words[0].isupper() and (numbered or (titled and not sentence.endswith("."))) and named):
        return None
    if _VERB.search(words):
        return None
    return words.lower()


def _is_title_case(words: str) -> bool:
    """Whether every word of some length begins with a capital."""
    return all(word[0].isupper() for word in re.findall(r"[^\W\d_]{4,}", words))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence: blocks of lines, cut at full stops, and where too long, at semicolons."""
    for block_start, block_end in _blocks(text):
        start = block_start
        for match in _STOP.finditer(text, block_start, block_end):
            if _ends_sentence(text, start, match.start(), text[match.start()]):
                yield from _bounded(text, start, match.end())
                start = match.end()
        yield from _bounded(text, start, block_end)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of stretches that a sentence cannot cross: at blank lines, headings and list items."""
    start = position = 0
    previous = ""
    for line in text.split("\n"):
        stripped = line.strip()
        if position > start and _breaks(previous, stripped):
            yield start, position
            start = position
        previous = stripped
        position += len(line) + 1
    yield start, len(text)


def _breaks(previous: str, line: str) -> bool:
    """Whether a new block begins with `line`."""
    if not previous or not line:
        return True
    if _STARTS_ITEM.match(line + " ") and (previous[-1] in ".;:!?" or _heading(previous) is not None):
        return True
    if _STARTS_ITEM.match(line + " ") and line[0] in "§0123456789" and re.match(r"(?:§|\d+\.)", line):
        return True
    if previous.isupper() and len(previous) <= _MAX_HEADING_CHARACTERS and not line.isupper():
        return True
    # A heading ends before a line that begins anew; lines of running text are longer.
    begins_anew = line[0].isupper() or line[0] in "(§0123456789"
    return len(previous) <= 60 and begins_anew and previous[-1] not in ",-–&" and _heading(previous) is not None


def _ends_sentence(text: str, start: int, stop: int, mark: str) -> bool:
    """Whether the mark at `stop` ends the sentence that began at `start`."""
    if mark != ".":
        return True
    sentence = text[start:stop]
    if _ONLY_ENUMERATOR.fullmatch(sentence[-40:]) and len(sentence.strip()) <= 12:
        return False
    words = sentence[-30:].split()
    last = words[-1].lstrip('("“„[').lower() if words else ""
    if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()):
        return False
    # German dates and ordinals: 'am 1. Januar', 'zum 31. Dezember'.
    return not (
        last.isdigit() and len(last) <= 2 and re.match(r"\.\s+[A-ZÄÖÜ][a-zä]", text[stop : stop + 8]) is not None
    )


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span, cut where it is longer than a sentence may be."""
    while end - start > MAX_SENTENCE_CHARACTERS:
        limit = start + MAX_SENTENCE_CHARACTERS
        half = start + MAX_SENTENCE_CHARACTERS // 2
        cut = max(text.rfind(";", half, limit), text.rfind("\n", half, limit))
        if cut < 0:
            cut = max(text.rfind(" ", half, limit), limit - 1)
        yield start, cut + 1
        start = cut + 1
    if text[start:end].strip():
        yield start, end
