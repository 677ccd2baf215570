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

# Every file by its outcome; what is not named has text.
ENCRYPTED = {
    "crazyones-encrypted-256.pdf",
    "encrypted-file.pdf",
    "libreoffice-writer-password.pdf",
}
PICTURES = {
    "AutoCad_Simple.pdf",
    "box.pdf",
    "cmyk-image.pdf",
    "encrypted_doc_no_id.pdf",
    "form.pdf",
    "form_acrobatReader.pdf",
    "form_evince.pdf",
    "git.pdf",
    "grayscale-image.pdf",
    "imagemagick-ASCII85Decode.pdf",
    "imagemagick-CCITTFaxDecode.pdf",
    "imagemagick-images.pdf",
    "imagemagick-lzw.pdf",
    "inkscape-abc.pdf",
    "inline-image.pdf",
    "issue-297.pdf",
    "issue-3850-1bit-indexed-flate.pdf",
    "jpeg.pdf",
    "metadata.pdf",
    "output_with_metadata_pymupdf.pdf",
    "pdfkit.pdf",
    "pdflatex-forms.pdf",
    "reportlab-inline-image.pdf",
    "two-different-pages.pdf",
}
DAMAGED = {
    "unreadablemetadata.pdf",
}
# Pages with hidden text, each looked at: form fields that are not shown and text painted over, letters under a drawing,
# text beyond the page's edge, a table's words at half a point. All others have none.
HIDDEN = {
    "SF424_page2.pdf": [1],
    "GeoTopo-komprimiert.pdf": [55],
    "annotated_pdf.pdf": [1],
    "CERES,INC_01_25_2012-EX-10.20-Collaboration Agreement.PDF": [118],
}


@pytest.mark.parametrize("path", ODD, ids=lambda path: path.stem)
def test_odd(path: Path) -> None:
    reasons = (
        (ENCRYPTED, Reason.DOCUMENT_ENCRYPTED),
        (PICTURES, Reason.NO_TEXT_LAYER),
        (DAMAGED, Reason.DOCUMENT_UNREADABLE),
    )
    expected = next((reason for names, reason in reasons if path.name in names), None)
    if expected is not None:
        with pytest.raises(DocumentError) as refusal:
            read_pdf(path, ExtractSettings())
        assert refusal.value.reason == expected
        return
    document = read_pdf(path, ExtractSettings())
    assert document.pages
    assert [page.number for page in document.pages if page.hidden] == HIDDEN.get(path.name, [])
    for page in document.pages:
        words = [page.text[word.start : word.end] for word in page.words]
        assert "".join(words) == "".join(page.text.split())


@pytest.mark.parametrize("path", CONTRACTS[:6] + CONTRACTS[-6:], ids=lambda path: path.stem[:40])
def test_contracts(path: Path) -> None:
    document = read_pdf(path, ExtractSettings(max_memory_bytes=256 << 20))
    assert document.info.language == "en"
    assert document.info.pages == len(document.pages)
    assert [page.number for page in document.pages if page.hidden] == HIDDEN.get(path.name, [])
    for page in document.pages:
        assert "".join(page.text[word.start : word.end] for word in page.words) == "".join(page.text.split())
    assert "\ufffe" not in "".join(page.text for page in document.pages)
