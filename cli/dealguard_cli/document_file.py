"""Checks of a contract's file that need neither a cluster nor a PDF parser, and the names derived from it.

The analyzer checks again, and more: here a mistake is found before anything is uploaded.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dealguard_api import names
from dealguard_api.reasons import Reason
from dealguard_cli.errors import BadInputError, CliReason

# Viewers and the analyzer accept junk before the header, within the first kilobyte.
_HEADER_WINDOW_BYTES = 1024
_CHUNK_BYTES = 1024 * 1024

# generateName appends five characters, and a Job's name a suffix of its own: both stay readable.
_MAX_SLUG_LENGTH = 40
_RAISE_BOTH_LIMITS = "raise --max-pdf-bytes together with the installation's limit"
_TRANSLITERATION = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "œ": "oe"})


@dataclass(frozen=True)
class DocumentFile:
    """A file that may be submitted."""

    path: Path
    size_bytes: int
    sha256: str

    @property
    def slug(self) -> str:
        """The file's name in the characters that a resource's name allows."""
        return slug(self.path.stem)

    def key(self, namespace: str) -> str:
        """Where the document lies in the bucket: the same bytes under the same name lie at the same place."""
        return f"{names.document_prefix(namespace)}{self.sha256[:16]}-{self.slug}.pdf"


def slug(text: str) -> str:
    """`text` as a DNS label of at most 40 characters; 'contract' where nothing of it remains.

    >>> slug("Müller & Söhne: Wartungsvertrag (2024)")
    'mueller-soehne-wartungsvertrag-2024'
    """
    # Composed first: a file system may hand out 'u' + diaeresis, and that must become 'ue' as well.
    transliterated = unicodedata.normalize("NFC", text.lower()).translate(_TRANSLITERATION)
    ascii_only = unicodedata.normalize("NFKD", transliterated).encode("ascii", "ignore").decode()
    words = re.findall("[a-z0-9]+", ascii_only)
    return "-".join(words)[:_MAX_SLUG_LENGTH].strip("-") or "contract"


def check_files(paths: Sequence[Path], max_pdf_bytes: int) -> list[DocumentFile]:
    """Every file, checked and digested.

    Raises:
        BadInputError: one or more files cannot be used; the message names each, so that all are mended at once.
    """
    documents: list[DocumentFile] = []
    errors: list[BadInputError] = []
    for path in paths:
        try:
            documents.append(check_file(path, max_pdf_bytes, _RAISE_BOTH_LIMITS))
        except BadInputError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BadInputError(errors[0].reason, "\n".join(error.message for error in errors))
    return documents


def check_file(path: Path, max_pdf_bytes: int, how_to_raise: str = "raise --max-pdf-bytes") -> DocumentFile:
    """`path`, if it looks like a PDF of a permitted size; `how_to_raise` says how to permit a larger one.

    Raises:
        BadInputError: it does not; the message says why and what to do.
    """
    if not path.exists():
        raise BadInputError(Reason.DOCUMENT_NOT_FOUND, f"{path}: there is no such file. Check the path.")
    if not path.is_file():
        raise BadInputError(Reason.DOCUMENT_NOT_FOUND, f"{path} is not a file. Name the PDF files themselves.")
    try:
        return _checked_content(path, max_pdf_bytes, how_to_raise)
    except OSError as error:
        raise BadInputError(
            CliReason.FILE_UNREADABLE, f"{path} cannot be read: {error.strerror}. Check its permissions."
        ) from error


def _checked_content(path: Path, max_pdf_bytes: int, how_to_raise: str) -> DocumentFile:
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise BadInputError(Reason.DOCUMENT_EMPTY, f"{path} is empty (0 bytes). Save or download it again.")
    if size_bytes > max_pdf_bytes:
        raise BadInputError(
            Reason.DOCUMENT_TOO_LARGE,
            f"{path} has {readable_size(size_bytes)}, the limit is {readable_size(max_pdf_bytes)}. Split it, reduce "
            f"its images, or {how_to_raise}.",
        )
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        if b"%PDF-" not in stream.read(_HEADER_WINDOW_BYTES):
            raise BadInputError(
                Reason.NOT_A_PDF, f"{path} is not a PDF (it has no %PDF header). Export the contract as PDF."
            )
        stream.seek(0)
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return DocumentFile(path, size_bytes, digest.hexdigest())


def readable_size(size_bytes: int) -> str:
    """A size for people, in the analyzer's units (10^3, 10^6 bytes): '12 kB', '1.5 MB'."""
    if size_bytes < 1e6:
        return f"{max(1, round(size_bytes / 1e3))} kB"
    return f"{size_bytes / 1e6:,.1f} MB"
