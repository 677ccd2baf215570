"""What a hyphen at a line end was: part of the word (`non-compete`), or a break of it (`Vertrags-partner`).

The document decides: as it writes the word elsewhere, within a line, so it is meant here. Where it is silent:
- before `und`, `oder`, `and`, … a word is left out: `Ver- und Entsorgung`;
- before a capital or a digit, and after a digit or an abbreviation, the hyphen belongs there: `AGB-Klausel`;
- after a prefix that English writes with a hyphen it belongs there: `non-exclusive`;
- else it is a break, and goes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from dealguard_analyzer.document import HiddenText, Page, Word, Words
from dealguard_analyzer.sandbox.wire import LINE_END_HYPHEN

_WORD = re.compile(r"\w+(?:-\w+)*")
_LETTERS_BEFORE = re.compile(r"\w*\Z")
_LETTERS_AFTER = re.compile(r"\w*")
_LONGEST_WORD = 80  # how far to look around a hyphen: longer "words" are not words

_CONJUNCTIONS = frozenset({"und", "oder", "bzw", "sowie", "and", "or", "to", "nor"})
_HYPHENATED_PREFIXES = frozenset({"non", "self", "third", "long", "short", "arm", "full", "part", "one", "two", "all"})
_MAX_ABBREVIATION_LENGTH = 4


def resolve_hyphens(pages: Iterable[Page]) -> tuple[Page, ...]:
    """The pages with each U+FFFE replaced by what it was; the offsets of words and hidden stretches follow."""
    pages = tuple(pages)
    if not any(LINE_END_HYPHEN in page.text for page in pages):
        return pages
    vocabulary = Counter(word.casefold() for page in pages for word in _WORD.findall(page.text))
    return tuple(_resolve(page, vocabulary) if LINE_END_HYPHEN in page.text else page for page in pages)


def _resolve(page: Page, vocabulary: Counter[str]) -> Page:
    pieces = page.text.split(LINE_END_HYPHEN)
    text = pieces[0]
    # Old offset of each hyphen, and by how much what follows it moves.
    moves: list[tuple[int, int]] = []
    offset = len(pieces[0])
    for before, after in pairwise(pieces):
        replacement = _replacement(_last_word(before), _first_word(after), vocabulary)
        moves.append((offset, len(replacement) - 1))
        text += replacement + after
        offset += 1 + len(after)
    return Page(page.number, text, Words.of(_moved(page.words, moves)), tuple(_moved_hidden(page.hidden, moves)))


def _last_word(text: str) -> str:
    match = _LETTERS_BEFORE.search(text[-_LONGEST_WORD:])
    return match.group() if match else ""


def _first_word(text: str) -> str:
    match = _LETTERS_AFTER.match(text[:_LONGEST_WORD])
    return match.group() if match else ""


def _replacement(left: str, right: str, vocabulary: Counter[str]) -> str:
    """What stands between `left` and `right` when they stand on one line."""
    hyphenated = vocabulary[f"{left}-{right}".casefold()]
    joined = vocabulary[f"{left}{right}".casefold()]
    if hyphenated or joined:
        return "-" if hyphenated >= joined else ""
    if right.casefold() in _CONJUNCTIONS:
        return "- "
    return "-" if _belongs(left, right) else ""


def _belongs(left: str, right: str) -> bool:
    if left.isupper() and right.isupper() and len(left) > _MAX_ABBREVIATION_LENGTH:
        return False  # a heading in capitals
    return (
        not right[:1].islower()
        or left[-1:].isdigit()
        or (left.isupper() and len(left) > 1)
        or left.casefold() in _HYPHENATED_PREFIXES
    )


def _moved(words: Sequence[Word], moves: list[tuple[int, int]]) -> Iterable[Word]:
    """The words with their new offsets. A word that ends with a hyphen keeps it, or loses it with its last place."""
    shift, remaining = 0, list(reversed(moves))
    for word in words:
        while remaining and remaining[-1][0] < word.start:
            shift += remaining.pop()[1]
        ends_with_hyphen = bool(remaining) and remaining[-1][0] == word.end - 1
        lost = ends_with_hyphen and remaining[-1][1] < 0
        yield Word(word.start + shift, word.end + shift - lost, word.x0, word.y0, word.x1, word.y1)


def _moved_hidden(hidden: Iterable[HiddenText], moves: list[tuple[int, int]]) -> Iterable[HiddenText]:
    """The hidden stretches with their new offsets; one that was nothing but a hyphen which went is gone."""
    for stretch in hidden:
        start = stretch.start + sum(shift for offset, shift in moves if offset < stretch.start)
        end = stretch.end + sum(shift for offset, shift in moves if offset < stretch.end)
        if start < end:
            yield HiddenText(start, end, stretch.reason)
