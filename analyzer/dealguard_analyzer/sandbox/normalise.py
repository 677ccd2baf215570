"""Characters as a parser gives them → the text of a page, and from which character each of the text's characters comes.

The rules:
- Lines end with `\\n`; runs of blanks (also no-break and typographic ones) are one space, none at a line's ends; at
  most one empty line in a row.
- Ligatures are letters: ﬁ → fi. An umlaut that a producer drew as two signs is one letter: ¨u and u + U+0308 → ü.
- A hyphen between two letters at a line end becomes U+FFFE without the line break; `reading.hyphens` decides later,
  with the whole document's vocabulary, what it was. A soft hyphen within a line is a hyphen if drawn, else nothing.
- What has no glyph is left out: control, zero-width and bidirectional formatting characters.
"""

import re
import unicodedata
from collections.abc import Callable

from dealguard_analyzer.sandbox.wire import LINE_END_HYPHEN

_SPACES = "\t\x0b\x0c\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_NOTHING = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2066\u2067\u2068\u2069\ufeff"
_CONTROLS = "".join(map(chr, (*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0xA0))))
_PDFIUM_HYPHEN = "\x02"  # FPDFText_GetUnicode says U+0002 where FPDFText_GetText says U+FFFE

_REPLACEMENTS: dict[str, str] = {
    **dict.fromkeys(_CONTROLS, ""),
    **dict.fromkeys(_NOTHING, ""),
    **dict.fromkeys(_SPACES, " "),
    _PDFIUM_HYPHEN: LINE_END_HYPHEN,
    "\x85": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
    "ﬅ": "st",
    "ﬆ": "st",
    "\uf0b7": "•",  # Symbol font's bullet, as word processors write it
}
_DIAERESIS = "\xa8"
# Characters that stand for themselves, and single spaces: most of a page, taken in one piece because it is much faster.
_PLAIN = re.compile("(?:[!-~\xa1-\xa7\xa9-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u2bff]| (?! ))+")
_LINE_END_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad] ?\n(?=[^\W\d_])")
_LETTER = re.compile(r"[^\W\d_]")

# A word, with the hyphen at its line's end.
WORD = re.compile(rf"[^\s{LINE_END_HYPHEN}]+{LINE_END_HYPHEN}?")


def normalise(characters: str, is_drawn: Callable[[int], bool]) -> tuple[str, list[int]]:
    """The text of a page, and for each of its characters the index into `characters` that it comes from.

    Args:
        characters: what the parser gives for the page.
        is_drawn: whether the soft hyphen at this index is visible.
    """
    out: list[str] = []
    origins: list[int] = []
    index = 0
    while index < len(characters):
        for part in _replacement(characters, index, is_drawn):
            _append(part, index, out, origins)
        index += 1
        if plain := _PLAIN.match(characters, index):
            _append(characters[index], index, out, origins)  # it may belong to what stands before
            out.extend(characters[index + 1 : plain.end()])
            origins.extend(range(index + 1, plain.end()))
            index = plain.end()
    while out and out[-1] in " \n":
        _drop_last(out, origins)
    return mark_line_end_hyphens("".join(out), origins)


def _replacement(characters: str, index: int, is_drawn: Callable[[int], bool]) -> str:
    """What one character becomes by itself."""
    character = characters[index]
    if character == "\r":
        return "" if characters[index + 1 : index + 2] == "\n" else "\n"
    if character == "\xad":
        return "-" if is_drawn(index) else ""
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"  # half a surrogate pair is no character
    return _REPLACEMENTS.get(character, character)


def count_letters(text: str) -> int:
    """How many letters `text` has, of any script."""
    return len(_LETTER.findall(text))


def _append(character: str, origin: int, out: list[str], origins: list[int]) -> None:
    """Add one character, merging it with what stands before where the rules say so."""
    last = out[-1] if out else "\n"
    if character == " " and last in " \n":
        return
    if character == "\n":
        if last == " ":
            _drop_last(out, origins)
        if not out or out[-2:] == ["\n", "\n"]:
            return
    elif out and (composed := _compose(last, character)):
        out[-1] = composed
        return
    out.append(character)
    origins.append(origin)


def _drop_last(out: list[str], origins: list[int]) -> None:
    out.pop()
    origins.pop()


def _compose(first: str, second: str) -> str | None:
    """The one letter that two signs draw together; None if they do not."""
    if first == _DIAERESIS and second in "aouAOU":
        return unicodedata.normalize("NFC", second + "\u0308")
    if unicodedata.combining(second):
        composed = unicodedata.normalize("NFC", first + second)
        return composed if len(composed) == 1 else None
    return None


def mark_line_end_hyphens(text: str, origins: list[int]) -> tuple[str, list[int]]:
    """Treat the line-end hyphens that the parser left like those it marked."""
    for match in reversed(list(_LINE_END_HYPHEN.finditer(text))):
        del origins[match.start() + 1 : match.end()]
    return _LINE_END_HYPHEN.sub(LINE_END_HYPHEN, text), origins
