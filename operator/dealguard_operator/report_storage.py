"""The object storage, as the operator uses it: small objects, their versions and digests; every failure passes.

No retries here. While the storage does not answer, requests are refused at once but for one every few seconds, so that
a storage that is away keeps nobody from other work.
"""

import asyncio
import hashlib
import io
import logging
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from pydantic import SecretStr

from dealguard_operator.errors import StorageUnavailableError

# Each waits for the storage most of the time. Threads, because the S3 client blocks.
_THREADS = 8
_CONNECT_SECONDS, _READ_SECONDS = 2.0, 4.0
# For what is one object; a listing takes as long as it takes.
_REQUEST_SECONDS = 10.0
# Between two looks whether a storage that failed is back: a blip is short, and a longer absence is noticed soon enough.
_PAUSES_SECONDS = (1.0, 2.0, 5.0)
_CHUNK_BYTES = 1 << 20
_MISSING = ("NoSuchKey", "NoSuchObject")
_AWAY = "The object storage does not answer."
_REFUSALS = (S3Error, InvalidResponseError, ServerError)
# What a HEAD says of a key that is not there, or that this storage cannot have.
_NOT_THERE = (400, 404, 405, 410, 414)
# Statuses below 500 that say "later".
_PASSING = (408, 429)

ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)


class StorageAccess(Protocol):
    """Where the storage is and how to log in there."""

    @property
    def s3_endpoint(self) -> str: ...
    @property
    def s3_access_key(self) -> str: ...
    @property
    def s3_secret_key(self) -> SecretStr: ...
    @property
    def s3_bucket(self) -> str: ...
    @property
    def s3_region(self) -> str: ...


@dataclass(frozen=True)
class StoredObject:
    """One object as a listing or a HEAD shows it. An equal one has equal bytes."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime  # whole seconds in a HEAD


class ReportStorage:
    """The requests that the operator makes.

    Every method raises `StorageUnavailableError` if the storage does not do what is asked.

    Args:
        access: where and how.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, access: StorageAccess, *, clock: Callable[[], float] = time.monotonic) -> None:
        endpoint = urlsplit(access.s3_endpoint)
        self._bucket = access.s3_bucket
        self._connections = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            maxsize=_THREADS,
            retries=False,
            cert_reqs="CERT_REQUIRED",
            ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        )
        self._client = Minio(
            endpoint.netloc,
            access_key=access.s3_access_key,
            secret_key=access.s3_secret_key.get_secret_value(),
            secure=endpoint.scheme == "https",
            region=access.s3_region,  # without it, the client would ask the storage
            http_client=self._connections,
        )
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="storage")
        self._failures = 0
        self._quiet_until = 0.0  # by the clock, while the storage is away

    def close(self) -> None:
        """Give up what is under way: a thread that waits ends by its time-out."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._connections.clear()

    async def find(self, key: str) -> StoredObject | None:
        """The object's present version; None if there is none."""
        return await self._call(lambda: self._find(key))

    async def read(self, key: str, max_bytes: int) -> bytes | None:
        """The object; None if there is none, or a larger one."""
        return await self._call(lambda: self._read(key, max_bytes))

    async def sha256_of(self, key: str) -> str | None:
        """The digest of the object's bytes, in hexadecimal; None if there is none. Nothing of it is kept."""
        return await self._call(lambda: self._sha256_of(key))

    async def write(self, key: str, content: bytes) -> None:
        """Store an object in place of what is there."""

        def put() -> None:
            self._client.put_object(
                self._bucket, key, io.BytesIO(content), len(content), content_type="application/json"
            )

        await self._call(put)

    async def remove(self, key: str) -> None:
        """Remove an object; none is fine too."""
        await self._call(lambda: self._client.remove_object(self._bucket, key))

    async def list_objects(self, prefix: str) -> list[StoredObject]:
        """All objects whose keys begin with `prefix`."""
        return await self._call(lambda: self._list(prefix), seconds=None)

    def _find(self, key: str) -> StoredObject | None:
        try:
            found = self._client.stat_object(self._bucket, key)
        except _REFUSALS as error:
            if _answer(error)[0] in _NOT_THERE:
                return None
            raise
        return StoredObject(key, found.etag or "", found.size or 0, _known(found.last_modified))

    def _read(self, key: str, max_bytes: int) -> bytes | None:
        content = bytearray()
        for chunk in self._chunks(key):
            content += chunk
            if len(content) > max_bytes:
                return None
        return bytes(content) or None

    def _sha256_of(self, key: str) -> str | None:
        digest, is_there = hashlib.sha256(), False
        for chunk in self._chunks(key):
            is_there = True
            digest.update(chunk)
        return digest.hexdigest() if is_there else None

    def _chunks(self, key: str) -> Iterable[bytes]:
        """What is stored under `key`, in pieces; nothing if it is not there."""
        try:
            response = self._client.get_object(self._bucket, key)
        except S3Error as error:
            if error.code in _MISSING:
                return
            raise
        try:
            yield from response.stream(_CHUNK_BYTES)
        finally:
            response.close()
            response.release_conn()

    def _list(self, prefix: str) -> list[StoredObject]:
        return [
            StoredObject(item.object_name, item.etag or "", item.size or 0, _known(item.last_modified))
            for item in self._client.list_objects(self._bucket, prefix=prefix, recursive=True)
            if item.object_name is not None
        ]

    async def _call(self, request: Callable[[], ResultT], *, seconds: float | None = _REQUEST_SECONDS) -> ResultT:
        now = self._clock()
        if self._failures:
            if now < self._quiet_until:
                raise StorageUnavailableError(_AWAY, retry_after_seconds=self._quiet_until - now)
            self._quiet_until = now + _PAUSES_SECONDS[-1]  # the others wait for what this one hears
        try:
            result = await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self._threads, request), seconds)
        except _REFUSALS as error:
            if (words := _refusal(error)) is not None:  # it answers, so the others may ask
                self._note_presence()
                raise StorageUnavailableError(words, retry_after_seconds=_PAUSES_SECONDS[-1]) from None
            raise self._note_absence() from None
        except (MinioException, urllib3.exceptions.HTTPError, OSError, TimeoutError):
            raise self._note_absence() from None
        except (SyntaxError, ValueError):  # an XML parser's
            words = "The object storage gave an answer that is not S3's: check the installation's endpoint."
            raise StorageUnavailableError(words, retry_after_seconds=_PAUSES_SECONDS[-1]) from None
        self._note_presence()
        return result

    def _note_presence(self) -> None:
        if self._failures:
            logger.info("The object storage answers again.")
        self._failures = 0

    def _note_absence(self) -> StorageUnavailableError:
        if not self._failures:
            logger.warning(_AWAY)
        self._failures += 1
        pause_seconds = _PAUSES_SECONDS[min(self._failures, len(_PAUSES_SECONDS)) - 1]
        self._quiet_until = self._clock() + pause_seconds
        return StorageUnavailableError(_AWAY, retry_after_seconds=pause_seconds)


def _refusal(error: Exception) -> str | None:
    """What the storage's answer means, in a sentence without a URL; None if it stands for an absence."""
    status, code = _answer(error)
    if status is None or status >= 500 or status in _PASSING:
        return None
    if code == "NoSuchBucket":
        return "The bucket does not exist in the object storage: correct the installation's bucket name."
    if code == "RequestTimeTooSkewed":
        return "The object storage refuses the operator: their clocks differ too much. Correct the one that is wrong."
    if status in (401, 403):
        return (
            f"The object storage refuses the operator (HTTP {status}): its access key must be allowed to list, read "
            "and write objects of the bucket."
        )
    return f"The object storage gave an unexpected answer (HTTP {status})."


def _answer(error: Exception) -> tuple[int | None, str | None]:
    """HTTP status and S3 code of an error, as far as it has them."""
    if isinstance(error, S3Error):
        return error.response.status, error.code
    status = error.status_code if isinstance(error, ServerError) else getattr(error, "_code", None)
    return (status if isinstance(status, int) else None), None


def _known(time_: datetime | None) -> datetime:
    return time_ or datetime.min.replace(tzinfo=UTC)
