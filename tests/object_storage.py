"""A real MinIO on a port of its own, without a cluster: what tests of the storage's side talk to."""

import io
import os
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
from minio import Minio

from dealguard_cluster.binaries import MINIO, build_one
from dealguard_cluster.console import Console
from dealguard_cluster.layout import cache_root

REGION = "us-east-1"


@dataclass
class ObjectStorage:
    """One MinIO with one bucket, which the test can stop, suspend and start again."""

    program: Path
    folder: Path
    port: int
    bucket: str = "dealguard"
    access_key: str = "dealguard"
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a component that uses it."""
        return {
            "DEALGUARD_S3_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "DEALGUARD_S3_ACCESS_KEY": self.access_key,
            "DEALGUARD_S3_SECRET_KEY": self.secret_key,
            "DEALGUARD_S3_BUCKET": self.bucket,
        }

    @property
    def client(self) -> Minio:
        """Its administrator's client."""
        return Minio(
            f"127.0.0.1:{self.port}",
            access_key=self.access_key,
            secret_key=self.secret_key,
            region=REGION,
            secure=False,
            # While it starts on a busy machine it is ready and refuses all the same, with a Retry-After of a minute.
            http_client=urllib3.PoolManager(
                retries=urllib3.Retry(
                    total=20,
                    backoff_factor=0.1,
                    backoff_max=1,
                    status_forcelist=[500, 502, 503, 504],
                    respect_retry_after_header=False,
                )
            ),
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        credentials = {"MINIO_ROOT_USER": self.access_key, "MINIO_ROOT_PASSWORD": self.secret_key}
        self._process = subprocess.Popen(
            [self.program, "server", "--quiet", f"--address=127.0.0.1:{self.port}", self.folder / "data"],
            env={**os.environ, **credentials, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 30
        while True:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/minio/health/ready"):
                return
            assert time.monotonic() < end, "MinIO did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """It is away from now on; what it stored stays."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def suspend(self) -> None:
        """It takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def put(self, key: str, content: bytes) -> None:
        """Store an object."""
        self.client.put_object(self.bucket, key, io.BytesIO(content), len(content))

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin so."""
        return [item.object_name or "" for item in self.client.list_objects(self.bucket, prefix, recursive=True)]

    def unfinished(self) -> list[Path]:
        """What uploads in parts have left on the disk. (MinIO lists them only for an exact key.)"""
        folder = self.folder / "data" / ".minio.sys" / "multipart"
        # `walk` passes over folders that MinIO removes meanwhile.
        return [
            Path(place, name)
            for place, _, files in os.walk(folder)
            for name in files
            if re.fullmatch(r"xl\.meta|part\.\d+.*", name)
        ]


@contextmanager
def running_object_storage() -> Iterator[ObjectStorage]:
    """A MinIO with an empty bucket, until the block ends; its program is built if it is not there."""
    program = build_one(MINIO, cache_root(), Console()) / "minio"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        storage = ObjectStorage(program, Path(folder), port)
        storage.start()
        try:
            storage.client.make_bucket(storage.bucket)
            yield storage
        finally:
            storage.stop()
