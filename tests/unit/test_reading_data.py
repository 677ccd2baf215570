"""Documents of many producers, kept outside the repository: each ends in text or in a reason, never in a traceback."""

import os
from pathlib import Path

import pytest

from dealguard_analyzer.errors import DocumentError
from dealguard_analyzer.reading import read_pdf
from dealguard_api.pod import ExtractSettings
from dealguard_api.reasons import Reason

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DEALGUARD_DATA", REPOSITORY.parent / "shared" / "data"))

ODD = sorted((DATA / "odd-pdfs").rglob("*.pdf"))
CONTRACTS = sorted((DATA / "cuad-train" / "pdf").glob("*"), key=lambda path: path.stat().st_size)

pytestmark = pytest.mark.skipif(
    not ODD or not CONTRACTS, reason=f"needs the documents of {DATA}; name another folder in DEALGUARD_DATA"
)

ENCRYPTED = {
    "crazyones-encrypted-256.pdf",
    "encrypted-file.pdf",
    "libreoffice-writer-password.pdf",
}
PICTURES = {"jpeg.pdf", "imagemagick-lzw.pdf", "grayscale-image.pdf", "cmyk-image.pdf", "box.pdf"}


@pytest.mark.parametrize("path", ODD, ids=lambda path: path.stem)
def test_odd(path: Path) -> None:
    expected = Reason.DOCUMENT_ENCRYPTED if path.name in ENCRYPTED else None
    expected = Reason.NO_TEXT_LAYER if path.name in PICTURES else expected
    try:
        document = read_pdf(path, ExtractSettings())
    except DocumentError as refusal:
        assert expected is None or refusal.reason == expected
        assert refusal.reason in (Reason.DOCUMENT_ENCRYPTED, Reason.NO_TEXT_LAYER, Reason.DOCUMENT_UNREADABLE)
    else:
        assert expected is None
        assert document.pages
        for page in document.pages:
            words = [page.text[word.start : word.end] for word in page.words]
            assert "".join(words) == "".join(page.text.split())


@pytest.mark.parametrize("path", CONTRACTS[:6] + CONTRACTS[-6:], ids=lambda path: path.stem[:40])
def test_contracts(path: Path) -> None:
    document = read_pdf(path, ExtractSettings(max_memory_bytes=256 << 20))
    assert document.info.language == "en"
    assert document.info.pages == len(document.pages)
    for page in document.pages:
        assert "".join(page.text[word.start : word.end] for word in page.words) == "".join(page.text.split())
    assert "\ufffe" not in "".join(page.text for page in document.pages)
