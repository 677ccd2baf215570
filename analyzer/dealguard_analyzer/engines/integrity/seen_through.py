"""Text as it was meant to be read by a machine: disguises taken off, with the way back to the original offsets.

Look-alike letters of other scripts, full-width and mathematical letters, accents piled on letters, invisible
characters between letters, letters spelled as Unicode tags: none of them keeps a pattern from matching.
"""

import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Letters that look like a Latin one (the common part of Unicode's confusables), lower case and upper case.
_LOOK_ALIKES: Final = {
    "Cyrillic": ("авеёзікмнорстухѕјһԁԛԝуьѵґАВЕЅЗІЈКМНОРСТУХҮԌԚԜҺѴ", "abeezikmhopctyxsjhdqwybvrABESZIJKMHOPCTYXYGQWHV"),
    "Greek": ("αβγεηικνορτυχϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "abyenikvoptuxcjABEZHIKMNOPTYXC"),
    "Armenian": ("օսոհցզքԱՏՍԼՕ", "ounhgqpUSULO"),
    "Cherokee": ("ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᏚᎢᏙᎳᏃ", "ABCDEGHJKLMPSTVWZ"),
    "Latin": ("ɑɡıȷɩʟɴʀᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱ", "agijilnracdejkmoptuvwzs"),
}
LOOK_ALIKES: Final = {
    letter: latin for letters, latins in _LOOK_ALIKES.values() for letter, latin in zip(letters, latins, strict=True)
}

ZERO_WIDTH: Final = "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u034f"
BIDI_CONTROLS: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_MARKS: Final = "\u200e\u200f\u061c\u00ad\ufffe"
TAGS: Final = "\U000e0020-\U000e007f"
VARIATION_SELECTORS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_LETTER_VARIANTS: Final = "\uff01-\uff5e\U0001d400-\U0001d7ff\u2460-\u24ff\u1d00-\u1d7f\u0300-\u036f"

_DISGUISED = re.compile(
    f"[{ZERO_WIDTH}{BIDI_CONTROLS}{_MARKS}{TAGS}{VARIATION_SELECTORS}{_LETTER_VARIANTS}{''.join(LOOK_ALIKES)}]"
)
_NOTHING = re.compile(f"[{ZERO_WIDTH}{BIDI_CONTROLS}{_MARKS}{VARIATION_SELECTORS}]")
# 'i g n o r e': at least six single letters with the same one sign between them.
_SPELLED_OUT = re.compile(r"(?<![^\W_])[^\W\d_](?:([\s.\-_*|])[^\W\d_](?:\1[^\W\d_]){4,})(?![^\W_])")


@dataclass(frozen=True)
class SeenThrough:
    """A text without disguises. `origins[i]` is the offset in the original of `text[i]`."""

    text: str
    origins: Sequence[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """(start, end) in the original of `text[start:end]`, which is not empty."""
        return self.origins[start], self.origins[end - 1] + 1


def see_through(text: str) -> SeenThrough:
    """`text` without disguises; the same text, at no cost, where there are none."""
    if _DISGUISED.search(text) is None and _SPELLED_OUT.search(text) is None:
        return SeenThrough(text, range(len(text)))
    parts: list[str] = []
    origins = array("L")
    for offset, character in enumerate(text):
        form = _undisguised(character)
        parts.append(form)
        origins.extend([offset] * len(form))
    return _joined_letters(SeenThrough("".join(parts), origins))


def _undisguised(character: str) -> str:
    if character.isascii():
        return character
    if _NOTHING.match(character) or unicodedata.combining(character):
        return ""
    if 0xE0020 <= ord(character) <= 0xE007E:  # a tag spells an ASCII character
        return chr(ord(character) - 0xE0000)
    if ord(character) == 0xE007F:
        return ""
    compatible = unicodedata.normalize("NFKC", character)
    return "".join(LOOK_ALIKES.get(part, part) for part in compatible)


def _joined_letters(seen: SeenThrough) -> SeenThrough:
    """Letters that stand apart joined to words; what separated words is lost with it, so it stays beside the text."""
    joined = [
        (match.start(), match.end(), match[0].replace(match[1], "")) for match in _SPELLED_OUT.finditer(seen.text)
    ]
    if not joined:
        return seen
    parts: list[str] = []
    origins = array("L")
    position = 0
    for start, end, word in joined:
        parts += [seen.text[position:start], word]
        origins.extend(seen.origins[position:start])
        origins.extend(seen.origins[index] for index in range(start, end, 2))
        position = end
    parts.append(seen.text[position:])
    origins.extend(seen.origins[position:])
    return SeenThrough("".join(parts), origins)
