"""Looking an earlier report up before a Job is made, and noting a new one for later."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dealguard_api import names
from dealguard_api.resource import ContractAnalysisStatus
from dealguard_operator.errors import StorageUnavailableError
from dealguard_operator.logs import AnalysisLogger
from dealguard_operator.model import Analysis, DocumentVersion, Lookup, StoredReport
from dealguard_operator.policies.reuse import (
    job_note,
    pointer_to,
    pointers_to_read,
    pointers_to_write,
    stored_report_from,
)
from dealguard_operator.report_storage import ReportStorage
from dealguard_operator.settings import OperatorSettings

# A pointer is a status's result: 3 KB.
_MAX_POINTER_BYTES = 64 * 1024
# How long the end of a run may wait for its pointer. Local storage takes milliseconds.
_PATIENCE_SECONDS = 2.0
# Of those that wait for a storage that is away, so many ask in a second, however many there are.
_ASKERS_PER_SECOND = 20
# For a pointer that could not be written: a storage that restarts is back by then.
_RETRIES_SECONDS = (5.0, 15.0, 60.0)


class Reuse:
    """Finds stored reports by their inputs, and makes them findable.

    Args:
        storage: the object storage.
        settings: what the installation chose.
        now: the time, in UTC.
    """

    def __init__(
        self,
        storage: ReportStorage,
        settings: OperatorSettings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._claude = settings.claude
        self._image = settings.analyzer_image
        self._now = now
        self._writing: dict[str, asyncio.Task[None]] = {}  # by the analysis's uid
        self._unanswered: set[str] = set()  # the uids of those that asked in vain since the storage last answered

    async def look_up(self, analysis: Analysis) -> Lookup:
        """Ask the storage for the document and an earlier report, or for the report of a run whose Job is gone.

        That it does not answer is an answer too.
        """
        job_name = analysis.status.job_name
        report: StoredReport | None = None
        try:
            if job_name is not None:
                key = names.report_key(analysis.namespace, analysis.uid, analysis.status.run or 1)
                is_stored = await self._storage.find(key) is not None
                return Lookup(self._now(), job_name=job_name, is_own_stored=is_stored)
            document = await self._document(analysis)
            for key in pointers_to_read(analysis, document, self._claude, self._image):
                report = report or await self._follow(analysis, key)
        except StorageUnavailableError as error:
            self._unanswered.add(analysis.uid)
            at, pause_seconds = self._now(), max(error.retry_after_seconds, len(self._unanswered) / _ASKERS_PER_SECOND)
            retry_at = at + timedelta(seconds=pause_seconds)
            return Lookup(at, job_name=job_name, unavailable=error.message, retry_at=retry_at)
        # Not when it was asked: a slow storage's answer would be too old at once, and be asked for again for ever.
        return Lookup(self._now(), document=document, report=report)

    def called_back(self) -> set[str]:
        """Once the storage has answered somebody: the uids of those that asked in vain before, and may ask again."""
        uids, self._unanswered = self._unanswered, set()
        return uids

    def note_for_job(self, analysis: Analysis, lookup: Lookup | None) -> str:
        """What the Job is to keep until its report is noted."""
        return job_note(analysis, lookup, self._claude, self._image)

    async def remember(self, analysis: Analysis, status: ContractAnalysisStatus, note: str) -> None:
        """Note the report of a run that is about to end. A failure costs a later analysis its reuse, and nothing else.

        Args:
            analysis: whose report it is.
            status: its status at the end of the run.
            note: what the run's Job kept.
        """
        self.forget(analysis.uid)
        first_try = asyncio.Event()
        task = self._writing[analysis.uid] = asyncio.create_task(self._keep_writing(analysis, status, note, first_try))
        task.add_done_callback(lambda _: self._written(analysis.uid, task))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await first_try.wait()

    def forget(self, uid: str) -> None:
        """Note nothing more for an analysis that is gone: what it quoted may be erased by now."""
        if (task := self._writing.pop(uid, None)) is not None:
            task.cancel()

    async def close(self) -> None:
        """Give up what is not written yet."""
        tasks = list(self._writing.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._storage.close()

    def _written(self, uid: str, task: asyncio.Task[None]) -> None:
        if self._writing.get(uid) is task:
            del self._writing[uid]

    async def _document(self, analysis: Analysis) -> DocumentVersion | None:
        key = analysis.spec.document.key
        found = await self._storage.find(key) if key else None
        if found is None:
            return None
        return DocumentVersion(etag=found.etag, size_bytes=found.size_bytes, modified_at=found.modified_at)

    async def _follow(self, analysis: Analysis, pointer_key: str) -> StoredReport | None:
        """The report that a pointer leads to, if both are there and the report is the one that was noted."""
        content = await self._storage.read(pointer_key, _MAX_POINTER_BYTES)
        if content is None:
            return None
        stored = stored_report_from(analysis, content)
        if stored is None:
            AnalysisLogger(analysis).warning("What is stored as %s is not a pointer to a report.", pointer_key)
            return None
        reference = stored.result.report
        sha256 = await self._storage.sha256_of(reference.key)
        if sha256 == reference.sha256:
            return stored
        if sha256 is not None:
            AnalysisLogger(analysis).warning("%s is not the report that was stored there.", reference.key)
        return None

    async def _keep_writing(
        self, analysis: Analysis, status: ContractAnalysisStatus, note: str, first_try: asyncio.Event
    ) -> None:
        for pause_seconds in (*_RETRIES_SECONDS, None):
            try:
                await self._write(analysis, status, note)
            except StorageUnavailableError as error:
                if pause_seconds is None:
                    AnalysisLogger(analysis).warning("Its report cannot be found for reuse: %s", error.message)
                    return
            else:
                return
            finally:
                first_try.set()
            await asyncio.sleep(pause_seconds)

    async def _write(self, analysis: Analysis, status: ContractAnalysisStatus, note: str) -> None:
        version = await self._document(analysis)
        keys = pointers_to_write(analysis, status, note, version)
        await asyncio.gather(*(self._storage.write(key, pointer_to(status)) for key in keys))
