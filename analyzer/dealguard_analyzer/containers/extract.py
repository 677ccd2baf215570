"""The init container `extract`: fetches the PDF, reads it, leaves its text to `analyze`.

The document's URL is the only secret in its reach.
"""

import errno
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from dealguard_analyzer.containers.handover import write_document
from dealguard_analyzer.containers.log import log
from dealguard_analyzer.containers.mounts import Mounts
from dealguard_analyzer.containers.settings import load_settings
from dealguard_analyzer.containers.storage import PresignedStorage
from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.errors import AnalysisError
from dealguard_analyzer.reading import read_pdf
from dealguard_api import pod
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import ExtractOutcome, ExtractSettings, OutcomeFailure

# What is kept of the time until the deadline for writing the text, and for `analyze` to begin.
_RESERVE_SECONDS = 5.0


class ExtractContainer:
    """What the container does.

    Args:
        mounts: where its files are.
        environment: its settings.
        storage: where the document comes from.
    """

    name = pod.EXTRACT_CONTAINER

    def __init__(self, mounts: Mounts, environment: Mapping[str, str], storage: PresignedStorage) -> None:
        self._mounts = mounts
        self._environment = environment
        self._storage = storage

    def run(self, deadline: datetime) -> ExtractOutcome:
        """Fetch, read, hand over.

        Raises:
            AnalysisError: there is no text.
        """
        settings = load_settings(ExtractSettings, self._environment)
        with _words_for_a_full_volume():
            try:
                document = self._read(settings, deadline)
            finally:
                self._mounts.document.unlink(missing_ok=True)  # memory: the volume counts as the pod's
            write_document(self._mounts.text, document)
        return ExtractOutcome(document=document.info)

    def failed(self, failure: OutcomeFailure) -> ExtractOutcome:
        """Nothing but the failure is known."""
        return ExtractOutcome(failure=failure)

    def _read(self, settings: ExtractSettings, deadline: datetime) -> ExtractedDocument:
        url = self._mounts.read_secret(pod.DOCUMENT_URL)
        started = time.monotonic()
        download = self._storage.download(url, self._mounts.document, settings.max_pdf_bytes)
        log("fetched", bytes=download.size_bytes, seconds=round(time.monotonic() - started, 2))

        started = time.monotonic()
        seconds_left = self._storage.clock.seconds_until(deadline) - _RESERVE_SECONDS
        document = read_pdf(self._mounts.document, settings, sha256=download.sha256, max_seconds=max(1.0, seconds_left))
        log(
            "read",
            pages=document.info.pages,
            unreadable_pages=len(document.unreadable_pages),
            characters=sum(len(page.text) for page in document.pages),
            language=document.info.language,
            seconds=round(time.monotonic() - started, 2),
        )
        return document


@contextmanager
def _words_for_a_full_volume() -> Iterator[None]:
    """Say which limit it is that an operating system calls 'no space left on device'."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        detail = "The pod's in-memory volume is too small for this document: its sizeLimit must be raised."
        raise AnalysisError(ExitCode.INTERNAL_ERROR, detail) from None
