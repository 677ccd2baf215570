"""The sample contracts: what is committed is what their text gives."""

import runpy
from pathlib import Path

import pytest
from pypdf import PdfReader

SAMPLES = Path(__file__).parents[2] / "samples"
TEXTS = sorted(SAMPLES.glob("*.*.txt"))
GENERATE = runpy.run_path(str(SAMPLES / "generate.py"))["generate"]


def test_there_is_one_of_each_language() -> None:
    assert [path.name for path in TEXTS] == ["license-agreement.en.txt", "saas-vertrag.de.txt"]


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_the_same_text_gives_the_committed_bytes(text: Path, tmp_path: Path) -> None:
    generated = tmp_path / "sample.pdf"
    GENERATE(text, generated)
    committed = text.with_suffix(".pdf")
    assert generated.read_bytes() == committed.read_bytes(), "run: .venv/bin/python samples/generate.py"
    assert 3 <= len(PdfReader(committed).pages) <= 6


def test_umlauts_and_section_signs_survive() -> None:
    text = "".join(page.extract_text() for page in PdfReader(SAMPLES / "saas-vertrag.de.pdf").pages)
    for expected in ("§ 10 Haftung", "Vergütung", "„QuittenPlan“", "außerhalb", "2.480,00 EUR"):
        assert expected in text
