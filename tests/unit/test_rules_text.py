"""Sentences and headings, whatever the line breaks."""

import pytest

from dealguard_analyzer.engines.rules.text import MAX_SENTENCE_CHARACTERS, ContractText
from tests.contract_texts import document_of


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        pytest.param("One ends. Two ends.", ["One ends.", "Two ends."], id="full stops"),
        pytest.param("Acme Inc. and Dr. Meyer agree.", ["Acme Inc. and Dr. Meyer agree."], id="abbreviations"),
        pytest.param("Am 1. April 2024 beginnt er.", ["Am 1. April 2024 beginnt er."], id="German dates"),
        pytest.param("Nach § 309 Nr. 7 BGB gilt dies.", ["Nach § 309 Nr. 7 BGB gilt dies."], id="German citations"),
        pytest.param("It runs\nover two lines.", ["It runs over two lines."], id="a line break"),
        pytest.param("1. Term\nIt lasts.", ["1. Term", "It lasts."], id="a heading"),
        pytest.param("§ 5 Haftung\nDer Käufer haftet.", ["§ 5 Haftung", "Der Käufer haftet."], id="a German heading"),
        pytest.param(
            "First, as follows:\n(a) this;\n(b) that.", ["First, as follows:", "(a) this;", "(b) that."], id="a list"
        ),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [sentence.text for sentence in ContractText(document_of(text)).sentences] == sentences


def test_a_sentence_knows_its_heading() -> None:
    text = ContractText(document_of("9. Governing Law\nNew York it is. So be it.\n10. Notices\nThey must be written."))
    assert [(s.heading, s.is_heading) for s in text.sentences] == [
        ("governing law", True),
        ("governing law", False),
        ("governing law", False),
        ("notices", True),
        ("notices", False),
    ]


def test_a_sentence_over_a_page_break_is_one() -> None:
    bodies = (
        "The parties agree on the delivery of apples and",
        "on the delivery of pears, of plums and also of",
        "cherries, berries and whatever else may grow in a garden or",
        "in a field of the seller, his sons or his daughters.",
    )
    pages = [f"Frame Contract\n{body}\nPage {n}\n" for n, body in enumerate(bodies, 1)]
    text = ContractText(document_of(*pages))
    assert len(text.sentences) == 1
    citation = text.cite(text.sentences[0])
    assert (citation.page, citation.end_page, citation.verified) == (1, 4, True)


def test_run_on_text_is_cut() -> None:
    text = ContractText(document_of("item without an end; " * 1000))
    assert max(len(sentence.text) for sentence in text.sentences) <= MAX_SENTENCE_CHARACTERS
    assert "".join(s.text.replace(" ", "") for s in text.sentences) == "itemwithoutanend;" * 1000


def test_offsets_survive_letters_that_change_length_in_lower_case() -> None:
    text = ContractText(document_of("İSTANBUL SHALL APPLY. The rest follows."))
    assert [text.cite(s).quote for s in text.sentences] == ["İSTANBUL SHALL APPLY.", "The rest follows."]
    assert all(len(s.lower) == len(s.text) for s in text.sentences)


def test_pages_that_are_alike_are_all_read() -> None:
    text = ContractText(document_of(*["This clause is repeated on each page.\nSo is this one."] * 4))
    assert len(text.sentences) == 8
