"""The chart's roles are exactly what the operator needs: it runs with them alone, and uses every right in them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dealguard_api import names
from dealguard_cluster import Cluster
from tests.cluster.api_proxy import ApiProxy, Refusal, Request
from tests.cluster.operator_tools import Analyses, Kubelet, analyses, environment, kubelet, running_operator
from tests.cluster.tools import Kubectl, wait_for

__all__ = ["analyses", "environment", "kubelet"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]

CHART = Path(__file__).resolve().parent.parent.parent / "charts" / "dealguard"
RBAC_KINDS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
Right = tuple[str, str, str]  # API group, resource, verb


@pytest.fixture(params=["namespaced", "cluster-wide"])
def release(request: pytest.FixtureRequest, cluster: Cluster, namespace: str) -> Iterator[list[dict[str, Any]]]:
    """What the chart makes for the operator's rights, applied: a release of its own in the test's namespace."""
    values = ["operator.image=o", "analyzer.image=a", "storage.endpoint=https://s", "storage.credentialsSecret=c"]
    if request.param == "namespaced":
        values.append(f"watchNamespaces[0]={namespace}")
    command = ["helm", "template", namespace, str(CHART), f"--namespace={namespace}", "--set=rbac.aggregate=false"]
    environment = cluster.environment()
    rendered = subprocess.run(
        [*command, *(f"--set={value}" for value in values)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    objects = [item for item in yaml.safe_load_all(rendered) if item and item["kind"] in RBAC_KINDS]
    text = yaml.safe_dump_all(objects)
    for verb in ("apply", "delete"):
        arguments = ["kubectl", "--namespace", namespace, verb, "-f", "-"]
        subprocess.run(arguments, env=environment, input=text, capture_output=True, text=True, check=True)
        if verb == "apply":
            yield objects


def test_the_operator_runs_with_the_charts_rights_and_uses_each_of_them(
    cluster: Cluster,
    kubectl: Kubectl,
    release: list[dict[str, Any]],
    analyses: Analyses,
    kubelet: Kubelet,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    namespace = analyses.namespace
    is_cluster_wide = any(item["kind"] == "ClusterRole" for item in release)
    account = f"{namespace}-operator"
    environment |= {
        "DEALGUARD_NAMESPACES": "" if is_cluster_wide else namespace,
        "DEALGUARD_LEADER_ELECTION": "true",
        "DEALGUARD_LEASE_NAMESPACE": namespace,
        "DEALGUARD_LEASE_NAME": account,
    }
    token = kubectl.check("-n", namespace, "create", "token", account).strip()
    with ApiProxy(Path(cluster.kubeconfig), as_sent=True) as proxy:
        config = proxy.kubeconfig(tmp_path / "config")
        document = yaml.safe_load(config.read_text())
        document["users"][0]["user"]["token"] = token
        config.write_text(yaml.safe_dump(document))
        refused: set[Right] = set()
        used: set[Right] = set()
        to_conflict = [(409, {})]

        def fault(request: Request) -> Refusal | None:
            is_status = request.verb[1:] == ("contractanalyses/status", "update")
            return to_conflict.pop() if is_status and to_conflict else None

        def answered(request: Request, status: int) -> None:
            # An earlier test's namespace that is still being deleted refuses for its own reasons.
            is_elsewhere = "/namespaces/" in request.path and f"/namespaces/{namespace}/" not in f"{request.path}/"
            if request.verb[1] and status not in (401, 403):
                used.add(request.verb)
            elif request.verb[1] and not is_elsewhere:
                refused.add(request.verb)

        proxy.fault, proxy.answered = fault, answered
        with running_operator(environment, monkeypatch, kubeconfig=config):
            analyses.create("done", engine="rules", ttlSecondsAfterFinished=0)
            analyses.create("stopped", engine="rules")
            analyses.create("deleted", engine="rules")
            kubelet.succeeds("done")
            kubelet.analyzing("stopped")
            analyses.wait("stopped", stage="Analyzing")
            analyses.patch("stopped", cancel=True)
            status = analyses.wait("deleted", phase="Processing")
            kubectl.check("-n", namespace, "delete", "job", status["jobName"])
            assert analyses.wait_finished("deleted")["failure"]["reason"] == "JobDeleted"
            assert analyses.wait_finished("stopped")["phase"] == "Cancelled"
            wait_for("the finished one to be deleted", lambda: "done" not in analyses.statuses())
    assert refused == set()
    assert used == _granted(release)
    assert {verb for _, resource, verb in used if resource == "secrets"} == {"create"}
    lists = [request for request in proxy.requests if request.verb[1:] == (names.PLURAL, "list")]
    assert len(lists) >= 2, "Kopf's and the resync's"
    assert all("limit" in request.query for request in lists), "thousands are not asked for in one answer"
    if not is_cluster_wide:
        asked = [request for request in proxy.requests if request.verb[1]]
        assert all(f"/namespaces/{namespace}/" in f"{request.path}/" for request in asked)
        assert {item["kind"] for item in release} == {"ServiceAccount", "Role", "RoleBinding"}


def _granted(objects: list[dict[str, Any]]) -> set[Right]:
    """The rights of the rules of all roles."""
    rules = [rule for item in objects for rule in item.get("rules", [])]
    granted = {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert (names.GROUP, names.PLURAL, "watch") in granted
    return granted
