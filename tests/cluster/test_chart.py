"""The chart: what helm renders is accepted by a real API server, with the least rights, and says what is missing."""

import subprocess
from pathlib import Path

import pytest
import yaml

from dealguard_cluster import Cluster
from tests.cluster.tools import Kubectl

pytestmark = pytest.mark.cluster

CHART = Path(__file__).resolve().parent.parent.parent / "charts" / "dealguard"
REQUIRED = {
    "operator.image": "registry.example/operator:1",
    "analyzer.image": "registry.example/analyzer:1",
    "storage.endpoint": "https://s3.example.com",
    "storage.credentialsSecret": "storage",
}


def _helm(cluster: Cluster, *arguments: str, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    sets = [f"--set={name}={value}" for name, value in values.items()]
    return subprocess.run(
        ["helm", *arguments, *sets],
        env=cluster.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_helm_finds_nothing_to_complain_about(cluster: Cluster) -> None:
    done = _helm(cluster, "lint", "--strict", str(CHART), values=REQUIRED)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_value_is_named(cluster: Cluster, missing: str) -> None:
    values = {name: value for name, value in REQUIRED.items() if name != missing}
    done = _helm(cluster, "template", "dealguard", str(CHART), values=values)
    assert done.returncode != 0
    assert f"Set {missing} to" in done.stderr


@pytest.mark.parametrize("more", [{}, {"watchNamespaces[0]": "default"}], ids=["cluster-wide", "namespaced"])
def test_the_api_server_accepts_every_object(cluster: Cluster, kubectl: Kubectl, more: dict[str, str]) -> None:
    done = _helm(cluster, "template", "trial", str(CHART), values={**REQUIRED, **more})
    assert done.returncode == 0, done.stderr
    # Unknown fields are an error, as they would be for `helm install`.
    kubectl.check("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=done.stdout)


def test_a_namespaced_installation_has_roles_only(cluster: Cluster) -> None:
    values = {**REQUIRED, "watchNamespaces[0]": "legal"}
    rendered = _helm(cluster, "template", "trial", str(CHART), values=values).stdout
    objects = [item for item in yaml.safe_load_all(rendered) if item]
    bindings = [item["kind"] for item in objects if item["kind"].endswith("Binding") and "subjects" in item]
    assert bindings == ["RoleBinding"]


def test_no_rule_has_a_wildcard_or_reads_secrets(cluster: Cluster) -> None:
    rendered = _helm(cluster, "template", "trial", str(CHART), values=REQUIRED).stdout
    roles = [item for item in yaml.safe_load_all(rendered) if item and item["kind"] in ("Role", "ClusterRole")]
    rules = [rule for role in roles for rule in role["rules"]]
    assert rules
    for rule in rules:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        if "secrets" in rule["resources"]:
            assert rule["verbs"] == ["create"]


def test_the_operator_passes_the_restricted_profile(cluster: Cluster, kubectl: Kubectl, namespace: str) -> None:
    kubectl.check("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    rendered = _helm(cluster, "template", "trial", str(CHART), values=REQUIRED).stdout
    (deployment,) = [item for item in yaml.safe_load_all(rendered) if item and item["kind"] == "Deployment"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator", "namespace": namespace},
        "spec": deployment["spec"]["template"]["spec"] | {"serviceAccountName": "default"},
    }
    kubectl.check("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(pod))
