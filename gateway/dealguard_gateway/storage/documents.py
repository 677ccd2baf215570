"""Documents and reports in the object storage: stored as they come, read in ranges, removed and looked for again.

Memory: one part of a document for each upload, whatever its size. What an upload leaves when it fails is taken back:
at once, and while the storage is away, again and again for some minutes. What even that leaves (a gateway that was
killed) is a document that no analysis names, which the operator's sweep removes; parts of uploads that were never
completed are removed by the storage itself (MinIO: after a day).
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree as ET

import aiohttp

from dealguard_gateway.problems import Problem, UnavailableProblem
from dealguard_gateway.settings import GatewaySettings
from dealguard_gateway.storage.pdf_check import checked_pdf
from dealguard_gateway.storage.s3 import S3, Content, RefusedError, storage_away
from dealguard_gateway.storage.slots import Slots

# The least that S3 takes for a part which is not the last.
PART_BYTES = 5 * 1024 * 1024
_READ_BYTES = 256 * 1024
_PDF = "application/pdf"
_NOT_THERE = (400, 404, 405, 410, 414)
# Between two tries to take something back. The first wait is that of the client who is told of the failure.
_UNDO_PAUSES_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
_UNDO_PATIENCE_SECONDS = 3.0
# A request that was cut off may still be at work in the storage.
_LATE_SECONDS = 2.0
_LIST_PAGE = "1000"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredDocument:
    """A document that was stored.

    Args:
        sha256: of its bytes, in hexadecimal.
        size_bytes: how many.
    """

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class StoredObject:
    """An object as the storage shows it. An equal `etag` means equal bytes.

    Args:
        key: where it is.
        etag: with its quotation marks, as HTTP writes it.
        size_bytes: its size.
        modified_at: when it was stored.
    """

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime


class ObjectStream:
    """The bytes of an object, or of a range of it, on their way. Close it, or iterate to its end."""

    def __init__(self, s3: S3, key: str, headers: dict[str, str]) -> None:
        self._opening = s3.open("GET", key, headers=headers, is_stream=True)
        self._response: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> "ObjectStream":
        self._response = await self._opening.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opening.__aexit__(kind, error, trace)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert self._response is not None
        try:
            async for chunk in self._response.content.iter_chunked(_READ_BYTES):
                yield chunk
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise storage_away() from None


class DocumentStorage:
    """What the gateway does in the bucket. Methods raise `UnavailableProblem` if the storage does not do its part.

    Args:
        settings: where the bucket is, and the credentials.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self.slots = Slots(settings.max_uploads)
        self._s3 = S3(settings)
        self._undoing: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    async def close(self) -> None:
        """Try a last time to take back what failed, and close the connections."""
        self._closing.set()
        if self._undoing:
            await asyncio.wait(self._undoing, timeout=_UNDO_PATIENCE_SECONDS)
        for task in self._undoing:
            task.cancel()
        if self._undoing:
            await asyncio.wait(self._undoing)
        await self._s3.close()

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], max_bytes: int) -> StoredDocument:
        """Store a PDF of unknown length as it comes.

        Whatever ends this before its end, an error of `chunks` or a cancellation too, leaves nothing under `key`.

        Args:
            key: where; nothing may be there.
            chunks: the bytes; the next one is asked for when there is room.
            max_bytes: the most that is taken.

        Raises:
            InvalidProblem: it is empty, no PDF, or larger; and what `chunks` raises.
        """
        upload = _Upload(self._s3, key)
        digest, size_bytes = hashlib.sha256(), 0
        try:
            async for chunk in checked_pdf(chunks, max_bytes):
                digest.update(chunk)
                size_bytes += len(chunk)
                await upload.add(chunk)
            await upload.finish()
        except BaseException as error:
            if upload.has_begun:
                await self.take_back(key, upload.upload_id)
            if isinstance(error, RefusedError):
                raise storage_away() from None
            raise
        return StoredDocument(digest.hexdigest(), size_bytes)

    async def take_back(self, key: str, upload_id: str | None = None) -> None:
        """Remove what a failed request left: now, else in the background until the storage is back.

        Args:
            key: of the object.
            upload_id: of an upload in parts that is to be given up as well.
        """
        first_try = asyncio.Event()
        self.later(self._take_back(key, upload_id, first_try))
        with suppress(TimeoutError):
            async with asyncio.timeout(_UNDO_PATIENCE_SECONDS):
                await first_try.wait()

    async def find(self, key: str) -> StoredObject | None:
        """The object's present version; None if there is none."""
        try:
            async with self._s3.open("HEAD", key) as response:
                headers = response.headers
        except RefusedError as refused:
            # A HEAD of a key that this storage cannot have is refused in several ways.
            if refused.status in _NOT_THERE:
                return None
            raise _unexpected(refused) from None
        modified_at = parsedate_to_datetime(headers.get("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"))
        return StoredObject(key, headers.get("ETag", ""), int(headers.get("Content-Length", 0)), modified_at)

    def get_range(self, found: StoredObject, start: int, end: int) -> ObjectStream:
        """The bytes from `start` to `end`, both included, of the version that was found; enter it as a context.

        Raises (on entering):
            RefusedError: it is another one by now, or gone.
        """
        headers = {"If-Match": found.etag}
        if (start, end) != (0, found.size_bytes - 1):
            headers["Range"] = f"bytes={start}-{end}"
        return ObjectStream(self._s3, found.key, headers)

    async def read(self, key: str, max_bytes: int) -> bytes | None:
        """The object; None if there is none, or a larger one."""
        content = bytearray()
        try:
            async with ObjectStream(self._s3, key, {}) as stream:
                async for chunk in stream:
                    content += chunk
                    if len(content) > max_bytes:
                        return None
        except RefusedError as refused:
            if refused.status in _NOT_THERE:
                return None
            raise _unexpected(refused) from None
        return bytes(content)

    async def copy(self, source: str, target: str) -> None:
        """Store under `target` what is under `source`."""
        where = quote(f"/{self._s3.bucket}/{source}", safe="/~-._")
        try:
            body, _ = await self._s3.ask("PUT", target, headers={"X-Amz-Copy-Source": where})
        except RefusedError as refused:
            raise _unexpected(refused) from None
        _require(body, "CopyObjectResult")

    async def remove(self, key: str) -> None:
        """Remove an object; none is fine too."""
        try:
            await self._s3.ask("DELETE", key)
        except RefusedError as refused:
            if refused.status not in _NOT_THERE:
                raise _unexpected(refused) from None

    async def list_keys(self, prefix: str) -> list[StoredObject]:
        """All objects whose keys begin with `prefix`, in the order of their keys."""
        objects: list[StoredObject] = []
        query = {"list-type": "2", "prefix": prefix, "max-keys": _LIST_PAGE, "encoding-type": "url"}
        while True:
            try:
                body, _ = await self._s3.ask("GET", query=query)
            except RefusedError as refused:
                raise _unexpected(refused) from None
            page = _require(body, "ListBucketResult")
            objects += [_listed(item) for item in page.iterfind("{*}Contents")]
            if page.findtext("{*}IsTruncated") != "true":
                return objects
            query["continuation-token"] = page.findtext("{*}NextContinuationToken") or ""

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for. It waits by `pause`, so that the end of the gateway is not held up."""
        task = asyncio.create_task(work)
        self._undoing.add(task)
        task.add_done_callback(self._undoing.discard)

    async def pause(self, seconds: float) -> bool:
        """Wait; whether the gateway ends, so that what comes now is the last try."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        return self._closing.is_set()

    async def _take_back(self, key: str, upload_id: str | None, first_try: asyncio.Event) -> None:
        try:
            is_gone = await self._try_to_take_back(key, upload_id)
        finally:
            first_try.set()
        for pause_seconds in (_LATE_SECONDS,) if is_gone else _UNDO_PAUSES_SECONDS:
            is_last = await self.pause(pause_seconds)
            is_gone = await self._try_to_take_back(key, upload_id)
            if is_gone or is_last:
                break
        if not is_gone:
            logger.warning("%s could not be removed after a failed upload: the sweep will.", key)

    async def _try_to_take_back(self, key: str, upload_id: str | None) -> bool:
        try:
            if upload_id:
                with suppress(RefusedError):  # NoSuchUpload: it was given up, or completed
                    await self._s3.ask("DELETE", key, query={"uploadId": upload_id})
            await self.remove(key)
        except Problem:
            return False
        return True


class _Upload:
    """One document on its way: a single request if it is small, else part by part."""

    def __init__(self, s3: S3, key: str) -> None:
        self._s3 = s3
        self._key = key
        self._part = bytearray()
        self._part_digest = hashlib.sha256()
        self._etags: list[str] = []
        self.upload_id: str | None = None
        self.has_begun = False

    async def add(self, chunk: bytes) -> None:
        """Take over a piece; stores a part when there is one."""
        rest = memoryview(chunk)
        while rest:
            taken = rest[: PART_BYTES - len(self._part)]
            self._part += taken
            self._part_digest.update(taken)
            rest = rest[len(taken) :]
            if len(rest):  # so that what fits into one part is stored by one request
                await self._store_part()

    async def finish(self) -> None:
        """Store what is left; now the object is there."""
        if self.upload_id is None:
            self.has_begun = True
            headers = {"Content-Type": _PDF}
            await self._s3.ask("PUT", self._key, headers=headers, content=self._content())
            return
        await self._store_part()
        root = ET.Element("CompleteMultipartUpload")
        for number, etag in enumerate(self._etags, 1):
            part = ET.SubElement(root, "Part")
            ET.SubElement(part, "PartNumber").text = str(number)
            ET.SubElement(part, "ETag").text = etag
        content = Content.of(ET.tostring(root))
        body, _ = await self._s3.ask("POST", self._key, query={"uploadId": self.upload_id}, content=content)
        _require(body, "CompleteMultipartUploadResult")  # an error may come with status 200

    async def _store_part(self) -> None:
        if self.upload_id is None:
            self.has_begun = True
            body, _ = await self._s3.ask("POST", self._key, query={"uploads": ""}, headers={"Content-Type": _PDF})
            self.upload_id = _require(body, "InitiateMultipartUploadResult").findtext("{*}UploadId")
            if not self.upload_id:
                raise storage_away()
        query = {"partNumber": str(len(self._etags) + 1), "uploadId": self.upload_id}
        _, headers = await self._s3.ask("PUT", self._key, query=query, content=self._content())
        self._etags.append(headers.get("ETag", ""))
        self._part.clear()
        self._part_digest = hashlib.sha256()

    def _content(self) -> Content:
        return Content(self._part, self._part_digest.hexdigest())


def _require(body: bytes, tag: str) -> ET.Element:
    """The answer's root element, which must be `tag`."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - our own storage's answer
    except ET.ParseError:
        raise UnavailableProblem(
            "storage-unavailable",
            "What answers at the object storage's address does not speak S3: the installation's administrator must "
            "correct the endpoint.",
            retry_after_seconds=30,
        ) from None
    if root.tag.rpartition("}")[2] != tag:
        raise storage_away()
    return root


def _listed(item: ET.Element) -> StoredObject:
    modified_at = datetime.fromisoformat(item.findtext("{*}LastModified") or "1970-01-01T00:00:00Z")
    return StoredObject(
        unquote_plus(item.findtext("{*}Key") or ""),
        item.findtext("{*}ETag") or "",
        int(item.findtext("{*}Size") or 0),
        modified_at if modified_at.tzinfo else modified_at.replace(tzinfo=UTC),
    )


def _unexpected(refused: RefusedError) -> UnavailableProblem:
    logger.warning("The object storage gave an unexpected answer: %s.", refused)
    return UnavailableProblem(
        "storage-unavailable",
        f"The object storage gave an unexpected answer (HTTP {refused.status}). Try again; if it stays so, tell the "
        "installation's administrator.",
    )
