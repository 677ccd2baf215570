"""What can be said of a file before any parser sees it."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dealguard_analyzer.errors import DocumentError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import ExtractSettings

# Readers accept a header within the first kilobyte (PDF 1.7, implementation note 13).
_HEADER_BYTES = 1024
_HEADER = b"%PDF-"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class FileFacts:
    """A file that claims to be a PDF."""

    size_bytes: int
    sha256: str


def open_document(path: Path) -> BinaryIO:
    """The file, opened for reading.

    Raises:
        DocumentError: there is no such file, or it cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise _not_found("There is no such file.") from None
    except OSError as error:
        raise _not_found(f"The file cannot be read: {os.strerror(error.errno or 0)}.") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _not_found("The path does not name a regular file.")
    return file


def check_file(file: BinaryIO, settings: ExtractSettings, sha256: str | None = None) -> FileFacts:
    """Size, header and digest of an open file.

    Args:
        file: positioned anywhere; left at its beginning.
        settings: the limits, and the digest that is expected.
        sha256: the file's digest, if somebody computed it already.

    Raises:
        DocumentError: it is empty, too large, not a PDF, or not the one expected.
    """
    size_bytes = os.fstat(file.fileno()).st_size
    if size_bytes == 0:
        raise DocumentError(ExitCode.DOCUMENT_EMPTY)
    if size_bytes > settings.max_pdf_bytes:
        raise too_large(size_bytes, settings.max_pdf_bytes)
    file.seek(0)
    if _HEADER not in file.read(_HEADER_BYTES):
        raise DocumentError(ExitCode.NOT_A_PDF)
    file.seek(0)
    digest = sha256 or _sha256(file)
    if settings.expected_sha256 is not None and digest != settings.expected_sha256:
        raise DocumentError(ExitCode.CHECKSUM_MISMATCH)
    file.seek(0)
    return FileFacts(size_bytes, digest)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def too_large(size_bytes: int, max_pdf_bytes: int) -> DocumentError:
    """The error for a document over the limit."""
    return DocumentError(
        ExitCode.DOCUMENT_TOO_LARGE,
        f"The document has {size_bytes / 1e6:,.1f} MB; the limit is {max_pdf_bytes / 1e6:,.1f} MB.",
    )


def _not_found(detail: str) -> DocumentError:
    return DocumentError(ExitCode.DOCUMENT_NOT_FOUND, detail)
