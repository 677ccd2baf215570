"""Restarts, conflicts, refusals and doubles: every analysis reaches its end, none is run twice."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dealguard_api import names
from dealguard_cluster import Cluster
from tests.cluster.api_proxy import ApiProxy, Refusal, Request
from tests.cluster.operator_tools import (
    Analyses,
    Kubelet,
    analyses,
    environment,
    kubelet,
    operator,
    running_operator,
)
from tests.cluster.tools import wait_for

__all__ = ["analyses", "environment", "kubelet", "operator"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[ApiProxy]:
    with ApiProxy(Path(cluster.kubeconfig)) as proxy:
        yield proxy


def test_what_happened_while_the_operator_was_away_is_caught_up(
    analyses: Analyses, kubelet: Kubelet, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    analyses.create("before", engine="rules")
    with running_operator(environment, monkeypatch):
        for name in ("runs", "ends", "is-deleted"):
            analyses.create(name, engine="rules")
        for name in ("before", "runs", "ends", "is-deleted"):
            kubelet.analyzing(name)
            analyses.wait(name, stage="Analyzing")
    kubelet.succeeds("ends")
    job = analyses.status("is-deleted")["jobName"]
    analyses.kubectl.check("-n", analyses.namespace, "delete", "job", job)
    analyses.create("meanwhile", engine="rules")
    with running_operator(environment, monkeypatch):
        assert analyses.wait_finished("ends")["phase"] == "Completed"
        assert analyses.wait_finished("is-deleted")["failure"]["reason"] == "JobDeleted"
        for name in ("before", "runs", "meanwhile"):
            kubelet.succeeds(name)
            assert analyses.wait_finished(name)["phase"] == "Completed"
    jobs = [job["metadata"]["labels"]["dealguard.io/analysis-name"] for job in analyses.jobs()]
    assert sorted(jobs) == ["before", "ends", "meanwhile", "runs"]


def test_a_finished_analysis_is_not_written_to_again(
    analyses: Analyses, kubelet: Kubelet, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_operator(environment, monkeypatch):
        analyses.create("lease", engine="rules")
        kubelet.succeeds("lease")
        analyses.wait_finished("lease")
    version = analyses.get("lease")["metadata"]["resourceVersion"]
    analyses.kubectl.check("-n", analyses.namespace, "delete", "jobs,pods,secrets", "--all")
    with running_operator(environment, monkeypatch):
        analyses.create("witness", engine="rules", cancel=True)
        analyses.wait_finished("witness")  # the operator looked at everything since it started
        time.sleep(5)  # and resynced
    assert analyses.get("lease")["metadata"]["resourceVersion"] == version
    assert analyses.jobs("lease") == []


@pytest.mark.usefixtures("operator")
def test_another_writer_does_not_keep_the_status_from_being_written(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    stop = threading.Event()

    def scribble() -> None:
        while not stop.is_set():
            for number in range(10):
                analyses.kubectl.run(
                    "-n", analyses.namespace, "annotate", "ca", "lease", f"note={number}", "--overwrite"
                )

    writers = [threading.Thread(target=scribble) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        kubelet.extracting("lease")
        analyses.wait("lease", stage="Extracting")
        kubelet.analyzing("lease")
        analyses.wait("lease", stage="Analyzing")
        kubelet.succeeds("lease")
        status = analyses.wait_finished("lease")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert status["phase"] == "Completed"
    assert len(analyses.jobs()) == 1
    assert analyses.get("lease")["metadata"]["annotations"]["note"], "nothing of the other writer is lost"


def test_lists_and_watches_are_selected_by_the_server(
    analyses: Analyses,
    kubelet: Kubelet,
    environment: dict[str, str],
    proxy: ApiProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_operator(environment, monkeypatch, kubeconfig=proxy.kubeconfig(tmp_path / "config")):
        analyses.create("done", engine="rules")
        analyses.create("deleted", engine="rules")
        kubelet.succeeds("done")
        analyses.wait_finished("done")
        status = analyses.wait("deleted", phase="Processing")
        analyses.kubectl.check("-n", analyses.namespace, "delete", "job", status["jobName"])
        analyses.wait_finished("deleted")
    scoped = [request for request in proxy.requests if request.verb[1] in ("jobs", "pods", "contractanalyses")]
    assert all(f"/namespaces/{analyses.namespace}/" in f"{request.path}/" for request in scoped)
    lists = [
        request for request in scoped if request.verb[2] in ("list", "watch") and request.verb[1] in ("jobs", "pods")
    ]
    assert {request.verb[1:] for request in lists} == {(r, v) for r in ("jobs", "pods") for v in ("list", "watch")}
    ours, one_analysis = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}", f"{names.LABEL_UID}="
    for request in lists:
        if request.query.get("limit") == "1":
            continue  # whether lists are answered
        # An absence is confirmed by the analysis's own label: somebody may have taken the other one away.
        allowed = (ours,) if request.verb[2] == "watch" else (ours, one_analysis)
        assert any(label in request.query["labelSelector"] for label in allowed), request


def test_refusals_of_the_api_server_delay_and_lose_nothing(
    analyses: Analyses,
    kubelet: Kubelet,
    environment: dict[str, str],
    proxy: ApiProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each kind of write is refused twice, each time with another status."""
    answers: dict[tuple[str, str], list[Refusal]] = {
        ("contractanalyses/status", "update"): [(503, {}), (429, {"Retry-After": "1"})],
        ("jobs", "create"): [(500, {}), (429, {"Retry-After": "1"})],
        ("secrets", "create"): [(504, {}), (401, {})],
        ("jobs", "list"): [(503, {}), (429, {"Retry-After": "1"})],
    }

    def fault(request: Request) -> Refusal | None:
        due = answers.get(request.verb[1:])
        return due.pop(0) if due else None

    proxy.fault = fault
    with running_operator(environment, monkeypatch, kubeconfig=proxy.kubeconfig(tmp_path / "config")):
        for name in ("one", "two"):
            analyses.create(name, engine="rules")
        # A container whose Secret is missing does not start; the played one would.
        wait_for("both Secrets", lambda: len(analyses.kubectl.items("secrets", analyses.namespace)) == 2)
        for name in ("one", "two"):
            kubelet.succeeds(name)
            assert analyses.wait_finished(name)["phase"] == "Completed"
    assert not any(answers.values()), "all were given"
    assert len(analyses.jobs()) == 2


def test_lost_watch_events_are_made_up_for_by_the_resync(
    analyses: Analyses,
    kubelet: Kubelet,
    environment: dict[str, str],
    proxy: ApiProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_watches(request: Request) -> Refusal | None:
        return (503, {}) if request.verb[2] == "watch" else None

    proxy.fault = no_watches
    with running_operator(environment, monkeypatch, kubeconfig=proxy.kubeconfig(tmp_path / "config")):
        analyses.create("lease", engine="rules")
        kubelet.succeeds("lease")
        assert analyses.wait_finished("lease")["phase"] == "Completed"


def test_two_operators_make_one_job_for_each(
    analyses: Analyses, kubelet: Kubelet, environment: dict[str, str], tmp_path: Path
) -> None:
    processes = [_start(environment, tmp_path / f"log-{number}") for number in range(2)]
    try:
        created = [f"lease-{number}" for number in range(10)]
        for name in created:
            analyses.create(name, engine="rules")
        for name in created:
            kubelet.succeeds(name)
        for name in created:
            assert analyses.wait_finished(name)["phase"] == "Completed"
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    assert len(analyses.jobs()) == len(created)
    started = [event for name in created for event in analyses.events(name) if event[1] == "Completed"]
    assert len(started) == len(created), "a transition is written, and told of, once"


def test_the_program_starts_answers_its_probe_and_ends_on_sigterm(
    analyses: Analyses, environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    environment = {**environment, "DEALGUARD_HEALTH_PORT": str(port), "DEALGUARD_LOG_FORMAT": "json"}
    process = _start(environment, log)
    try:
        analyses.create("lease", engine="rules")
        analyses.wait("lease", phase="Processing")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            assert json.load(answer) == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    uid = analyses.get("lease")["metadata"]["uid"]
    about = {(line["uid"], line["namespace"], line["name"], line["run"]) for line in lines if "uid" in line}
    assert about == {(uid, analyses.namespace, "lease", 1)}
    for secret in ("X-Amz-Signature", environment["DEALGUARD_S3_SECRET_KEY"], "documents/"):
        assert secret not in log.read_text()


def _start(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "dealguard_operator"], env={**os.environ, **environment}, stdout=file, stderr=file
        )
