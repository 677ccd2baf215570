"""Presigned URLs for one run: all that an analysis pod gets of the object storage.

Signing is arithmetic over the credentials: no request is made, so the storage may be down while Jobs are created.
"""

from dataclasses import dataclass

from dealguard_operator.s3_signing import BucketSigner, storage_client
from dealguard_operator.settings import OperatorSettings

# After the Job's deadline: the clocks of storage, operator and API server may differ by a minute.
_MARGIN_SECONDS = 120
# Signature version 4 allows no more.
_MAX_VALID_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class RunUrls:
    """The URLs of one run. They carry signatures: never to be logged."""

    document_get: str
    report_get: str
    report_put: str
    checkpoint_get: str
    checkpoint_put: str
    checkpoint_delete: str

    def __repr__(self) -> str:
        return "RunUrls(...)"


class Presigner:
    """Signs URLs with the installation's storage credentials."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._signer = BucketSigner(settings, storage_client(settings))

    def urls_for(self, document_key: str, report_key: str, checkpoint_key: str, *, valid_seconds: float) -> RunUrls:
        """URLs for one document, one report and one checkpoint.

        Args:
            document_key: key of the PDF in the bucket.
            report_key: key of the report in the bucket.
            checkpoint_key: key of what the run has paid for so far; its attempts read, replace and remove it.
            valid_seconds: time until the Job's deadline; the URLs are valid a little longer.
        """
        seconds = round(min(max(valid_seconds, 0) + _MARGIN_SECONDS, _MAX_VALID_SECONDS))

        def sign(method: str, key: str) -> str:
            return self._signer.presign(method, key, valid_seconds=seconds)

        return RunUrls(
            document_get=sign("GET", document_key),
            report_get=sign("GET", report_key),
            report_put=sign("PUT", report_key),
            checkpoint_get=sign("GET", checkpoint_key),
            checkpoint_put=sign("PUT", checkpoint_key),
            checkpoint_delete=sign("DELETE", checkpoint_key),
        )
