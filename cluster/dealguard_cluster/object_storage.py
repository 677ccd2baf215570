"""The object storage of an instance: its generated credentials and its bucket."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dealguard_cluster.errors import ComponentUnhealthyError
from dealguard_cluster.layout import BUCKET, REGION

if TYPE_CHECKING:
    from dealguard_cluster.layout import Layout


def ensure_credentials(layout: Layout) -> None:
    """Generate the credentials unless they are there; only root can read them."""
    file = layout.storage_credentials
    if file.exists():
        return
    partial = file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(
        f"MINIO_ROOT_USER=dealguard-{secrets.token_hex(4)}\nMINIO_ROOT_PASSWORD={secrets.token_urlsafe(24)}\n"
    )
    partial.rename(file)


def credentials(layout: Layout) -> tuple[str, str]:
    """Access key and secret key."""
    lines = layout.storage_credentials.read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines)
    return values["MINIO_ROOT_USER"], values["MINIO_ROOT_PASSWORD"]


def ensure_bucket(layout: Layout) -> None:
    """Create the bucket unless it is there.

    Raises:
        ComponentUnhealthyError: MinIO answers, but refuses.
    """
    from minio import Minio  # noqa: PLC0415  (0.2 s that `status` and `kubeconfig` need not wait for)
    from minio.error import MinioException  # noqa: PLC0415

    access_key, secret_key = credentials(layout)
    address = urlsplit(layout.storage_url).netloc
    client = Minio(address, access_key=access_key, secret_key=secret_key, region=REGION, secure=False)
    try:
        if not client.bucket_exists(BUCKET):
            client.make_bucket(BUCKET, location=REGION)
    except MinioException as error:
        raise ComponentUnhealthyError(
            f"MinIO refused to create the bucket {BUCKET!r} ({type(error).__name__}); see {layout.log_of('minio')}."
        ) from error
