"""From the model's answer to the report: every quote checked, every value brought into bounds.

The answer is untrusted: it may invent quotes, dates that do not exist, categories that nobody knows. What does not fit
is dropped or marked, never an error.
"""

import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.engines.categories import CUAD_CATEGORIES, GERMAN_TOPICS
from dealguard_analyzer.engines.claude.answer import Answer, DateFact, FoundRisk, Passage, PeriodFact
from dealguard_analyzer.quotes import QuoteIndex
from dealguard_api.report import (
    Citation,
    Clause,
    DocumentInfo,
    EngineInfo,
    Fact,
    Finding,
    Language,
    Money,
    Party,
    Period,
    Renewal,
    Report,
    Severity,
    Usage,
    Venue,
)
from dealguard_api.resource import MAX_SUMMARY_BYTES
from dealguard_api.text import shorten_utf8

ValueT = TypeVar("ValueT")

_MAX_PARTIES = 30
_MAX_PRICES = 40
_MAX_CLAUSES = 300
_MAX_RISKS = 60
_MAX_CITATIONS = 6
_ISO_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_CATEGORIES = {re.sub(r"\W", "", name).casefold(): name for name in (*CUAD_CATEGORIES, *GERMAN_TOPICS)}

_NOT_A_CONTRACT = {
    "en": "The document does not seem to be a contract; the report says only what was found. ",
    "de": "Das Dokument scheint kein Vertrag zu sein; der Bericht nennt nur, was gefunden wurde. ",
}


class Assembler:
    """Builds the report on one document."""

    def __init__(self, document: ExtractedDocument, language: Language | None) -> None:
        self._document = document
        self._language: Language = language or "en"
        self._quotes = QuoteIndex(document)
        self._last_page = max(document.info.pages, 1)

    def report(
        self, answer: Answer, engine: EngineInfo, perspective: str | None, extra_findings: list[Finding], usage: Usage
    ) -> Report:
        """The report that `answer` amounts to, with `extra_findings` that code made."""
        info: DocumentInfo = self._document.info
        clauses = self._clauses(answer)
        not_determined = _known(answer.not_determined)
        present = {clause.category for clause in clauses}
        findings = [self._finding(risk) for risk in answer.risks[:_MAX_RISKS]] + extra_findings
        return Report(
            document=info,
            engine=engine,
            perspective=perspective,
            contract_type=self._text(answer, "contractType", 300),
            parties=[
                Party(name=_cut(p.name, 300), role=_cut(p.role, 100) or None, citation=self._cite(p.passage))
                for p in answer.parties[:_MAX_PARTIES]
                if p.name.strip()
            ],
            agreement_date=self._date(answer.dates, "agreementDate"),
            effective_date=self._date(answer.dates, "effectiveDate"),
            expiration_date=self._date(answer.dates, "expirationDate"),
            initial_term=self._period(answer.periods, "initialTerm"),
            renewal=self._renewal(answer.periods),
            notice_period=self._period(answer.periods, "noticePeriod"),
            prices=self._prices(answer),
            price_adjustment=self._text(answer, "priceAdjustment", 600),
            governing_law=self._text(answer, "governingLaw", 200),
            venue=self._venue(answer),
            clauses=clauses,
            findings=sorted(findings, key=lambda finding: (-finding.severity.score, finding.id)),
            # Of a document that is no contract nothing is "absent".
            absent=[n for n in CUAD_CATEGORIES if n not in present and n not in not_determined]
            if answer.is_contract
            else [],
            not_determined=not_determined if answer.is_contract else list(CUAD_CATEGORIES),
            unreadable_pages=list(self._document.unreadable_pages),
            summary=self._summary(answer),
            usage=usage,
        )

    def cite_instructions(self, answer: Answer) -> list[Citation]:
        """The passages that the model saw as addressed to a program."""
        return [self._cite(passage) for passage in answer.instructions_in_document[:_MAX_CITATIONS]]

    def _cite(self, passage: Passage) -> Citation:
        hint = passage.page if 1 <= passage.page <= self._last_page else None
        return self._quotes.locate(passage.quote, hint)

    def _text(self, answer: Answer, kind: str, max_characters: int) -> Fact[str] | None:
        for fact in answer.texts:
            if fact.kind == kind and fact.value.strip():
                return Fact(value=_cut(fact.value, max_characters), citation=self._cite(fact.passage))
        return None

    def _date(self, dates: list[DateFact], kind: str) -> Fact[str] | None:
        for fact in dates:
            if fact.kind == kind and _ISO_DATE.fullmatch(fact.value):
                return Fact(value=fact.value, citation=self._cite(fact.passage))
        return None

    def _period(self, periods: list[PeriodFact], kind: str) -> Fact[Period] | None:
        for fact in periods:
            if fact.kind == kind and fact.amount > 0:
                return Fact(value=_as_period(fact), citation=self._cite(fact.passage))
        return None

    def _renewal(self, periods: list[PeriodFact]) -> Fact[Renewal] | None:
        for fact in periods:
            if fact.kind == "renewal":
                period = _as_period(fact) if fact.amount > 0 else None
                return Fact(value=Renewal(automatic=fact.automatic, period=period), citation=self._cite(fact.passage))
        return None

    def _prices(self, answer: Answer) -> list[Fact[Money]]:
        facts: list[Fact[Money]] = []
        for price in answer.prices[:_MAX_PRICES]:
            amount = _amount(price.amount)
            if amount is not None and re.fullmatch("[A-Z]{3}", price.currency):
                money = Money(amount=amount, currency=price.currency)
                facts.append(Fact(value=money, citation=self._cite(price.passage)))
        return facts

    def _venue(self, answer: Answer) -> Fact[Venue] | None:
        for venue in answer.venues:
            value = Venue(
                kind=venue.kind, place=_cut(venue.place, 200) or None, institution=_cut(venue.institution, 200) or None
            )
            return Fact(value=value, citation=self._cite(venue.passage))
        return None

    def _clauses(self, answer: Answer) -> list[Clause]:
        order = {name: index for index, name in enumerate((*CUAD_CATEGORIES, *GERMAN_TOPICS))}
        clauses = [
            Clause(category=name, citation=self._cite(clause.passage), summary=_cut(clause.summary, 1000) or None)
            for clause in answer.clauses[:_MAX_CLAUSES]
            for name in _known([clause.category])
        ]
        return sorted(clauses, key=lambda c: (order[c.category], c.citation.page, c.citation.start or 0))

    def _finding(self, risk: FoundRisk) -> Finding:
        citations = [self._cite(passage) for passage in risk.passages[:_MAX_CITATIONS]]
        known = _known([risk.category])
        category = known[0] if known else _cut(risk.category, 100) or "other"
        return Finding(
            id=_finding_id(category, risk.title, citations),
            category=category,
            title=_cut(risk.title, 200) or category,
            severity=Severity(likelihood=_clamp(risk.likelihood), impact=_clamp(risk.impact)),
            assessment=risk.assessment,
            explanation=_cut(risk.explanation, 2000),
            recommendation=_cut(risk.recommendation, 2000),
            deviation=_cut(risk.deviation, 1000) or None,
            perspective=_cut(risk.hurts, 120) or None,
            statutes=[_cut(statute, 100) for statute in risk.statutes[:10] if statute.strip()],
            citations=citations,
        )

    def _summary(self, answer: Answer) -> str:
        lead = "" if answer.is_contract else _NOT_A_CONTRACT[self._language]
        return shorten_utf8(lead + " ".join(answer.summary.split()), MAX_SUMMARY_BYTES)


def _finding_id(category: str, title: str, citations: list[Citation]) -> str:
    """The same for the same finding: its category, and the digest of its title and what it quotes."""
    name = re.sub(r"[^a-z0-9]+", "-", category.lower()).strip("-")[:40] or "finding"
    digest = hashlib.sha256("\n".join([title, *(citation.quote for citation in citations)]).encode()).hexdigest()[:12]
    return f"{name}-{digest}"


def _known(names: list[str]) -> list[str]:
    """The names that are categories, spelled as they should be, each once."""
    found = (_CATEGORIES.get(re.sub(r"\W", "", name).casefold()) for name in names)
    return list(dict.fromkeys(name for name in found if name is not None))


def _as_period(fact: PeriodFact) -> Period:
    return Period(value=Decimal(fact.amount), unit=fact.unit, reference_point=_cut(fact.reference_point, 300) or None)


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _clamp(score: int) -> int:
    return min(max(score, 1), 5)


def _cut(text: str, max_characters: int) -> str:
    collapsed = " ".join(text.split())
    return collapsed if len(collapsed) <= max_characters else collapsed[: max_characters - 1].rstrip() + "…"
