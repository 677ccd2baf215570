"""`read_pdf`: the one way from a file to its text."""

from collections.abc import Callable
from pathlib import Path

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.errors import DocumentError
from dealguard_analyzer.reading.child import ChildLimits
from dealguard_analyzer.reading.file_checks import FileFacts, check_file, open_document
from dealguard_analyzer.reading.hyphens import resolve_hyphens
from dealguard_analyzer.reading.isolation import IsolatedReader, Reading
from dealguard_analyzer.reading.language import detect_language
from dealguard_analyzer.sandbox.normalise import count_letters
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import ExtractSettings
from dealguard_api.report import DocumentInfo, UnreadablePage

# A document with fewer letters is no contract but a stamp on a scan: to analyse it would say "no risks" of nothing.
_MIN_LETTERS = 20


def _nobody_watches(done: int, total: int) -> None:
    """No progress is shown."""


def read_pdf(
    path: Path,
    settings: ExtractSettings,
    *,
    sha256: str | None = None,
    max_seconds: float | None = None,
    on_page: Callable[[int, int], None] = _nobody_watches,
) -> ExtractedDocument:
    """Read a PDF.

    Args:
        path: the file.
        settings: the limits, and the digest that is expected.
        sha256: the file's digest, if the caller computed it already.
        max_seconds: most that reading may take, if the caller has less time than the settings give.
        on_page: told (pages done, pages in all) after each page.

    Returns:
        The text of every readable page, the others named with why.

    Raises:
        DocumentError: there is nothing to analyse; `reason` says why.
    """
    with open_document(path) as file:
        facts = check_file(file, settings, sha256)
        limits = ChildLimits(settings.max_pages, settings.max_seconds_per_page, settings.max_memory_bytes)
        seconds = min(settings.max_seconds, max_seconds or settings.max_seconds)
        reading = IsolatedReader(file, limits, seconds, on_page).read()
    _check_has_text(reading)
    return _assemble(facts, reading)


def _check_has_text(reading: Reading) -> None:
    letters = 0
    for page in reading.pages:
        letters += count_letters(page.text)
        if letters >= _MIN_LETTERS:
            return
    damaged = len(reading.unreadable) - reading.needing_ocr
    if damaged and not reading.needing_ocr and not letters:
        raise DocumentError(ExitCode.DOCUMENT_UNREADABLE, _why_none_is_readable(reading))
    raise DocumentError(ExitCode.NO_TEXT_LAYER, _how_little_text(reading, letters))


def _why_none_is_readable(reading: Reading) -> str:
    reasons = sorted(set(reading.unreadable.values()))
    return f"No page of the PDF can be read. {' '.join(reasons)}"


def _how_little_text(reading: Reading, letters: int) -> str | None:
    if letters == 0 and reading.needing_ocr:
        return _why_none_is_readable(reading) if reading.unmapped else None
    pages = f"{reading.page_count:,} page{'s' if reading.page_count != 1 else ''}"
    return (
        f"The PDF has {letters or 'no'} letter{'s' if letters != 1 else ''} of text on {pages}: too little to analyse."
    )


def _assemble(facts: FileFacts, reading: Reading) -> ExtractedDocument:
    pages = resolve_hyphens(reading.pages)
    info = DocumentInfo(
        sha256=facts.sha256,
        bytes=facts.size_bytes,
        pages=reading.page_count or 0,
        language=detect_language(page.text for page in pages),
    )
    unreadable = tuple(UnreadablePage(page=page, reason=why) for page, why in sorted(reading.unreadable.items()))
    return ExtractedDocument(info, pages, unreadable, tuple(reading.side_texts))
