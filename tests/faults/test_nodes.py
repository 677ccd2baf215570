"""Real pods on the real kubelet: memory that runs out, an eviction, a node or a storage that stops answering.

The analyses are Claude's, played by the stand-in, which counts what would have been paid.
"""

import io
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from minio import Minio

from dealguard_api import names
from dealguard_cluster import Cluster, supervision
from tests.cluster.operator_tools import operator_environment
from tests.cluster.tools import now_text
from tests.documents import sample_contract
from tests.faults.api import MERGE_PATCH, ApiServer, Raw
from tests.faults.figures import REPOSITORY, Figures
from tests.faults.processes import OperatorProcess
from tests.faults.stage import TERMINAL, Stage, wait_until
from tests.standins.claude_server import ClaudeStandin

pytestmark = [pytest.mark.cluster, pytest.mark.long_faults, pytest.mark.timeout(600)]

# Long enough to do something to the pod meanwhile.
ANALYSIS_SECONDS = 10.0
STORAGE_AWAY_SECONDS = 30.0
# conftest.py's: the node is declared gone, and its pods are deleted.
GONE_SECONDS = 90
OUT_OF_SERVICE = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
LITTLE_MEMORY = json.dumps({"requests": {"memory": "16Mi"}, "limits": {"memory": "16Mi"}})


@pytest.fixture(scope="module")
def image(cluster: Cluster) -> str:
    """The analyzer's image in the node, built from this checkout."""
    (image,) = cluster.build_images(REPOSITORY, ["analyzer"])
    return image.name


@pytest.fixture
def second_node(api: ApiServer) -> Iterator[None]:
    """A node that answers and takes no pods: where all are silent their controller suspects itself and deletes none."""
    name, leases = "second", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    taint = {"key": "dealguard.io/nothing-runs-here", "effect": "NoSchedule"}
    api.request("POST", "/api/v1/nodes", {"metadata": {"name": name}, "spec": {"taints": [taint]}})
    is_over = threading.Event()

    def renewed() -> Raw:
        return {"renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}

    def live() -> None:
        while not is_over.wait(5):
            api.request("PATCH", f"{leases}/{name}", {"spec": renewed()}, content_type=MERGE_PATCH)

    ready = {"type": "Ready", "status": "True", "reason": "Plays", "lastHeartbeatTime": now_text(), "message": ""}
    status = {"status": {"conditions": [{**ready, "lastTransitionTime": now_text()}]}}
    api.request("PATCH", f"/api/v1/nodes/{name}/status", status, content_type=MERGE_PATCH)
    lease = {"holderIdentity": name, "leaseDurationSeconds": 40, **renewed()}
    api.request("POST", leases, {"metadata": {"name": name}, "spec": lease})
    thread = threading.Thread(target=live)
    thread.start()
    yield
    is_over.set()
    thread.join()
    for path in (f"/api/v1/nodes/{name}", f"{leases}/{name}"):
        api.request("DELETE", path)


@pytest.fixture
def claude(cluster: Cluster) -> Iterator[ClaudeStandin]:
    """A stand-in for Claude's API that pods reach."""
    address = cluster.environment()["DEALGUARD_CLUSTER_HOST_IP"]
    with ClaudeStandin(address, slow_seconds=ANALYSIS_SECONDS) as server:
        yield server


@pytest.fixture
def real(cluster: Cluster, namespace: str, image: str, claude: ClaudeStandin) -> dict[str, str]:
    """The environment of an operator whose pods run."""
    environment = operator_environment(cluster, namespace)
    del environment["DEALGUARD_EXTRACT_RESOURCES"]  # which no node has
    more = {"ANALYZER_IMAGE": image, "ANTHROPIC_BASE_URL": claude.url, "RESYNC_SECONDS": "30"}
    return {**environment, **{f"DEALGUARD_{name}": value for name, value in more.items()}}


@pytest.fixture
def analyses(cluster: Cluster, api: ApiServer, namespace: str) -> Stage:
    """The namespace, with a contract and an API key in it; its pods' statuses are their own."""
    environment = cluster.environment()
    storage = Minio(
        urlsplit(environment["DEALGUARD_S3_ENDPOINT"]).netloc,
        access_key=environment["DEALGUARD_S3_ACCESS_KEY"],
        secret_key=environment["DEALGUARD_S3_SECRET_KEY"],
        region=environment["DEALGUARD_S3_REGION"],
        secure=False,
    )
    content = sample_contract("en").read_bytes()
    key = f"documents/{namespace}/contract.pdf"
    storage.put_object(environment["DEALGUARD_S3_BUCKET"], key, io.BytesIO(content), len(content))
    secret = {"metadata": {"name": "dealguard-claude"}, "stringData": {"api-key": "standin:slow"}}
    api.create("secrets", namespace, secret)
    return Stage(api, namespace)


def _create_and_wait_for_claude(analyses: Stage, claude: ClaudeStandin, **spec: Any) -> str:
    """Create an analysis, and wait until its pod has asked Claude; its uid."""
    uid = analyses.create("lease", engine="claude", **spec)
    wait_until("it to be analysed", lambda: claude.calls() == 1, 60)
    return uid


def _wait_ended(analyses: Stage, name: str, seconds: float) -> Raw:
    wait_until(f"{name} to end", lambda: analyses.status(name).get("phase") in TERMINAL, seconds)
    return analyses.status(name)


def _reason(status: Raw) -> str:
    return str(status["conditions"][0]["reason"])


def test_memory_runs_out(
    analyses: Stage, real: dict[str, str], claude: ClaudeStandin, tmp_path: Path, figures: Figures
) -> None:
    little = {**real, "DEALGUARD_ANALYZE_RESOURCES": LITTLE_MEMORY}
    with OperatorProcess(little, tmp_path / "operator.log"):
        analyses.create("lease", engine="claude", backoffLimit=0)
        status = _wait_ended(analyses, "lease", 60)
    assert status["failure"]["reason"] == "OutOfMemory", status
    assert "memory limit" in status["failure"]["message"]
    assert claude.calls() == 0
    figures.add("nodes", "real kubelet: out of memory, failed as OutOfMemory", faults=1, analyses=1)


def test_a_pod_is_evicted(
    api: ApiServer,
    analyses: Stage,
    real: dict[str, str],
    claude: ClaudeStandin,
    tmp_path: Path,
    figures: Figures,
) -> None:
    with OperatorProcess(real, tmp_path / "operator.log"):
        uid = _create_and_wait_for_claude(analyses, claude, backoffLimit=0)
        (pod,) = analyses.pods_of(uid)
        name = pod["metadata"]["name"]
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        api.request("POST", f"/api/v1/namespaces/{analyses.namespace}/pods/{name}/eviction", eviction)
        status = _wait_ended(analyses, "lease", 90)
    assert _reason(status) == "Completed", status
    assert [attempt["reason"] for attempt in status["attempts"]] == ["Evicted", "Completed"]
    figures.add("nodes", "real kubelet: evicted while analysed, completed by a second pod", faults=1, analyses=1)


def test_the_object_storage_is_away_as_the_answer_arrives(
    cluster: Cluster,
    analyses: Stage,
    real: dict[str, str],
    claude: ClaudeStandin,
    tmp_path: Path,
    figures: Figures,
) -> None:
    """What was paid for waits in the pod: no attempt fails, and none is paid again."""
    with OperatorProcess(real, tmp_path / "operator.log"):
        _create_and_wait_for_claude(analyses, claude)
        supervision.stop(cluster.layout, "minio")
        try:
            time.sleep(ANALYSIS_SECONDS + STORAGE_AWAY_SECONDS)
            assert analyses.status("lease")["stage"] == "Analyzing"
        finally:
            supervision.start(cluster.layout, "minio")
        back_at = time.monotonic()
        status = _wait_ended(analyses, "lease", 60)
        took = time.monotonic() - back_at
    assert _reason(status) == "Completed", status
    assert [attempt["reason"] for attempt in status["attempts"]] == ["Completed"]
    assert claude.calls() == 1, "it is not paid again"
    figures.add(
        "nodes",
        f"real kubelet: object storage away for {STORAGE_AWAY_SECONDS:.0f} s as the answer arrived, "
        f"Completed {took:.1f} s after its return, paid once",
        faults=1,
        analyses=1,
        seconds=round(took, 1),
    )


@pytest.mark.usefixtures("second_node")
@pytest.mark.parametrize("node", ["returns", "is out of service"])
def test_a_node_stops_answering(
    cluster: Cluster,
    api: ApiServer,
    analyses: Stage,
    real: dict[str, str],
    claude: ClaudeStandin,
    tmp_path: Path,
    figures: Figures,
    node: str,
) -> None:
    """Its kubelet stops, its containers go on. What they stored is found and not paid again, and no run ends early."""
    with OperatorProcess(real, tmp_path / "operator.log") as operator:
        uid = _create_and_wait_for_claude(analyses, claude, backoffLimit=0, deadlineSeconds=600)
        wait_until("the status to say so", lambda: analyses.status("lease").get("stage") == "Analyzing", 10)
        (pod,) = analyses.pods_of(uid)
        supervision.stop(cluster.layout, "kubelet")
        stopped_at = time.monotonic()
        try:
            wait_until(
                "the pod to be deleted by the taint manager",
                lambda: any("deletionTimestamp" in one["metadata"] for one in analyses.pods_of(uid)),
                GONE_SECONDS,
            )
            deleted_after = time.monotonic() - stopped_at
            time.sleep(5)
            status = analyses.status("lease")
            assert status["phase"] == "Processing", "the pod may run on, and it does"
            said = [_reason(status)]
            if node == "is out of service":
                _taint(api, cluster.name, [OUT_OF_SERVICE])
                wait_until(
                    "a second pod, which no node takes",
                    lambda: _reason(analyses.status("lease")) == "Unschedulable",
                    60,
                )
                said.append(_reason(analyses.status("lease")))
        finally:
            supervision.start(cluster.layout, "kubelet")
        wait_until("the node to be ready", lambda: _is_ready(api, cluster.name), 60)
        back_at = time.monotonic()
        _taint(api, cluster.name, [])
        status = _wait_ended(analyses, "lease", 60)
        took = time.monotonic() - back_at
        assert operator.starts == 1
    assert _reason(status) == "Completed", status
    expected = ["Completed"] if node == "returns" else ["Evicted", "Completed"]
    assert [attempt["reason"] for attempt in status["attempts"]] == expected
    assert claude.calls() == 1, "it is not paid again"
    assert status["result"]["report"]["key"] == names.report_key(analyses.namespace, uid, 1)
    assert len(analyses.jobs_of(uid)) == 1
    assert pod["metadata"]["name"] == status["attempts"][0]["podName"]
    figures.add(
        "nodes",
        f"real kubelet stopped while it analysed, the node {node}: pod deleted after {deleted_after:.0f} s, meanwhile "
        f"{' then '.join(said)}; Completed {took:.1f} s after the node was ready, paid once",
        faults=1,
        analyses=1,
        seconds=round(took, 1),
    )


def _taint(api: ApiServer, node: str, added: list[Raw]) -> None:
    """Give a node our taint, or take it away; the node controller's own stay."""
    taints = api.request("GET", f"/api/v1/nodes/{node}")["spec"].get("taints", [])
    others = [taint for taint in taints if taint["key"] != OUT_OF_SERVICE["key"]]
    body = {"spec": {"taints": [*others, *added]}}
    api.request("PATCH", f"/api/v1/nodes/{node}", body, content_type=MERGE_PATCH)


def _is_ready(api: ApiServer, node: str) -> bool:
    conditions = api.request("GET", f"/api/v1/nodes/{node}")["status"]["conditions"]
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
