"""What Prometheus reads from a running operator, and what the chart makes for it."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from dealguard_api import names
from dealguard_api.exit_codes import ExitCode
from dealguard_cluster import Cluster
from tests.cluster.operator_tools import Analyses, Kubelet, analyses, environment, kubelet
from tests.cluster.tools import Kubectl, wait_for

__all__ = ["analyses", "environment", "kubelet"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]

REPOSITORY = Path(__file__).resolve().parent.parent.parent
CHART = REPOSITORY / "charts" / "dealguard"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"dealguard_{name}", frozenset(labels.items())


@contextmanager
def operator_process(environment: dict[str, str], log: Path) -> Iterator[Callable[[], str]]:
    """An operator of its own process, killed at the end; how to read its page of metrics, empty before there is one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**environment, "DEALGUARD_HEALTH_PORT": str(port), "DEALGUARD_LOG_FORMAT": "json"}

    def page() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                text: str = answer.read().decode()
        except urllib.error.URLError:
            return ""  # not there yet
        return text

    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "dealguard_operator"], env={**os.environ, **environment}, stdout=file, stderr=file
        )
    try:
        yield page
    finally:
        process.kill()
        process.wait()


def samples(page: str) -> Samples:
    families = text_string_to_metric_families(page)
    return {(sample.name, frozenset(sample.labels.items())): sample.value for f in families for sample in f.samples}


def test_a_scrape_tells_what_waits_what_ended_and_what_it_cost(
    analyses: Analyses, kubelet: Kubelet, environment: dict[str, str], tmp_path: Path
) -> None:
    namespace, log = analyses.namespace, tmp_path / "log"
    with operator_process(environment, log) as page:
        analyses.create("good", engine="rules")
        analyses.create("bad", engine="rules")
        analyses.create("asleep", engine="rules", suspend=True)
        kubelet.extract_fails("bad", int(ExitCode.NOT_A_PDF))
        analyses.wait_finished("bad")
        documented = set(re.findall(r"^\| `(dealguard_[a-z_]+)` ", (REPOSITORY / "docs/metrics.md").read_text(), re.M))
        assert set(re.findall(r"^# TYPE (dealguard_\w+) ", page(), re.M)) == documented
        before = wait_for(
            "one run to be counted, and one to be under way",
            lambda: (
                found
                if of("runs_total", phase="Failed", reason="NotAPDF") in (found := samples(page()))
                and found[of("analyses", namespace=namespace, state="running")] == 1
                else None
            ),
        )
        assert before[of("analyses", namespace=namespace, state="suspended")] == 1
        kubelet.succeeds("good")
        analyses.wait_finished("good")
        found = wait_for(
            "both runs to be counted",
            lambda: (
                found if of("runs_total", phase="Completed", reason="Completed") in (found := samples(page())) else None
            ),
        )
    assert found[of("runs_total", phase="Completed", reason="Completed")] == 1
    assert found[of("runs_total", phase="Failed", reason="NotAPDF")] == 1
    assert found[of("analyses", namespace=namespace, state="running")] == 0
    assert found[of("queue_wait_seconds_count")] == 2
    assert found[of("stage_duration_seconds_count", stage="Extracting")] == 2
    assert found[of("tokens_total", model="other", kind="input")] == 100
    assert found[of("cost_usd_total", model="other")] == pytest.approx(0.01)
    assert found[of("api_requests_total", verb="create", resource="jobs", code="201")] == 2
    assert found[of("api_requests_total", verb="update", resource=f"{names.PLURAL}/status", code="200")] >= 5
    for resource in (names.PLURAL, "jobs", "pods"):
        assert found[of("watch_last_event_age_seconds", resource=resource)] < 60, resource
    assert found[of("leader", lease="")] == 1
    assert found[of("stale_watches")] == 0
    assert found[("process_resident_memory_bytes", frozenset())] > 10_000_000

    # Killed and started again: what ended before is not counted once more, what waits is seen at once.
    with operator_process(environment, log) as page:
        again = wait_for(
            "the restarted operator to see what waits",
            lambda: (
                found if of("analyses", namespace=namespace, state="suspended") in (found := samples(page())) else None
            ),
        )
        listed = of("api_requests_total", verb="list", resource="pods", code="200")
        again = wait_for("two resyncs", lambda: found if (found := samples(page()))[listed] >= 3 else None)
    assert not [sample for sample in again if sample[0] in ("dealguard_runs_total", "dealguard_attempts_total")]
    assert again[of("analyses", namespace=namespace, state="suspended")] == 1

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    uids = {item["metadata"]["uid"]: item["metadata"]["name"] for item in analyses.kubectl.items("ca", namespace)}
    about = {(line["uid"], line["name"]) for line in lines if "uid" in line}
    assert about == set(uids.items()), "the log tells of all three, each line by its uid"
    assert {line["uid"] for line in lines if line["message"].startswith("Run ")} == set(uids)


def test_the_chart_makes_a_service_monitor_only_where_it_is_asked_for(cluster: Cluster, kubectl: Kubectl) -> None:
    plain, asked = _rendered(cluster), _rendered(cluster, "metrics.serviceMonitor.enabled=true")
    assert "ServiceMonitor" not in {item["kind"] for item in plain}
    annotations = _the(plain, "Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert (annotations["prometheus.io/port"], annotations["prometheus.io/path"]) == ("8080", "/metrics")

    monitor, deployment = _the(asked, "ServiceMonitor"), _the(asked, "Deployment")
    service = next(
        item for item in asked if item["kind"] == "Service" and item["metadata"]["name"].endswith("-metrics")
    )
    kubectl.check("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(service))
    selected = monitor["spec"]["selector"]["matchLabels"]
    assert selected.items() <= service["metadata"]["labels"].items(), "the monitor finds the Service"
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    ports = {
        port["name"]: port["containerPort"] for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
    }
    assert service["spec"]["ports"][0]["targetPort"] in ports
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


def test_the_chart_asks_for_traces_only_where_there_is_a_collector(cluster: Cluster) -> None:
    def variables(*values: str) -> dict[str, str]:
        container = _the(_rendered(cluster, *values), "Deployment")["spec"]["template"]["spec"]["containers"][0]
        return {item["name"]: item.get("value", "") for item in container["env"] if item["name"].startswith("OTEL_")}

    assert variables() == {}
    more = ("tracing.env[0].name=OTEL_RESOURCE_ATTRIBUTES", "tracing.env[0].value=a=b")
    assert variables("tracing.endpoint=http://collector.example:4318", *more) == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318",
        "OTEL_RESOURCE_ATTRIBUTES": "a=b",
    }


def _rendered(cluster: Cluster, *values: str) -> list[dict[str, Any]]:
    required = ("operator.image=o", "analyzer.image=a", "storage.endpoint=https://s", "storage.credentialsSecret=c")
    command = ["helm", "template", "trial", str(CHART), "--kube-version=1.34.0"]
    done = subprocess.run(
        [*command, *(f"--set={value}" for value in (*required, *values))],
        env=cluster.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def _the(items: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (item,) = [item for item in items if item["kind"] == kind]
    return item
