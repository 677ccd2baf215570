"""From a check's outcome to a finding of the report."""

import hashlib
import re
from collections.abc import Iterable

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome
from dealguard_analyzer.engines.rules.facts.parties import aliases
from dealguard_analyzer.engines.rules.text import Sentence
from dealguard_api.report import Citation, Finding, Language, Party, Severity

_DUTY = re.compile(
    r"\b(?:shall|will|must|may|agrees?|hereby|reserves|is entitled|kann|können|berechtigt|is (?:responsible"
    r"|liable)|verpflichtet|haftet|stellt|darf|hat|räumt|überträgt|zahlt|muss)\b"
)


def find_findings(case: Case, checks: Iterable[Check], language: Language, perspective: str | None) -> list[Finding]:
    """What the checks found, the gravest first."""
    found = [
        _finding(case, check, outcome, language, perspective)
        for check in checks
        if (outcome := check.find(case)) is not None
    ]
    return sorted(found, key=lambda finding: (-finding.severity.score, finding.id))


def finding_id(check_id: str, citations: list[Citation]) -> str:
    """The same for the same finding in the same document: the check, and the digest of what it quotes first."""
    if not citations:
        return check_id
    digest = hashlib.sha256(citations[0].quote.encode()).hexdigest()[:8]
    return f"{check_id}-{digest}"


def _finding(case: Case, check: Check, outcome: Outcome, language: Language, perspective: str | None) -> Finding:
    citations = [case.text.cite(sentence) for sentence in outcome.sentences]
    hurt = _hurt_party(case, check, outcome.sentences)
    likelihood = outcome.likelihood or check.likelihood
    if hurt is not None and perspective and not _is_same(hurt, perspective) and _known(case, perspective):
        likelihood = 1  # it binds the other side: worth knowing, not our risk
    return Finding(
        id=finding_id(check.id, citations),
        category=check.category,
        title=check.title.in_language(language),
        severity=Severity(likelihood=likelihood, impact=outcome.impact or check.impact),
        assessment=outcome.assessment or check.assessment,
        explanation=check.explanation.in_language(language),
        recommendation=check.recommendation.in_language(language),
        deviation=check.deviation.in_language(language),
        perspective=(hurt.role or hurt.name)[:120] if hurt else None,
        statutes=list(check.statutes) if case.german_law else [],
        citations=citations,
    )


def _hurt_party(case: Case, check: Check, sentences: tuple[Sentence, ...]) -> Party | None:
    """The party that the first sentence names as bound, or the other of two; None if that is not plain."""
    if check.hurts == "all" or not sentences:
        return None
    bound = _bound_party(case, sentences[0])
    if bound is None or check.hurts == "bound":
        return bound
    others = [party for party in case.facts.parties if party != bound]
    return others[0] if len(others) == 1 else None


def _bound_party(case: Case, sentence: Sentence) -> Party | None:
    """The one party that is named before the first verb of duty; None if none or several are."""
    duty = _DUTY.search(sentence.lower)
    if duty is None:
        return None
    subject = sentence.lower[: duty.start()]
    named = {party.name: party for alias, party in aliases(list(case.facts.parties)) if _mentions(subject, alias)}
    return next(iter(named.values())) if len(named) == 1 else None


def _mentions(text: str, alias: str) -> bool:
    return re.search(rf"\b{re.escape(alias)}\b", text) is not None


def _is_same(party: Party, perspective: str) -> bool:
    wanted = perspective.casefold()
    return any(name and (wanted in name.casefold() or name.casefold() in wanted) for name in (party.role, party.name))


def _known(case: Case, perspective: str) -> bool:
    """Whether the perspective is one of the contract's parties at all."""
    return any(_is_same(party, perspective) for party in case.facts.parties)
