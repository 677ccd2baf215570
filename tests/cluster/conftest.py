"""Fixtures of the tests that run against a real cluster.

They use an instance of their own, `dealguard-test` (DEALGUARD_TEST_CLUSTER), started with empty data and stopped at the
end; one that already runs (a developer's) is used as it is and left alone. The demo's cluster is never touched.
"""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dealguard_cluster import Cluster
from tests.cluster.installation import Installation
from tests.cluster.tools import Kubectl, only_run_with, running_cluster
from tests.cluster.trusted_issuers import TrustedIssuers

REPOSITORY = Path(__file__).resolve().parent.parent.parent
NAME = os.environ.get("DEALGUARD_TEST_CLUSTER", "dealguard-test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, so that `-m "not cluster"` leaves it out."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def only_run() -> Iterator[None]:
    """The guarantee that no other test run uses this test cluster at the same time."""
    with only_run_with(NAME):
        yield


@pytest.fixture(scope="session")
def cluster(only_run: None) -> Iterator[Cluster]:
    """The running test cluster."""
    issuers = TrustedIssuers(NAME)
    issuers.clear()
    with running_cluster(NAME, issuers.extra_arguments) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    """The real kubectl of the cluster's version, as the cluster's administrator."""
    program = shutil.which("kubectl", path=cluster.environment()["PATH"])
    assert program
    return Kubectl(program, str(cluster.kubeconfig))


@pytest.fixture(scope="session")
def crd(kubectl: Kubectl) -> None:
    """The CustomResourceDefinition, established."""
    # Forced: the chart's tests may own its fields.
    kubectl.check("apply", "--server-side", "--force-conflicts", "-f", str(REPOSITORY / "crds"))
    kubectl.wait_established("contractanalyses.dealguard.io")


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace of the test's own, deleted after it."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl.check("create", "namespace", name)
    yield name
    kubectl.check("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def images(cluster: Cluster) -> dict[str, str]:
    """Part (`operator`, `analyzer`, `gateway`) to the name of its image in the cluster, built from this checkout."""
    printed = subprocess.run(
        [sys.executable, "-m", "dealguard_cluster", "--name", cluster.name, "build-images"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ).stdout
    parts = ("operator", "analyzer", "gateway")
    return {part: next(word for word in printed.split() if f"dealguard-{part}:" in word) for part in parts}


@pytest.fixture(scope="module")
def installation(cluster: Cluster, kubectl: Kubectl, images: dict[str, str]) -> Iterator[Installation]:
    """DealGuard, installed by the chart, with small limits so that documents can exceed them quickly."""
    installation = Installation(cluster, kubectl, images)
    installation.install()
    yield installation
    installation.uninstall()
