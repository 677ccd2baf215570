"""What several windows say of one contract becomes one statement each."""

from typing import Any

import pytest

from dealguard_analyzer.engines.claude import merging
from dealguard_api.report import Citation, Clause, Fact, Finding, Money, Party, Severity


def at(page: int, start: int, end: int, end_page: int | None = None, quote: str = "") -> Citation:
    quote = quote or "x" * max(1, end - start)
    return Citation(quote=quote, page=page, start=start, end=end, end_page=end_page, verified=True)


def invented(quote: str) -> Citation:
    return Citation(quote=quote, page=1)


@pytest.mark.parametrize(
    ("why", "a", "b", "same"),
    [
        ("the same passage", at(1, 0, 9), at(1, 0, 9), True),
        ("one is cut short by its window", at(1, 0, 9), at(1, 0, 5), True),
        ("they overlap", at(1, 0, 9), at(1, 8, 20), True),
        ("one after the other", at(1, 0, 9), at(1, 9, 20), False),
        ("the same offsets of another page", at(1, 0, 9), at(2, 0, 9), False),
        ("over a page break", at(1, 90, 9, end_page=2), at(2, 0, 5), True),
        ("behind a page break", at(1, 90, 9, end_page=2), at(2, 9, 20), False),
        (
            "invented in the same words",
            invented("A unicorn a month."),
            invented("A unicorn\na month."),
            True,
        ),
        ("invented twice", invented("A unicorn a month."), invented("A dragon a month."), False),
        ("one is invented", invented("xxxxxxxxx"), at(1, 0, 9), False),
    ],
)
def test_same_place(why: str, a: Citation, b: Citation, same: bool) -> None:
    assert merging.same_place(a, b) is same, why
    assert merging.same_place(b, a) is same, why


def clause(category: str, citation: Citation) -> Clause:
    return Clause(category=category, citation=citation)


def test_of_two_overlapping_clauses_the_longer_quote_stays() -> None:
    short, long = clause("Insurance", at(3, 10, 40)), clause("Insurance", at(3, 10, 90))
    other = clause("Audit Rights", at(3, 10, 90))
    assert merging.clauses([[short], [long, other]]) == [long, other]
    assert merging.clauses([[long], [short]]) == [long]


def test_within_a_window_nothing_is_merged() -> None:
    two = [clause("Insurance", at(3, 10, 40)), clause("Insurance", at(3, 20, 90))]
    assert merging.clauses([two]) == two


def finding(name: str, impact: int, *citations: Citation, category: str = "Insurance") -> Finding:
    fields: dict[str, Any] = {"title": name, "assessment": "risk", "explanation": "", "recommendation": ""}
    severity = Severity(likelihood=1, impact=impact)
    return Finding(id=name, category=category, severity=severity, citations=list(citations), **fields)


@pytest.mark.parametrize(
    ("why", "windows", "left"),
    [
        ("the graver stays", [[finding("a", 2, at(1, 0, 9))], [finding("b", 4, at(1, 5, 9))]], ["b"]),
        ("of two alike the first", [[finding("a", 3, at(1, 0, 9))], [finding("b", 3, at(1, 5, 9))]], ["a"]),
        ("at another place", [[finding("a", 3, at(1, 0, 9))], [finding("b", 3, at(2, 0, 9))]], ["a", "b"]),
        (
            "of another category",
            [[finding("a", 3, at(1, 0, 9))], [finding("b", 3, at(1, 0, 9), category="Audit Rights")]],
            ["a", "b"],
        ),
        (
            "any common place will do",
            [[finding("a", 3, at(1, 0, 9), at(2, 0, 9))], [finding("b", 3, at(2, 3, 5))]],
            ["a"],
        ),
        ("missing everywhere", [[finding("a", 3)], [finding("b", 4)]], ["b"]),
        ("missing in one part only", [[finding("a", 3)], []], []),
        ("missing here, found there", [[finding("a", 3)], [finding("b", 3, at(2, 3, 5))]], ["b"]),
        ("one window: as it said", [[finding("a", 3), finding("b", 3, at(2, 3, 5))]], ["a", "b"]),
        ("none", [], []),
    ],
)
def test_findings(why: str, windows: list[list[Finding]], left: list[str]) -> None:
    assert [f.title for f in merging.findings(windows)] == left, why


def test_a_party_is_known_by_its_name() -> None:
    unsure = Party(name="Alpha  GMBH", citation=invented("Alpha GmbH"))
    sure = Party(name="Alpha GmbH", role="Supplier", citation=at(1, 5, 15))
    other = Party(name="Beta AG", citation=at(1, 20, 27))
    (first, second) = merging.parties([[unsure], [sure, other]])
    assert (first.role, first.citation, second) == ("Supplier", sure.citation, other)


def test_a_price_is_known_by_amount_and_place() -> None:
    def price(amount: str, citation: Citation) -> Fact[Money]:
        return Fact(value=Money(amount=amount, currency="EUR"), citation=citation)  # type: ignore[arg-type]

    monthly, again = price("100", at(1, 0, 20)), price("100", at(1, 5, 20))
    elsewhere, other = price("100", at(4, 0, 20)), price("90", at(1, 0, 20))
    assert merging.prices([[monthly], [again, elsewhere, other]]) == [monthly, elsewhere, other]


def test_the_first_verified_fact_is_the_fact() -> None:
    guess, found, later = (
        Fact(value=v, citation=c) for v, c in (("a", invented("q")), ("b", at(9, 0, 1)), ("c", at(1, 0, 1)))
    )
    assert merging.first([guess, found, later]) == found
    assert merging.first([guess]) == guess
    assert merging.first([]) is None
