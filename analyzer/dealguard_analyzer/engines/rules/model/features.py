"""Text as a set of features. Training and analysis share these functions: a change here asks for new weights."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

_ENGLISH_WORD = re.compile(r"[a-z]+|\d+|[%$§]")
_GERMAN_WORD = re.compile(r"[a-zäöüß]+|\d+")
_MAX_LENGTH_CLASS = 8

# A German word's beginning and end tell more than its form: 'Haftungsbeschränkung', 'haften', 'Haftung'.
_STEM_LETTERS = 5
_ENDING_LETTERS = 6
_COMPOUND_LETTERS = 8


def contract_sentence(lower: str, heading: str, is_heading: bool) -> set[str]:
    """Features of one sentence of an English contract.

    Args:
        lower: the sentence in lower case.
        heading: its section's heading in lower case.
        is_heading: it is a heading itself.

    Returns:
        Words and pairs of words, every number as '0'; the heading's words; the class of the sentence's length.
    """
    words = _words(_ENGLISH_WORD, lower)
    features = set(words)
    features.update(f"{left} {right}" for left, right in pairwise(words))
    features.update(f"h:{word}" for word in _words(_ENGLISH_WORD, heading))
    if is_heading:
        features.add("is:heading")
    features.add(f"length:{min(_MAX_LENGTH_CLASS, len(words).bit_length())}")
    return features


def standard_terms_clause(title: str, text: str) -> set[str]:
    """Features of one clause of German standard terms: of its title ('t') and of its text ('b'), marked apart."""
    return {*_german_title(title), *_german("b", text)}


@lru_cache(maxsize=256)  # a heading is asked for with each of its sentences
def _german_title(title: str) -> frozenset[str]:
    return frozenset(_german("t", title))


def _german(mark: str, text: str) -> set[str]:
    words = _words(_GERMAN_WORD, text.lower())
    stems = [word[:_STEM_LETTERS] for word in words]
    features = set[str]().union(*(_german_word(mark, word) for word in words))
    features.update([f"{mark}{left} {right}" for left, right in pairwise(words)])
    features.update([f"{mark}^{left} {right}" for left, right in pairwise(stems)])
    return features


@lru_cache(maxsize=8192)  # a contract has few different words
def _german_word(mark: str, word: str) -> tuple[str, ...]:
    """Features of one word: itself, its stem, its ending, and of a compound every piece."""
    features = [f"{mark}{word}", f"{mark}^{word[:_STEM_LETTERS]}"]
    if len(word) > _ENDING_LETTERS:
        features.append(f"{mark}{word[-_ENDING_LETTERS:]}$")
    if len(word) >= _COMPOUND_LETTERS:
        pieces = range(len(word) - _STEM_LETTERS + 1)
        features += [f"{mark}~{word[start : start + _STEM_LETTERS]}" for start in pieces]
    return tuple(features)


def _words(pattern: re.Pattern[str], text: str) -> Sequence[str]:
    return ["0" if word.isdigit() else word for word in pattern.findall(text)]
