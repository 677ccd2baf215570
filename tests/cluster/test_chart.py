"""The chart: what helm renders is accepted by a real API server, with the least rights, and says what is missing."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from dealguard_cluster import Cluster, binaries
from dealguard_cluster.console import Console
from dealguard_cluster.layout import cache_root
from dealguard_gateway.settings import GatewaySettings
from dealguard_operator.job import job_manifest
from tests.cluster.tools import Kubectl
from tests.unit.operator_cases import analysis, settings

pytestmark = pytest.mark.cluster

CHART = Path(__file__).resolve().parent.parent.parent / "charts" / "dealguard"
REQUIRED = {
    "operator.image": "registry.example/operator:1",
    "analyzer.image": "registry.example/analyzer:1",
    "storage.endpoint": "https://s3.example.com",
    "storage.credentialsSecret": "storage",
}
GATEWAY = {**REQUIRED, "gateway.enabled": "true", "gateway.image": "registry.example/gateway:1"}
LOGIN = {
    "gateway.publicURL": "https://contracts.example.com",
    "gateway.session.secret": "session",
    "gateway.tokenLogin": "true",
    "gateway.oidc.issuer": "https://login.example.com/realms/a",
    "gateway.oidc.clientID": "dealguard",
    "gateway.oidc.clientSecret": "oidc",
    "gateway.oidc.authority": "company",
}


ROUTE = {
    "gateway.httpRoute.enabled": "true",
    "gateway.httpRoute.parentRefs[0].name": "public",
    "gateway.httpRoute.hostnames[0]": "contracts.example.com",
}
HTTP_ROUTES = "httproutes.gateway.networking.k8s.io"


@pytest.fixture(scope="module")
def http_routes(kubectl: Kubectl) -> Iterator[None]:
    """The Gateway API's own definition of an HTTPRoute, established."""
    folder = Path(__file__).parent / "go" / "gateway-api"
    module = binaries.download(folder, "sigs.k8s.io/gateway-api", cache_root(), Console())
    definition = module / "config" / "crd" / "standard" / "gateway.networking.k8s.io_httproutes.yaml"
    kubectl.check("apply", "--server-side", "-f", str(definition))
    kubectl.wait_established(HTTP_ROUTES)
    yield
    kubectl.check("delete", "crd", HTTP_ROUTES, "--wait=false")


def _objects(cluster: Cluster, values: dict[str, str]) -> list[dict[str, Any]]:
    done = _helm(cluster, "template", "trial", str(CHART), values=values)
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def _helm(cluster: Cluster, *arguments: str, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    sets = [f"--set={name}={value}" for name, value in values.items()]
    return subprocess.run(
        ["helm", *arguments, *sets],
        env=cluster.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_helm_and_kubectl_leave_nothing_in_the_folder_they_are_run_in(cluster: Cluster, tmp_path: Path) -> None:
    environment = cluster.environment()
    assert "HOME" not in environment
    values = [f"--set={name}={value}" for name, value in REQUIRED.items()]
    render = ["helm", "template", "trial", str(CHART), "--dry-run=server", "--validate", "--is-upgrade", *values]
    for command in (render, ["kubectl", "get", "pods", "--all-namespaces"]):
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())
    assert list(cluster.layout.kubectl_cache.iterdir()), "with the cluster"


def test_helm_finds_nothing_to_complain_about(cluster: Cluster) -> None:
    done = _helm(cluster, "lint", "--strict", str(CHART), values=REQUIRED)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_value_is_named(cluster: Cluster, missing: str) -> None:
    values = {name: value for name, value in REQUIRED.items() if name != missing}
    done = _helm(cluster, "template", "dealguard", str(CHART), values=values)
    assert done.returncode != 0
    assert f"Set {missing} to" in done.stderr


@pytest.mark.parametrize(
    ("more", "is_warned"),
    [
        ({}, False),
        ({"gateway.ingress.enabled": "true", "gateway.ingress.host": "contracts.example.com"}, True),
        (ROUTE, True),
        ({**ROUTE, "gateway.trustedProxies[0]": "10.0.0.0/8"}, False),
    ],
    ids=["inside the cluster", "an ingress", "a route", "a route whose proxies are named"],
)
def test_who_names_no_proxies_is_warned(
    cluster: Cluster, http_routes: None, more: dict[str, str], *, is_warned: bool
) -> None:
    # The definition may be there, of another release.
    arguments = ("--dry-run=client", "--take-ownership")
    done = _helm(cluster, "install", "trial", str(CHART), *arguments, values={**GATEWAY, **more})
    assert done.returncode == 0, done.stderr
    assert ("WARNING: gateway.trustedProxies" in done.stdout) == is_warned


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("operator.replcas", "3", "'replcas' not allowed"),
        ("limits.running", "0", "minimum"),
        ("claude.effort", "huge", "value must be one of"),
        ("storage.endpoint", "s3.example.com", "does not match pattern"),
        ("claude.baseURL", "proxy.example", "does not match pattern"),
        ("networkPolicy.storage.ports[0].prot", "9000", "'prot' not allowed"),
    ],
)
def test_a_misspelt_or_impossible_value_is_refused(cluster: Cluster, name: str, value: str, words: str) -> None:
    done = _helm(cluster, "template", "dealguard", str(CHART), values={**REQUIRED, name: value})
    assert done.returncode != 0
    assert words in done.stderr


def test_every_value_is_in_the_schema() -> None:
    def paths(values: dict[str, Any], schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
        properties = {name: resolved(one) for name, one in schema["properties"].items()}
        yield from (f"{prefix}{name}" for name in values.keys() ^ properties.keys())
        for name in values.keys() & properties.keys():
            if isinstance(values[name], dict) and "properties" in properties[name]:
                yield from paths(values[name], properties[name], f"{prefix}{name}.")

    def resolved(part: dict[str, Any]) -> dict[str, Any]:
        name = part.get("$ref", "").removeprefix("#/definitions/")
        return schema["definitions"][name] if name else part  # type: ignore[no-any-return]

    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(paths(values, schema)) == {"global"}, "helm's own"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"watchNamespaces[0]": "default"},
        {"sweep.enabled": "true"},
        {"watchNamespaces[0]": "default", "sweep.enabled": "true", "sweep.delete": "true"},
        GATEWAY,
        {
            **GATEWAY,
            **LOGIN,
            "watchNamespaces[0]": "default",
            "gateway.oidc.mode": "impersonate",
            "gateway.ingress.enabled": "true",
            "gateway.ingress.host": "contracts.example.com",
            "gateway.ingress.tlsSecret": "tls",
            "gateway.autoscaling.enabled": "true",
            "gateway.service.type": "NodePort",
            "gateway.service.nodePort": "30080",
            "gateway.allowedOrigins[0]": "https://other.example.com",
            **ROUTE,
        },
    ],
    ids=[
        "cluster-wide",
        "namespaced",
        "with the sweep",
        "namespaced, with the sweep",
        "with the gateway",
        "namespaced, with all of the gateway",
    ],
)
def test_the_api_server_accepts_every_object(
    cluster: Cluster, kubectl: Kubectl, http_routes: None, more: dict[str, str]
) -> None:
    done = _helm(cluster, "template", "trial", str(CHART), values={**REQUIRED, **more})
    assert done.returncode == 0, done.stderr
    # Unknown fields are an error, as they would be for `helm install`.
    kubectl.check("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=done.stdout)


@pytest.mark.parametrize(
    ("why", "more", "storage_port", "claude_port"),
    [
        ("the schemes' own", {}, 443, 443),
        ("another scheme", {"storage.endpoint": "http://s3.example.com"}, 80, 443),
        ("as the URL says", {"storage.endpoint": "http://10.0.0.1:90"}, 90, 443),
        ("an address with colons", {"storage.endpoint": "https://[fd00::1]"}, 443, 443),
        ("Claude behind a proxy", {"claude.baseURL": "http://proxy.example:8080/claude"}, 443, 8080),
        ("a Service's pods listen elsewhere", {"networkPolicy.storage.ports[0].port": "9000"}, 9000, 443),
        ("the proxy's pods too", {"networkPolicy.claude.ports[0].port": "8443"}, 443, 8443),
    ],
)
def test_pods_of_analyses_reach_names_storage_and_claude_only(
    cluster: Cluster, kubectl: Kubectl, why: str, more: dict[str, str], storage_port: int, claude_port: int
) -> None:
    policy = _network_policy(cluster, more)
    kubectl.check("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(policy))
    assert policy["spec"]["ingress"] == []
    names, storage, claude = policy["spec"]["egress"]
    assert [port["port"] for port in names["ports"]] == [53, 53]
    assert [port["port"] for port in storage["ports"]] == [storage_port], why
    assert [port["port"] for port in claude["ports"]] == [claude_port], why
    assert storage["to"]
    assert claude["to"]


def test_names_may_be_asked_of_the_clusters_own_server_only(cluster: Cluster) -> None:
    kube_dns = "networkPolicy.dns.to[0].podSelector.matchLabels.k8s-app"
    names, *_ = _network_policy(cluster, {kube_dns: "kube-dns"})["spec"]["egress"]
    assert names["to"] == [{"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}]


def test_the_network_policy_selects_the_pods_of_analyses(cluster: Cluster) -> None:
    job = job_manifest(analysis(), "a-job", 1, settings())
    selected = _network_policy(cluster, {})["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= job["spec"]["template"]["metadata"]["labels"].items()


def _network_policy(cluster: Cluster, more: dict[str, str]) -> dict[str, Any]:
    on = {"networkPolicy.enabled": "true", "networkPolicy.namespaces[0]": "default"}
    (policy,) = [item for item in _objects(cluster, REQUIRED | on | more) if item["kind"] == "NetworkPolicy"]
    return policy


def test_a_network_policy_needs_to_know_where(cluster: Cluster) -> None:
    done = _helm(cluster, "template", "trial", str(CHART), values={**REQUIRED, "networkPolicy.enabled": "true"})
    assert "Set networkPolicy.namespaces" in done.stderr


@pytest.mark.parametrize(
    ("more", "cluster_roles"),
    [
        # Bound to nobody: the cluster itself adds their rules to its own roles.
        ({}, {"trial-viewer", "trial-editor"}),
        ({"sweep.enabled": "true"}, {"trial-viewer", "trial-editor"}),
        ({"rbac.aggregate": "false", "sweep.enabled": "true"}, set()),
    ],
    ids=["by default", "with the sweep", "without aggregation"],
)
def test_a_namespaced_installation_has_roles_only(
    cluster: Cluster, more: dict[str, str], cluster_roles: set[str]
) -> None:
    objects = _objects(cluster, {**REQUIRED, "watchNamespaces[0]": "legal", **more})
    found = [item for item in objects if item["kind"] == "ClusterRole"]
    assert {item["metadata"]["name"] for item in found} == cluster_roles
    for role in found:
        labels = role["metadata"]["labels"]
        assert any(label.startswith("rbac.authorization.k8s.io/aggregate-to-") for label in labels)
    bindings = {(item["kind"], item["roleRef"]["kind"]) for item in objects if "roleRef" in item}
    assert bindings == {("RoleBinding", "Role")}
    assert "legal" in {item["metadata"]["namespace"] for item in objects if item["kind"] == "RoleBinding"}


def test_the_documented_shards_share_no_object(cluster: Cluster) -> None:
    page = (CHART.parent.parent / "docs" / "operator.md").read_text()
    commands = re.findall(r"helm install (\S+) charts/dealguard (.*?) …$", page, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in commands] == ["dealguard-legal", "dealguard-sales", "dealguard-a", "dealguard-rest"]
    made = []
    for name, arguments in commands:
        chosen = shlex.split(arguments.replace("\\\n", " "))
        done = _helm(cluster, "template", name, str(CHART), *chosen, values=REQUIRED)
        assert done.returncode == 0, done.stderr
        objects = [item for item in yaml.safe_load_all(done.stdout) if item]
        made.append({(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in objects})
    for first, second in (made[:2], made[2:]):
        assert not first & second, "helm takes no object that belongs to another release"
        assert any(kind == "CustomResourceDefinition" for kind, *_ in first)


def test_no_rule_has_a_wildcard_or_reads_secrets(cluster: Cluster) -> None:
    roles = [item for item in _objects(cluster, GATEWAY) if item["kind"] in ("Role", "ClusterRole")]
    rules = [rule for role in roles for rule in role["rules"]]
    assert rules
    for rule in rules:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        if "secrets" in rule["resources"]:
            assert rule["verbs"] == ["create"]


def test_both_deployments_pass_the_restricted_profile(cluster: Cluster, kubectl: Kubectl, namespace: str) -> None:
    kubectl.check("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    deployments = [item for item in _objects(cluster, GATEWAY) if item["kind"] == "Deployment"]
    assert len(deployments) == 2
    for deployment in deployments:
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": deployment["metadata"]["name"], "namespace": namespace},
            "spec": deployment["spec"]["template"]["spec"] | {"serviceAccountName": "default"},
        }
        kubectl.check("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(pod))


@pytest.mark.parametrize("delete", [False, True])
def test_the_sweep_is_a_dry_run_until_it_is_told_to_delete(
    cluster: Cluster, kubectl: Kubectl, namespace: str, delete: bool
) -> None:
    kubectl.check("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    values = {**REQUIRED, "sweep.enabled": "true", "sweep.delete": str(delete).lower(), "sweep.graceDays": "3"}
    rendered = _helm(cluster, "template", "trial", str(CHART), values=values).stdout
    objects = [item for item in yaml.safe_load_all(rendered) if item]
    (template,) = [item["spec"]["jobTemplate"]["spec"]["template"] for item in objects if item["kind"] == "CronJob"]
    assert template["spec"]["containers"][0]["args"] == [
        "sweep",
        "--grace-seconds=259200",
        *(["--delete"] if delete else []),
    ]
    (role,) = [item for item in objects if item["kind"] == "ClusterRole" and item["metadata"]["name"] == "trial-sweep"]
    assert role["rules"] == [{"apiGroups": ["dealguard.io"], "resources": ["contractanalyses"], "verbs": ["list"]}]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "sweep", "namespace": namespace},
        "spec": template["spec"] | {"serviceAccountName": "default"},
    }
    kubectl.check("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(pod))


def test_the_scraped_labels_stay_the_operators(cluster: Cluster) -> None:
    objects = _objects(cluster, {**REQUIRED, "metrics.serviceMonitor.enabled": "true"})
    (monitor,) = [item for item in objects if item["kind"] == "ServiceMonitor"]
    assert all(endpoint["honorLabels"] for endpoint in monitor["spec"]["endpoints"]), "`namespace` is the analyses'"


def test_one_replica_leads_by_a_lease_that_only_it_and_its_like_may_change(cluster: Cluster) -> None:
    values = {**REQUIRED, "operator.analysisSelector": "dealguard.io/shard!=a"}
    rendered = _helm(cluster, "template", "trial", str(CHART), values=values).stdout
    objects = [item for item in yaml.safe_load_all(rendered) if item]
    (deployment,) = [item for item in objects if item["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert deployment["spec"]["replicas"] == 2
    assert environment["DEALGUARD_LEADER_ELECTION"] == "true"
    assert environment["DEALGUARD_ANALYSIS_SELECTOR"] == "dealguard.io/shard!=a"
    rules = [rule for item in objects for rule in item.get("rules", []) if "leases" in rule.get("resources", [])]
    named = [rule for rule in rules if rule.get("resourceNames") == [environment["DEALGUARD_LEASE_NAME"]]]
    assert [rule["verbs"] for rule in named] == [["get", "update"]]
    assert [rule["verbs"] for rule in rules if rule not in named] == [["create"]]


@pytest.mark.parametrize(("replicas", "budgets"), [("1", 0), ("2", 1)])
def test_a_drain_is_limited_only_where_it_can_wait(cluster: Cluster, replicas: str, budgets: int) -> None:
    values = {**REQUIRED, "operator.replicas": replicas}
    rendered = _helm(cluster, "template", "trial", str(CHART), values=values).stdout
    kinds = [item["kind"] for item in yaml.safe_load_all(rendered) if item]
    assert kinds.count("PodDisruptionBudget") == budgets


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"gateway.enabled": "true"}, "Set gateway.image to"),
        ({**GATEWAY, "gateway.tokenLogin": "true"}, "Set gateway.session.secret to"),
        ({**GATEWAY, **LOGIN, "gateway.oidc.clientID": ""}, "Set gateway.oidc.clientID to"),
        ({**GATEWAY, "gateway.ingress.enabled": "true"}, "Set gateway.ingress.host to"),
        ({**GATEWAY, "gateway.httpRoute.enabled": "true"}, "Set gateway.httpRoute.parentRefs to"),
        ({**GATEWAY, "gateway.clusterRole": "false"}, "Set watchNamespaces"),
    ],
)
def test_what_the_gateway_lacks_is_named(cluster: Cluster, values: dict[str, str], words: str) -> None:
    done = _helm(cluster, "template", "trial", str(CHART), values={**REQUIRED, **values})
    assert done.returncode != 0
    assert words in done.stderr


def test_the_gateway_understands_every_variable_that_it_is_given(cluster: Cluster) -> None:
    (deployment,) = [
        item
        for item in _objects(
            cluster, {**GATEWAY, **LOGIN, "watchNamespaces[0]": "legal", "gateway.organizations[0]": "legal"}
        )
        if item["kind"] == "Deployment" and item["metadata"]["name"] == "trial-gateway"
    ]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    secret = "x" * 8
    environment = {variable["name"]: variable.get("value", secret) for variable in container["env"]}
    known = {f"DEALGUARD_{name.upper()}" for name in GatewaySettings.model_fields}
    assert environment.keys() <= known
    environment["DEALGUARD_SESSION_KEYS"] = Fernet.generate_key().decode()
    authority = Path(str(environment.pop("DEALGUARD_OIDC_AUTHORITY_FILE")))
    mounts = {Path(mount["mountPath"]): mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    assert volumes[mounts[authority.parent]]["configMap"] == {"name": "company"}
    settings = GatewaySettings.from_environment(environment)
    assert settings.namespaces == settings.organizations == ("legal",)
    assert settings.token_login
    assert settings.oidc_issuer == LOGIN["gateway.oidc.issuer"]


@pytest.mark.parametrize(("more", "impersonates"), [({}, False), ({**LOGIN, "gateway.oidc.mode": "impersonate"}, True)])
def test_the_gateway_may_watch_analyses_and_ask_for_reviews(
    cluster: Cluster, more: dict[str, str], impersonates: bool
) -> None:
    (role,) = [
        item
        for item in _objects(cluster, {**GATEWAY, **more})
        if item["kind"] == "ClusterRole" and item["metadata"]["name"] == "trial-gateway"
    ]
    rights = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert rights == {
        ("contractanalyses", "get"),
        ("contractanalyses", "list"),
        ("contractanalyses", "watch"),
        ("tokenreviews", "create"),
        ("subjectaccessreviews", "create"),
    } | ({("users", "impersonate"), ("groups", "impersonate")} if impersonates else set())


def test_a_gateway_without_a_cluster_role_has_roles_only(cluster: Cluster) -> None:
    values = {**GATEWAY, "gateway.clusterRole": "false", "watchNamespaces[0]": "legal", "rbac.aggregate": "false"}
    kinds = {item["kind"] for item in _objects(cluster, values)}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding"}


def test_a_route_leads_to_the_service(cluster: Cluster, kubectl: Kubectl, http_routes: None, namespace: str) -> None:
    objects = _objects(cluster, {**GATEWAY, **ROUTE})
    (route,) = [item for item in objects if item["kind"] == "HTTPRoute"]
    (service,) = [item for item in objects if item["kind"] == "Service"]
    name = route["metadata"]["name"]
    kubectl.check("-n", namespace, "apply", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(route))
    spec = kubectl.get(HTTP_ROUTES, name, namespace)["spec"]
    assert (spec["parentRefs"][0]["name"], spec["hostnames"]) == ("public", ["contracts.example.com"])
    (rule,) = spec["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert rule["timeouts"] == {"request": "0s"}
    (backend,) = rule["backendRefs"]
    assert backend["kind"] == "Service", "what the definition fills in"
    assert (backend["name"], backend["port"]) == (service["metadata"]["name"], service["spec"]["ports"][0]["port"])
    # It is the definition that judges.
    route["spec"]["rules"][0]["timeouts"]["request"] = "for ever"
    refused = kubectl.run("-n", namespace, "apply", "-f", "-", stdin=yaml.safe_dump(route))
    assert "spec.rules[0].timeouts.request" in refused.stderr
