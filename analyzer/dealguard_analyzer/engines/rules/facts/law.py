"""Governing law, courts and arbitration."""

import re
from collections.abc import Iterable, Iterator

from dealguard_analyzer.engines.rules.facts.jurisdictions import jurisdictions_in
from dealguard_analyzer.engines.rules.text import ContractText, Sentence
from dealguard_api.report import Fact, Venue

_LAW = re.compile(
    r"\b(?:govern(?:ed|ing|s)?|construed|controlled|determined|interpreted|construction|subject to|enforced"
    r"|laws? (?:that|which) appl)\b.{0,160}?\blaws?\b"
    r"|\blaws? of .{0,80}?\b(?:shall |will |)(?:govern|apply|control)|\bin accordance with the laws of"
    r"|\b(?:applicable|governing) law\b"
    r"|\b(?:es gilt|gilt|unterliegt|anwendbar(?:es recht)?|findet .{0,60}?anwendung|anzuwenden|gelten"
    r"|maßgeblich)\b.{0,80}?\brechts?\b"
    r"|\brecht der bundesrepublik\b|\b(?:deutsches|deutschem|österreichisches|schweizer|schweizerisches) recht\b"
)
# The contract, not a licence or a tax, is what is governed.
_CHOICE = re.compile(
    r"\b(?:agreement|contract|letter|hereunder|hereof|parties|terms|addendum|amendment|validity|exhibit|note"
    r"|guaranty)\b.{0,240}"
    r"\b(?:govern|constru|interpret|enforced|controlled|determined)|\blaws? of .{0,80}\b(?:shall|will|govern|apply)"
    r"|\b(?:es gilt|gilt|unterlieg|anwendbar|findet|anzuwenden|gelten)\b|\bgoverning law\b"
)
_CUT = re.compile(
    r"\b(?:without|but not|regardless|excluding|exclusive of|irrespective|notwithstanding|applicable to|unter"
    r" ausschluss|ausschließlich des un)\b"
)
_NOT_LAW = re.compile(r"\b(?:organized|existing|incorporated|duly) (?:\w+ ){0,4}under the laws\b")

_COURT = re.compile(r"\b(?:jurisdiction|venue|courts?|gerichtsstand)\b")
_COURT_REQUIRED = re.compile(
    r"\b(?:exclusive|jurisdiction of|venue|submit|brought|courts (?:of|in|located|sitting)|gerichtsstand)\b"
)
_ARBITRATION = re.compile(r"\b(?:arbitration|arbitrator|arbitrated|schiedsgericht\w*|schiedsverfahren)\b")
_ARBITRATION_REQUIRED = re.compile(
    r"\b(?:settled|resolved|submitted|decided|rules|seat|place|finally|shall|entschieden|ordnung|sitz)\b"
)
_INSTITUTION = re.compile(
    r"American Arbitration Association|JAMS|International Chamber of Commerce|ICC|London Court of International"
    r" Arbitration|LCIA"
    r"|Deutschen? Institution für Schiedsgerichtsbarkeit|DIS|Hong Kong International Arbitration Cent(?:re|er)"
    r"|Singapore International Arbitration Cent(?:re|er)"
    r"|China International Economic and Trade Arbitration Commission|CIETAC|CPR|Schlichtungsstelle|Vienna"
    r" International Arbitral Centre"
)
_PLACE = re.compile(
    r"(?:[Cc]ourts? (?:of|in|located in|sitting in)(?: the)?|[Vv]enue (?:shall be|is|in|will be)(?: in)?"
    r"|[Gg]erichtsstand (?:für .{0,80}?)?ist(?: ausschließlich)?"
    r"|(?:held|conducted|take place|seat(?:ed)?(?: of arbitration)?(?: (?:shall be|is))?|arbitration) in"
    r"|[Ss]itz des .{0,30}? ist|Schiedsort ist|located in)"
    r"(?: the)?(?: (?:State|City|County) of)? (?P<place>[A-ZÄÖÜ][\w.'-]+(?:,? (?:of|am|an der|and|County"
    r"|[A-ZÄÖÜ][\w.'-]+)){0,5})"
)


def find_governing_law(text: ContractText, clauses: Iterable[Sentence] = ()) -> Fact[str] | None:
    """The legal system that the contract chooses.

    Args:
        text: the contract.
        clauses: sentences that are known to choose a law, the likeliest first.
    """
    for sentence in clauses:
        if names := _jurisdictions(sentence):
            return _governing_law(text, sentence, names)
    for sentence, names in _law_clauses(text):
        return _governing_law(text, sentence, names)
    return None


def _governing_law(text: ContractText, sentence: Sentence, names: list[str]) -> Fact[str]:
    # 'the laws of the State of Texas, United States': the country says nothing more.
    narrower = [name for name in names if name != "United States"]
    return Fact(value="; ".join((narrower or names)[:3]), citation=text.cite(sentence))


def governing_law_sentences(text: ContractText) -> tuple[Sentence, ...]:
    """Every sentence that chooses a law."""
    return tuple(sentence for sentence, _ in _law_clauses(text))


def _law_clauses(text: ContractText) -> Iterator[tuple[Sentence, list[str]]]:
    """The sentences that choose a law for the contract itself; failing these, any that calls a law applicable."""
    candidates = list(text.sentences_with(_LAW))
    chosen = [sentence for sentence in candidates if _CHOICE.search(sentence.lower)]
    for sentence in chosen or candidates:
        if _NOT_LAW.search(sentence.lower):
            continue
        if names := _jurisdictions(sentence):
            yield sentence, names


def _jurisdictions(sentence: Sentence) -> list[str]:
    """The legal systems that are named where the sentence speaks of law, and before it speaks of conflicts of laws."""
    match = _LAW.search(sentence.lower)
    start = match.start() if match else 0
    cut = _CUT.search(sentence.lower, match.end() if match else 0)
    named = jurisdictions_in(sentence.text[start : cut.start() if cut else min(len(sentence.text), start + 300)])
    return named or (jurisdictions_in(sentence.text[: cut.start() if cut else start + 300]) if start else [])


def find_venue(text: ContractText) -> Fact[Venue] | None:
    """Arbitration, where the contract has it; otherwise the court it names."""
    for sentence in text.sentences_with(_ARBITRATION):
        if _ARBITRATION_REQUIRED.search(sentence.lower) and not sentence.lower.startswith("notwithstanding"):
            institution = _INSTITUTION.search(sentence.text)
            venue = Venue(
                kind="arbitration", place=_place(sentence), institution=institution.group() if institution else None
            )
            if institution or venue.place:
                return Fact(value=venue, citation=text.cite(sentence))
    for sentence in text.sentences_with(_COURT):
        place = _place(sentence)
        if place is not None and _COURT_REQUIRED.search(sentence.lower):
            return Fact(value=Venue(kind="court", place=place), citation=text.cite(sentence))
    return None


def _place(sentence: Sentence) -> str | None:
    match = _PLACE.search(sentence.text)
    if match is None:
        return None
    place = re.sub(r"(?:,? (?:and|of|the|County))+$", "", match["place"]).strip(" .,")
    return place[:200] or None
