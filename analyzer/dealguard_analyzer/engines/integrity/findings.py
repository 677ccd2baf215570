"""What was found in a document, as findings: one a kind."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dealguard_analyzer.document import ExtractedDocument, SideText
from dealguard_analyzer.engines.integrity import characters, english, forgeries, german, hidden_text
from dealguard_analyzer.engines.integrity.grammar import Attack
from dealguard_analyzer.engines.integrity.passages import Found, Passages
from dealguard_analyzer.engines.integrity.seen_through import see_through
from dealguard_analyzer.engines.integrity.words import (
    ATTACKS,
    DISGUISED_CHARACTERS,
    HIDDEN_TEXT,
    SIDE_PLACES,
    STANDS_BESIDE,
    STANDS_HIDDEN,
    Kind,
    Words,
)
from dealguard_analyzer.running_text import RunningText
from dealguard_api.report import Citation, Finding, Language, Severity

CATEGORY: Final = "manipulation"

# In both languages, whatever the contract's own: an attack need not be in the contract's.
_ATTACKS: Final[Mapping[Kind, tuple[Attack, ...]]] = {
    "instructions-to-model": (english.ORDERS, german.ORDERS),
    "request-for-secrets": (english.REQUESTS, german.REQUESTS),
    "forged-message": (forgeries.FORGERIES,),
    "active-content": (forgeries.ACTIVE_CONTENT,),
}

_MAX_CITATIONS = 6
_MAX_SIDE_TEXTS = 4
_MAX_SIDE_CHARACTERS = 240
# Nobody hides an order to a program, or puts one beside the pages, by mistake.
_ON_PURPOSE_LIKELIHOOD = 5
# A hidden clause: to be expected to have effect, and as grave as any clause that one party did not see.
_HIDDEN_CLAUSE = Severity(likelihood=4, impact=4)


def integrity_findings(
    document: ExtractedDocument, language: Language | None, noticed: Sequence[Citation] = ()
) -> list[Finding]:
    """What attacks or deceives whoever reads the document.

    Args:
        document: what was read.
        language: of the findings' words; English where it is neither German nor English.
        noticed: passages that a model took for instructions to it; those that code found too are quoted once.

    Returns:
        At most one finding a kind, the gravest first. What stands on a page is quoted and verified; what stands beside
        the pages (metadata, notes, names of attachments) is told in the explanation, for no page can be cited for it.
    """
    used: Language = language or "en"
    found = [
        *_attacks(document, used, noticed),
        *_hidden(document, used),
        *_disguised(document, used),
    ]
    return sorted(found, key=lambda finding: (-finding.severity.score, finding.id))


def _attacks(document: ExtractedDocument, language: Language, noticed: Sequence[Citation]) -> Iterator[Finding]:
    passages = Passages(document)
    for kind, attacks in _ATTACKS.items():
        found = _together([passages.of(attack) for attack in attacks])
        if kind == "instructions-to-model":
            found = _with_noticed(found, noticed)
        if found.citations or found.beside:
            yield _attack(kind, found, language)


def _together(parts: list[Found]) -> Found:
    sides = dict.fromkeys(side for part in parts for side in part.beside)
    citations = [citation for part in parts for citation in part.citations]
    return Found(citations, any(part.hidden for part in parts), list(sides))


def _with_noticed(found: Found, noticed: Sequence[Citation]) -> Found:
    known = " ".join(" ".join(citation.quote.split()) for citation in found.citations)
    new = [citation for citation in noticed if " ".join(citation.quote.split()) not in known]
    return Found([*found.citations, *new], found.hidden, found.beside)


def _attack(kind: Kind, found: Found, language: Language) -> Finding:
    words = ATTACKS[kind]
    explanation = [words.explanation[language]]
    if found.hidden:
        explanation.append(STANDS_HIDDEN[language])
    if found.beside:
        explanation.append(_beside(found.beside, language))
    on_purpose = found.hidden or bool(found.beside)
    likelihood = _ON_PURPOSE_LIKELIHOOD if on_purpose else words.likelihood
    severity = Severity(likelihood=likelihood, impact=words.impact)
    return _finding(kind, words, severity, language, explanation=" ".join(explanation), citations=found.citations)


def _beside(sides: list[SideText], language: Language) -> str:
    """Where beside the pages it stands, in its own words."""
    told = []
    for side in sides[:_MAX_SIDE_TEXTS]:
        page = f" ({'Seite' if language == 'de' else 'page'} {side.page})" if side.page else ""
        # Words spelled invisibly are told as what they spell.
        quote = " ".join(see_through(side.text).text.split())
        quote = quote if len(quote) <= _MAX_SIDE_CHARACTERS else quote[: _MAX_SIDE_CHARACTERS - 1] + "…"
        told.append(f"{SIDE_PLACES[side.kind][language]}{page}: {_in_quotes(quote, language)}")
    return STANDS_BESIDE[language].format(places="; ".join(told))


def _in_quotes(words: str, language: Language) -> str:
    return f"„{words}“" if language == "de" else f"“{words}”"


def _hidden(document: ExtractedDocument, language: Language) -> Iterator[Finding]:
    citations, reasons = hidden_text.hidden_citations(document)
    if citations:
        words = HIDDEN_TEXT
        is_clause = hidden_text.reads_like_a_clause(citations)
        severity = _HIDDEN_CLAUSE if is_clause else Severity(likelihood=words.likelihood, impact=words.impact)
        explanation = hidden_text.explanation(reasons, is_clause, language)
        yield _finding("hidden-text", words, severity, language, explanation=explanation, citations=citations)


def _disguised(document: ExtractedDocument, language: Language) -> Iterator[Finding]:
    reading = RunningText(document, keep_edges=True)
    kinds: Counter[characters.Disguise] = Counter()
    citations: list[Citation] = []
    spelled: list[str] = []
    for word in characters.disguised(reading.text):
        kinds[word.kind] += 1
        if word.kind == "tags":
            spelled.append(see_through(reading.text[word.start : word.end]).text)
        if len(citations) < _MAX_CITATIONS:
            citations.append(reading.cite(*characters.surroundings(reading.text, word)))
    beside = [side for side in document.side_texts if characters.disguised(side.text)]
    for side in beside:
        kinds.update(word.kind for word in characters.disguised(side.text))
    if kinds:
        words = DISGUISED_CHARACTERS
        why = ", ".join(f"{characters.NAMES[kind][language]} ({count})" for kind, count in sorted(kinds.items()))
        explanation = f"{words.explanation[language]}: {why}."
        if spelled:
            told = " ".join("".join(spelled).split())[:_MAX_SIDE_CHARACTERS]
            explanation += f" {characters.SPELLED[language]}: {_in_quotes(told, language)}."
        if beside:
            explanation += " " + _beside(beside, language)
        severity = Severity(likelihood=words.likelihood, impact=words.impact)
        yield _finding(
            "disguised-characters", words, severity, language, explanation=explanation, citations=_distinct(citations)
        )


def _distinct(citations: list[Citation]) -> list[Citation]:
    return list({(citation.page, citation.start): citation for citation in citations}.values())


def _finding(
    kind: str, words: Words, severity: Severity, language: Language, *, explanation: str, citations: list[Citation]
) -> Finding:
    quoted = citations[:_MAX_CITATIONS]
    return Finding(
        id=_finding_id(kind, quoted),
        category=CATEGORY,
        title=words.title[language],
        severity=severity,
        # What it is meant for, code cannot tell: a person looks at it.
        assessment="check",
        explanation=explanation[:2000],
        recommendation=words.recommendation[language],
        deviation=words.deviation[language],
        citations=quoted,
    )


def _finding_id(kind: str, citations: list[Citation]) -> str:
    """The same for the same finding in the same document."""
    if not citations:
        return kind
    return f"{kind}-{hashlib.sha256(citations[0].quote.encode()).hexdigest()[:8]}"
