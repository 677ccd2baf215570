"""The object storage, as the command line uses it: put a document, get a report."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from minio.helpers import check_bucket_name

from dealguard_cli.document_file import DocumentFile
from dealguard_cli.errors import CliReason, NotFoundError, UnavailableError

ENDPOINT = "DEALGUARD_S3_ENDPOINT"
ACCESS_KEY = "DEALGUARD_S3_ACCESS_KEY"
SECRET_KEY = "DEALGUARD_S3_SECRET_KEY"  # noqa: S105 - the name of a variable
BUCKET = "DEALGUARD_S3_BUCKET"
REGION = "DEALGUARD_S3_REGION"

_WHAT_TO_SET = {
    ENDPOINT: "the storage's URL, such as https://minio.example.com:9000",
    ACCESS_KEY: "its access key",
    SECRET_KEY: "its secret key",
    BUCKET: "the installation's bucket, such as dealguard",
}

# AWS's and MinIO's own default; naming one spares a request for it.
_DEFAULT_REGION = "us-east-1"

# A report quotes what it found: the largest seen has 2 MB.
MAX_REPORT_BYTES = 64 * 1024 * 1024

_FORBIDDEN_CODES = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled")


@dataclass(frozen=True)
class StorageSettings:
    """Where the storage is and how to get in."""

    host: str
    secure: bool
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    bucket: str
    region: str = _DEFAULT_REGION

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings in `DEALGUARD_S3_…`.

        Raises:
            UnavailableError: something is missing or malformed; the message says what to set.
        """
        if missing := [name for name in _WHAT_TO_SET if not environment.get(name)]:
            wanted = "\n".join(f"  {name}: {_WHAT_TO_SET[name]}" for name in missing)
            raise UnavailableError(
                CliReason.STORAGE_NOT_CONFIGURED,
                f"The object storage is not configured. Set in the environment:\n{wanted}",
            )
        url = _endpoint(environment[ENDPOINT])
        with _refused_value(BUCKET):
            check_bucket_name(environment[BUCKET])
        return cls(
            host=url.netloc,
            secure=url.scheme == "https",
            access_key=environment[ACCESS_KEY],
            secret_key=environment[SECRET_KEY],
            bucket=environment[BUCKET],
            region=environment.get(REGION) or _DEFAULT_REGION,
        )


class DocumentStore:
    """The installation's bucket."""

    def __init__(self, settings: StorageSettings) -> None:
        self._settings = settings
        # The endpoint was checked with the settings, but for hosts of AWS; the region was not.
        with _refused_value(f"{ENDPOINT} or {REGION}"):
            self._client = Minio(
                settings.host,
                access_key=settings.access_key,
                secret_key=settings.secret_key,
                secure=settings.secure,
                region=settings.region,
                http_client=_http_client(),
            )

    def upload(self, document: DocumentFile, key: str, on_bytes: Callable[[int], None]) -> None:
        """Store the file under `key`; `on_bytes` is told the size of each part that is sent.

        Raises:
            UnavailableError: the storage is away or refuses.
        """
        with self._errors_as_sentences():
            self._client.fput_object(
                self._settings.bucket,
                key,
                str(document.path),
                content_type="application/pdf",
                progress=_UploadProgress(on_bytes),
            )

    def download_report(self, key: str) -> bytes:
        """The stored report's bytes.

        Raises:
            NotFoundError: nothing is stored under `key`.
            UnavailableError: the storage is away, refuses, or holds something too large to be a report.
        """
        with self._errors_as_sentences():
            response = self._client.get_object(self._settings.bucket, key)
            try:
                content = response.read(MAX_REPORT_BYTES + 1)
            finally:
                response.close()
                response.release_conn()
        if len(content) > MAX_REPORT_BYTES:
            raise UnavailableError(
                CliReason.REPORT_ALTERED,
                f"What is stored as the report has more than {MAX_REPORT_BYTES} bytes: it is not a report. "
                "Run the analysis again: set spec.runToken to a new value.",
            )
        return content

    @contextmanager
    def _errors_as_sentences(self) -> Iterator[None]:
        where = f"{'https' if self._settings.secure else 'http'}://{self._settings.host}"
        try:
            yield
        except S3Error as error:
            raise _s3_error(error, where, self._settings.bucket) from error
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise UnavailableError(
                CliReason.STORAGE_UNAVAILABLE,
                f"The object storage at {where} does not answer. Check {ENDPOINT} and that the storage is running.",
            ) from error


def _endpoint(text: str) -> SplitResult:
    """The URL of the storage. No message repeats it: it may hold a password."""
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # brackets that do not match, a port that is no number
        usable = False
    if not usable or url.path.strip("/") or url.query or url.fragment:
        raise UnavailableError(
            CliReason.STORAGE_NOT_CONFIGURED,
            f"{ENDPOINT} must be a URL without a path. Set it to {_WHAT_TO_SET[ENDPOINT]}.",
        )
    if "@" in url.netloc:
        raise UnavailableError(
            CliReason.STORAGE_NOT_CONFIGURED,
            f"{ENDPOINT} must not hold a user name or password. Set {ACCESS_KEY} and {SECRET_KEY} instead.",
        )
    return url


@contextmanager
def _refused_value(variable: str) -> Iterator[None]:
    """The SDK's refusal of a value, as a sentence that names the variable it came from."""
    try:
        yield
    except ValueError as error:
        raise UnavailableError(
            CliReason.STORAGE_NOT_CONFIGURED, f"{variable} cannot be used: {error}. Correct it in the environment."
        ) from error


class _UploadProgress:
    """Minio's progress protocol: it tells the sizes of the parts, in bytes."""

    def __init__(self, on_bytes: Callable[[int], None]) -> None:
        self._on_bytes = on_bytes

    def set_meta(self, object_name: str, total_length: int) -> None:
        """The caller knows the size."""

    def update(self, length: int) -> None:
        self._on_bytes(length)


def _http_client() -> urllib3.PoolManager:
    # The SDK's own waits five minutes for a connection, six times.
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=5, read=60),
        retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
    )


def _s3_error(error: S3Error, where: str, bucket: str) -> NotFoundError | UnavailableError:
    if error.code == "NoSuchKey":
        return NotFoundError(
            CliReason.REPORT_NOT_FOUND,
            "The report is no longer in the object storage. Set spec.runToken to a new value to make it again.",
        )
    if error.code == "NoSuchBucket":
        return UnavailableError(
            CliReason.STORAGE_NOT_CONFIGURED,
            f"The object storage at {where} has no bucket {bucket!r}. Set {BUCKET} to the installation's bucket.",
        )
    if error.code == "AuthorizationHeaderMalformed":
        return UnavailableError(
            CliReason.STORAGE_NOT_CONFIGURED,
            f"The object storage at {where} is in another region ({error.code}). Set {REGION} to its region.",
        )
    if error.code in _FORBIDDEN_CODES:
        return UnavailableError(
            CliReason.STORAGE_FORBIDDEN,
            f"The object storage at {where} refuses access ({error.code}). Check {ACCESS_KEY} and {SECRET_KEY}, and "
            f"what they may do in bucket {bucket!r}.",
        )
    return UnavailableError(
        CliReason.STORAGE_UNAVAILABLE, f"The object storage at {where} answers {error.code}. Try again later."
    )
