"""Attempts to instruct the model, found in the text by code: a finding of every engine.

The rules find known wordings; a model may add what it noticed itself.
"""

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.engines.rules.checks.integrity import INSTRUCTIONS_TO_THE_MODEL, instruction_sentences
from dealguard_analyzer.engines.rules.findings import finding_id
from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_api.report import Citation, Finding, Language, Severity

_MAX_CITATIONS = 6


def instruction_finding(
    document: ExtractedDocument, language: Language | None, noticed: list[Citation]
) -> Finding | None:
    """The finding that quotes every such passage, those `noticed` by a model included; None if there is none."""
    text = ContractText(document)
    citations = [text.cite(sentence) for sentence in instruction_sentences(text)]
    known = " ".join(" ".join(citation.quote.split()) for citation in citations)
    citations += [citation for citation in noticed if " ".join(citation.quote.split()) not in known]
    if not citations:
        return None
    check = INSTRUCTIONS_TO_THE_MODEL
    used = language or "en"
    return Finding(
        id=finding_id(check.id, citations),
        category=check.category,
        title=check.title.in_language(used),
        severity=Severity(likelihood=check.likelihood, impact=check.impact),
        assessment=check.assessment,
        explanation=check.explanation.in_language(used),
        recommendation=check.recommendation.in_language(used),
        deviation=check.deviation.in_language(used),
        citations=citations[:_MAX_CITATIONS],
    )
