"""Object storage as the pod sees it: presigned URLs, nothing else.

A URL carries its own permission, so no message, log line or exception that leaves this module contains one.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path
from typing import Self, TypeVar

import httpx2

from dealguard_analyzer.containers.log import log
from dealguard_analyzer.containers.storage_clock import StorageClock
from dealguard_analyzer.errors import AnalysisError, DocumentError, PassingError
from dealguard_analyzer.reading.file_checks import too_large
from dealguard_api.exit_codes import ExitCode

ResultT = TypeVar("ResultT")

# A storage that is restarting is back within seconds. What takes longer is for the next attempt of the Job, which
# repeats for free all but what was paid for: that is tried on, with the last of these pauses, until the deadline.
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
# A container ends itself a second before the deadline: by then it has to have said that the storage was why.
_RESERVE_SECONDS = 2.0
# Per read, not for the whole transfer: the container's deadline bounds that.
_TIMEOUT_SECONDS = 10.0
# The last try's, just before the deadline.
_LEAST_TIMEOUT_SECONDS = 0.5
_CHUNK_BYTES = 1 << 20
# A report has some hundred kilobytes; beyond this it is not one.
_MAX_REPORT_BYTES = 64 * 1024 * 1024
# An error of S3 is a short XML document.
_MAX_ERROR_BYTES = 4096
_PASSING_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Download:
    """A file as it arrived."""

    size_bytes: int
    sha256: str


class _TryAgain(Exception):  # noqa: N818 - internal signal
    """This try failed in a way that may pass; `args[0]` says how, in words without a URL."""


class PresignedStorage:
    """Transfers by presigned URL; as a context manager it closes its connections.

    Args:
        pauses_seconds: between tries; one more try than pauses, but for what is tried until a deadline.
        timeout_seconds: of each read and write; connecting may take half of it.

    Attributes:
        clock: put right by the answers.
    """

    def __init__(
        self, pauses_seconds: tuple[float, ...] = _PAUSES_SECONDS, timeout_seconds: float = _TIMEOUT_SECONDS
    ) -> None:
        self._pauses_seconds = pauses_seconds
        self._timeout_seconds = timeout_seconds
        self.clock = StorageClock()

    @cached_property
    def _client(self) -> httpx2.Client:
        # identity: the digest is of the stored bytes. No redirects: a presigned URL is valid for its own host only.
        headers = {"Accept-Encoding": "identity"}
        return httpx2.Client(
            timeout=_timeout(self._timeout_seconds),
            headers=headers,
            follow_redirects=False,
            event_hooks={"response": [lambda response: self.clock.answered(response.headers.get("Date"))]},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def download(self, url: str, path: Path, max_bytes: int) -> Download:
        """Store the document under `path`.

        Raises:
            DocumentError: there is none, or it is larger than `max_bytes`.
            PassingError: the storage does not deliver it now.
        """
        return self._persist(lambda: self._download(url, path, max_bytes))

    def get(self, url: str) -> bytes | None:
        """A stored report or checkpoint; None if there is none.

        Raises:
            PassingError: the storage does not say now.
        """
        return self._persist(lambda: self._get(url))

    def put_report(self, url: str, report: bytes, deadline: datetime) -> bool:
        """Store a report unless there is one already; whether it was stored. Tried until shortly before `deadline`.

        Raises:
            PassingError: the storage did not take it in time, or refuses it.
        """
        return self._put_until(deadline, url, report, {"If-None-Match": "*"})

    def replace(self, url: str, data: bytes, deadline: datetime | None = None) -> None:
        """Store `data` in place of what is there.

        Args:
            url: where.
            data: what.
            deadline: shortly before it the last try is made; None: tried twice only, the work goes on without it.

        Raises:
            PassingError: the storage did not take it in time, or refuses it.
        """
        if deadline is not None:
            self._put_until(deadline, url, data, {})
        else:
            self._persist(lambda: self._put(url, data, {}, self._timeout_seconds), self._pauses_seconds[:1])

    def remove(self, url: str) -> None:
        """Remove what is there; nothing is fine too. Tried once only: the work is done.

        Raises:
            PassingError: the storage does not remove it now.
        """
        self._persist(lambda: self._remove(url), ())

    def _put_until(self, deadline: datetime, url: str, data: bytes, condition: dict[str, str]) -> bool:
        def put_once() -> bool:
            seconds = max(_LEAST_TIMEOUT_SECONDS, min(self._timeout_seconds, self._seconds_left(deadline)))
            return self._put(url, data, condition, seconds)

        return self._persist(put_once, self._pauses_until(deadline))

    def _pauses_until(self, deadline: datetime) -> Iterator[float]:
        log("what was made waits for the object storage")
        pauses = chain(self._pauses_seconds, repeat(self._pauses_seconds[-1]))
        while (seconds_left := self._seconds_left(deadline)) > 0:
            yield min(next(pauses), seconds_left)

    def _seconds_left(self, deadline: datetime) -> float:
        return self.clock.seconds_until(deadline) - _RESERVE_SECONDS

    def _persist(self, try_once: Callable[[], ResultT], pauses_seconds: Iterable[float] | None = None) -> ResultT:
        pauses = iter(self._pauses_seconds if pauses_seconds is None else pauses_seconds)
        while True:
            try:
                return try_once()
            except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
                detail = "A presigned URL in the Job's Secret is not one."
                raise AnalysisError(ExitCode.INTERNAL_ERROR, detail) from None
            except (_TryAgain, httpx2.TransportError) as error:
                what = error.args[0] if isinstance(error, _TryAgain) else type(error).__name__
                pause_seconds = next(pauses, None)
                if pause_seconds is None:
                    raise _unavailable(f"The object storage did not do its part ({what}).") from None
                time.sleep(pause_seconds)

    def _download(self, url: str, path: Path, max_bytes: int) -> Download:
        with self._client.stream("GET", url) as response:
            if _is_missing(response):
                raise DocumentError(ExitCode.DOCUMENT_NOT_FOUND)
            _check_status(response)
            announced = int(response.headers.get("Content-Length", "0"))
            if announced > max_bytes:
                raise too_large(announced, max_bytes)
            digest, size_bytes = hashlib.sha256(), 0
            with path.open("wb") as file:
                for chunk in response.iter_raw(_CHUNK_BYTES):
                    size_bytes += len(chunk)
                    if size_bytes > max_bytes:
                        raise too_large(size_bytes, max_bytes)
                    digest.update(chunk)
                    file.write(chunk)
        return Download(size_bytes, digest.hexdigest())

    def _get(self, url: str) -> bytes | None:
        with self._client.stream("GET", url) as response:
            if _is_missing(response):
                return None
            _check_status(response)
            data = bytearray()
            for chunk in response.iter_raw(_CHUNK_BYTES):
                data += chunk
                if len(data) > _MAX_REPORT_BYTES:
                    raise _unavailable("What is stored as this run's report or checkpoint is far too large for one.")
        return bytes(data)

    def _put(self, url: str, data: bytes, condition: dict[str, str], timeout_seconds: float) -> bool:
        """Whether `condition` held and `data` is stored."""
        headers = {"Content-Type": "application/json", **condition}
        timeout = _timeout(timeout_seconds)
        with self._client.stream("PUT", url, content=data, headers=headers, timeout=timeout) as response:
            if response.status_code == httpx2.codes.PRECONDITION_FAILED:
                return False
            _is_missing(response)
            _check_status(response)
        return True

    def _remove(self, url: str) -> None:
        with self._client.stream("DELETE", url) as response:
            if not _is_missing(response):
                _check_status(response)


def _timeout(seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(seconds, connect=seconds / 2)


def _is_missing(response: httpx2.Response) -> bool:
    """Whether the object is not there; that its whole bucket is not is the installation's fault, not the document's."""
    if response.status_code != httpx2.codes.NOT_FOUND:
        return False
    start = next(response.iter_raw(_MAX_ERROR_BYTES), b"")
    if b"<Code>NoSuchBucket</Code>" in start:
        raise _unavailable("The bucket does not exist in the object storage: correct the installation's bucket name.")
    return True


def _check_status(response: httpx2.Response) -> None:
    """Tell success from what may pass by itself within seconds, and that from what will not."""
    status = response.status_code
    if status in (httpx2.codes.OK, httpx2.codes.NO_CONTENT):
        return
    if status in _PASSING_STATUSES:
        raise _TryAgain(f"HTTP {status}")
    if status == httpx2.codes.FORBIDDEN:
        raise _unavailable(
            "The object storage refused the presigned URL (HTTP 403): it has expired, or the operator's storage "
            "account may not do what the URL asks for."
        )
    raise _unavailable(f"The object storage gave an unexpected answer (HTTP {status}).")


def _unavailable(detail: str) -> PassingError:
    return PassingError(ExitCode.STORAGE_UNAVAILABLE, detail)
