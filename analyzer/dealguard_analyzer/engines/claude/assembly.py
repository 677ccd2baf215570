"""From the model's answers to the report: every quote checked, every value brought into bounds.

The answer is untrusted: it may invent quotes, dates that do not exist, categories that nobody knows. What does not fit
is dropped or marked, never an error. Of a contract read in windows there are several answers; `merging` makes them one.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.engines.categories import CUAD_CATEGORIES, GERMAN_TOPICS
from dealguard_analyzer.engines.claude import merging
from dealguard_analyzer.engines.claude.answer import Answer, FoundRisk, Passage, PeriodFact
from dealguard_analyzer.engines.rules.facts.all import Facts
from dealguard_analyzer.engines.rules.summary import summarise
from dealguard_analyzer.quotes import QuoteIndex
from dealguard_api.report import (
    Citation,
    Clause,
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

_MAX_PARTIES = 30
_MAX_PRICES = 40
# The instructions ask for six; a long contract in windows may have more.
_MAX_CLAUSES_OF_A_CATEGORY = 20
_MAX_FINDINGS = 60
_MAX_CITATIONS = 6
_MAX_PERIOD = 100_000
_AMOUNT = re.compile(r"\d{1,14}(?:\.\d{1,6})?")
_ISO_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?", re.ASCII)
_CATEGORIES = {re.sub(r"\W", "", name).casefold(): name for name in (*CUAD_CATEGORIES, *GERMAN_TOPICS)}

_NOT_A_CONTRACT = {
    "en": "The document does not seem to be a contract; the report says only what was found. ",
    "de": "Das Dokument scheint kein Vertrag zu sein; der Bericht nennt nur, was gefunden wurde. ",
}


class Assembler:
    """Builds the report on one document.

    Args:
        document: what was read.
        language: of the report.
        answers: what the model said of each window, in the order of the document; at least one.
    """

    def __init__(self, document: ExtractedDocument, language: Language | None, answers: Sequence[Answer]) -> None:
        self._document = document
        self._language: Language = language or "en"
        self._answers = answers
        self._quotes = QuoteIndex(document)
        self._last_page = max(document.info.pages, 1)
        # An annex may not look like a contract; the document is one if any part of it is.
        self._is_contract = any(answer.is_contract for answer in answers)

    def report(
        self, engine: EngineInfo, perspective: str | None, extra_findings: list[Finding], usage: Usage
    ) -> Report:
        """The report that the answers amount to, with `extra_findings` that code made."""
        clauses = self._clauses()
        absent, not_determined = self._not_found({clause.category for clause in clauses})
        facts = self._facts()
        findings = self._findings(extra_findings)
        return Report(
            document=self._document.info,
            engine=engine,
            perspective=perspective,
            is_contract=self._is_contract,
            contract_type=facts.contract_type,
            parties=list(facts.parties),
            agreement_date=facts.agreement_date,
            effective_date=facts.effective_date,
            expiration_date=facts.expiration_date,
            initial_term=facts.initial_term,
            renewal=facts.renewal,
            notice_period=facts.notice_period,
            prices=list(facts.prices),
            price_adjustment=facts.price_adjustment,
            governing_law=facts.governing_law,
            venue=facts.venue,
            clauses=clauses,
            findings=findings,
            absent=absent,
            not_determined=not_determined,
            unreadable_pages=list(self._document.unreadable_pages),
            summary=self._summary(facts, findings),
            usage=usage,
        )

    def cite_instructions(self) -> list[Citation]:
        """The passages that the model saw as addressed to a program."""
        passages = [passage for answer in self._answers for passage in answer.instructions_in_document]
        return [self._cite(passage) for passage in passages[:_MAX_CITATIONS]]

    def _cite(self, passage: Passage) -> Citation:
        hint = passage.page if 1 <= passage.page <= self._last_page else None
        return self._quotes.locate(passage.quote, hint)

    def _facts(self) -> Facts:
        return Facts(
            contract_type=self._text("contractType", 300),
            parties=tuple(merging.parties([self._parties(answer) for answer in self._answers])[:_MAX_PARTIES]),
            agreement_date=self._date("agreementDate"),
            effective_date=self._date("effectiveDate"),
            expiration_date=self._date("expirationDate"),
            initial_term=self._period("initialTerm"),
            renewal=self._renewal(),
            notice_period=self._period("noticePeriod"),
            prices=tuple(merging.prices([self._prices(answer) for answer in self._answers])[:_MAX_PRICES]),
            price_adjustment=self._text("priceAdjustment", 600),
            governing_law=self._text("governingLaw", 200),
            governing_law_sentences=(),
            venue=self._venue(),
        )

    def _parties(self, answer: Answer) -> list[Party]:
        return [
            Party(name=_cut(party.name, 300), role=_cut(party.role, 100) or None, citation=self._cite(party.passage))
            for party in answer.parties
            if party.name.strip()
        ]

    def _text(self, kind: str, max_characters: int) -> Fact[str] | None:
        facts = [fact for answer in self._answers for fact in answer.texts if fact.kind == kind and fact.value.strip()]
        return merging.first([Fact(value=_cut(f.value, max_characters), citation=self._cite(f.passage)) for f in facts])

    def _date(self, kind: str) -> Fact[str] | None:
        dates = [fact for answer in self._answers for fact in answer.dates if fact.kind == kind]
        return merging.first([Fact(value=d.value, citation=self._cite(d.passage)) for d in dates if _is_date(d.value)])

    def _period(self, kind: str) -> Fact[Period] | None:
        periods = [p for answer in self._answers for p in answer.periods if p.kind == kind and _is_sane(p.amount)]
        return merging.first([Fact(value=_as_period(p), citation=self._cite(p.passage)) for p in periods])

    def _renewal(self) -> Fact[Renewal] | None:
        facts: list[Fact[Renewal]] = []
        for fact in (period for answer in self._answers for period in answer.periods if period.kind == "renewal"):
            value = Renewal(automatic=fact.automatic, period=_as_period(fact) if _is_sane(fact.amount) else None)
            facts.append(Fact(value=value, citation=self._cite(fact.passage)))
        return merging.first(facts)

    def _prices(self, answer: Answer) -> list[Fact[Money]]:
        facts: list[Fact[Money]] = []
        for price in answer.prices:
            amount = _amount(price.amount)
            if amount is not None and re.fullmatch("[A-Z]{3}", price.currency):
                money = Money(amount=amount, currency=price.currency)
                facts.append(Fact(value=money, citation=self._cite(price.passage)))
        return facts

    def _venue(self) -> Fact[Venue] | None:
        facts: list[Fact[Venue]] = []
        for venue in (venue for answer in self._answers for venue in answer.venues):
            place, institution = _cut(venue.place, 200) or None, _cut(venue.institution, 200) or None
            if place or institution:
                value = Venue(kind=venue.kind, place=place, institution=institution)
                facts.append(Fact(value=value, citation=self._cite(venue.passage)))
        return merging.first(facts)

    def _clauses(self) -> list[Clause]:
        """In the order of the categories, then of the document; of each category the first that are found in it."""
        found = merging.clauses([self._clauses_of(answer) for answer in self._answers])
        order = {name: index for index, name in enumerate((*CUAD_CATEGORIES, *GERMAN_TOPICS))}
        counts: Counter[str] = Counter()
        kept: list[Clause] = []
        for clause in sorted(found, key=lambda c: (order[c.category], not c.citation.verified, *_place(c.citation))):
            counts[clause.category] += 1
            if counts[clause.category] <= _MAX_CLAUSES_OF_A_CATEGORY:
                kept.append(clause)
        return sorted(kept, key=lambda c: (order[c.category], *_place(c.citation)))

    def _clauses_of(self, answer: Answer) -> list[Clause]:
        clauses: dict[tuple[str, tuple[int, int], str], Clause] = {}
        for found in answer.clauses:
            for name in _known([found.category]):
                clause = Clause(
                    category=name, citation=self._cite(found.passage), summary=_cut(found.summary, 1000) or None
                )
                clauses.setdefault((name, _place(clause.citation), clause.citation.quote), clause)
        return list(clauses.values())

    def _not_found(self, present: set[str]) -> tuple[list[str], list[str]]:
        """(absent, not determined): nothing is absent from what is no contract or could not be read as a whole."""
        open_questions = _known([name for answer in self._answers for name in answer.not_determined])
        not_determined = [name for name in open_questions if name not in present]
        missing = [name for name in CUAD_CATEGORIES if name not in present and name not in not_determined]
        if not self._is_contract:
            return [], list(CUAD_CATEGORIES)
        if self._document.unreadable_pages:
            return [], [*not_determined, *missing]
        return missing, not_determined

    def _findings(self, extra: list[Finding]) -> list[Finding]:
        """The gravest first; what code found is never left out."""
        found = merging.findings([[self._finding(risk) for risk in answer.risks] for answer in self._answers])
        by_id = {finding.id: finding for finding in reversed(found)}  # said twice in the same words is said once
        gravest = sorted(by_id.values(), key=_gravest_first)[:_MAX_FINDINGS]
        return sorted([*gravest, *extra], key=_gravest_first)

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

    def _summary(self, facts: Facts, findings: list[Finding]) -> str:
        """The model's own of a contract that it saw whole; made of the report where it saw windows."""
        lead = "" if self._is_contract else _NOT_A_CONTRACT[self._language]
        if len(self._answers) > 1:
            unreadable = len(self._document.unreadable_pages)
            return shorten_utf8(lead + summarise(facts, findings, unreadable, self._language), MAX_SUMMARY_BYTES)
        return shorten_utf8(lead + " ".join(self._answers[0].summary.split()), MAX_SUMMARY_BYTES)


def _finding_id(category: str, title: str, citations: list[Citation]) -> str:
    """The same for the same finding: its category, and the digest of its title and what it quotes."""
    name = re.sub(r"[^a-z0-9]+", "-", category.lower()).strip("-")[:40] or "finding"
    digest = hashlib.sha256("\n".join([title, *(citation.quote for citation in citations)]).encode()).hexdigest()[:12]
    return f"{name}-{digest}"


def _known(names: list[str]) -> list[str]:
    """The names that are categories, spelled as they should be, each once."""
    found = (_CATEGORIES.get(re.sub(r"\W", "", name).casefold()) for name in names)
    return list(dict.fromkeys(name for name in found if name is not None))


def _place(citation: Citation) -> tuple[int, int]:
    return citation.page, citation.start or 0


def _gravest_first(finding: Finding) -> tuple[int, str]:
    return -finding.severity.score, finding.id


def _as_period(fact: PeriodFact) -> Period:
    return Period(value=Decimal(fact.amount), unit=fact.unit, reference_point=_cut(fact.reference_point, 300) or None)


def _is_date(text: str) -> bool:
    """Whether it is a day, month or year as a report writes them, and one that exists."""
    if not _ISO_DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text + "-01-01"[len(text) - 4 :])
    except ValueError:
        return False
    return True


def _is_sane(amount: int) -> bool:
    return 0 < amount <= _MAX_PERIOD


def _amount(text: str) -> Decimal | None:
    """The amount, if a report can hold it."""
    if not _AMOUNT.fullmatch(text):
        return None
    return Decimal(text)


def _clamp(score: int) -> int:
    return min(max(score, 1), 5)


def _cut(text: str, max_characters: int) -> str:
    collapsed = " ".join(text.split())
    return collapsed if len(collapsed) <= max_characters else collapsed[: max_characters - 1].rstrip() + "…"
