"""Text that a reader of the page does not see, as a finding, whatever it says."""

import re
from collections import Counter
from dataclasses import replace

from dealguard_analyzer.document import ExtractedDocument, HiddenReason
from dealguard_analyzer.engines.integrity.words import HIDDEN_CLAUSE, HIDDEN_REASONS, HIDDEN_TEXT
from dealguard_analyzer.running_text import RunningText
from dealguard_api.report import Citation, Language

# A single letter or a rule of dashes says nothing; a producer leaves such things behind.
_LEAST_LETTERS = 3
# At least so many words, one of which binds somebody or names an amount, read like a clause.
_LEAST_WORDS_OF_A_CLAUSE = 5
_BINDS = re.compile(
    r"\b(?:shall|must|may not|hereby|agrees?|agreed|liab\w+|indemnif\w+|terminat\w+|warrant\w+|waives?|assigns?|renews?"
    r"|grants?|entitled|obligat\w+|penalty|fees?|payable|governed|jurisdiction|exclusive\w*"
    r"|muss|müssen|verpflichte\w+|haftet|haftung\w*|vereinbar\w+|kündig\w+|gekündigt|verzichte\w*|verlängert|überträgt"
    r"|räumt|berechtigt|vertragsstrafe\w*|vergütung\w*|gerichtsstand\w*|ausgeschlossen|schuldet|zahlt|gilt)\b"
    r"|\d ?(?:%|€|eur\b|usd\b|euro\b)|[$€£] ?\d",
    re.IGNORECASE,
)


def hidden_citations(document: ExtractedDocument) -> tuple[list[Citation], Counter[HiddenReason]]:
    """Every hidden stretch that says something, the longest first, and how many there are of each reason."""
    citations: list[Citation] = []
    reasons: Counter[HiddenReason] = Counter()
    for page in document.pages:
        reading = RunningText(replace(document, pages=(page,)), keep_edges=True) if page.hidden else None
        for stretch in page.hidden:
            if reading and sum(map(str.isalpha, page.text[stretch.start : stretch.end])) >= _LEAST_LETTERS:
                citations.append(reading.cite(stretch.start, stretch.end))
                reasons[stretch.reason] += 1
    return sorted(citations, key=lambda citation: (-len(citation.quote), citation.page, citation.start or 0)), reasons


def reads_like_a_clause(citations: list[Citation]) -> bool:
    """Whether one of the hidden stretches says what a contract says."""
    return any(
        len(citation.quote.split()) >= _LEAST_WORDS_OF_A_CLAUSE and _BINDS.search(citation.quote)
        for citation in citations
    )


def explanation(reasons: Counter[HiddenReason], is_clause: bool, language: Language) -> str:
    """What was found, and why a reader does not see it."""
    why = ", ".join(f"{HIDDEN_REASONS[reason][language]} ({count})" for reason, count in sorted(reasons.items()))
    words = f"{HIDDEN_TEXT.explanation[language]}: {why}."
    return f"{words} {HIDDEN_CLAUSE[language]}" if is_clause else words
