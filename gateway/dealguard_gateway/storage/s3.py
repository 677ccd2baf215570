"""Signed requests to the object storage, each bounded in time, and what its refusals mean in words.

The S3 SDK blocks, so only its signer is used: a request of this module ends at once when its task is cancelled, which
is what an upload needs whose client goes away.
"""

import asyncio
import hashlib
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

import aiohttp
from minio.credentials.credentials import Credentials
from minio.signer import sign_v4_s3
from yarl import URL

from dealguard_gateway.problems import UnavailableProblem
from dealguard_gateway.settings import GatewaySettings

_CONNECT_SECONDS, _READ_SECONDS = 2.0, 5.0
# For one request with what it carries; the answer's body may take longer, a read at a time.
_REQUEST_SECONDS = 20.0
# Enough for every upload, its readers and what is erased meanwhile.
_CONNECTIONS = 64
_SLICE_BYTES = 64 * 1024
_MAX_ERROR_BYTES = 64 * 1024
_SHA256_OF_NOTHING = hashlib.sha256(b"").hexdigest()

logger = logging.getLogger(__name__)


class RefusedError(Exception):
    """The storage answered, and said no.

    Args:
        status: HTTP status.
        code: S3's code, such as NoSuchKey; empty if it gave none.
    """

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"HTTP {status} {code}".strip())
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Content:
    """What a request carries, and its digest, which is part of the signature: the storage checks it."""

    data: bytes | bytearray = b""
    sha256: str = _SHA256_OF_NOTHING

    @classmethod
    def of(cls, data: bytes) -> "Content":
        """`data` with its digest."""
        return cls(data, hashlib.sha256(data).hexdigest())


class S3:
    """Requests to one bucket. Every failure is an `UnavailableProblem` or `RefusedError`.

    Args:
        settings: where the bucket is, and the credentials.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        endpoint = urlsplit(settings.s3_endpoint)
        self._origin = f"{endpoint.scheme}://{endpoint.netloc}"
        self._host = endpoint.netloc
        self.bucket = settings.s3_bucket
        self._region = settings.s3_region
        self._credentials = Credentials(settings.s3_access_key, settings.s3_secret_key.get_secret_value())
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Content | None = None,
        is_stream: bool = False,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to one request, its body unread; an empty key asks for the bucket.

        Args:
            method: of HTTP.
            key: of the object.
            query: parameters, not yet encoded.
            headers: more of them.
            content: what it carries.
            is_stream: whether somebody reads the answer at a pace of their own. Such have connections of their own:
                slow readers must not keep uploads waiting.

        Raises:
            RefusedError: the storage answered with a status from 300 on.
            UnavailableProblem: it did not answer in time, or not as S3 does.
        """
        with _words():
            url, signed = self._signed(method, key, query or {}, headers or {}, (content or Content()).sha256)
            response = await self._send(method, url, signed, content or Content(), is_stream=is_stream)
        async with response:
            yield response

    async def ask(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Content | None = None,
    ) -> tuple[bytes, Mapping[str, str]]:
        """The body and the headers of a small answer; raises as `open` does."""
        async with self.open(method, key, query=query, headers=headers, content=content) as response:
            with _words():
                async with asyncio.timeout(_REQUEST_SECONDS):
                    return await response.read(), response.headers

    async def _send(
        self, method: str, url: str, headers: dict[str, str], content: Content, *, is_stream: bool
    ) -> aiohttp.ClientResponse:
        async with asyncio.timeout(_REQUEST_SECONDS):
            response = await self._request(method, url, headers, content.data, is_stream=is_stream)
            if response.status < 300:
                return response
            async with response:
                body = await response.content.read(_MAX_ERROR_BYTES)
                raise RefusedError(response.status, _code_in(body))

    async def _request(
        self, method: str, url: str, headers: dict[str, str], data: bytes | bytearray, *, is_stream: bool
    ) -> aiohttp.ClientResponse:
        session = self._sessions.get(is_stream)
        if session is None:
            session = self._sessions[is_stream] = _new_session(0 if is_stream else _CONNECTIONS)
        target = URL(url, encoded=True)
        if data:
            headers = {**headers, "Content-Length": str(len(data))}
            return await session.request(method, target, headers=headers, data=_slices(data))
        try:
            return await session.request(method, target, headers=headers)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A kept connection to a storage that was restarted meanwhile: the next one is a new one.
            return await session.request(method, target, headers=headers)

    def _signed(
        self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str], sha256: str
    ) -> tuple[str, dict[str, str]]:
        now = datetime.now(UTC)
        path = quote(f"/{self.bucket}/{key}" if key else f"/{self.bucket}", safe="/~-._")
        pairs = sorted((quote(name, safe="~-._"), quote(value, safe="~-._")) for name, value in query.items())
        url = self._origin + path + ("?" + "&".join("=".join(pair) for pair in pairs) if pairs else "")
        signed = {
            **headers,
            "Host": self._host,
            "X-Amz-Date": now.strftime("%Y%m%dT%H%M%SZ"),
            "X-Amz-Content-Sha256": sha256,
        }
        sign_v4_s3(
            method=method,
            url=urlsplit(url),
            region=self._region,
            headers=signed,  # type: ignore[arg-type]  # it accepts texts
            credentials=self._credentials,
            content_sha256=sha256,
            date=now,
        )
        return url, signed


def _new_session(connections: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=ssl.create_default_context()),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS),
        # Bytes as they are stored.
        auto_decompress=False,
        skip_auto_headers=("Content-Type", "Accept-Encoding"),
        trust_env=False,
    )


async def _slices(data: bytes | bytearray) -> AsyncIterator[bytes]:
    """`data` in pieces, so that neither the loop nor the connection's buffer gets all of it at once."""
    for start in range(0, len(data), _SLICE_BYTES):
        yield bytes(data[start : start + _SLICE_BYTES])


class _words:  # noqa: N801 - reads as what it does
    """Turns what goes wrong on the way to the storage into a problem. No URL is in it: some carry signatures."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RefusedError) and (problem := _installation_problem(error)) is not None:
            logger.warning("The object storage refuses a request: %s.", error)
            raise problem from None
        if isinstance(error, (aiohttp.ClientError, OSError, TimeoutError)):
            logger.warning("The object storage does not answer: %s.", type(error).__name__)
            raise storage_away() from None


def storage_away() -> UnavailableProblem:
    """The storage is not there, or too slow."""
    return UnavailableProblem(
        "storage-unavailable",
        "The object storage does not answer. Nothing was changed by this request that repeating it does not mend: "
        "send it again in a few seconds.",
    )


def _installation_problem(error: RefusedError) -> UnavailableProblem | None:
    """What is wrong with the installation or the moment; None: an answer that the asker knows what to do with."""
    if error.code == "NoSuchBucket":
        detail = "The bucket does not exist: the installation's administrator must correct its name or create it."
    elif error.code == "RequestTimeTooSkewed":
        detail = "The storage refuses the gateway: their clocks differ too much. An administrator must correct them."
    elif error.status in (401, 403):
        detail = (
            f"The storage refuses the gateway (HTTP {error.status}): its access key must be allowed to list, read, "
            "write and remove objects of the bucket. Tell the installation's administrator."
        )
    elif error.status in (408, 429) or error.status >= 500:
        return storage_away()
    else:
        return None
    return UnavailableProblem("storage-unavailable", detail, retry_after_seconds=30)


def _code_in(body: bytes) -> str:
    try:
        return ET.fromstring(body).findtext("{*}Code") or "" if body else ""  # noqa: S314 - our own storage's answer
    except ET.ParseError:
        return ""
