"""The dates on which the contract begins and ends; `agreement_date` finds the one that it bears."""

import re

from dealguard_analyzer.engines.rules.facts.dates import DateHit, find_dates
from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_api.report import Fact

_NEAR = 160  # characters between 'effective as of' and the date

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


def find_effective_date(text: ContractText, agreement_date: Fact[str] | None) -> Fact[str] | None:
    """The date from which the contract counts; the agreement's own date where that is called the effective date."""
    if agreement_date is not None and _called_effective(text, agreement_date):
        return agreement_date
    return _first_after(text, _EFFECTIVE)


def find_expiration_date(text: ContractText) -> Fact[str] | None:
    """The calendar date on which the contract ends, if it names one."""
    for match in _EXPIRES.finditer(text.flat):
        for hit in find_dates(text.flat, match.end(), match.end() + 60):
            if _TERM_WORDS.search(text.flat, max(0, match.start() - 150), match.start()):
                return _fact(text, hit)
            break
    return None


def _first_after(text: ContractText, words: re.Pattern[str]) -> Fact[str] | None:
    for match in words.finditer(text.flat):
        for hit in find_dates(text.flat, match.end(), match.end() + _NEAR):
            if not re.search(r"[.;]\s", text.flat[match.end() : hit.start]):
                return _fact(text, hit)
            break
    return None


def _called_effective(text: ContractText, agreement_date: Fact[str]) -> bool:
    quote = agreement_date.citation.quote
    place = text.running.text.find(quote)
    around = text.flat[max(0, place - 60) : place + len(quote) + 80].lower()
    return "effective" in around or "inkrafttreten" in around


def _fact(text: ContractText, hit: DateHit) -> Fact[str]:
    return Fact(value=hit.iso, citation=text.running.cite(hit.start, hit.end))
