"""The contract's own dates: agreed, effective, expiring."""

import re
from collections.abc import Iterable, Iterator

from dealguard_analyzer.engines.rules.facts.dates import DateHit, find_dates
from dealguard_analyzer.engines.rules.text import ContractText, Sentence
from dealguard_api.report import Fact

_HEAD_CHARACTERS = 15_000
_TAIL_CHARACTERS = 6_000
_SIGNED_NEAR = 30
_NEAR = 160  # characters between 'dated as of' and the date

_AGREED = re.compile(
    r"\b(?:dated(?: as of)?|made(?:,? (?:and )?entered into| and effective)?(?: as of| on| this)?|entered into"
    r"|executed|as of"
    r"|effective as of|vom|geschlossen am|datum|this (?=\d|_))\b:?",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    r"\b(?:date|datum|ort, datum|[A-ZÄÖÜ][a-zäöüß]+, (?:den|am)|signed\b[^.;]{0,80}?\bon)\b\s?:?|/s/[^\d/]{3,80}",
    re.IGNORECASE,
)
# Said of the contract itself, never of another one that it names.
_THIS_DAY = re.compile(r"\bthis (?=\d{1,2} ?(?:st|nd|rd|th)? day)", re.IGNORECASE)
_DATE_LABEL = re.compile(r"\b(?:date|datum)\b\s?:?\s*$", re.IGNORECASE)
_EFFECTIVE = re.compile(
    r"\b(?:effective (?:as of|on|from|date)|commenc\w+ (?:on|as of)|commencement date|takes? effect(?: on)?|to"
    r" be effective"
    r"|in kraft(?: tritt)?|tritt (?:am|zum|mit)|beginnt (?:am|zum)|vertragsbeginn|ab dem|mit wirkung (?:zum|vom"
    r"|ab)|laufzeit ab)\b",
    re.IGNORECASE,
)
_EXPIRES = re.compile(
    r"\b(?:expir\w+|terminat\w+ on|continu\w+ (?:\w+ ){0,6}(?:until|through)|until|through|end(?:s|ing)? on|ending"
    r"|befristet bis|endet (?:am|zum|mit ablauf des)|läuft bis|bis zum|laufzeit bis)\b",
    re.IGNORECASE,
)
_TERM_WORDS = re.compile(r"\b(?:term|agreement|contract|period|vertrag|laufzeit|vereinbarung)\w*\b", re.IGNORECASE)


def find_agreement_date(text: ContractText, clauses: Iterable[Sentence] = ()) -> Fact[str] | None:
    """The date the contract bears: after 'dated as of' and the like in the preamble, else a lone date at its head.

    Args:
        text: the contract.
        clauses: sentences that are known to state it, the likeliest first.
    """
    if (this_day := _first_after(text, _THIS_DAY, _HEAD_CHARACTERS)) is not None:
        return this_day
    stated = [hit for hit in _stated_in(text, clauses) if len(hit.iso) == len("YYYY-MM-DD")]
    at_the_head = [hit for hit in stated if hit.start < _HEAD_CHARACTERS and not _is_signature(text, hit)]
    if at_the_head:
        return _fact(text, at_the_head[0])
    signed = [hit for hit in stated if _is_signature(text, hit)]
    return (
        (_signature_date(text, signed) if signed else None)
        or _first_after(text, _AGREED, _HEAD_CHARACTERS)
        or _cover_date(text)
        or _signature_date(text, stated)
        or (_fact(text, stated[0]) if stated else None)
    )


def _is_signature(text: ContractText, hit: DateHit) -> bool:
    """Whether the date stands beside a signature: after 'Date:'."""
    return _DATE_LABEL.search(text.flat[max(0, hit.start - 12) : hit.start]) is not None


def _stated_in(text: ContractText, clauses: Iterable[Sentence]) -> Iterator[DateHit]:
    """The dates in the sentences, in their order."""
    for sentence in clauses:
        yield from find_dates(text.flat, sentence.start, sentence.end)


def find_effective_date(text: ContractText, agreement_date: Fact[str] | None) -> Fact[str] | None:
    """The date from which the contract counts; the agreement's own date where that is called the effective date."""
    if agreement_date is not None and _called_effective(text, agreement_date):
        return agreement_date
    return _first_after(text, _EFFECTIVE, len(text.flat))


def find_expiration_date(text: ContractText) -> Fact[str] | None:
    """The calendar date on which the contract ends, if it names one."""
    for match in _EXPIRES.finditer(text.flat):
        for hit in find_dates(text.flat, match.end(), match.end() + 60):
            if _TERM_WORDS.search(text.flat, max(0, match.start() - 150), match.start()):
                return _fact(text, hit)
            break
    return None


def _first_after(text: ContractText, words: re.Pattern[str], limit: int) -> Fact[str] | None:
    for match in words.finditer(text.flat, 0, limit):
        for hit in find_dates(text.flat, match.end(), match.end() + _NEAR):
            if not re.search(r"[.;]\s", text.flat[match.end() : hit.start]):
                return _fact(text, hit)
            break
    return None


def _cover_date(text: ContractText) -> Fact[str] | None:
    """A date that stands on a line of its own near the top."""
    for hit in find_dates(text.running.text, 0, 3000):
        line_start = text.running.text.rfind("\n", 0, hit.start) + 1
        line_end = text.running.text.find("\n", hit.end)
        if len(text.running.text[line_start : line_end if line_end >= 0 else None].strip()) <= hit.end - hit.start + 12:
            return _fact(text, hit)
    return None


def _signature_date(text: ContractText, stated: Iterable[DateHit]) -> Fact[str] | None:
    """The latest date beside the signatures: agreed is what the last one signed."""
    tail = max(0, len(text.flat) - _TAIL_CHARACTERS)
    hits = [
        hit
        for match in _SIGNED.finditer(text.flat, tail)
        for hit in find_dates(text.flat, match.end(), match.end() + _SIGNED_NEAR)
    ]
    hits += [hit for hit in stated if _is_signature(text, hit)]
    return _fact(text, max(hits, key=lambda hit: hit.iso)) if hits else None


def _called_effective(text: ContractText, agreement_date: Fact[str]) -> bool:
    quote = agreement_date.citation.quote
    place = text.running.text.find(quote)
    around = text.flat[max(0, place - 60) : place + len(quote) + 80].lower()
    return "effective" in around or "inkrafttreten" in around


def _fact(text: ContractText, hit: DateHit) -> Fact[str]:
    return Fact(value=hit.iso, citation=text.running.cite(hit.start, hit.end))
