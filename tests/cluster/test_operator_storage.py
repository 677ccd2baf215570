"""Reuse and sweep on the real API server and the real object storage."""

import io
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from minio import Minio

from dealguard_api import names
from dealguard_cluster import Cluster
from dealguard_operator import sweep
from tests.cluster.api_proxy import ApiProxy
from tests.cluster.operator_tools import (
    Analyses,
    Kubelet,
    analyses,
    environment,
    kubelet,
    neighbour,
    operator_environment,
    running_operator,
)
from tests.cluster.tools import wait_for

__all__ = ["analyses", "environment", "kubelet", "neighbour"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]

LEASE, OTHER = b"%PDF-1.7 a lease", b"%PDF-1.7 a lease, amended"
REPORT = b'{"a": "report"}'


@dataclass(frozen=True)
class Bucket:
    """The installation's bucket, as its administrator sees it."""

    client: Minio
    name: str

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(self.name, key, io.BytesIO(content), len(content))

    def remove(self, key: str) -> None:
        self.client.remove_object(self.name, key)

    def keys(self, *namespaces: str) -> set[str]:
        """The keys that have one of `namespaces` as their second part."""
        found = {item.object_name or "" for item in self.client.list_objects(self.name, recursive=True)}
        return {key for key in found if re.split("[/.]", key)[1] in namespaces}


@pytest.fixture
def bucket(cluster: Cluster) -> Bucket:
    environment = cluster.environment()
    client = Minio(
        urlsplit(environment["DEALGUARD_S3_ENDPOINT"]).netloc,
        access_key=environment["DEALGUARD_S3_ACCESS_KEY"],
        secret_key=environment["DEALGUARD_S3_SECRET_KEY"],
        region=environment["DEALGUARD_S3_REGION"],
        secure=False,
    )
    return Bucket(client, environment["DEALGUARD_S3_BUCKET"])


def test_no_stored_report_is_paid_twice(
    cluster: Cluster,
    analyses: Analyses,
    neighbour: Analyses,
    kubelet: Kubelet,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    namespace = analyses.namespace
    environment = operator_environment(cluster, f"{namespace},{neighbour.namespace}")
    document = f"documents/{namespace}/contract.pdf"
    bucket.put(document, LEASE)
    with running_operator(environment, monkeypatch):
        analyses.create("lease")
        report_key = kubelet.succeeds_with("lease", REPORT, LEASE)
        bucket.put(report_key, REPORT)
        first = analyses.wait_finished("lease")
        assert first["phase"] == "Completed"
    pointers = {key for key in bucket.keys(namespace) if key.startswith("cache/")}
    assert len(pointers) == 2, "by the digest that was measured, and by the storage's version"

    # As after a backup and a restore: no Jobs, no pods, no Secrets, no status, another uid.
    analyses.kubectl.check("-n", namespace, "delete", "ca,jobs,pods,secrets", "--all")
    with running_operator(environment, monkeypatch):
        analyses.create("lease")
        status = analyses.wait("lease", phase="Completed", reason="Cached")
        assert status["result"] == first["result"]
        assert status["document"] == first["document"]
        assert report_key in status["conditions"][0]["message"]
        assert not {"usage", "jobName", "startedAt", "durationSeconds"} & set(status)
        analyses.wait_finished("lease")  # as a script waits
        assert [event[1] for event in analyses.events("lease")][-1] == "Completed"

        # The status alone is gone, and another one asks by digest for a copy that is not even there.
        patch = ("--subresource=status", "--type=merge", "-p", '{"status": null}')
        analyses.kubectl.check("-n", namespace, "patch", "ca", "lease", *patch)
        analyses.create(
            "by-digest", document={"key": f"documents/{namespace}/x.pdf", "sha256": first["document"]["sha256"]}
        )
        analyses.create("by-claude", engine="claude")
        for name in ("lease", "by-digest", "by-claude"):
            assert analyses.wait(name, reason="Cached")["result"] == first["result"]
        assert analyses.jobs() == []

        # A new runToken asks for another report; so do Refresh, other settings and another namespace.
        analyses.patch("lease", runToken="again")
        analyses.create("refresh", cache="Refresh")
        analyses.create("by-rules", engine="rules")
        analyses.create("another-side", perspective="Tenant")
        bucket.put(f"documents/{neighbour.namespace}/contract.pdf", LEASE)
        neighbour.create("lease")
        for name in ("lease", "refresh", "by-rules", "another-side"):
            analyses.wait(name, phase="Processing")
        neighbour.wait("lease", phase="Processing")
        assert analyses.status("lease")["runs"][0]["reason"] == "Cached"

        # Other bytes under the same key, and then the old ones again.
        bucket.put(document, OTHER)
        analyses.create("amended")
        analyses.wait("amended", phase="Processing")
        bucket.put(document, LEASE)
        analyses.create("as-before")
        analyses.wait("as-before", reason="Cached")
        # The storage shows another version than before the Job: only the measured digest is noted.
        bucket.put(kubelet.succeeds_with("amended", b"{}", OTHER), b"{}")
        analyses.wait_finished("amended")
        assert len({key for key in bucket.keys(namespace) if key.startswith("cache/")} - pointers) == 1

        # A pointer to a report that is not there, or is another one, leads nowhere.
        bucket.put(report_key, b"{}")
        analyses.create("overwritten")
        analyses.wait("overwritten", phase="Processing")
        bucket.remove(report_key)
        analyses.create("removed")
        analyses.wait("removed", phase="Processing")
    jobs = {job["metadata"]["labels"][names.LABEL_NAME] for job in analyses.jobs()}
    assert jobs == {"lease", "refresh", "by-rules", "another-side", "amended", "overwritten", "removed"}


def test_a_report_outlives_its_job_while_no_operator_runs(
    cluster: Cluster, analyses: Analyses, kubelet: Kubelet, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = analyses.namespace
    environment = operator_environment(cluster, namespace)
    bucket.put(f"documents/{namespace}/contract.pdf", LEASE)
    with running_operator(environment, monkeypatch):
        analyses.create("lease")
        analyses.wait("lease", phase="Processing")
    report_key = kubelet.succeeds_with("lease", REPORT, LEASE)
    bucket.put(report_key, REPORT)
    analyses.kubectl.check("-n", namespace, "delete", "jobs,pods", "--all")
    with running_operator(environment, monkeypatch):
        wait_for("another Job", lambda: analyses.status("lease").get("jobCount") == 2)
        assert kubelet.succeeds_with("lease", REPORT, LEASE) == report_key, "the same run: its pod finds the report"
        status = analyses.wait_finished("lease")
        assert (status["phase"], status["run"]) == ("Completed", 1)
        analyses.create("again")
        assert analyses.wait("again", reason="Cached")["result"] == status["result"]


class Link:
    """A TCP port that leads to the object storage while it is up, and to nothing while it is not."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._target = (parts.hostname or "", parts.port or 80)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self._port}"

    @contextmanager
    def up(self) -> Iterator[None]:
        """Lead to the storage until the block ends."""
        sockets: list[socket.socket] = []
        with socket.create_server(("127.0.0.1", self._port)) as server:
            threading.Thread(target=self._serve, args=(server, sockets), daemon=True).start()
            yield
            server.shutdown(socket.SHUT_RDWR)
        for each in sockets:
            each.close()

    def _serve(self, server: socket.socket, sockets: list[socket.socket]) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            sockets += [near, far]
            for one, another in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, another), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def test_a_storage_that_is_away_delays_and_loses_nothing(
    analyses: Analyses,
    kubelet: Kubelet,
    bucket: Bucket,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    namespace = analyses.namespace
    link = Link(environment["DEALGUARD_S3_ENDPOINT"])
    bucket.put(f"documents/{namespace}/contract.pdf", LEASE)
    with running_operator({**environment, "DEALGUARD_S3_ENDPOINT": link.endpoint}, monkeypatch):
        with link.up():
            analyses.create("running")
            kubelet.analyzing("running")
            analyses.wait("running", stage="Analyzing")
        waiting = [f"waits-{number}" for number in range(6)]
        for name in waiting:
            analyses.create(name, perspective=name)
        for name in waiting:
            status = analyses.wait(name, phase="Pending", stage="Queued", reason="StorageUnavailable")
        assert status["conditions"][0]["message"].startswith("The object storage does not answer.")
        assert {job["metadata"]["labels"][names.LABEL_NAME] for job in analyses.jobs()} == {"running"}

        bucket.put(kubelet.succeeds_with("running", REPORT, LEASE), REPORT)
        assert analyses.wait_finished("running")["phase"] == "Completed", "its pointer can wait"
        with link.up():
            for name in waiting:
                analyses.wait(name, phase="Processing", seconds=20)
            wait_for("the pointers", lambda: any(key.startswith("cache/") for key in bucket.keys(namespace)), 30)
            analyses.create("same-as-running")
            analyses.wait("same-as-running", reason="Cached")
    assert len(analyses.jobs()) == 1 + len(waiting)


# Sweep.


@dataclass(frozen=True)
class Sweep:
    """`python -m dealguard_operator sweep`, in the test's own process: most of its time would be its start."""

    environment: dict[str, str]
    monkeypatch: pytest.MonkeyPatch
    printed: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, expect: int = 0, **more: str) -> str:
        """Run it; what it printed."""
        for name, value in {**self.environment, **more}.items():
            self.monkeypatch.setenv(name, value)
        self.printed.readouterr()
        exit_code = sweep.main(arguments)
        out, err = self.printed.readouterr()
        assert exit_code == expect, err
        return out + err


def test_a_sweep_removes_exactly_what_nothing_needs(
    cluster: Cluster,
    analyses: Analyses,
    neighbour: Analyses,
    bucket: Bucket,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Sweep(environment, monkeypatch, capsys)
    namespace = analyses.namespace
    for name in ("finished", "cached", "new"):
        analyses.create(name, document={"key": f"documents/{namespace}/{name}.pdf"})
    uid = analyses.get("finished")["metadata"]["uid"]
    own, taken = f"reports/{namespace}/{uid}/1.json", f"reports/{namespace}/gone-but-taken/1.json"
    unneeded = f"reports/{namespace}/gone/1.json"
    for name, report in (("finished", own), ("cached", taken)):
        status = f'{{"status": {{"phase": "Completed", "run": 1, "result": {_result(report)}}}}}'
        patch = ("--subresource=status", "--type=merge", "-p", status)
        analyses.kubectl.check("-n", namespace, "patch", "ca", name, *patch)
    needed = {own, taken, *(f"documents/{namespace}/{name}.pdf" for name in ("finished", "cached", "new"))}
    pointers = {
        f"cache/{namespace}/{digit * 64}": report for digit, report in (("a", own), ("b", unneeded), ("c", taken))
    }
    not_ours = {f"reports/{namespace}/notes.txt", f"elsewhere/{namespace}/1.json"}
    orphans = {
        unneeded,
        f"reports/{namespace}/gone/2.checkpoint.json",
        f"reports/{namespace}/{uid}/1.checkpoint.json",
        f"documents/{namespace}/old/offer.pdf",
    }
    elsewhere = {f"reports/{neighbour.namespace}/gone/1.json", f"documents/{neighbour.namespace}/a.pdf"}
    for key in needed | not_ours | orphans | elsewhere:
        bucket.put(key, b"{}")
    for key, report in pointers.items():
        bucket.put(key, _pointer(report))
    everything = bucket.keys(namespace, neighbour.namespace)
    record = f"sweep/{namespace}.json"

    early = run("--delete")
    assert "not yet for 7 days: 4 objects" in early, "the grace period begins when nothing needs it any more"
    assert bucket.keys(namespace, neighbour.namespace) == everything | {record}

    dry = subprocess.run(
        [sys.executable, "-m", "dealguard_operator", "sweep", "--grace-seconds=0"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    shown = set(re.findall(r"^    (\S+)$", dry, re.MULTILINE))
    assert shown == orphans | {f"cache/{namespace}/{'b' * 64}"}
    assert dry.splitlines()[-1] == "Next: python -m dealguard_operator sweep --delete"
    assert bucket.keys(namespace, neighbour.namespace) == everything | {record}

    delete = ("--delete", "--grace-seconds=0", "--settle-seconds=0")
    with ApiProxy(Path(cluster.kubeconfig)) as proxy:
        kubeconfig = str(proxy.kubeconfig(tmp_path / "kubeconfig"))
        # The second is a proxy that answers in the API server's place.
        for status, answer in ((500, {}), (200, {"status": "ok"})):
            proxy.fault = lambda request, fault=(status, answer): fault
            refused = run(*delete, expect=1, KUBECONFIG=kubeconfig)
            assert "nothing more was removed" in refused
            assert bucket.keys(namespace, neighbour.namespace) == everything | {record}
        proxy.fault = lambda request: None
        assert run(*delete, KUBECONFIG=kubeconfig).startswith("Removed 5 objects.")
        assert {request.verb for request in proxy.requests} == {(names.GROUP, names.PLURAL, "list")}
    assert everything - bucket.keys(namespace, neighbour.namespace) == shown
    assert run(*delete).startswith("There is nothing to remove.")
    assert record not in bucket.keys(namespace)


def _result(report_key: str) -> str:
    return (
        '{"riskLevel": "Low", "riskScore": 1, "findings": {"total": 0}, "summary": "", "engine": "rules", '
        f'"report": {{"key": "{report_key}", "sha256": "{"ab" * 32}"}}}}'
    )


def _pointer(report_key: str) -> bytes:
    document = f'{{"sha256": "{"ab" * 32}", "bytes": 1, "pages": 1}}'
    return f'{{"version": 1, "result": {_result(report_key)}, "document": {document}}}'.encode()
