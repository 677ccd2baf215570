"""From a check's outcome to a finding of the report."""

import hashlib
import re
from collections.abc import Iterable

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words
from dealguard_analyzer.engines.rules.facts.all import Facts
from dealguard_analyzer.engines.rules.facts.parties import aliases
from dealguard_analyzer.engines.rules.text import Sentence
from dealguard_api.report import Citation, Finding, Language, Party, Severity

_VERB = re.compile(
    r"\b(?:shall|will|must|may|agrees?|hereby|reserves|is entitled|kann|können|berechtigt|is (?:responsible"
    r"|liable)|verpflichtet|haftet|stellt|darf|dürfen|hat|räumt|überträgt|zahlt|muss)\b"
)
# A right does not bind the one who has it; a right that is denied or limited does.
_RIGHT = re.compile(
    r"(?:may|kann|können|darf|dürfen|hat das recht|ist berechtigt|berechtigt|reserves|is entitled"
    r"|(?:shall|will) (?:\w+ )?(?:have (?:the|a) |be entitled)(?:right|option|sole)?)\b"
)
_LIMIT = re.compile(r"^ (?:not|only)\b|^[^.;]{0,90}?\b(?:nicht|nur|kein\w*|weder)\b(?! mehr als| später)")
# Who must give, grant or offer is hurt itself, not the other side.
_GIVES = re.compile(r"^ (?:\w+ )?(?:offer|grant|give|notify|waive|assign)")

_MISSING_PAGES = Words(
    "Pages are missing from this analysis because they could not be read: it may stand there.",
    "In dieser Analyse fehlen Seiten, die nicht lesbar waren: dort kann es stehen.",
)


def find_findings(case: Case, checks: Iterable[Check], language: Language, perspective: str | None) -> list[Finding]:
    """What the checks found, the gravest first."""
    found = [
        _finding(case, check, outcome, language, perspective)
        for check in checks
        if (outcome := check.find(case)) is not None
    ]
    return sorted(found, key=lambda finding: (-finding.severity.score, finding.id))


def with_missing_pages(findings: list[Finding], unreadable_pages: int, language: Language) -> list[Finding]:
    """What is missing from the pages that were read may stand on the others: a question, not a risk."""
    if not unreadable_pages:
        return findings
    note = _MISSING_PAGES.in_language(language)
    return [
        finding
        if finding.citations
        else finding.model_copy(update={"assessment": "check", "explanation": f"{finding.explanation} {note}"})
        for finding in findings
    ]


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
    if hurt is not None and perspective and not _is_same(hurt, perspective) and is_party(case.facts, perspective):
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
    verb = _VERB.search(sentences[0].lower)
    subject = _subject(case, sentences[0], verb) if verb else None
    if verb is None or subject is None:
        return None
    rest = sentences[0].lower[verb.end() :]
    if check.hurts == "bound":
        has_right = _RIGHT.match(sentences[0].lower, verb.start()) is not None
        return None if has_right and not _LIMIT.search(rest) else subject
    others = [party for party in case.facts.parties if party != subject]
    return others[0] if len(others) == 1 and not _GIVES.search(rest) else None


def _subject(case: Case, sentence: Sentence, verb: re.Match[str]) -> Party | None:
    """The one party that is named before the verb; None if none or several are."""
    before = sentence.lower[: verb.start()]
    named = {party.name: party for alias, party in aliases(list(case.facts.parties)) if _mentions(before, alias)}
    return next(iter(named.values())) if len(named) == 1 else None


def _mentions(text: str, alias: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(alias)}(?!\w)", text) is not None


def _is_same(party: Party, perspective: str) -> bool:
    wanted = perspective.casefold()
    names = [name.casefold() for name in (party.role, party.name) if name]
    return any(_mentions(name, wanted) or _mentions(wanted, name) for name in names)


def is_party(facts: Facts, perspective: str) -> bool:
    """Whether the perspective is a party of the contract at all, by its name or its role."""
    return any(_is_same(party, perspective) for party in facts.parties)
