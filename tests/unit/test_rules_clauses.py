"""The machinery of clause patterns."""

import re

import pytest

from dealguard_analyzer.engines.categories import CUAD_CATEGORIES, GERMAN_TOPICS
from dealguard_analyzer.engines.rules.clauses import Pattern, compile_catalogue, english, find_clauses, german
from dealguard_analyzer.engines.rules.text import ContractText
from tests.contract_texts import document_of

TEXT = ContractText(document_of("1. Fees\nThe fee is due. No fee is due in May.\n2. Other\nA fee may be due."))


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (Pattern("fee"), ["The fee is due.", "No fee is due in May.", "A fee may be due."]),
        (Pattern("fee", require=("may",)), ["No fee is due in May.", "A fee may be due."]),
        (Pattern("fee", forbid=(r"\bno\b",)), ["The fee is due.", "A fee may be due."]),
        (Pattern("fee", heading="^other$"), ["A fee may be due."]),
        (Pattern("fees"), []),  # headings are no clauses
    ],
)
def test_a_pattern_selects_sentences(pattern: Pattern, found: list[str]) -> None:
    clauses = find_clauses(TEXT, [compile_catalogue({"X": [pattern]})])
    assert [sentence.text for sentence in clauses.of("X")] == found


def test_a_sentence_counts_once_and_in_order() -> None:
    clauses = find_clauses(TEXT, [compile_catalogue({"X": [Pattern("may"), Pattern("fee")]})])
    assert [s.index for s in clauses.of("X")] == sorted({s.index for s in clauses.of("X")})


def test_categories_are_spelled_as_in_the_lists() -> None:
    assert set(english.PATTERNS) <= set(CUAD_CATEGORIES)
    assert set(german.PATTERNS) <= set(CUAD_CATEGORIES)
    assert set(german.TOPICS) == set(GERMAN_TOPICS)


def test_a_pattern_has_at_most_one_gap() -> None:
    """Two bounded gaps in a row cost their product; the rule keeps every search linear."""
    for patterns in (english.PATTERNS, german.PATTERNS, german.TOPICS):
        for group in patterns.values():
            for pattern in group:
                for expression in (pattern.anchor, *pattern.require, *pattern.forbid):
                    for branch in re.split(r"\|\\b", expression):
                        assert len(re.findall(r"\.\{0,|\.\*|\.\+", branch)) <= 1, branch
