"""What is paid, and how it may change."""

import re

from dealguard_analyzer.engines.rules.facts.money import find_money
from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_api.report import Fact, Money

# More are a price list, better read in the document.
_MAX_PRICES = 20

_PRICE = re.compile(
    r"\b(?:fees?|price|purchase price|royalt(?:y|ies)|compensation|salary|rent|pay|paid|payable|payment"
    r"|commission|retainer|consideration"
    r"|vergütung|preis|\w{0,12}preis|entgelt|honorar|\w{0,12}miete|\w{0,12}gehalt|zahlt|zahlen|zahlung|pauschale"
    r"|gebühr\w*|beträgt"
    r"|betrag|stundensatz|tagessatz|kostet|\w{0,12}kosten)\b"
)
_NOT_A_PRICE = re.compile(
    r"\b(?:insurance|coverage|per occurrence|liabilit|liability|aggregate limit|versicherung|deckungssumme"
    r"|haftung|haftet|vertragsstrafe|penalty|exceed)\b"
)
_ADJUSTMENT = re.compile(
    r"\b(?:preisanpassung|preiserhöhung|indexier|wertsicherung|verbraucherpreisindex|(?:preise?|vergütung"
    r"|entgelte?|miete)\b.{0,60}\b(?:anpass|erhöh|änder))"
    r"|\b(?:prices?|fees?|rates?|rent)\b.{0,80}\b(?:increase|adjust|change|modif|revis)"
    r"|\b(?:increase|adjust|change|modify|revise)\b.{0,60}\b(?:prices?|fees?|rates?|rent)\b|\bconsumer price index\b"
)


_SHORTEST_CLAUSE = 40
_INDEX = re.compile(r"\b(?:consumer price index|cpi|index\w*|verbraucherpreisindex|inflation)\b")
_DENIED = re.compile(r"\b(?:not|no|nicht|kein\w*)\b|\bonly by\b")
# Words that price clauses and other clauses share: who may amend the contract, and definitions.
_NOT_OURS = re.compile(r"\bno amendment\b|\b(?:shall|will) mean\b|\bsubstitute\b|\binterest rate|\bconsent of all\b")


def find_prices(text: ContractText) -> list[Fact[Money]]:
    """The amounts in sentences about paying, caps, penalties and insurance left out; each amount once."""
    facts: dict[tuple[str, str], Fact[Money]] = {}
    for sentence in text.sentences_with(_PRICE):
        if _NOT_A_PRICE.search(sentence.lower):
            continue
        for hit in find_money(sentence.text):
            key = (str(hit.money.amount), hit.money.currency)
            if hit.money.amount > 0 and key not in facts:
                facts[key] = Fact(value=hit.money, citation=text.cite(sentence))
            if len(facts) >= _MAX_PRICES:
                return list(facts.values())
    return list(facts.values())


def find_price_adjustment(text: ContractText) -> Fact[str] | None:
    """The clause by which prices change, in its own words: one that names an index or a right before any other."""
    clauses = [
        s for s in text.sentences_with(_ADJUSTMENT) if len(s.text) > _SHORTEST_CLAUSE and not _NOT_OURS.search(s.lower)
    ]
    clauses.sort(key=lambda sentence: (not _INDEX.search(sentence.lower), bool(_DENIED.search(sentence.lower))))
    if not clauses:
        return None
    return Fact(value=clauses[0].text[:600], citation=text.cite(clauses[0]))
