"""The text of a page: what becomes of its characters, and where each word stands."""

import io
from collections import Counter
from pathlib import Path

import pytest
from pypdf import PdfWriter

from dealguard_analyzer.document import ExtractedDocument, Page, Word
from dealguard_analyzer.reading import read_pdf
from dealguard_analyzer.reading.hyphens import resolve_hyphens
from dealguard_analyzer.reading.language import detect_language
from dealguard_analyzer.sandbox.normalise import WORD, normalise
from dealguard_api.pod import ExtractSettings
from tests import odd_pdfs as make

HYPHEN = "\ufffe"


@pytest.mark.parametrize(
    ("characters", "text"),
    [
        pytest.param("a\r\nb\rc\nd", "a\nb\nc\nd", id="every line end is one"),
        pytest.param("a\r\n\r\n\r\n\r\nb", "a\n\nb", id="at most one empty line"),
        pytest.param("  a \t  b  \r\n  c  ", "a b\nc", id="runs of blanks are one, none at a line's ends"),
        pytest.param("§\xa0307\u202fBGB\u2009!", "§ 307 BGB !", id="no-break and thin spaces are spaces"),
        pytest.param(
            "Veröﬀentlichung, ﬁnal, ﬂach, Oﬃce, Staﬄer",
            "Veröffentlichung, final, flach, Office, Staffler",
            id="ligatures",
        ),
        pytest.param(
            "Verg\xa8utung f\xa8ur \xa8Anderung", "Vergütung für Änderung", id="umlauts drawn as two signs, TeX"
        ),
        pytest.param(
            "Vergu\u0308tung fu\u0308r A\u0308nderung", "Vergütung für Änderung", id="umlauts drawn as two signs, macOS"
        ),
        pytest.param("a\xa8 b", "a\xa8 b", id="a diaeresis that stands alone stays"),
        pytest.param(
            "Ver\u200btrag\u200d \u202eabc\u202c\ufeff", "Vertrag abc", id="zero-width and bidirectional signs go"
        ),
        pytest.param("a\x00b\x07c\x1bd", "abcd", id="control characters go"),
        pytest.param("\uf0b7 Miete", "• Miete", id="the Symbol font's bullet"),
        pytest.param("Vertrags\ufffepartner", f"Vertrags{HYPHEN}partner", id="pdfium's mark, in a page's text"),
        pytest.param("Vertrags\x02partner", f"Vertrags{HYPHEN}partner", id="pdfium's mark, asked by character"),
        pytest.param("Vertrags-\r\npartner", f"Vertrags{HYPHEN}partner", id="a line-end hyphen without a mark"),
        pytest.param("2020-\r\n2021", "2020-\n2021", id="between digits it is a dash"),
        pytest.param("a\ud83dz", "a\ufffdz", id="half a surrogate pair"),
    ],
)
def test_normalise(characters: str, text: str) -> None:
    result, origins = normalise(characters, is_drawn=lambda index: False)
    assert result == text
    assert len(origins) == len(result)
    assert origins == sorted(origins)


@pytest.mark.parametrize(("drawn", "text"), [(True, "Miet-vertrag"), (False, "Mietvertrag")])
def test_a_soft_hyphen_is_what_it_looks_like(drawn: bool, text: str) -> None:
    assert normalise("Miet\xadvertrag", is_drawn=lambda index: drawn)[0] == text


def test_origins_lead_back_to_the_characters() -> None:
    characters = "  Die Haﬅung\r\n\r\n\r\n ist  ausgeschlossen"
    text, origins = normalise(characters, is_drawn=lambda index: False)
    for character, origin in zip(text, origins, strict=True):
        assert characters[origin] in (character, "ﬅ")


@pytest.mark.parametrize(
    ("left", "right", "elsewhere", "joined"),
    [
        pytest.param("Vertrags", "partner", "", "Vertragspartner", id="a broken word"),
        pytest.param("AGB", "Klausel", "", "AGB-Klausel", id="an abbreviation"),
        pytest.param("Müller", "Lüdenscheidt", "", "Müller-Lüdenscheidt", id="a capital follows"),
        pytest.param("VERTRAGS", "PARTNER", "", "VERTRAGSPARTNER", id="a heading in capitals"),
        pytest.param("Ver", "und", "", "Ver- und", id="a word left out"),
        pytest.param("non", "exclusive", "", "non-exclusive", id="a prefix that keeps its hyphen"),
        pytest.param("inter", "national", "", "international", id="a prefix that does not"),
        pytest.param("sub", "licence", "a sub-licence", "sub-licence", id="with a hyphen elsewhere in the document"),
        pytest.param("non", "compete", "a noncompete", "noncompete", id="without one elsewhere"),
        pytest.param("E", "Mail", "Email", "EMail", id="the document decides, whatever the rules"),
    ],
)
def test_line_end_hyphens(left: str, right: str, elsewhere: str, joined: str) -> None:
    text = f"ein {left}{HYPHEN}{right} endet {elsewhere}"
    words = tuple(Word(match.start(), match.end(), 0, 0, 1, 1) for match in WORD.finditer(text))
    (page,) = resolve_hyphens([Page(1, text, words)])
    assert page.text == f"ein {joined} endet {elsewhere}"
    pieces = [page.text[word.start : word.end] for word in page.words]
    assert "".join(pieces) == page.text.replace(" ", "")
    assert pieces[-len(elsewhere.split()) - 1] == "endet"


GERMAN = "Der Mieter kann den Vertrag mit einer Frist von drei Monaten zum Ende eines Monats kündigen. " * 2
ENGLISH = "This Agreement shall be governed by the laws of the State and may not be assigned by either party. " * 2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param(GERMAN, "de", id="German"),
        pytest.param(ENGLISH, "en", id="English"),
        pytest.param(GERMAN * 3 + ENGLISH, "de", id="mostly German"),
        pytest.param("Le contrat est régi par le droit français et les tribunaux de Paris. " * 3, None, id="French"),
        pytest.param("De huurder kan de overeenkomst met een maand opzeggen bij de verhuurder. " * 3, None, id="Dutch"),
        pytest.param("of the and", None, id="too little"),
        pytest.param("1,234.00 EUR 12/31 Q4 " * 50, None, id="figures"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_language(text: str, language: str | None) -> None:
    assert detect_language([text]) == language


def test_german_text_comes_out_as_it_went_in(tmp_path: Path) -> None:
    lines = [
        "Die Vergütung für größere Änderungen (§ 2) beträgt 1.000 €.",
        "„Übermäßige“ Vertrags-",
        "strafen entfallen.",
    ]
    text = _read(tmp_path, make.pdf_of_lines(lines)).pages[0].text
    assert text == f"{lines[0]}\n„Übermäßige“ Vertragsstrafen entfallen."


def test_form_values_are_part_of_the_text(tmp_path: Path) -> None:
    pdf = make.pdf_with_form_value("Monatliche Miete in Euro, wie vereinbart:", "Müller & Söhne zahlen 1.250,00")
    assert "Müller & Söhne zahlen 1.250,00" in _read(tmp_path, pdf).pages[0].text


def test_words_are_slices_of_the_text_in_boxes_on_the_page(tmp_path: Path) -> None:
    (page,) = _read(
        tmp_path, make.pdf_of_lines(["Dieser Mietver-", "trag gilt ab dem 1. März 2024 für die Wohnung."])
    ).pages
    words = {page.text[word.start : word.end]: word for word in page.words}
    assert list(words)[:4] == ["Dieser", "Mietver", "trag", "gilt"]  # a broken word is two: each has its own line
    assert Counter("".join(words)) == Counter(page.text.replace(" ", "").replace("\n", ""))
    assert words["Dieser"].x0 == pytest.approx(72, abs=1)
    assert words["Dieser"].y0 < 780 < words["Dieser"].y1
    assert words["Dieser"].x1 < words["Mietver"].x0
    assert words["trag"].y1 <= words["Mietver"].y0 + 3
    assert words["trag"].x0 == pytest.approx(72, abs=1)


def test_a_rotated_page_reads_the_same(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(make.pdf_of_lines([make.PROSE])))
    writer.pages[0].rotate(90)
    buffer = io.BytesIO()
    writer.write(buffer)
    (page,) = _read(tmp_path, buffer.getvalue()).pages
    assert page.text == make.PROSE
    assert page.words[0].x0 == pytest.approx(72, abs=1)


def _read(folder: Path, pdf: bytes) -> ExtractedDocument:
    path = folder / "contract.pdf"
    path.write_bytes(pdf)
    return read_pdf(path, ExtractSettings())
