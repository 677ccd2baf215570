"""The object storage, as the operator uses it: small objects, their versions and digests; every failure passes.

No retries here. While the storage does not answer, requests are refused at once but for one every few seconds, so that
a storage that is away keeps nobody from other work.
"""

import asyncio
import functools
import hashlib
import logging
import os
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit
from xml.etree import ElementTree

import aiohttp
import certifi
import urllib3
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from yarl import URL

from dealguard_operator.errors import SettingsError, StorageUnavailableError
from dealguard_operator.s3_signing import BucketSigner, StorageAccess, storage_client

# Each waits for the storage most of the time.
_CONNECTIONS = 8
_CONNECT_SECONDS, _READ_SECONDS = 2.0, 4.0
# For what is one object; a listing takes as long as it takes.
_REQUEST_SECONDS = 10.0
# Between two looks whether a storage that failed is back: a blip is short, and a longer absence is noticed soon enough.
_PAUSES_SECONDS = (1.0, 2.0, 5.0)
_CHUNK_BYTES = 1 << 20
# S3's own refusals have some hundred bytes.
_REFUSAL_BYTES = 1 << 16
_MISSING = ("NoSuchKey", "NoSuchObject")
_AWAY = "The object storage does not answer."
_CLIENT_REFUSALS = (S3Error, InvalidResponseError, ServerError)
# What a HEAD says of a key that is not there, or that this storage cannot have.
_NOT_THERE = (400, 404, 405, 410, 414)
_NOT_FOUND = 404
# Statuses below 500 that say "later".
_PASSING = (408, 429)

ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)


class _RefusedError(Exception):
    """The storage answers, and not with what was asked for.

    Args:
        status: the HTTP status.
        code: S3's own word for it; empty if it has none.
    """

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code


def tls_context(access: StorageAccess) -> ssl.SSLContext | None:
    """Whom the storage's connections trust: `SSL_CERT_FILE`, else the certificates that come with Python's packages.

    None if there is no TLS.

    Raises:
        SettingsError: there are no certificates in that file.
    """
    if urlsplit(access.s3_endpoint).scheme != "https":
        return None
    return _trusting(os.environ.get("SSL_CERT_FILE") or certifi.where())


@functools.cache  # some 20 ms
def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # also what is no certificate
        why = error.strerror or type(error).__name__
        raise SettingsError(f"The operator cannot start: SSL_CERT_FILE has no certificates in it ({why}).") from None


@dataclass(frozen=True)
class StoredObject:
    """One object as a listing or a HEAD shows it. An equal one has equal bytes."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime  # whole seconds in a HEAD


class ReportStorage:
    """The requests that the operator makes.

    Every method raises `StorageUnavailableError` if the storage does not do what is asked. Each analysis needs a few
    requests about single objects: they go out here, over the event loop. The lists, which only the sweep asks for, are
    the S3 client's, in a thread.

    Args:
        access: where and how.
        clock: a monotonic clock, in seconds.

    Raises:
        SettingsError: see `tls_context`.
    """

    def __init__(self, access: StorageAccess, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = access.s3_bucket
        self._tls = tls_context(access)
        self._client_connections = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            retries=False,
            cert_reqs="CERT_REQUIRED",
            ssl_context=self._tls,
        )
        self._client = storage_client(access, connections=self._client_connections)
        self._signer = BucketSigner(access, self._client)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None  # from the first request on
        self._failures = 0
        self._quiet_until = 0.0  # by the clock, while the storage is away

    async def close(self) -> None:
        """Give up what is under way."""
        if self._session is not None:
            await self._session.close()
        self._client_connections.clear()

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
        await self._call(lambda: self._write(key, content))

    async def remove(self, key: str) -> None:
        """Remove an object; none is fine too."""
        await self._call(lambda: self._remove(key))

    async def list_objects(self, prefix: str) -> list[StoredObject]:
        """All objects whose keys begin with `prefix`."""
        return await self._call(lambda: asyncio.to_thread(self._list, prefix), seconds=None)

    async def _find(self, key: str) -> StoredObject | None:
        try:
            async with self._ask("HEAD", key) as response:
                headers = response.headers
                modified_at = headers.get("Last-Modified")
                return StoredObject(
                    key,
                    headers.get("ETag", "").replace('"', ""),
                    int(headers.get("Content-Length", 0)),
                    _known(parsedate_to_datetime(modified_at) if modified_at else None),
                )
        except _RefusedError as error:
            if error.status in _NOT_THERE:
                return None
            raise

    async def _read(self, key: str, max_bytes: int) -> bytes | None:
        content = bytearray()
        async for chunk in self._chunks(key):
            content += chunk
            if len(content) > max_bytes:
                return None
        return bytes(content) or None

    async def _sha256_of(self, key: str) -> str | None:
        digest, is_there = hashlib.sha256(), False
        async for chunk in self._chunks(key):
            is_there = True
            digest.update(chunk)
        return digest.hexdigest() if is_there else None

    async def _chunks(self, key: str) -> AsyncIterator[bytes]:
        """What is stored under `key`, in pieces; nothing if it is not there."""
        try:
            async with self._ask("GET", key) as response:
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    yield chunk
        except _RefusedError as error:
            if error.code not in _MISSING:
                raise

    async def _write(self, key: str, content: bytes) -> None:
        async with self._ask("PUT", key, content):
            pass

    async def _remove(self, key: str) -> None:
        async with self._ask("DELETE", key):
            pass

    def _list(self, prefix: str) -> list[StoredObject]:
        try:
            return [
                StoredObject(item.object_name, item.etag or "", item.size or 0, _known(item.last_modified))
                for item in self._client.list_objects(self._bucket, prefix=prefix, recursive=True)
                if item.object_name is not None
            ]
        except _CLIENT_REFUSALS as error:
            raise _refusal_of_client(error) from None

    @asynccontextmanager
    async def _ask(self, method: str, key: str, content: bytes = b"") -> AsyncIterator[aiohttp.ClientResponse]:
        """One request about one object, and its answer.

        Raises:
            _RefusedError: the storage does not do it.
            ValueError: who answers is no storage.
        """
        headers = {**self._signer.headers(method, key, content), "accept-encoding": "identity"}
        if method == "PUT":
            headers["content-type"] = "application/json"
        url = URL(self._signer.url(key), encoded=True)
        async with self._connected().request(
            method, url, data=content or None, headers=headers, allow_redirects=False
        ) as response:
            if response.status >= 300:
                raise _RefusedError(response.status, _code_in(response.status, await _beginning_of(response)))
            yield response

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=self._tls or True),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _call(
        self, request: Callable[[], Awaitable[ResultT]], *, seconds: float | None = _REQUEST_SECONDS
    ) -> ResultT:
        now = self._clock()
        if self._failures:
            if now < self._quiet_until:
                raise StorageUnavailableError(_AWAY, retry_after_seconds=self._quiet_until - now)
            self._quiet_until = now + _PAUSES_SECONDS[-1]  # the others wait for what this one hears
        try:
            async with asyncio.timeout(seconds):
                result = await request()
        except _RefusedError as error:
            if (words := _words(error)) is not None:  # it answers, so the others may ask
                self._note_presence()
                raise StorageUnavailableError(words, retry_after_seconds=_PAUSES_SECONDS[-1]) from None
            raise self._note_absence() from None
        except (aiohttp.ClientError, MinioException, urllib3.exceptions.HTTPError, OSError, TimeoutError):
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


def _words(error: _RefusedError) -> str | None:
    """What the storage's answer means, in a sentence without a URL; None if it stands for an absence."""
    status, code = error.status, error.code
    if status >= 500 or status in _PASSING:
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


async def _beginning_of(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    while chunk := await response.content.read(_REFUSAL_BYTES - len(content)):  # of no more bytes: none
        content += chunk
    return bytes(content)


def _code_in(status: int, content: bytes) -> str:
    """S3's own word for why it refuses; a HEAD has no body and says none.

    A balancer before the storage may refuse too, with a page of its own. What is not found says by its page that no
    storage is there.

    Raises:
        SyntaxError: 404, and not S3's.
    """
    if not content.strip():
        return ""
    try:
        return ElementTree.fromstring(content).findtext("{*}Code") or ""  # noqa: S314 - our own storage's answer
    except (SyntaxError, ValueError):
        if status == _NOT_FOUND:
            raise
        return ""


def _refusal_of_client(error: Exception) -> Exception:
    """What the S3 client says of a refusal, as this module has it."""
    if isinstance(error, S3Error):
        return _RefusedError(error.response.status, error.code or "")
    status = error.status_code if isinstance(error, ServerError) else getattr(error, "_code", None)
    return _RefusedError(status) if isinstance(status, int) else error


def _known(time_: datetime | None) -> datetime:
    return time_ or datetime.min.replace(tzinfo=UTC)
