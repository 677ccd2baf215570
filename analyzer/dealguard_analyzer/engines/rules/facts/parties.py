"""Who is bound by the contract, under which name and in which role."""

import re
from collections.abc import Iterator

from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_api.report import Party

# A preamble stands within the first pages, after a cover and a table of contents at most.
_HEAD_CHARACTERS = 20_000
_PREAMBLE_CHARACTERS = 3_000
_MAX_PARTIES = 12

_ENGLISH_START = re.compile(r"\b(?:by and (?:between|among)|between|among|by and amongst)\b:?", re.IGNORECASE)
_GERMAN_START = re.compile(r"\bzwischen\b(?: den (?:vertrags)?parteien)?:?", re.IGNORECASE)
_ENGLISH_END = re.compile(
    r"\b(?:WHEREAS|WITNESSETH|W I T N E S|RECITALS|Recitals|NOW,? THEREFORE|Background|BACKGROUND|Whereas|1\. "
    r"|ARTICLE)\b"
)
_GERMAN_END = re.compile(r"\b(?:Präambel|Vorbemerkung|wird folgend|schließen|vereinbaren|§ ?1\b|1\. )")

# ("Licensee"), (the "Company"), (hereinafter referred to as "Agent") and the German - nachfolgend "Auftraggeber" -.
_ALIAS = re.compile(
    r"(?P<opening>\(|,|–|-|\bhereinafter\b|\bim folgenden\b|\bnachfolgend\b)[^\"“„”()]{0,60}"
    r"[\"“„”](?P<alias>[^\"“”„]{2,60})[\"“”]",
    re.IGNORECASE,
)
_NAME_END = re.compile(
    r",? (?:an?|the|with|having|whose|located|organized|incorporated|acting|on behalf|individually|residing|of \d)\b"
    r"|, (?:a|an|with|having|whose|located|organized|incorporated|acting|vertreten|geschäftsansässig|eingetragen)\b"
    r"|, (?=[A-ZÄÖÜ][\wäöüß.-]+(?:straße|str\.|weg|platz|allee|gasse)\b)|, \d| \(|\bmit sitz\b|, (?=\d)",
    re.IGNORECASE,
)
_LEGAL_FORM = (
    r"(?:Inc|Corp|Corporation|Incorporated|LLC|L\.L\.C|Ltd|Limited|L\.P|LP|LLP|Company|Co|GmbH(?: & Co\. KG)?"
    r"|gGmbH|AG|SE|KG|OHG|UG"
    r"|e\.V|e\.K|eG|KGaA|GbR|S\.A|S\.p\.A|B\.V|N\.V|PLC|plc|Pty|N\. ?A|S/A|A/S|AB|Oy|AS)"
)
_COMPANY = re.compile(
    rf"\b(?P<name>[A-ZÄÖÜ0-9][\w&.’'/-]*(?:,? (?:[A-ZÄÖÜ0-9(&][\w&.’'/)-]*|of|and|und|the|für|de)){{0,7}}?,?"
    rf" {_LEGAL_FORM}\b\.?(?:,? {_LEGAL_FORM}\b\.?)?)"  # Example Co., Ltd.
)
# A natural person as German contracts introduce one: 'Frau Ilka Sommerlatte, Goetheweg 11, 99423 Weimar'.
_PERSON = re.compile(
    r"\b(?:Herrn?|Frau|Mr\.?|Ms\.?|Mrs\.?) (?:(?:Dr|Prof|Dipl)\.(?:-\w+\.)? )*"
    r"(?P<name>[A-ZÄÖÜ][\w’'-]+(?: (?:von|van|de|zu|[A-ZÄÖÜ][\w.’'-]*)){1,4})(?=,| \(| [–-]|\s*$)"
)
_NOT_A_ROLE = re.compile(
    r"agreement|contract|effective date|part(?:y|ies)$|vertrag|parteien|commission|securities|act$|date$"
    r"|program|territory",
    re.IGNORECASE,
)

# Addresses, titles, numbered recitals and "each of the Company" look like companies.
_NOT_A_NAME = re.compile(
    r"^each of\b|^(?:section|article) \d|\bagreement\b"
    r"|^a\. (?!\w\.)|\bthe company$|\b\d{5}\b"
    r"|\b\d+ (?:[a-z]+ ){1,3}(?:street|avenue|road|drive|boulevard)\b"
    r"|(?:straße|str\.|weg|platz|allee|gasse) \d",
    re.IGNORECASE,
)


def find_parties(text: ContractText) -> list[Party]:
    """The parties that the preamble names: companies, and names that it gives a role."""
    start, end = _preamble(text)
    found: dict[str, Party] = {}
    previous = start
    for match in _ALIAS.finditer(text.flat, start, end):
        alias = " ".join(match["alias"].split()).strip(" ,.")
        name = _name_before(text.flat, previous, match.start())
        previous = match.end()
        if name is not None and not _NOT_A_ROLE.search(alias):
            _add(found, text, *name, role=alias)
    for match in _COMPANY.finditer(text.flat, start, min(end, start + 1200)):
        _add(found, text, match.start("name"), match.end("name"), role=None)
    return list(found.values())[:_MAX_PARTIES]


def _preamble(text: ContractText) -> tuple[int, int]:
    """Where the parties are named: from the word 'between' to the recitals."""
    head = text.flat[:_HEAD_CHARACTERS]
    best: tuple[int, int] | None = None
    for starts, ends in ((_ENGLISH_START, _ENGLISH_END), (_GERMAN_START, _GERMAN_END)):
        for match in starts.finditer(head):
            close = ends.search(head, match.end(), match.end() + _PREAMBLE_CHARACTERS)
            end = close.start() if close else min(len(head), match.end() + 1200)
            span = (match.end(), end)
            if _ALIAS.search(head, *span) or _COMPANY.search(head, *span):
                if best is None or (match.start() < best[0] and not _ALIAS.search(head, *best)):
                    best = span
                if _ALIAS.search(head, *span):
                    best = min(best, span) if _ALIAS.search(head, *best) else span
                    break
    return best or (0, min(len(head), 1500))


def _name_before(flat: str, start: int, end: int) -> tuple[int, int] | None:
    """(start, end) of the party's name in the stretch that leads to its alias."""
    stretch = flat[start:end]
    lead = re.search(r"^(?:[\s,;.:()–-]|\b(?:and|und|among|between|\d|[ivx]+\)|[a-z]\))(?!\w))*", stretch)
    begin = lead.end() if lead else 0
    for pattern in (_COMPANY, _PERSON):
        if (match := pattern.search(stretch, begin)) is not None and "vertreten" not in stretch[begin : match.start()]:
            return start + match.start("name"), start + match.end("name")
    cut = _NAME_END.search(stretch, begin + 2)
    stop = min(cut.start() if cut else len(stretch), begin + 80)
    name = stretch[begin:stop].strip(" ,;:–-")
    if not len(name) > 2 or not (name[0].isupper() or name[0].isdigit()) or len(name.split()) > 9:
        return None
    offset = stretch.index(name, begin)
    return start + offset, start + offset + len(name)


def _add(found: dict[str, Party], text: ContractText, start: int, end: int, role: str | None) -> None:
    citation = text.running.cite(start, end)
    name = " ".join(citation.quote.split()).strip(" ,")[:300]
    key = re.sub(r"\W", "", name).casefold()
    if not key or _NOT_A_NAME.search(name) or any(key in known for known in found):
        return
    found[key] = Party(name=name, role=role[:100] if role else None, citation=citation)


def aliases(parties: list[Party]) -> Iterator[tuple[str, Party]]:
    """What the contract calls each party, in lower case, longest first."""
    named = [(word.lower(), party) for party in parties for word in (party.role, party.name) if word]
    yield from sorted(named, key=lambda pair: -len(pair[0]))
