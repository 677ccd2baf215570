"""Quotes are found as people and models write them, and only if they are there."""

import pytest

from dealguard_analyzer.quotes import QuoteIndex, locate
from tests.contract_texts import ENGLISH, document_of

TEXT = "The “Licensee” shall pay a fee of 1,000 EUR.\nTermina-\ntion needs the co-operation of the eﬃcient oﬃce."


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        pytest.param("shall pay a fee", "shall pay a fee", id="as it stands"),
        pytest.param("shall  pay\na fee", "shall pay a fee", id="other white space"),
        pytest.param('The "Licensee" shall', "The “Licensee” shall", id="straight quotes for curly ones"),
        pytest.param("Termination needs", "Termina-\ntion needs", id="a hyphen at the line's end"),
        pytest.param("cooperation", "co-operation", id="a hyphen within a word"),
        pytest.param("efficient office", "eﬃcient oﬃce", id="ligatures"),
        pytest.param("1,000 EUR.\nTermination", "1,000 EUR.\nTermina-\ntion", id="over a line"),
        pytest.param("1,000\u00a0EUR", "1,000 EUR", id="no-break space"),
        pytest.param("sh\u200ball pay", "shall pay", id="zero-width space"),
    ],
)
def test_differences_of_writing_do_not_count(quote: str, found: str) -> None:
    document = document_of(TEXT)
    citation = locate(document, quote)
    assert citation.verified
    assert citation.quote == found
    assert document.pages[0].text[citation.start : citation.end] == found


@pytest.mark.parametrize(
    "quote",
    [
        pytest.param("shall pay a fee of 2,000 EUR", id="another number"),
        pytest.param("The Licensor shall pay", id="another word"),
        pytest.param("shall not pay", id="a word more"),
        pytest.param("all pay a fee", id="cut from within a word"),
        pytest.param("licensee", id="another case"),
        pytest.param("", id="nothing"),
        pytest.param(" -“ ", id="nothing but marks"),
    ],
)
def test_what_is_not_there_is_unverified(quote: str) -> None:
    citation = locate(document_of(TEXT), quote, page_hint=7)
    assert not citation.verified
    assert (citation.quote, citation.page) == (quote, 7)
    assert (citation.start, citation.end, citation.rectangles) == (None, None, [])


def test_without_a_hint_an_unverified_quote_is_put_on_page_1() -> None:
    assert locate(document_of(TEXT), "something invented").page == 1


def test_a_decomposed_umlaut_is_the_composed_one() -> None:
    assert locate(document_of("Die Kündigung bedarf der Form."), "Ku\u0308ndigung bedarf").verified
    assert locate(document_of("Die Ku\u0308ndigung bedarf der Form."), "Kündigung bedarf").verified


def test_the_hint_decides_between_repetitions() -> None:
    index = QuoteIndex(document_of("A fee is due.", "A fee is due.", "A fee is due."))
    assert [index.locate("A fee is due.", hint).page for hint in (None, 2, 3, 9)] == [1, 2, 3, 1]


def test_page_numbers_count_unreadable_pages() -> None:
    assert locate(document_of("First.", "Third page here.", unreadable=(2,)), "Third page").page == 3


def test_a_quote_over_a_page_break_skips_footer_and_header() -> None:
    bodies = (
        "The buyer orders as\nneeded, and the seller shall",
        "meanwhile deliver the goods.\nNothing else is agreed.",
        "Notices must be written.\nTelephone calls do not count.",
        "Both sign below.\nIn Rome, today.",
    )
    pages = [f"ACME Master Agreement\n{body}\nPage {n} of 4" for n, body in enumerate(bodies, 1)]
    document = document_of(*pages)
    citation = locate(document, "and the seller shall meanwhile deliver the goods.")
    assert citation.verified
    assert (citation.page, citation.end_page) == (1, 2)
    assert document.pages[0].text[citation.start :].startswith("and the seller shall")
    assert document.pages[1].text[: citation.end].endswith("meanwhile deliver the goods.")


def test_a_quote_of_a_header_is_found_too() -> None:
    pages = [
        f"ACME Master Agreement\nText {n} of some length.\nMore text.\nAnd more.\nEnd.\nPage {n}" for n in range(1, 5)
    ]
    assert locate(document_of(*pages), "ACME Master Agreement", 3).page == 3


def test_rectangles_are_one_a_line() -> None:
    document = document_of("one two three\nfour five six\nseven", words=True)
    citation = locate(document, "two three four five")
    assert [(r.page, r.x0, r.x1) for r in citation.rectangles] == [(1, 24.0, 78.0), (1, 0.0, 54.0)]
    assert citation.rectangles[0].y0 > citation.rectangles[1].y0


def test_every_sentence_of_a_contract_is_found() -> None:
    index = QuoteIndex(document_of(ENGLISH))
    for line in ENGLISH.strip().split("\n"):
        assert index.locate(line).verified, line


def test_a_quote_of_the_longest_length_is_found_and_a_longer_one_is_not() -> None:
    text = "word " * 2000
    assert locate(document_of(text), text[:3999]).verified
    longer = locate(document_of(text), text[:5000])
    assert not longer.verified
    assert len(longer.quote) == 4000


def test_an_empty_document_has_no_quotes() -> None:
    assert not locate(document_of(), "anything").verified


def test_pages_that_are_alike_are_content_not_headers() -> None:
    citation = locate(
        document_of(*["The same clause stands here.\nAnd nothing else."] * 5), "The same clause stands here.", 4
    )
    assert citation.verified and citation.page == 4
