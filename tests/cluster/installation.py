"""DealGuard as a platform team installs it: the chart, by the script of `make deploy`, and the command line."""

import io
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from minio import Minio

from dealguard_cluster import Cluster
from tests.cluster.tools import Kubectl, wait_for

REPOSITORY = Path(__file__).resolve().parent.parent.parent
NAMESPACE = "dealguard-system"  # the default of `make deploy`
CLAUDE_PORT = 18080  # on the host's end of the cluster's link, which no other program listens on
MAX_PDF_BYTES = 2_000_000
MAX_PAGES = 50


@dataclass(frozen=True)
class Installation:
    """One release of the chart in the test cluster.

    Args:
        gateway_port: the node's port of the gateway and its page; None: they are not installed.
    """

    cluster: Cluster
    kubectl: Kubectl
    images: dict[str, str]
    claude_port: int = CLAUDE_PORT
    gateway_port: int | None = None

    @property
    def page_url(self) -> str:
        """The page, by the Service in front of all replicas of the gateway."""
        return f"http://{self.cluster.layout.node_address}:{self.gateway_port}"

    @property
    def cluster_host_address(self) -> str:
        """The address on this machine that pods can reach."""
        return self._environment["DEALGUARD_CLUSTER_HOST_IP"]

    @property
    def storage_secret_key(self) -> str:
        """The object storage's secret key, to look for where it must not be."""
        return self._environment["DEALGUARD_S3_SECRET_KEY"]

    @cached_property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.cluster.environment()}

    @cached_property
    def _storage(self) -> Minio:
        environment = self._environment
        return Minio(
            urlsplit(environment["DEALGUARD_S3_ENDPOINT"]).netloc,
            access_key=environment["DEALGUARD_S3_ACCESS_KEY"],
            secret_key=environment["DEALGUARD_S3_SECRET_KEY"],
            region=environment["DEALGUARD_S3_REGION"],
            secure=False,
        )

    def install(self, more: Mapping[str, str] = MappingProxyType({})) -> None:
        """Install or upgrade the chart, and wait until the operator is available.

        Args:
            more: values over the usual ones.
        """
        settings: dict[str, object] = {
            "analyzer.maxPdfBytes": MAX_PDF_BYTES,
            "analyzer.maxPages": MAX_PAGES,
            "sweep.enabled": "true",
            "claude.baseURL": f"http://{self.cluster_host_address}:{self.claude_port}",
        }
        if self.gateway_port is not None:
            settings |= {
                "gateway.service.type": "NodePort",
                "gateway.service.nodePort": self.gateway_port,
                "gateway.tokenLogin": "true",
                "gateway.session.insecureCookies": "true",  # there is no TLS
            }
        settings |= more
        # A test before this one may have applied the definition with kubectl.
        arguments = ["--take-ownership", *(f"--set={name}={value}" for name, value in settings.items())]
        self._deploy(HELM_ARGS=" ".join(arguments))

    def uninstall(self) -> None:
        """Uninstall the chart; the definition and the analyses stay."""
        self._deploy("--uninstall")

    def _deploy(self, *arguments: str, **more: str) -> None:
        environment = {
            **self._environment,
            **more,
            "OPERATOR_IMAGE": self.images["operator"],
            "ANALYZER_IMAGE": self.images["analyzer"],
            **({"GATEWAY_IMAGE": self.images["gateway"]} if self.gateway_port is not None else {}),
        }
        done = subprocess.run(
            [REPOSITORY / "scripts" / "deploy", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def dealguard(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as a script would; the caller looks at the exit code."""
        return subprocess.run(
            [Path(sys.executable).with_name("dealguard"), *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def put_object(self, key: str, content: bytes) -> None:
        """Put an object into the bucket without the command line's own checks."""
        bucket = self._environment["DEALGUARD_S3_BUCKET"]
        self._storage.put_object(bucket, key, io.BytesIO(content), len(content))

    def run_in_image(self, part: str, *arguments: str) -> str:
        """Run `python3 …` in a pod of that part's image and return what it printed."""
        name = f"probe-{uuid.uuid4().hex[:8]}"
        self.kubectl.check(
            *("run", name, f"--image={self.images[part]}", "--restart=Never", "--command", "--", "python3", *arguments)
        )
        try:
            wait_for(
                "the probe to end",
                lambda: self.kubectl.get("pod", name, "default")["status"]["phase"] in ("Succeeded", "Failed"),
            )
            return self.kubectl.check("logs", name)
        finally:
            self.kubectl.check("delete", "pod", name, "--wait=false")
