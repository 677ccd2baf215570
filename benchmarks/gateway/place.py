"""Where all of it runs: an instance of the local cluster, who uses it, and which core belongs to whom."""

import asyncio
import base64
import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from benchmarks.operator.api import ANALYSES, CORE, Api
from benchmarks.operator.kubectl import install_definition, kubectl
from dealguard_api import names
from dealguard_cluster import Cluster, packages
from dealguard_cluster.binaries import Tool, build_one
from dealguard_cluster.console import Console
from dealguard_cluster.layout import cache_root

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
# Not the operator's benchmark's: that one begins by erasing its own.
INSTANCE = "dealguard-bench-gateway"
SERVER_CORE, OTHER_CORE = 0, 1
_POLLERS = Tool("pollers", None, (("pollers", "pollers"),), modules=HERE / "go")
_PACKAGES = {
    "/usr/bin/redis-server": "redis-server",
    "/usr/bin/setpriv": "util-linux",
    "/usr/bin/taskset": "util-linux",
}
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
# As the chart gives it to the gateway.
_GATEWAY_RULES = [
    {"apiGroups": [names.GROUP], "resources": [names.PLURAL], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
    {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
]
_USER_RULES = [{"apiGroups": [names.GROUP], "resources": [names.PLURAL], "verbs": ["*"]}]
_AT_ONCE = 16


@dataclass(frozen=True)
class User:
    """A service account of an organization."""

    organization: str
    name: str
    token: str


class Place:
    """The cluster, up from the beginning of the block to its end; one that already ran is left running."""

    def __init__(self, folder: Path, instance: str = INSTANCE) -> None:
        self.folder = folder
        self.instance = instance
        self.own_namespace = f"bench-{uuid.uuid4().hex[:8]}"
        console = Console()
        packages.ensure(_PACKAGES, console)
        self.pollers = build_one(_POLLERS, cache_root(), console) / "pollers"
        self.cluster = Cluster(instance, console)

    def __enter__(self) -> "Place":
        self._was_running = self.cluster.is_running()
        try:
            self.cluster.up(fresh=not self._was_running)
            self.analyzer_image = self.cluster.build_images(REPOSITORY, ["analyzer"])[0].name
            install_definition(self.environment)
            self.kubectl("create", "namespace", self.own_namespace)
            self._make_accounts()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if not self._was_running:
            self.cluster.down()
            return
        own = [f"clusterrole/{self.own_namespace}-gateway", f"namespace/{self.own_namespace}"]
        own += [f"clusterrolebinding/{self.own_namespace}-{account}" for account in ("administrator", "gateway")]
        self.kubectl("delete", "--ignore-not-found", "--wait=false", *own)

    def _make_accounts(self) -> None:
        self.administrator = self._kubeconfig("administrator", "cluster-admin")
        role = {"apiVersion": _RBAC.removeprefix("/apis/"), "kind": "ClusterRole", "rules": _GATEWAY_RULES}
        name = f"{self.own_namespace}-gateway"
        self.kubectl("apply", "-f", "-", stdin=json.dumps({**role, "metadata": {"name": name}}))
        self.gateway_account = self._kubeconfig("gateway", name)

    def _kubeconfig(self, account: str, role: str) -> Path:
        """The kubeconfig of a new service account."""
        self.kubectl("-n", self.own_namespace, "create", "serviceaccount", account)
        subject = f"--serviceaccount={self.own_namespace}:{account}"
        binding = f"{self.own_namespace}-{account}"
        self.kubectl("create", "clusterrolebinding", binding, f"--clusterrole={role}", subject)
        token = self.kubectl("-n", self.own_namespace, "create", "token", account, "--duration=24h").strip()
        document: dict[str, Any] = yaml.safe_load(Path(self.environment["KUBECONFIG"]).read_text())
        context = {"name": account, "context": {"cluster": document["clusters"][0]["name"], "user": account}}
        users = [{"name": account, "user": {"token": token}}]
        path = self.folder / f"{account}.kubeconfig"
        path.touch(0o600)
        path.write_text(yaml.safe_dump({**document, "users": users, "contexts": [context], "current-context": account}))
        return path

    @cached_property
    def environment(self) -> dict[str, str]:
        """What a program needs to use the cluster; the kubeconfig is the administrator's."""
        return {**os.environ, **self.cluster.environment()}

    @property
    def api_server(self) -> tuple[str, Path]:
        """Its URL and the file of its certificate authority."""
        cluster = yaml.safe_load(self.administrator.read_text())["clusters"][0]["cluster"]
        ca_file = self.folder / "ca.crt"
        ca_file.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        return cluster["server"], ca_file

    @property
    def storage_environment(self) -> dict[str, str]:
        """What names the object storage."""
        return {key: value for key, value in self.environment.items() if key.startswith("DEALGUARD_S3_")}

    @asynccontextmanager
    async def api(self) -> AsyncIterator[Api]:
        """The API server, as an administrator."""
        server, ca_file = self.api_server
        token = yaml.safe_load(self.administrator.read_text())["users"][0]["user"]["token"]
        async with Api(server, ca_file, token) as api:
            yield api

    @asynccontextmanager
    async def organizations(self, api: Api, count: int, users_each: int) -> AsyncIterator[list[User]]:
        """New organizations with users that may do everything there, until the end of the block."""
        organizations = [f"bench-{uuid.uuid4().hex[:12]}" for _ in range(count)]
        users: list[User] = []
        try:
            for organization in organizations:
                users += await _organization(api, organization, users_each)
            yield users
        finally:
            for organization in organizations:
                await api.request("DELETE", f"{CORE}/namespaces/{organization}", tolerate=(404, 409))

    @contextmanager
    def others_on_their_core(self) -> Iterator[None]:
        """Everything in the node keeps to the core that is not the server's; afterwards it may use both again."""
        self._pin({OTHER_CORE})
        try:
            yield
        finally:
            self._pin({SERVER_CORE, OTHER_CORE})

    def _pin(self, cores: set[int]) -> None:
        for process_id in self.process_ids():
            tasks = Path(f"/proc/{process_id}/task")
            for task in list(tasks.iterdir()) if tasks.exists() else ():
                try:
                    os.sched_setaffinity(int(task.name), cores)
                except ProcessLookupError:
                    continue

    def process_ids(self) -> set[int]:
        """Of everything in the node, pods and all."""
        roots = (
            Path("/sys/fs/cgroup/cpuacct", self.cluster.layout.cgroup),
            Path("/sys/fs/cgroup", self.cluster.layout.cgroup),
        )
        files = [file for root in roots if root.exists() for file in root.rglob("cgroup.procs")]
        return {int(line) for file in files for line in _lines(file)}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run it as the cluster's administrator; what it printed."""
        return kubectl(self.environment, *arguments, stdin=stdin)


async def _organization(api: Api, organization: str, users: int) -> list[User]:
    await api.request("POST", f"{CORE}/namespaces", {"metadata": {"name": organization}})
    base = f"{_RBAC}/namespaces/{organization}"
    await api.request("POST", f"{base}/roles", {"metadata": {"name": "user"}, "rules": _USER_RULES})
    named = [f"user-{number}" for number in range(users)]
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": organization} for name in named]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "user"}
    body = {"metadata": {"name": "user"}, "roleRef": role, "subjects": subjects}
    await api.request("POST", f"{base}/rolebindings", body)
    made = []
    for name in named:
        accounts = f"{CORE}/namespaces/{organization}/serviceaccounts"
        await api.request("POST", accounts, {"metadata": {"name": name}})
        answer = await api.request("POST", f"{accounts}/{name}/token", {"spec": {"expirationSeconds": 24 * 3600}})
        made.append(User(organization, name, answer["status"]["token"]))
    return made


async def make_contracts(api: Api, users: list[User], count: int) -> list[tuple[User, str]]:
    """Analyses that are under way for ever (no operator runs), shared out among the users; (user, name) of each."""
    numbers = iter(range(count))
    made: list[tuple[User, str]] = []

    async def creator() -> None:
        for number in numbers:
            user = users[number % len(users)]
            name = f"contract-{number:024x}"
            path = f"{ANALYSES}/namespaces/{user.organization}/{names.PLURAL}"
            spec = {"document": {"key": f"documents/{user.organization}/{number}.pdf"}, "engine": "rules"}
            metadata = {"name": name, "annotations": {"dealguard.io/file-name": f"contract {number}.pdf"}}
            body = {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": spec}
            await api.request("POST", path, body)
            await write_status(
                api, user.organization, name, phase="Processing", stage="Extracting", observedGeneration=1
            )
            made.append((user, name))

    await asyncio.gather(*(creator() for _ in range(_AT_ONCE)))
    return made


async def write_status(api: Api, organization: str, name: str, **status: Any) -> None:
    """Write fields of a status, as the operator would."""
    path = f"{ANALYSES}/namespaces/{organization}/{names.PLURAL}/{name}/status"
    await api.request("PATCH", path, {"status": status}, kind="application/merge-patch+json")


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:  # the group has ended
        return []
