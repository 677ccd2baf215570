"""Which language a text is written in: German, English, or neither that we know.

Counting the words without which no sentence of a language is written: deterministic, and right for a contract after a
few lines. Words that both languages have (in, so, an, am, was, die, …) are left out.
"""

import re
from collections.abc import Iterable

from dealguard_api.report import Language

_WORD = re.compile(r"[^\W\d_]+")

_GERMAN = """
    der das den dem des ein eine einen einer eines einem und oder nicht ist sind wird werden wurde kann können auf auch
    aus bei bis durch für gegen im mit nach ohne sich sie sowie über um unter vom von vor zu zum zur als dass daß diese
    dieser dieses soweit wenn hat haben es er wir nur noch
"""
_ENGLISH = """
    the of and to that is are be been by for from with shall will may not or any such this these those which its it has
    have as at on under upon other all if each party no than their our your you we hereby herein
"""
_STOPWORDS: dict[Language, frozenset[str]] = {"de": frozenset(_GERMAN.split()), "en": frozenset(_ENGLISH.split())}

# Fewer words than this say nothing; fewer stopwords among them belong to another language, or to a list of figures.
_MIN_WORDS = 20
_MIN_SHARE = 0.12
_MAX_WORDS = 50_000


def detect_language(texts: Iterable[str]) -> Language | None:
    """The language of `texts` (the pages of one document); None if it is neither or there is too little text.

    A contract in both, side by side, is of the one that has more words.
    """
    counts: dict[Language, int] = {"de": 0, "en": 0}
    words = 0
    for word in _words(texts):
        words += 1
        for language, stopwords in _STOPWORDS.items():
            counts[language] += word in stopwords
    best: Language = "de" if counts["de"] >= counts["en"] else "en"
    if words < _MIN_WORDS or counts[best] < _MIN_SHARE * words:
        return None
    return best


def _words(texts: Iterable[str]) -> Iterable[str]:
    remaining = _MAX_WORDS
    for text in texts:
        for match in _WORD.finditer(text):
            if remaining == 0:
                return
            remaining -= 1
            yield match.group().lower()
