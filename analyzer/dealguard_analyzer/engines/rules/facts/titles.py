"""The contract's own title."""

import re

from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_analyzer.engines.rules.word_list import words
from dealguard_api.report import Fact

_HEAD_CHARACTERS = 6000
_MAX_TITLE_CHARACTERS = 160

_KIND = re.compile(
    r"\b(?:agreement|contract|lease|licen[sc]e|amendment|addendum|terms and conditions|terms of (?:service|use)|deed"
    r"|statement of work|memorandum of understanding|letter of intent|policy|plan|joint filing statement)\b"
    r"|\w*(?:vertrag|vereinbarung|vertrages|bedingungen)\b|\bAGB\b|\babrede\b",
    re.IGNORECASE,
)
# German titles write these small: 'Vertrag über die Nutzung einer Software'.
_SMALL_WORDS = frozenset(words("über zwischen einer eines einem einen nach nebst sowie oder unter with between over"))
_NOISE = re.compile(
    r"^(?:exhibit|ex-|execution (?:copy|version)|confidential|source:|page \d|table of contents|quicklinks|\[|draft\b"
    r"|anlage \d|seite \d|this |dieser |diese |\d+\.\d+)|\bhereby\b|\bshall\b|\bhas been\b|https?:|\bpursuant to\b",
    re.IGNORECASE,
)
_IN_SENTENCE = re.compile(
    r"\bTHIS (?P<title>(?:[A-Z][A-Za-z&,/-]* ){0,8}?(?:AGREEMENT|CONTRACT|LEASE|AMENDMENT|DEED|Agreement|Contract))\b"
)


def find_title(text: ContractText) -> Fact[str] | None:
    """The first line that names a kind of contract and is no sentence, with the lines of capitals that belong to it."""
    lines = _head_lines(text)
    for index, (start, end) in enumerate(lines):
        line = text.flat[start:end]
        if _is_title(line):
            while (
                index > 0
                and lines[index - 1][1] + 1 >= start - 1
                and _continues(text.flat[slice(*lines[index - 1])], line)
            ):
                index -= 1  # noqa: PLW2901 - walks up to where the title begins
                start = lines[index][0]  # noqa: PLW2901
            return _fact(text, start, end)
    if (match := _IN_SENTENCE.search(text.flat, 0, _HEAD_CHARACTERS)) is not None:
        return _fact(text, match.start("title"), match.end("title"))
    return None


def _fact(text: ContractText, start: int, end: int) -> Fact[str]:
    citation = text.running.cite(start, end)
    return Fact(value=" ".join(citation.quote.split())[:300], citation=citation)


def _head_lines(text: ContractText) -> list[tuple[int, int]]:
    """(start, end) of the first lines, blank ones left out."""
    spans, position = [], 0
    for line in text.running.text[:_HEAD_CHARACTERS].split("\n"):
        stripped = line.strip()
        if stripped:
            start = position + line.index(stripped[0])
            spans.append((start, start + len(stripped)))
        position += len(line) + 1
    return spans


def _is_title(line: str) -> bool:
    if len(line) > _MAX_TITLE_CHARACTERS or not _KIND.search(line) or _NOISE.search(line):
        return False
    found = [word for word in re.findall(r"[^\W\d_]+", line) if len(word) > 3 and word not in _SMALL_WORDS]
    capital = sum(word[0].isupper() for word in found)
    return bool(found) and len(line.split()) <= 16 and capital >= 0.7 * len(found) and not line.endswith((",", ";"))


def _continues(previous: str, line: str) -> bool:
    """Whether `previous` is the first half of a title set in two lines of capitals."""
    return (
        previous.isupper()
        and line.isupper()
        and len(previous) <= 70
        and not _NOISE.search(previous)
        and (previous.endswith((" AND", " OF", " FOR", ",", "&", "-")) or _KIND.fullmatch(line) is not None)
    )
