"""Signatures of requests to the object storage: equal to the S3 client's, for every provider's kind of address."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from minio.credentials.credentials import Credentials
from minio.signer import sign_v4_s3

from dealguard_operator.s3_signing import BucketSigner, storage_client
from tests.unit.operator_cases import settings

NOW = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)
ENDPOINTS = [
    "http://127.0.0.1:9000",
    "https://minio.storage.svc",
    "https://s3.amazonaws.com",
    "https://s3.eu-central-1.amazonaws.com",
    "https://oss-cn-hangzhou.aliyuncs.com",
]
KEYS = ["documents/acme/lease.pdf", "documents/acme/Büro & Lager (2).pdf", "a+b=c%20~x/100%.json", "x" * 900]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_presigned_url_is_the_clients(endpoint: str, key: str, method: str) -> None:
    access = settings(S3_ENDPOINT=endpoint)
    client = storage_client(access)
    expected = client.get_presigned_url(method, access.s3_bucket, key, expires=timedelta(seconds=420), request_date=NOW)
    assert BucketSigner(access, client).presign(method, key, valid_seconds=420, now=NOW) == expected


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("method", "content"), [("GET", b""), ("PUT", b'{"a": 1}')])
def test_a_requests_headers_are_the_clients(key: str, method: str, content: bytes) -> None:
    access = settings(S3_ENDPOINT=ENDPOINTS[0])
    signer = BucketSigner(access, storage_client(access))
    headers = signer.headers(method, key, content, now=NOW)
    unsigned: dict[str, str | list[str] | tuple[str]] = {**headers}
    del unsigned["authorization"]
    expected = sign_v4_s3(
        method=method,
        url=urlsplit(signer.url(key)),
        region=access.s3_region,
        headers=unsigned,
        credentials=Credentials(access.s3_access_key, access.s3_secret_key.get_secret_value()),
        content_sha256=headers["x-amz-content-sha256"],
        date=NOW,
    )
    assert headers["authorization"] == expected["Authorization"]


def test_the_next_day_has_another_key() -> None:
    access = settings(S3_ENDPOINT=ENDPOINTS[0])
    client = storage_client(access)
    signer = BucketSigner(access, client)
    for now in (NOW, NOW + timedelta(seconds=1)):
        expected = client.get_presigned_url(
            "GET", access.s3_bucket, KEYS[0], expires=timedelta(seconds=60), request_date=now
        )
        assert signer.presign("GET", KEYS[0], valid_seconds=60, now=now) == expected
