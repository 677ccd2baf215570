"""What is tried on reading: own-written PDFs, changed at random, and lines that a child under attack might say."""

import json
import time
from pathlib import Path

from hypothesis import strategies as st

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.errors import DocumentError
from dealguard_analyzer.reading import read_pdf
from dealguard_analyzer.reading.messages import parse_message
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import ExtractSettings
from tests import odd_pdfs as make

CRASHES = Path(__file__).parent / "crashes"

SETTINGS = ExtractSettings(max_pages=50, max_seconds_per_page=1, max_seconds=6, max_memory_bytes=256 << 20)
# For the start of the last child and its end, on a busy machine. It is there to notice a reading that does not end.
_GRACE_SECONDS = 60

# Whatever the bytes are: these are the ends of a file that was found, was not empty, and is as large as allowed.
_REASONS = {
    ExitCode.NOT_A_PDF,
    ExitCode.DOCUMENT_EMPTY,
    ExitCode.DOCUMENT_ENCRYPTED,
    ExitCode.DOCUMENT_UNREADABLE,
    ExitCode.NO_TEXT_LAYER,
    ExitCode.TOO_MANY_PAGES,
}

_SIDE_TEXTS = {
    "title": "A title",
    "own_entry": "An entry",
    "note": "A note",
    "attachment": "notes.txt",
    "outline": "A heading",
    "script": "app.alert('x')",
    "keywords": "Some keywords",
    "xmp": "More",
}
_HIDDEN = (
    "q 9 9 m 15 10 l 15 15 l h W n BT /F1 12 Tf 72 600 Td (one) Tj ET Q /OC /Off BDC BT /F1 9 Tf 72 500 Td (two) Tj ET"
    " EMC q 612 0 0 792 0 0 cm /Scan Do Q 3 Tr BT /F1 12 Tf 72 400 Td (three) Tj ET /WhiteForm Do"
    " 1 g 60 590 500 30 re f"
)


def _seeds() -> list[bytes]:
    """Small, and of every kind that the readers treat in a way of its own."""
    contract = make.pdf_of_lines([make.PROSE])
    return [
        contract,
        make.pdf_of_lines(["Dieser Mietver-", "trag gilt ab dem 1. März 2024 für die Wohnung."], [make.PROSE]),
        make.pdf_with_form_value("Monatliche Miete:", "Müller & Söhne zahlen 1.250,00"),
        make.pdf_with_side_texts(**_SIDE_TEXTS),
        make.pdf_of_raw_pages(make.RawPage(_HIDDEN), make.RawPage("/DarkForm Do", "/Rotate 90"), form_text=make.PROSE),
        make.pdf_without_mappings(make.PROSE),
        make.pdf_with_shared_content(5, make.text_content(make.PROSE)),
        make.encrypted(contract, ""),
        make.page_count_lie(3),
        make.page_tree_loop(),
    ]


# Words of the format and numbers at its edges: bytes at random seldom hit any.
_TOKENS = (
    *(
        b"/Kids",
        b"/Count",
        b"/Length",
        b"/Filter",
        b"/FlateDecode",
        b"/Contents",
        b"/Resources",
        b"/Annots",
        b"/Parent",
    ),
    *(b"/Font", b"/XObject", b"/MediaBox[0 0 1e38 -1]", b"/Rotate 45", b"/Subtype", b"/Form", b"/Image", b"/XML"),
    *(
        b"stream\n",
        b"endstream",
        b"endobj",
        b"obj",
        b"xref",
        b"trailer",
        b"startxref",
        b"%%EOF",
        b"<<",
        b">>",
        b"[",
        b"]",
    ),
    *(
        b"0 R",
        b"1 0 R",
        b"2 0 R",
        b"4 0 R",
        b"0",
        b"-1",
        b"65536",
        b"2147483648",
        b"99999999999999999999",
        b"1e999",
        b"null",
    ),
    *(b"BT", b"ET", b"Tj", b"Do", b"q", b"Q", b"W n", b"cm", b"3 Tr", b"(", b")", b"<FEFFD800>", b"\x00", b"\xff" * 8),
)


@st.composite
def pdfs(draw: st.DrawFn) -> bytes:
    """A PDF of ours with up to eight changes."""
    pdf = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, len(pdf)))
        length = draw(st.integers(0, 40))
        change = draw(st.sampled_from(("overwrite", "insert", "cut", "repeat", "truncate")))
        new = draw(st.sampled_from(_TOKENS) | st.binary(max_size=8))
        if change == "overwrite":
            pdf = pdf[:start] + new + pdf[start + len(new) :]
        elif change == "insert":
            pdf = pdf[:start] + new + pdf[start:]
        elif change == "cut":
            pdf = pdf[:start] + pdf[start + length :]
        elif change == "repeat":
            pdf = pdf[:start] + pdf[start : start + length] * draw(st.integers(2, 50)) + pdf[start + length :]
        elif draw(st.integers(0, 9)) == 0:
            pdf = pdf[:start]
    return pdf


SEEDS = _seeds()

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4),
)
_messages = st.fixed_dictionaries(
    {"kind": st.sampled_from(("opened", "page", "unreadable", "side", "end", "refused")) | _values},
    optional={
        "number": st.integers(-1, 3) | _values,
        "pages": st.integers(-1, 3) | _values,
        "text": st.text(max_size=20) | _values,
        "offsets": st.sampled_from(("", "AAAAAA==", "AAAAAAEAAAA=", "AQAAAAAAAAA=", "!")) | _values,
        "boxes": st.sampled_from(("", "AAAAAAAAAAAAAAAAAAAAAA==", "AADAfwAAwH8AAMB/AADAfw==")) | _values,
        "hidden": st.lists(st.tuples(st.integers(-1, 30), st.integers(-1, 30), st.sampled_from(("tiny", "x"))))
        | _values,
        "fault": st.sampled_from(("damaged", "picture", "x")) | _values,
        "side": st.sampled_from(("metadata", "x")) | _values,
        "page": st.integers(-1, 3) | _values,
        "refusal": st.sampled_from(("encrypted", "x")) | _values,
        "metadata": _values,
    },
)
lines = st.binary(max_size=200) | _messages.map(lambda message: json.dumps(message).encode())


def try_pdf(pdf: bytes, folder: Path) -> str:
    """Read it, and say how that ended.

    Raises:
        Exception: it ended in neither a sound document nor a known reason.
    """
    path = folder / "contract.pdf"
    path.write_bytes(pdf)
    started = time.monotonic()
    try:
        document = read_pdf(path, SETTINGS)
    except DocumentError as refusal:
        assert refusal.exit_code in _REASONS, refusal.exit_code
        return refusal.reason.value
    finally:
        assert time.monotonic() - started < SETTINGS.max_seconds + _GRACE_SECONDS, "reading did not end in time"
    check_document(document)
    return "read"


def check_document(document: ExtractedDocument) -> None:
    """Whether a document is what `document.py` promises."""
    numbers = [page.number for page in document.pages] + [page.page for page in document.unreadable_pages]
    assert sorted(numbers) == list(range(1, document.info.pages + 1))
    for page in document.pages:
        page.text.encode()
        words = [page.text[word.start : word.end] for word in page.words]
        assert not page.words or "".join(words) == "".join(page.text.split())
        edges = [edge for stretch in page.hidden for edge in (stretch.start, stretch.end)]
        assert edges == sorted(edges) and all(0 <= edge <= len(page.text) for edge in edges)
    assert all(0 < len(side.text) <= 2000 for side in document.side_texts)


def try_line(line: bytes) -> None:
    """Parse it as a child's; anything but a message or ValueError is a fault of ours."""
    try:
        message = parse_message(line)
    except ValueError:
        return
    if message.kind == "page":
        page = message.to_page()
        assert all(0 <= word.start <= word.end <= len(page.text) for word in page.words)
