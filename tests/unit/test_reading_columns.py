"""Columns are read one after the other, whichever way they were written; tables and plain text stay as they are."""

from pathlib import Path

import pytest

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.quotes import locate
from dealguard_analyzer.reading import read_pdf
from dealguard_api.pod import ExtractSettings
from tests import odd_pdfs as make

LEFT = [
    "The supplier shall deliver the goods in",
    "good order to the place that the buyer",
    "names, and the buyer shall pay the price",
    "within thirty days of the delivery, else",
    "interest is due at the rate which the law",
    "provides for; a notice is not needed for",
    "that, and both of the parties know it.",
]
RIGHT = [
    "This agreement ends after two years, and",
    "is prolonged by one year at a time if no",
    "party gives notice three months before it",
    "ends; the right to end it for an impor-",
    "tant reason remains, as does the right to",
    "claim damages for what went before, and",
    "the rules of the law on all of it apply.",
]
IN_ORDER = "\n".join(LEFT + RIGHT).replace("impor-\n", "impor")


def _line(x: float, number: float, text: str) -> tuple[float, float, str]:
    return x, 780 - 12 * number, text


def _across(first: int = 0) -> list[tuple[float, float, str]]:
    rows = enumerate(zip(LEFT, RIGHT, strict=True), first)
    return [line for n, (a, b) in rows for line in (_line(50, n, a), _line(310, n, b))]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [_line(50, n, a) for n, a in enumerate(LEFT)] + [_line(310, n, b) for n, b in enumerate(RIGHT)],
            id="written column by column",
        ),
        pytest.param(
            _across(),
            id="written row by row",
        ),
        pytest.param(
            [
                line
                for n, (a, b) in enumerate(zip(LEFT, RIGHT, strict=True))
                for line in (_line(50, n, a), _line(310, n + 0.5, b))
            ],
            id="written row by row, the lines not level",
        ),
    ],
)
def test_two_columns(lines: list[tuple[float, float, str]], tmp_path: Path) -> None:
    document = _read(tmp_path, lines)
    assert document.pages[0].text == IN_ORDER
    words = [document.pages[0].text[word.start : word.end] for word in document.pages[0].words]
    assert "".join(words) == "".join(IN_ORDER.split())
    citation = locate(document, "the right to end it for an important reason remains, as does the right to claim")
    assert citation.verified
    assert all(rectangle.x0 >= 309 for rectangle in citation.rectangles)


def test_headings_across_the_columns_stay_where_they_are(tmp_path: Path) -> None:
    head = "General terms and conditions of sale of the Example company, as of March 2024"
    foot = "Page one of the terms and conditions of sale of the Example company, a form"
    text = _read(tmp_path, [_line(120, 0, head), *_across(2), _line(120, 12, foot)]).pages[0].text
    assert text.split("\n") == [head, *IN_ORDER.split("\n"), foot]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param("Item {} of the list", "{},000.00 EUR", id="figures"),
        pytest.param("Term number {}", "means the thing which the parties call so, and number {}", id="definitions"),
        pytest.param("Signed for number {} by", "Signed for number {} by", id="signatures"),
    ],
)
def test_tables_stay_row_by_row(left: str, right: str, tmp_path: Path) -> None:
    rows = [(left.format(n), right.format(n)) for n in range(8)]
    lines = [line for n, (a, b) in enumerate(rows) for line in (_line(50, n, a), _line(310, n, b))]
    assert _read(tmp_path, lines).pages[0].text == "\n".join(f"{a} {b}" for a, b in rows)


def _read(folder: Path, lines: list[tuple[float, float, str]]) -> ExtractedDocument:
    path = folder / "contract.pdf"
    path.write_bytes(make.pdf_of_placed_lines(*lines))
    return read_pdf(path, ExtractSettings())
