"""The gateway as a process of its own, on the real API server and the real object storage, and three users of it.

`own` may do everything to the analyses of the first namespace, `other` to those of the second, `nobody` nothing; all
three are service accounts. The gateway runs with an account that may do what the chart's may, and no more.
"""

import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography.fernet import Fernet

from dealguard_api import names
from dealguard_cluster import Cluster
from tests.cluster.tools import Kubectl, analysis_manifest, wait_for
from tests.object_storage import ObjectStorage

# What the chart gives the gateway.
GATEWAY_RULES = [
    {"apiGroups": [names.GROUP], "resources": [names.PLURAL], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
    {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
]
PDF = b"%PDF-1.7\n"
EDITOR_VERBS = ["get", "list", "watch", "create", "patch", "delete"]
# Any: the tests' own sessions.
SESSION_KEY = Fernet.generate_key().decode()


@dataclass(frozen=True)
class User:
    """A service account, as its client."""

    username: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """Of every request of theirs."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Tenants:
    """Two organizations and three users."""

    kubectl: Kubectl
    namespace: str
    other_namespace: str
    own: User
    other: User
    nobody: User

    def create(self, name: str, *, namespace: str = "", annotations: dict[str, str] | None = None, **spec: Any) -> str:
        """Create an analysis as an administrator would; the contract's id."""
        namespace = namespace or self.namespace
        manifest = analysis_manifest(namespace, name, **{"engine": "rules", **spec})
        manifest["metadata"]["annotations"] = annotations or {}
        self.kubectl.apply(manifest)
        return f"{namespace}.{name}"

    def write_status(self, id: str, **status: Any) -> str:  # noqa: A002
        """Write fields of the status, as the operator would; the resource version after it."""
        namespace, _, name = id.partition(".")
        written = self.kubectl.check(
            "-n", namespace, "patch", "ca", name, "--subresource=status", "--type=merge",
            "-p", json.dumps({"status": status}), "-o", "jsonpath={.metadata.resourceVersion}",
        )  # fmt: skip
        return written.strip()

    def delete(self, id: str) -> None:  # noqa: A002
        """Delete the resource."""
        namespace, _, name = id.partition(".")
        self.kubectl.check("-n", namespace, "delete", "ca", name)

    def get(self, id: str) -> dict[str, Any]:  # noqa: A002
        """The resource."""
        namespace, _, name = id.partition(".")
        return self.kubectl.get("ca", name, namespace)


@dataclass
class Gateway:
    """A gateway that runs."""

    process: subprocess.Popen[bytes]
    port: int
    health_port: int
    log_file: Path

    @property
    def url(self) -> str:
        """Of the API and the page."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def health_url(self) -> str:
        """Of the probes and metrics."""
        return f"http://127.0.0.1:{self.health_port}"

    @property
    def log(self) -> str:
        """What it has logged."""
        return self.log_file.read_text()

    def client(self, user: User | None = None, **options: Any) -> httpx.Client:
        """A client of its API; the caller closes it."""
        headers = {**(user.headers if user else {}), **options.pop("headers", {})}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, **options)

    def is_ready(self) -> bool:
        """Whether its probe says so."""
        try:
            return httpx.get(f"{self.health_url}/readyz", trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        lines = httpx.get(f"{self.health_url}/metrics", trust_env=False).text.splitlines()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        samples = [line for line in lines if line.replace("{", " ").split(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in samples if all(label in line for label in wanted))

    def stop(self) -> int:
        """End it as Kubernetes would; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def storage_environment(cluster: Cluster) -> dict[str, str]:
    """The variables that name the test cluster's object storage."""
    return {key: value for key, value in cluster.environment().items() if key.startswith("DEALGUARD_S3_")}


@contextmanager
def running_gateway(
    cluster: Cluster,
    kubeconfig: Path,
    folder: Path,
    *,
    wait_ready: bool = True,
    **settings: str,
) -> Iterator[Gateway]:
    """A gateway, until the block ends.

    Args:
        cluster: whose object storage it uses.
        kubeconfig: its way to the API server and its account.
        folder: for its log.
        wait_ready: whether to wait until it has read the analyses.
        settings: more settings, by their names in `GatewaySettings`.
    """
    port, health_port = int(settings.pop("port", free_port())), free_port()
    own = {
        "host": "127.0.0.1",
        "port": str(port),
        "health_port": str(health_port),
        "session_keys": SESSION_KEY,
        "token_login": "true",
        "insecure_cookies": "true",
        "requests_per_second": "10000",
        "uploads_per_minute": "100000",
        **settings,
    }
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("DEALGUARD_")},
        **storage_environment(cluster),
        **{f"DEALGUARD_{name.upper()}": value for name, value in own.items()},
        "KUBECONFIG": str(kubeconfig),
    }
    log_file = folder / f"gateway-{port}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "dealguard_gateway"], env=environment, stdout=log, stderr=log)
    gateway = Gateway(process, port, health_port, log_file)
    try:
        if wait_ready:
            _wait_ready(gateway)
        yield gateway
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(gateway: Gateway) -> None:
    end = time.monotonic() + 120  # its imports alone take seconds where much else runs
    while not gateway.is_ready():
        assert gateway.process.poll() is None and time.monotonic() < end, f"the gateway is not ready: {gateway.log}"
        time.sleep(0.05)


def log_in_at_issuer(
    browser: httpx.Client, path: str = "/session/oidc/start", authority: Path | None = None
) -> httpx.Response:
    """Go where a browser would go from `path`, to the issuer and back; the last redirect's answer.

    Args:
        authority: whose certificate the issuer has, where it has one.
    """
    to_issuer = browser.get(path)
    assert to_issuer.status_code == 303, to_issuer.text
    tls = ssl.create_default_context(cafile=authority) if authority else False
    at_issuer = httpx.get(to_issuer.headers["location"], trust_env=False, verify=tls)
    return browser.get(at_issuer.headers["location"])


def account_kubeconfig(cluster: Cluster, path: Path, token: str) -> Path:
    """A kubeconfig of a token's account."""
    given = yaml.safe_load(Path(cluster.kubeconfig).read_text())["clusters"][0]["cluster"]
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "account",
        "clusters": [{"name": "account", "cluster": given}],
        "users": [{"name": "account", "user": {"token": token}}],
        "contexts": [{"name": "account", "context": {"cluster": "account", "user": "account"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def make_account(kubectl: Kubectl, namespace: str, name: str, verbs: list[str] | None = None) -> User:
    """A service account that may do `verbs` to the analyses of its namespace."""
    kubectl.check("-n", namespace, "create", "serviceaccount", name)
    if verbs:
        rules = [{"apiGroups": [names.GROUP], "resources": [names.PLURAL], "verbs": verbs}]
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
        kubectl.apply({**role, "metadata": {"namespace": namespace, "name": name}, "rules": rules})
        kubectl.check(
            "-n", namespace, "create", "rolebinding", name, f"--role={name}", f"--serviceaccount={namespace}:{name}"
        )
    token = kubectl.check("-n", namespace, "create", "token", name, "--duration=3h").strip()
    return User(f"system:serviceaccount:{namespace}:{name}", token)


@pytest.fixture(scope="module")
def tenants(kubectl: Kubectl, crd: None) -> Iterator[Tenants]:
    """Two organizations and three users."""
    first, second = (f"test-{uuid.uuid4().hex[:8]}" for _ in range(2))
    for namespace in (first, second):
        kubectl.check("create", "namespace", namespace)
    yield Tenants(
        kubectl,
        first,
        second,
        own=make_account(kubectl, first, "own", EDITOR_VERBS),
        other=make_account(kubectl, second, "other", EDITOR_VERBS),
        nobody=make_account(kubectl, first, "nobody"),
    )
    kubectl.check("delete", "namespace", first, second, "--wait=false")


@pytest.fixture(scope="module")
def gateway_kubeconfig(
    cluster: Cluster, kubectl: Kubectl, tenants: Tenants, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The kubeconfig of the gateway's own account."""
    name = f"gateway-{tenants.namespace}"
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    kubectl.apply({**role, "metadata": {"name": name}, "rules": GATEWAY_RULES})
    user = make_account(kubectl, tenants.namespace, "gateway")
    kubectl.check(
        "create", "clusterrolebinding", name, f"--clusterrole={name}", f"--serviceaccount={tenants.namespace}:gateway"
    )
    yield account_kubeconfig(cluster, tmp_path_factory.mktemp("gateway") / "config", user.token)
    kubectl.check("delete", "clusterrolebinding,clusterrole", name)


@pytest.fixture(scope="module")
def gateway(cluster: Cluster, gateway_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that sees all namespaces."""
    with running_gateway(cluster, gateway_kubeconfig, tmp_path_factory.mktemp("log")) as gateway:
        yield gateway


@pytest.fixture
def own(gateway: Gateway, tenants: Tenants) -> Iterator[httpx.Client]:
    """The user of the first namespace, as a client of the gateway."""
    with gateway.client(tenants.own) as client:
        yield client


def poll(client: httpx.Client, id: str, **expected: Any) -> dict[str, Any]:  # noqa: A002
    """Ask for the contract until it has the `expected` fields."""

    def probe() -> dict[str, Any] | None:
        answer = client.get(f"/contracts/{id}")
        body: dict[str, Any] = answer.json()
        return body if all(body.get(field) == value for field, value in expected.items()) else None

    return wait_for(f"{id} to be {expected}", probe, 30)


def own_storage_settings(storage: ObjectStorage) -> dict[str, str]:
    """The settings of a gateway that uses this storage instead of the cluster's."""
    return {name.removeprefix("DEALGUARD_").lower(): value for name, value in storage.environment.items()}


def a_pdf(words: str = "") -> bytes:
    """A document that nobody has uploaded yet."""
    return PDF + (words or uuid.uuid4().hex).encode()


def form(content: bytes, name: str = "contract.pdf", **fields: str) -> dict[str, Any]:
    """What httpx sends as a form: the fields, then the file."""
    return {"data": fields, "files": {"file": (name, content, "application/pdf")}}


def upload(client: httpx.Client, organization: str, content: bytes, **more: Any) -> httpx.Response:
    """Send a document; `more`: the file's name, headers and fields of the form."""
    headers = more.pop("headers", {})
    return client.post("/contracts", params={"organization": organization}, headers=headers, **form(content, **more))


def complete(tenants: Tenants, storage: ObjectStorage, id_: str, content: bytes, key: str = "") -> str:
    """Play the operator: the contract's report is there. Its key."""
    metadata = tenants.get(id_)["metadata"]
    key = key or names.report_key(metadata["namespace"], metadata["uid"], 1)
    storage.put(key, content)
    tenants.write_status(
        id_,
        phase="Completed",
        run=1,
        runToken=None,
        result={
            "riskLevel": "High",
            "riskScore": 12,
            "findings": {"total": 1},
            "summary": "A lease.",
            "engine": "rules",
            "report": {"key": key, "sha256": hashlib.sha256(content).hexdigest()},
        },
    )
    return key


def is_completed(client: httpx.Client, id_: str) -> bool:
    """Whether the gateway says so."""
    return bool(client.get(f"/contracts/{id_}").json()["status"] == "completed")
