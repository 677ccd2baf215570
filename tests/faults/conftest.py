"""Fixtures of the fault tests.

They use an instance of their own, because its API server and etcd end here. DEALGUARD_FAULTS=full runs the long form;
without it, each scenario is as short as it can be, and some wait for that.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dealguard_api import names
from dealguard_cluster import Cluster
from tests.cluster.api_proxy import ApiProxy
from tests.cluster.operator_tools import operator_environment
from tests.cluster.tools import analysis_manifest, only_run_with, running_cluster
from tests.faults.api import ApiServer
from tests.faults.crd import install_definition
from tests.faults.figures import FIGURES, IS_FULL, Figures
from tests.faults.processes import OperatorProcess
from tests.faults.stage import Stage, wait_until

NAME = os.environ.get("DEALGUARD_FAULTS_CLUSTER", "dealguard-chaos")
# A node that stops answering is given up after half a minute, not after six. The kubelet renews its lease every 10 s.
IMPATIENCE = {
    "kube-controller-manager": ["--node-monitor-period=2s", "--node-monitor-grace-period=20s"],
    "kube-apiserver": ["--default-not-ready-toleration-seconds=10", "--default-unreachable-toleration-seconds=10"],
}


def pytest_configure(config: pytest.Config) -> None:
    """Declare our marker."""
    config.addinivalue_line("markers", "long_faults: only in the long form of the fault tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The short form leaves out what is marked as long."""
    if IS_FULL:
        return
    long = [item for item in items if item.get_closest_marker("long_faults")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def is_full() -> bool:
    """Whether this is the long form."""
    return IS_FULL


@pytest.fixture(scope="session")
def figures() -> Figures:
    """Where a scenario says what it measured."""
    return FIGURES


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The running cluster; one that runs already (a developer's) is used and left alone."""
    with only_run_with(NAME), running_cluster(NAME, IMPATIENCE) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[ApiServer]:
    """The cluster's API server, with the ContractAnalysis in it."""
    api = ApiServer(Path(cluster.kubeconfig))
    install_definition(api)
    yield api
    api.close()


@pytest.fixture
def new_namespace(api: ApiServer) -> Iterator[Callable[[], str]]:
    """Makes namespaces of the test's own, deleted after it."""
    made: list[str] = []

    def make() -> str:
        name = f"faults-{uuid.uuid4().hex[:8]}"
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        made.append(name)
        return name

    yield make
    for name in made:
        if api.request("GET", f"/api/v1/namespaces?fieldSelector=metadata.name={name}")["items"]:
            api.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def namespace(new_namespace: Callable[[], str]) -> str:
    """A namespace of the test's own."""
    return new_namespace()


@pytest.fixture
def collector(api: ApiServer, namespace: str) -> None:
    """The garbage collector, once it knows our kind: it looks for new ones every 30 s."""
    owner = api.create("contractanalyses", namespace, analysis_manifest(namespace, "owner", suspend=True))
    reference = {"apiVersion": names.API_VERSION, "kind": names.KIND, "name": "owner", "uid": owner["metadata"]["uid"]}
    api.create("secrets", namespace, {"metadata": {"name": "owned", "ownerReferences": [reference]}})
    api.delete("contractanalyses", namespace, "owner")
    wait_until("the collector to know our kind", lambda: not api.list("secrets", namespace), 90)


@pytest.fixture
def stage(api: ApiServer, namespace: str) -> Iterator[Stage]:
    """The test's namespace, with a played kubelet."""
    with Stage(api, namespace) as stage:
        yield stage


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[ApiProxy]:
    """A proxy before the API server."""
    with ApiProxy(Path(cluster.kubeconfig)) as proxy:
        yield proxy


@pytest.fixture
def environment(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The environment of an operator for the test's namespace, with the settings of a real installation."""
    return {**operator_environment(cluster, namespace), "DEALGUARD_RESYNC_SECONDS": "30"}


@pytest.fixture
def elected(environment: dict[str, str], namespace: str) -> dict[str, str]:
    """The same, for an operator that competes for its Lease, as the chart has it."""
    return {**environment, "DEALGUARD_LEADER_ELECTION": "true", "DEALGUARD_LEASE_NAMESPACE": namespace}


@pytest.fixture
def proxied(environment: dict[str, str], proxy: ApiProxy, tmp_path: Path) -> dict[str, str]:
    """The same, for an operator that reaches the API server through the proxy."""
    return {**environment, "KUBECONFIG": str(proxy.kubeconfig(tmp_path / "config"))}


@pytest.fixture
def operator(environment: dict[str, str], tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator for the test's namespace."""
    with OperatorProcess(environment, tmp_path / "operator.log") as process:
        yield process
