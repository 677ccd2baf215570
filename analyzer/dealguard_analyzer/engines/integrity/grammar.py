"""How the patterns of this package are written, readable, and how they are searched, quickly.

A blank stands for any white space, so that a line break within an attack does not hide it. Case does not count.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Where an order may begin. 'Supplier shall disregard …' and '(a) disregard …; (b) …' state what a party does; an order
# to the reader stands at the beginning of a sentence, of a line with a capital, or behind a colon, quote or bracket.
START: Final = (
    r"(?:\A|\n\s*\n\s*|[.!?:…•*#>\"“”„«»=|/{]\s*|(?:[–—]|(?<!\w)-)\s*|[\)\]\}\d][.:)]?\s+(?=(?-i:[A-ZÄÖÜ]))"
    r"|\n(?=\W*(?-i:[A-ZÄÖÜ])))"
)

# Where words of an attack may begin: not within a word, nor at a blank. One cheap test before dozens of expressions.
_BEGINS = r"(?:\A|(?! )(?:(?<!\w)|(?=[\W\d])))"

# An attack that matches lies within so many characters of its sign.
_REACH_CHARACTERS = 240


def anything(most: int) -> str:
    """At most so many characters of the same sentence, as few as possible."""
    return rf"[^.!?;]{{0,{most}}}?"


@dataclass(frozen=True)
class Attack:
    """One kind of words.

    Attributes:
        signs: one of these is in every match; searched in the lower-case text, as most contracts have few of them.
        words: the match itself, tried around the signs only: trying it everywhere takes a hundred times as long.
    """

    signs: re.Pattern[str]
    words: re.Pattern[str]

    @classmethod
    def of(cls, signs: tuple[str, ...], words: tuple[str, ...], anywhere: tuple[str, ...] = ()) -> "Attack":
        """Compiled.

        Args:
            words: each begins at a punctuation mark, a digit, a line's end or a word's beginning.
            anywhere: others, which may begin within a word too.
        """
        alternatives = (f"{_BEGINS}(?:{_spaced(words)})", *((_spaced(anywhere),) if anywhere else ()))
        return cls(re.compile(_spaced(signs)), re.compile("|".join(alternatives), re.IGNORECASE))

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """The matches in `text`, in order."""
        for start, end in self._candidates(text):
            yield from self.words.finditer(text, start, end)

    def _candidates(self, text: str) -> Iterator[tuple[int, int]]:
        """(start, end) of the stretches around signs, in order, not overlapping."""
        lower = text.lower()
        if len(lower) != len(text):  # some capitals have two small letters; offsets must stay
            lower = "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
        stretch = (-1, -1)
        for sign in self.signs.finditer(lower):
            low, high = max(0, sign.start() - _REACH_CHARACTERS), min(len(text), sign.end() + _REACH_CHARACTERS)
            if low > stretch[1]:
                if stretch[1] >= 0:
                    yield stretch
                stretch = (low, high)
            stretch = (stretch[0], high)
        if stretch[1] >= 0:
            yield stretch


def _spaced(alternatives: tuple[str, ...]) -> str:
    """Any of `alternatives`, with each blank as any white space."""
    return "|".join(alternatives).replace(" ?", r"\s*").replace(" ", r"\s+")
