"""Signature version 4 for one bucket: presigned URLs, and the headers of a request.

The S3 client signs too, at some 0.3 ms a URL, six of which each run needs: it derives the day's key and takes the URL
apart anew each time. Where the bucket is, the client says (each provider has its own rules).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote, urlsplit

import urllib3
from minio import Minio
from pydantic import SecretStr

_ALGORITHM = "AWS4-HMAC-SHA256"
_ANY_KEY = "key"


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


def storage_client(access: StorageAccess, *, connections: urllib3.PoolManager | None = None) -> Minio:
    """The S3 client. It makes no request here.

    Args:
        access: where and how.
        connections: what it asks over; its own if there is none.
    """
    endpoint = urlsplit(access.s3_endpoint)
    return Minio(
        endpoint.netloc,
        access_key=access.s3_access_key,
        secret_key=access.s3_secret_key.get_secret_value(),
        secure=endpoint.scheme == "https",
        region=access.s3_region,  # without it, the client would ask the storage
        http_client=connections,
    )


@dataclass(frozen=True)
class _Moment:
    """A time as signatures have it."""

    timestamp: str
    scope: str  # day, region and service
    key: bytes  # the day's


class BucketSigner:
    """Signs requests about the objects of one bucket.

    Args:
        access: where the bucket is, and the credentials.
        client: of that storage; it is asked for the bucket's address and makes no request.
    """

    def __init__(self, access: StorageAccess, client: Minio) -> None:
        address = urlsplit(client.get_presigned_url("GET", access.s3_bucket, _ANY_KEY))
        self._scheme, self._host = address.scheme, address.netloc
        self._folder = address.path.removesuffix(_ANY_KEY)
        self._access_key = access.s3_access_key
        self._secret_key = access.s3_secret_key
        self._region = access.s3_region
        self._day, self._day_key = "", b""

    def url(self, key: str) -> str:
        """The URL of an object, without a signature."""
        return f"{self._scheme}://{self._host}{self._path(key)}"

    def presign(self, method: str, key: str, *, valid_seconds: int, now: datetime | None = None) -> str:
        """A URL that allows one method on one object.

        Args:
            method: of HTTP.
            key: the object's.
            valid_seconds: from now on; at most a week.
            now: the time, in UTC.
        """
        moment, path = self._moment(now), self._path(key)
        query = (
            f"X-Amz-Algorithm={_ALGORITHM}"
            f"&X-Amz-Credential={quote(f'{self._access_key}/{moment.scope}', safe='')}"
            f"&X-Amz-Date={moment.timestamp}&X-Amz-Expires={valid_seconds}&X-Amz-SignedHeaders=host"
        )
        request = f"{method}\n{path}\n{query}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
        return f"{self._scheme}://{self._host}{path}?{query}&X-Amz-Signature={_signature(moment, request)}"

    def headers(self, method: str, key: str, content: bytes = b"", *, now: datetime | None = None) -> Mapping[str, str]:
        """The headers of a request about one object.

        Args:
            method: of HTTP.
            key: the object's.
            content: the request's body.
            now: the time, in UTC.
        """
        moment, digest = self._moment(now), hashlib.sha256(content).hexdigest()
        signed = {"host": self._host, "x-amz-content-sha256": digest, "x-amz-date": moment.timestamp}
        names = ";".join(signed)
        lines = "\n".join(f"{name}:{value}" for name, value in signed.items())
        request = f"{method}\n{self._path(key)}\n\n{lines}\n\n{names}\n{digest}"
        credential = f"{self._access_key}/{moment.scope}"
        signature = _signature(moment, request)
        authorization = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return {**signed, "authorization": authorization}

    def _path(self, key: str) -> str:
        return self._folder + quote(key)

    def _moment(self, now: datetime | None) -> _Moment:
        timestamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        day = timestamp[:8]
        if day != self._day:
            key = f"AWS4{self._secret_key.get_secret_value()}".encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day, self._day_key = day, key
        return _Moment(timestamp, f"{day}/{self._region}/s3/aws4_request", self._day_key)


def _signature(moment: _Moment, canonical_request: str) -> str:
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    to_sign = f"{_ALGORITHM}\n{moment.timestamp}\n{moment.scope}\n{digest}"
    return hmac.digest(moment.key, to_sign.encode(), "sha256").hex()
