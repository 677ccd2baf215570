"""The engine itself: text, clauses, facts and checks become a report."""

import re
from math import exp
from typing import Final

from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.categories import CUAD_CATEGORIES
from dealguard_analyzer.engines.integrity import integrity_findings
from dealguard_analyzer.engines.rules.checks import Case
from dealguard_analyzer.engines.rules.checks.all import ALL_CHECKS
from dealguard_analyzer.engines.rules.checks.kinds import is_towards_consumers
from dealguard_analyzer.engines.rules.clauses import Clauses
from dealguard_analyzer.engines.rules.clauses.recognition import known_categories, recognise
from dealguard_analyzer.engines.rules.facts.all import Facts, find_facts
from dealguard_analyzer.engines.rules.findings import find_findings, is_party, with_missing_pages
from dealguard_analyzer.engines.rules.summary import not_a_contract, summarise
from dealguard_analyzer.engines.rules.text import ContractText, Sentence
from dealguard_analyzer.running_text import MAX_QUOTE_CHARACTERS
from dealguard_api.report import Citation, Clause, EngineInfo, EngineName, Finding, Language, Report

# Changes whenever the same document may get another report.
RULES_VERSION: Final = "2026.11.5"

# More passages of one category are repetitions; the first ones say it.
_MAX_CLAUSES_PER_CATEGORY = 12

# Words that contracts use and other documents seldom use together.
_CONTRACT_WORDS = re.compile(
    r"\b(?P<word>agreement|contract|part(?:y|ies)|shall|hereby|hereto|hereunder|herein|terminat\w+|obligations?"
    r"|liabilit\w+"
    r"|indemnif\w+|governing law|warrant\w+|covenants?|licens\w+|assign\w*|whereas|undersigned"
    r"|vertrag\w*|vereinbar\w+|parteien|vertragspartei\w*|auftraggeber\w*|auftragnehmer\w*|mieter\w*"
    r"|vermieter\w*|käufer\w*"
    r"|verkäufer\w*|verpflicht\w+|kündig\w+|haft\w+|gewährleistung\w*|gerichtsstand\w*|schriftform\w*|laufzeit\w*"
    r"|geschäftsbedingungen|vergütung\w*|arbeitgeber\w*|arbeitnehmer\w*)\b"
)
# A page of a contract has dozens; an invoice or a brochure has one or two kinds.
_LEAST_KINDS_OF_WORDS = 3
_LEAST_WORDS = 5


class RulesEngine:
    """Patterns and checks; see the package. Implements `Engine`."""

    @property
    def name(self) -> EngineName:
        """How `spec.engine` names it."""
        return "rules"

    def analyze(self, request: EngineRequest) -> Report:
        """The report. No text makes it fail: what is not found is `absent`, what cannot be told `notDetermined`."""
        steps = 4
        text = ContractText(request.document)
        request.on_progress(1, steps)
        language: Language = request.language or "en"  # of the report's words
        text_language = request.document.info.language or request.language
        if not _is_contract(text):
            request.on_progress(steps, steps)
            return _unexamined(request, language)
        clauses = recognise(text, text_language)
        request.on_progress(2, steps)
        facts = find_facts(text, clauses)
        case = _case(text, clauses, facts, text_language)
        request.on_progress(3, steps)
        unreadable = len(request.document.unreadable_pages)
        unknown = request.perspective if request.perspective and not is_party(facts, request.perspective) else None
        findings = find_findings(case, ALL_CHECKS, language, None if unknown else request.perspective)
        attacks = integrity_findings(request.document, language)
        findings = [*with_missing_pages(findings, unreadable, language), *attacks]
        findings.sort(key=lambda finding: (-finding.severity.score, finding.id))
        summary = summarise(facts, findings, unreadable, language, unknown_perspective=unknown)
        request.on_progress(steps, steps)
        return _report(request, case, findings, summary, perspective=None if unknown else request.perspective)


def _is_contract(text: ContractText) -> bool:
    words = [match["word"] for match in _CONTRACT_WORDS.finditer(text.lower)]
    return len(words) >= _LEAST_WORDS and len({word[:6] for word in words}) >= _LEAST_KINDS_OF_WORDS


def _case(text: ContractText, clauses: Clauses, facts: Facts, language: Language | None) -> Case:
    law = facts.governing_law.value if facts.governing_law else None
    return Case(
        text=text,
        clauses=clauses,
        facts=facts,
        german=language != "en",
        english=language != "de",
        german_law="Germany" in law if law else language == "de",
        consumer=is_towards_consumers(text, facts.parties),
    )


def _fact_clauses(case: Case) -> dict[str, list[Citation]]:
    """The passages of the facts, under CUAD's names for them."""
    facts = case.facts
    term = [fact.citation for fact in (facts.expiration_date, facts.initial_term) if fact is not None]
    single = {
        "Document Name": facts.contract_type,
        "Agreement Date": facts.agreement_date,
        "Effective Date": facts.effective_date,
    }
    found = {name: [fact.citation] for name, fact in single.items() if fact is not None}
    if facts.parties:
        found["Parties"] = [party.citation for party in facts.parties]
    if term:
        found["Expiration Date"] = term
    # No pattern has this category: the facts find its sentences, unless the model does.
    if facts.governing_law_sentences and "Governing Law" not in case.clauses.scores:
        found["Governing Law"] = [case.text.cite(sentence) for sentence in facts.governing_law_sentences]
    return found


def _clauses(case: Case) -> list[Clause]:
    """Every passage found, in the order of CUAD's list and the topics' names; the likeliest of a category first."""
    quoted = case.clauses.quoted()
    found: dict[str, list[Clause]] = {}
    for category, citations in _fact_clauses(case).items():
        if category in quoted or category not in case.clauses.scores:
            found[category] = [Clause(category=category, citation=citation) for citation in citations]
    for category, sentences in quoted.items():
        known = {clause.citation.quote for clause in found.get(category, [])}
        passages = _passages(case, category, sentences)
        found[category] = found.get(category, []) + [c for c in passages if c.citation.quote not in known]
    order = {name: index for index, name in enumerate(CUAD_CATEGORIES)}
    return [
        clause
        for category in sorted(found, key=lambda name: (order.get(name, len(order)), name))
        for clause in found[category][:_MAX_CLAUSES_PER_CATEGORY]
    ]


def _passages(case: Case, category: str, sentences: tuple[Sentence, ...]) -> list[Clause]:
    """The sentences as clauses: those that follow each other as one, where a model gave odds."""
    scores = case.clauses.scores.get(category)
    if scores is None:
        return [Clause(category=category, citation=case.text.cite(sentence)) for sentence in sentences]
    runs: list[list[Sentence]] = []
    for sentence in sorted(sentences, key=lambda sentence: sentence.index):
        follows = runs and runs[-1][-1].index + 1 == sentence.index
        if follows and sentence.end - runs[-1][0].start <= MAX_QUOTE_CHARACTERS:
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    rated = [(max(scores[sentence.index] for sentence in run), run) for run in runs]
    return [
        Clause(
            category=category,
            citation=case.text.running.cite(run[0].start, run[-1].end),
            confidence=round(1 / (1 + exp(-odds)), 2),
        )
        for odds, run in sorted(rated, key=lambda pair: -pair[0])
    ]


def _looked_for(case: Case) -> frozenset[str]:
    """Categories that the rules know in the contract's language."""
    language: Language | None = None if case.german and case.english else ("de" if case.german else "en")
    by_facts = {"Document Name", "Parties", "Agreement Date", "Effective Date", "Expiration Date", "Governing Law"}
    return known_categories(language) | by_facts


def _report(
    request: EngineRequest, case: Case, findings: list[Finding], summary: str, perspective: str | None
) -> Report:
    facts, looked_for = case.facts, _looked_for(case)
    clauses = _clauses(case)
    present = {clause.category for clause in clauses}
    # What a finding quotes is not absent, though it is too little to call the category present.
    quoted = {finding.category for finding in findings if finding.citations}
    missing = looked_for - present
    absent = missing - quoted
    # A page that could not be read may hold what was not found on the others.
    unknown = missing if request.document.unreadable_pages else missing & quoted
    return Report(
        document=request.document.info,
        engine=EngineInfo(name="rules", version=RULES_VERSION),
        perspective=perspective,
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
        findings=findings,
        clauses=clauses,
        absent=sorted(absent - unknown),
        not_determined=[*(name for name in CUAD_CATEGORIES if name not in looked_for), *sorted(unknown)],
        unreadable_pages=list(request.document.unreadable_pages),
        summary=summary,
    )


def _unexamined(request: EngineRequest, language: Language) -> Report:
    """A document that is no contract: nothing is said to be absent, everything is undetermined."""
    return Report(
        document=request.document.info,
        engine=EngineInfo(name="rules", version=RULES_VERSION),
        is_contract=False,
        findings=integrity_findings(request.document, language),
        not_determined=list(CUAD_CATEGORIES),
        unreadable_pages=list(request.document.unreadable_pages),
        summary=not_a_contract(len(request.document.unreadable_pages), language),
    )
