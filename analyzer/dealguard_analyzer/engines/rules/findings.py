"""From a check's outcome to a finding of the report."""

import hashlib
import re
from collections.abc import Iterable

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words
from dealguard_analyzer.engines.rules.facts.all import Facts
from dealguard_analyzer.engines.rules.facts.parties import aliases
from dealguard_analyzer.engines.rules.text import ContractText, Sentence
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


_BETWEEN_BUSINESSES = Words(
    "Both sides are businesses: the rule for consumers then only indicates what is unreasonable (§§ 307, 310 (1)"
    " BGB), and"
    " only for standard terms.",
    "Beide Seiten sind Unternehmer: das Verbot gilt dann nicht unmittelbar, es ist ein Indiz (§§ 307, 310 Abs. 1"
    " BGB), und"
    " nur bei AGB.",
)
_CONSUMER_UNKNOWN = Words(
    "It depends on whether this is a standard term and the other side a consumer, which the text does not say.",
    "Es kommt darauf an, ob es sich um AGB handelt und die andere Seite Verbraucher ist; das sagt der Text nicht.",
)

# Of a longer sentence only the part that matters is quoted; the rest is other matters joined by semicolons.
_LONG_QUOTE_CHARACTERS = 500
_SHORT_QUOTE_CHARACTERS = 60
_SUBJECT_TO_VERB_CHARACTERS = 60
_JOINT = re.compile(r"[;:] |(?<=[,.]) (?=\([a-z]{1,4}\) )")


def find_findings(case: Case, checks: Iterable[Check], language: Language, perspective: str | None) -> list[Finding]:
    """What the checks found, the gravest first."""
    german_terms = case.german and case.german_law  # the rules on standard terms apply at all
    found = [
        _finding(case, check, outcome, language, perspective)
        for check in checks
        if (german_terms or not check.standard_term) and (outcome := check.find(case)) is not None
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
    citations = [_cite(case.text, sentence, outcome.focus) for sentence in outcome.sentences]
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
        explanation=_explanation(case, check, language),
        recommendation=check.recommendation.in_language(language),
        deviation=check.deviation.in_language(language),
        perspective=(hurt.role or hurt.name)[:120] if hurt else None,
        statutes=list(check.statutes) if case.german_law else [],
        citations=citations,
    )


def _explanation(case: Case, check: Check, language: Language) -> str:
    """The check's words, and for a standard term what it means for the two sides of this contract."""
    words = check.explanation.in_language(language)
    if not check.standard_term or case.consumer is True:
        return words
    note = _BETWEEN_BUSINESSES if case.consumer is False else _CONSUMER_UNKNOWN
    return f"{words} {note.in_language(language)}"


def _cite(text: ContractText, sentence: Sentence, focus: re.Pattern[str] | None) -> Citation:
    """The sentence, or of a long one the stretch between two semicolons that holds the focus."""
    match = focus.search(sentence.lower) if focus and len(sentence.text) > _LONG_QUOTE_CHARACTERS else None
    if match is None:
        return text.cite(sentence)
    cuts = [0, *(joint.end() for joint in _JOINT.finditer(sentence.text)), len(sentence.text)]
    start = max(cut for cut in cuts if cut <= match.start())
    end = min(cut for cut in cuts if cut >= match.end())
    if end - start < _SHORT_QUOTE_CHARACTERS:
        return text.cite(sentence)
    offsets = _collapsed_offsets(text.running.text[sentence.start : sentence.end])
    return text.running.cite(
        sentence.start + offsets[start], sentence.start + offsets[len(sentence.text[:end].rstrip()) - 1] + 1
    )


def _collapsed_offsets(raw: str) -> list[int]:
    """For each character of the sentence with its white space collapsed, where it stands in `raw`."""
    offsets: list[int] = []
    for word in re.finditer(r"\S+", raw):
        if offsets:
            offsets.append(word.start() - 1)  # the blank
        offsets.extend(range(word.start(), word.end()))
    return offsets


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
    """The one party that is named before the verb, and directly before it; None if none or several are."""
    before = sentence.lower[: verb.start()]
    named: dict[str, Party] = {}
    last_end = 0
    for alias, party in aliases(list(case.facts.parties)):
        for match in re.finditer(rf"(?<!\w){re.escape(alias)}(?!\w)", before):
            named[party.name] = party
            last_end = max(last_end, match.end())
    # 'Without cost to the owner, the operator shall': the owner is not who shall.
    directly = "," not in before[last_end:] and len(before) - last_end <= _SUBJECT_TO_VERB_CHARACTERS
    return next(iter(named.values())) if len(named) == 1 and directly else None


def _mentions(text: str, alias: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(alias)}(?!\w)", text) is not None


def _is_same(party: Party, perspective: str) -> bool:
    wanted = perspective.casefold()
    names = [name.casefold() for name in (party.role, party.name) if name]
    return any(_mentions(name, wanted) or _mentions(wanted, name) for name in names)


def is_party(facts: Facts, perspective: str) -> bool:
    """Whether the perspective is a party of the contract at all, by its name or its role."""
    return any(_is_same(party, perspective) for party in facts.parties)
