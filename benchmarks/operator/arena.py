"""The cluster that all are measured on: an instance of its own, fake nodes, one service account for each."""

import base64
import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from benchmarks.operator.api import ANALYSES, CORE, JOBS, Api, Raw, RequestFailedError, until
from benchmarks.operator.kubectl import install_definition, kubectl
from benchmarks.operator.programs import Programs, build_programs
from dealguard_cluster import Cluster
from dealguard_cluster.console import Console
from dealguard_cluster.layout import state_root
from dealguard_cluster.pause_image import image_name, write_archive

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
INSTANCE = "dealguard-bench"
ACCOUNTS_NAMESPACE = "dealguard-bench"
OBSERVER = "observer"
FAKE_NODES = 4
# Their defaults (20 and 50 requests a second) would be the floor for everybody: 4 Jobs a second.
_NO_LIMIT = ("--kube-api-qps=2000", "--kube-api-burst=4000")


class Arena:
    """The running cluster of the benchmark. A context manager: it begins empty and is ended after it.

    Args:
        folder: for logs, kubeconfigs and the Job that is copied; several arenas, one after the other, may share it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.audit_log = state_root() / INSTANCE / "logs" / "audit.log"
        self.console = Console()
        self.programs: Programs = build_programs(self.console)
        self.cluster = Cluster(
            INSTANCE,
            self.console,
            extra_arguments={
                "kube-apiserver": (
                    f"--audit-policy-file={HERE / 'audit-policy.yaml'}",
                    f"--audit-log-path={self.audit_log}",
                    "--audit-log-maxsize=10000",
                ),
                "kube-controller-manager": _NO_LIMIT,
                "kube-scheduler": _NO_LIMIT,
            },
        )
        self.image = image_name(self.programs.standin)
        self._kwok: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Arena":
        try:
            for of_another_cluster in self.folder.glob("*.kubeconfig"):
                of_another_cluster.unlink()
            self.cluster.up(fresh=True)
            self._load_standin()
            install_definition(self.environment)
            self._kubectl("create", "namespace", ACCOUNTS_NAMESPACE)
            self._start_kwok()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._kwok is not None:
            self._kwok.terminate()
            self._kwok.wait(10)
        self.cluster.down()

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to use the cluster; the kubeconfig is the administrator's."""
        return {**os.environ, **self.cluster.environment()}

    @property
    def cgroup(self) -> str:
        """The control group of everything in the node."""
        return self.cluster.layout.cgroup

    def kubeconfig_of(self, account: str) -> Path:
        """A kubeconfig of a service account that may do everything, made if it is not there.

        Every one that is compared has its own: the audit log tells them apart, and the API server's priority and
        fairness treats them alike, as it would treat them in a cluster.
        """
        path = self.folder / f"{account}.kubeconfig"
        if path.exists():
            return path
        self._kubectl("-n", ACCOUNTS_NAMESPACE, "create", "serviceaccount", account)
        subject = f"--serviceaccount={ACCOUNTS_NAMESPACE}:{account}"
        self._kubectl("create", "clusterrolebinding", f"bench-{account}", "--clusterrole=cluster-admin", subject)
        token = self._kubectl("-n", ACCOUNTS_NAMESPACE, "create", "token", account, "--duration=24h").strip()
        document: dict[str, Any] = yaml.safe_load(Path(self.environment["KUBECONFIG"]).read_text())
        user = {"name": account, "user": {"token": token}}
        context = {"name": account, "context": {"cluster": document["clusters"][0]["name"], "user": account}}
        document |= {"users": [user], "contexts": [context], "current-context": account}
        path.touch(0o600)
        path.write_text(yaml.safe_dump(document))
        return path

    @asynccontextmanager
    async def api(self) -> AsyncIterator[Api]:
        """The API server, as the one who creates the load and watches."""
        document = yaml.safe_load(self.kubeconfig_of(OBSERVER).read_text())
        cluster = document["clusters"][0]["cluster"]
        ca_file = self.folder / "ca.crt"
        ca_file.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        async with Api(cluster["server"], ca_file, document["users"][0]["user"]["token"]) as api:
            yield api

    def use_fake_nodes(self, *, fake: bool) -> None:
        """From now on, pods go to the fake nodes alone, or to the real one alone."""
        for number in range(FAKE_NODES):
            self._kubectl("uncordon" if fake else "cordon", f"fake-{number}")
        self._kubectl("cordon" if fake else "uncordon", INSTANCE)

    @asynccontextmanager
    async def namespace(self, api: Api, name: str, *, is_kept: bool = False) -> AsyncIterator[str]:
        """An empty namespace; at the end it and all in it are gone, unless `is_kept`: the cluster goes with it."""
        await api.request("POST", f"{CORE}/namespaces", {"metadata": {"name": name}})
        await api.request("POST", f"{CORE}/namespaces/{name}/secrets", _shared_secret())

        async def has_account() -> bool:
            return bool(await api.list(f"{CORE}/namespaces/{name}/serviceaccounts"))

        async def is_gone() -> bool:
            answer = await api.request("GET", f"{CORE}/namespaces/{name}", tolerate=(404,))
            return answer.get("kind") != "Namespace"

        await until(f"the service account of {name}", has_account)
        try:
            yield name
        finally:
            if not is_kept:
                await empty(api, name)
                await api.request("DELETE", f"{CORE}/namespaces/{name}")
                await until(f"the end of namespace {name}", is_gone)

    @contextmanager
    def audited(self, account: str) -> Iterator[list[Raw]]:
        """Collects what `account` wrote while the block ran; filled at its end."""
        writes: list[Raw] = []
        begin = self.audit_log.stat().st_size if self.audit_log.exists() else 0
        yield writes
        user = f"system:serviceaccount:{ACCOUNTS_NAMESPACE}:{account}"
        with self.audit_log.open("rb") as log:
            log.seek(begin)
            for line in log:
                with contextlib.suppress(ValueError):  # the last one may be half written
                    entry = json.loads(line)
                    if entry["user"]["username"] == user:
                        writes.append(entry)

    def _load_standin(self) -> None:
        if self.image not in self.cluster.images():
            with tempfile.TemporaryDirectory() as folder:
                archive = Path(folder, "standin.tar")
                write_archive(self.programs.standin, archive)
                self.cluster.load_image(archive, self.image)

    def _start_kwok(self) -> None:
        arguments = [
            f"--kubeconfig={self.kubeconfig_of('kwok')}",
            f"--config={HERE / 'stages.yaml'}",
            "--manage-nodes-with-label-selector=type=kwok",
            "--node-lease-duration-seconds=40",
            "--enable-crds=",
        ]
        log = (self.folder / "kwok.log").open("ab")
        self._kwok = subprocess.Popen([self.programs.kwok, *arguments], stdout=log, stderr=log)
        for number in range(FAKE_NODES):
            node = {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": f"fake-{number}", "labels": {"type": "kwok"}},
            }
            self._kubectl("apply", "-f", "-", stdin=json.dumps(node))
        self._kubectl("wait", "--for=condition=Ready", "node", "-l", "type=kwok", "--timeout=60s")

    def _kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return kubectl(self.environment, *arguments, stdin=stdin)


async def empty(api: Api, namespace: str) -> None:
    """Delete all analyses, Jobs and pods of a namespace and wait until they are gone."""
    background = {"propagationPolicy": "Background"}
    paths = [f"{ANALYSES}/namespaces/{namespace}/contractanalyses", f"{JOBS}/namespaces/{namespace}/jobs"]
    for path in paths:
        # Thousands take the API server longer than it gives a request: it ends the connection, and goes on if asked.
        while await api.list(f"{path}?limit=1"):
            with contextlib.suppress(RequestFailedError):
                await api.request("DELETE", path, background)

    async def is_empty() -> bool:
        return not any([await api.list(f"{path}?limit=1") for path in (*paths, f"{CORE}/namespaces/{namespace}/pods")])

    await until(f"the deletion of everything in {namespace}", is_empty, timeout_seconds=1800)


def _shared_secret() -> Raw:
    """What the pods of those mount that make no Secret of their own."""
    keys = (
        "document-url",
        "deadline",
        "report-get-url",
        "report-put-url",
        "checkpoint-get-url",
        "checkpoint-put-url",
        "checkpoint-delete-url",
    )
    return {"metadata": {"name": "bench-shared"}, "stringData": dict.fromkeys(keys, "x" * 400)}
