"""Which kind of contract it is, where German law has rules of its own for that kind, and whether it is a consumer's."""

import re

from dealguard_analyzer.engines.rules.checks import Case
from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_api.report import Party

_EMPLOYMENT_TITLE = re.compile(
    r"\b(?:arbeits|anstellungs|dienst)vertrag|\bemployment (?:agreement|contract)", re.IGNORECASE
)
_EMPLOYMENT = re.compile(r"\b(?:arbeitnehmer|arbeitgeber|arbeitsverhältnis)\w*")
_RESIDENTIAL_TITLE = re.compile(r"\b(?:wohn\w*|haus)?mietvertrag\b", re.IGNORECASE)
_RESIDENTIAL = re.compile(r"\bwohnung\b|\bwohnraum\w*|\bwohnzwecke")
_COMMERCIAL_LEASE = re.compile(r"\bgewerberaum|\bgeschäftsraum|\bgewerbliche\w* miet|\bgewerbemiet|\bbüroräume")
_COMMERCIAL_AGENT = re.compile(r"\bhandelsvertreter\w*")

# A price index and the arbitration bodies are named in any contract; they say nothing about the other side.
_CONSUMER = re.compile(
    r"\bverbrauchern?s?\b(?! ?(?:preis|streitbeilegung|schlichtung))|\bconsumers?\b(?! (?:price|product|protection))"
)
_NO_CONSUMER = re.compile(
    r"\b(?:ausschließlich|nur|allein) (?:gegenüber|mit|an|für) (?:unternehme\w+|kaufleute\w*)"
    r"|\bkein\w* verbraucher\b|\bgegenüber unternehmern (?:im sinne|i\. ?s\.)"
    r"|\b(?:keine verträge|nicht) (?:mit|an|gegenüber) verbrauchern?\b"
)
_COMPANY = re.compile(
    r"\b(?:g?GmbH|AG|KG|SE|UG|OHG|KGaA|eG|e\.K|Inc|LLC|Ltd|Corp\w*|Limited|B\.V|S\.A|S\.r\.l|plc|PLC)\b"
)
_PERSON = re.compile(r"^(?:Herr|Frau|Mr|Ms|Mrs)\b")


def is_employment(case: Case) -> bool:
    """A contract of employment."""
    title = case.facts.contract_type
    if title is not None and _EMPLOYMENT_TITLE.search(title.value):
        return True
    return sum(1 for _ in _EMPLOYMENT.finditer(case.text.lower)) >= 4


def is_residential_lease(case: Case) -> bool:
    """A lease of a dwelling."""
    title = case.facts.contract_type
    titled = title is not None and _RESIDENTIAL_TITLE.search(title.value) is not None
    lets = titled or re.search(r"\bmieter\b", case.text.lower) is not None
    return lets and _RESIDENTIAL.search(case.text.lower) is not None and not _COMMERCIAL_LEASE.search(case.text.lower)


def is_commercial_agency(case: Case) -> bool:
    """A contract with a commercial agent."""
    return _COMMERCIAL_AGENT.search(case.text.lower) is not None


def is_towards_consumers(text: ContractText, parties: tuple[Party, ...]) -> bool | None:
    """Whether the contract addresses consumers; None if neither it nor the parties' names tell."""
    if _NO_CONSUMER.search(text.lower):
        return False
    companies = [party for party in parties if _COMPANY.search(party.name)]
    if len(companies) >= 2:
        return False
    if _CONSUMER.search(text.lower) or _EMPLOYMENT_TITLE.search(text.flat[:600]):
        return True  # an employee is a consumer, § 310 (4) BGB
    return True if any(_PERSON.search(party.name) for party in parties) and companies else None
