"""Characters that make a word look like another one, or that nobody sees.

Ordinary uses are left alone: Greek letters in units and formulas, zero-width joiners in scripts that need them,
bidirectional controls beside Hebrew or Arabic, flags and emoji, contracts in Cyrillic or Greek.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from dealguard_analyzer.engines.integrity.seen_through import (
    BIDI_CONTROLS,
    LOOK_ALIKES,
    TAGS,
    VARIATION_SELECTORS,
    ZERO_WIDTH,
)
from dealguard_api.report import Language

Disguise = Literal["lookAlike", "zeroWidth", "bidi", "tags"]

# Small Greek letters other than these are drawn differently, and stand in formulas: κNor, αs.
_GREEK_ALIKE = "ονϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ"
_CYRILLIC_ALIKE = "".join(letter for letter in LOOK_ALIKES if "\u0400" <= letter <= "\u052f")
_ALIKE = _GREEK_ALIKE + _CYRILLIC_ALIKE
_CYRILLIC = "\u0400-\u052f"
_GREEK = "\u0370-\u03ff"
_LATIN = "A-Za-z\xc0-\u024f"

# A word of at least four letters, Latin ones and look-alikes and no others: 'раyment'.
_MIXED_WORD = re.compile(rf"(?<!\w)(?=\w{{4,}})(?=\w*[{_LATIN}])(?=\w*[{_ALIKE}])[{_LATIN}\d_{_ALIKE}]+(?!\w)")
# A word of look-alikes alone: 'сору'. Only in a document that has no words of that script otherwise.
_LOOK_ALIKE_WORD = re.compile(rf"(?<!\w)[{_ALIKE}]{{4,}}(?!\w)")
_FOREIGN_WORD = re.compile(rf"(?<!\w)(?=\w*[^\W{_LATIN}\d_{_ALIKE}])[{_CYRILLIC}{_GREEK}]{{3,}}(?!\w)")
_NARROW = re.compile(rf"[{_LATIN}][{ZERO_WIDTH}]+[{_LATIN}]")
_BIDI = re.compile(f"[{BIDI_CONTROLS}]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# Tags spell flags of regions behind a black flag; variation selectors come singly, behind a sign.
_TAGS = re.compile(f"(?<![\U0001f3f4{TAGS}])[{TAGS}]+|[{VARIATION_SELECTORS}]{{3,}}")

NAMES: Final[dict[Disguise, dict[Language, str]]] = {
    "lookAlike": {
        "en": "letters of another alphabet that look like Latin ones",
        "de": "Buchstaben eines anderen Alphabets, die wie lateinische aussehen",
    },
    "zeroWidth": {"en": "invisible characters within words", "de": "unsichtbare Zeichen innerhalb von Wörtern"},
    "bidi": {
        "en": "characters that reverse the direction of the text",
        "de": "Zeichen, die die Schreibrichtung umkehren",
    },
    "tags": {"en": "invisible characters that spell a message", "de": "unsichtbare Zeichen, die Text ergeben"},
}

SPELLED: Final[dict[Language, str]] = {"en": "The invisible ones spell", "de": "Die unsichtbaren ergeben"}


@dataclass(frozen=True)
class Disguised:
    """One disguised word: `text[start:end]`."""

    kind: Disguise
    start: int
    end: int


def disguised(text: str) -> list[Disguised]:
    """The disguised words in `text`, in order."""
    return sorted(_all(text), key=lambda word: (word.start, word.end))


def _all(text: str) -> Iterator[Disguised]:
    if text.isascii():
        return
    patterns: list[tuple[Disguise, re.Pattern[str]]] = [
        ("lookAlike", _MIXED_WORD),
        ("zeroWidth", _NARROW),
        ("tags", _TAGS),
    ]
    if _FOREIGN_WORD.search(text) is None:
        patterns.append(("lookAlike", _LOOK_ALIKE_WORD))
    if _RIGHT_TO_LEFT.search(text) is None:
        patterns.append(("bidi", _BIDI))
    for kind, pattern in patterns:
        for match in pattern.finditer(text):
            yield Disguised(kind, match.start(), match.end())


def surroundings(text: str, word: Disguised) -> tuple[int, int]:
    """(start, end) of the word and a few words on either side, within its line."""
    low = max(text.rfind("\n", 0, word.start) + 1, word.start - 80)
    line_end = text.find("\n", word.end)
    high = min(len(text) if line_end < 0 else line_end, word.end + 80)
    while 0 < low < word.start and not text[low - 1].isspace():
        low += 1
    while word.end < high < len(text) and not text[high].isspace():
        high -= 1
    return low, high
