"""Reading through the gateway: polls, lists, events and the raw resource, on the real API server."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from dealguard_api import names
from dealguard_cluster import Cluster, supervision
from tests.cluster.gateway_tools import (
    Gateway,
    Tenants,
    gateway,
    gateway_kubeconfig,
    own,
    poll,
    running_gateway,
    tenants,
)
from tests.cluster.operator_tools import SHA256, result
from tests.cluster.tools import wait_for

__all__ = ["gateway", "gateway_kubeconfig", "own", "tenants"]  # fixtures

pytestmark = pytest.mark.cluster

NOW = "2026-11-24T10:00:00Z"


def completed(tenants: Tenants, id: str) -> dict[str, Any]:  # noqa: A002
    """The fields of a status that has ended well."""
    uid = tenants.get(id)["metadata"]["uid"]
    key = names.report_key(id.partition(".")[0], uid, 1)
    read = {"sha256": SHA256, "bytes": 10, "pages": 3, "language": "en"}
    return {"phase": "Completed", "run": 1, "finishedAt": NOW, "result": result(key), "document": read, "stage": None}


def test_a_contract_is_polled_from_its_creation_to_its_end(own: httpx.Client, tenants: Tenants) -> None:
    id = tenants.create("lease", annotations={"dealguard.io/file-name": "Mietvertrag <1>.pdf"})  # noqa: A001
    first = own.get(f"/contracts/{id}")
    assert first.status_code == 200
    assert first.headers["retry-after"] == "3"
    assert first.headers["cache-control"] == "private, no-cache"
    assert {name.strip() for name in first.headers["vary"].split(",")} >= {"Authorization", "Cookie"}
    assert (first.json()["status"], first.json()["stage"]) == ("pending", "queued")
    assert first.json()["fileName"] == "Mietvertrag <1>.pdf"
    unchanged = own.get(f"/contracts/{id}", headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["retry-after"] == "3"

    tenants.write_status(id, phase="Processing", stage="Extracting", run=1, attemptCount=1, startedAt=NOW)
    poll(own, id, status="processing", stage="extracting", attempts=1)
    assert own.get(f"/contracts/{id}", headers={"If-None-Match": first.headers["etag"]}).status_code == 200

    tenants.write_status(id, **completed(tenants, id))
    done = poll(own, id, status="completed")
    assert done["summary"]["riskLevel"] == "Medium"
    assert done["links"]["report"] == f"/contracts/{id}/report"
    assert "retry-after" not in own.get(f"/contracts/{id}").headers


def test_a_contract_is_found_at_once_by_a_second_gateway_and_gone_at_once(
    cluster: Cluster, gateway_kubeconfig: Path, tenants: Tenants, own: httpx.Client, tmp_path: Path
) -> None:
    with (
        running_gateway(cluster, gateway_kubeconfig, tmp_path) as second,
        second.client(tenants.own) as other_replica,
    ):
        for number in range(5):
            id = tenants.create(f"both-{number}")  # noqa: A001
            found = [replica.get(f"/contracts/{id}") for replica in (own, other_replica)]
            assert [answer.status_code for answer in found] == [200, 200]
            assert found[0].headers["etag"] == found[1].headers["etag"], "a client may go to either"
            tenants.delete(id)
            wait_for("it to be gone", lambda: own.get(f"/contracts/{id}").status_code == 404)  # noqa: B023


@pytest.mark.parametrize("who", ["other", "nobody"])
def test_whether_a_contract_of_others_exists_does_not_show(gateway: Gateway, tenants: Tenants, who: str) -> None:
    there, missing = tenants.create(f"secret-{who}"), f"{tenants.namespace}.missing"
    with gateway.client(getattr(tenants, who)) as client:
        for path in ("", "/events", "/report", "/document"):
            answers = [client.get(f"/contracts/{id}{path}") for id in (there, missing)]  # noqa: A001
            assert [answer.status_code for answer in answers] == [404, 404], path
            assert answers[0].content == answers[1].content
            assert answers[0].headers["content-type"] == "application/problem+json"
        assert client.get("/contracts", params={"organization": tenants.namespace}).status_code == 403
        assert client.get("/events", params={"organization": tenants.namespace}).status_code == 403
        assert client.get("/contracts").json()["total"] == sum(
            each["metadata"]["namespace"] == tenants.other_namespace and who == "other"
            for each in tenants.kubectl.items("ca", tenants.other_namespace)
        )


def test_the_list_is_filtered_ordered_and_paged_without_gaps(own: httpx.Client, tenants: Tenants) -> None:
    ids = [
        tenants.create(f"list-{number}", annotations={"dealguard.io/file-name": f"Offer {number}.pdf"})
        for number in range(5)
    ]
    tenants.write_status(ids[3], **completed(tenants, ids[3]))
    poll(own, ids[3], status="completed")
    query: dict[str, Any] = {"organization": tenants.namespace, "q": "OFFER"}
    wait_for("all to be listed", lambda: own.get("/contracts", params=query).json()["total"] == 5)

    path: str | None = str(httpx.URL("/contracts", params={**query, "order": "-fileName", "limit": 2}))
    seen: list[str] = []
    while path:
        page = own.get(path).json()
        seen += [item["id"] for item in page["items"]]
        path = page["next"]
        assert page["total"] >= 5
        if len(seen) == 2:
            tenants.create("list-new", annotations={"dealguard.io/file-name": "Offer 9.pdf"})
    assert seen == ids[::-1], "what came meanwhile moved nothing"

    only = own.get("/contracts", params={**query, "status": "completed", "risk": ["Medium", "High"]})
    assert [item["id"] for item in only.json()["items"]] == [ids[3]]
    again = own.get("/contracts", params={**query, "status": "completed", "risk": ["Medium", "High"]},
                    headers={"If-None-Match": only.headers["etag"]})  # fmt: skip
    assert again.status_code == 304


class Listener:
    """An event stream, read in a thread: each event with the moment it came."""

    def __init__(self, client: httpx.Client, path: str) -> None:
        self._client = client
        self._path = path
        self.events: list[tuple[str, dict[str, Any], float]] = []
        self.has_ended = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def wait(self, kind: str, **expected: Any) -> float:
        """When the first event of this kind with these fields came."""

        def probe() -> float | None:
            return next(
                (at for event, data, at in list(self.events)
                 if event == kind and all(data.get(field) == value for field, value in expected.items())),
                None,
            )  # fmt: skip

        return wait_for(f"{kind} {expected}; there was {[event[0] for event in self.events]}", probe, 20)

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _read(self) -> None:
        kind = ""
        with self._client.stream("GET", self._path, timeout=30) as answer:
            for line in answer.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    kind = value
                elif field == "data":
                    self.events.append((kind, json.loads(value), time.monotonic()))
        self.has_ended.set()


@contextmanager
def listening(gateway: Gateway, tenants: Tenants, path: str) -> Iterator[Listener]:
    with gateway.client(tenants.own) as client:
        listener = Listener(client, path)
        yield listener
        listener.join()


def test_changes_come_as_events_until_the_deletion(gateway: Gateway, tenants: Tenants) -> None:
    id = tenants.create("events")  # noqa: A001
    with listening(gateway, tenants, f"/contracts/{id}/events") as listener:
        listener.wait("contract", status="pending")
        tenants.write_status(id, phase="Processing", stage="Analyzing", run=1)
        listener.wait("contract", status="processing")
        tenants.delete(id)
        listener.wait("deleted", id=id)
    assert listener.has_ended.is_set()
    wait_for("the stream to be counted out", lambda: gateway.metric("dealguard_gateway_event_streams") == 0)


def test_an_organizations_events_begin_with_sync_and_end_with_the_process(
    cluster: Cluster, gateway_kubeconfig: Path, tenants: Tenants, tmp_path: Path
) -> None:
    settings = {"namespaces": tenants.namespace}  # and with one namespace's watch
    with running_gateway(cluster, gateway_kubeconfig, tmp_path, **settings) as gateway:
        with listening(gateway, tenants, f"/events?organization={tenants.namespace}") as listener:
            listener.wait("sync")
            id = tenants.create("events-of-all")  # noqa: A001
            listener.wait("contract", id=id)
            tenants.delete(id)
            listener.wait("deleted", id=id)
            began_at = time.monotonic()
            assert gateway.stop() == 0
            assert time.monotonic() - began_at < 10, "open streams do not hold up the end"
        lines = [json.loads(line) for line in gateway.log.splitlines()]
    assert {line["severity"] for line in lines} == {"info"}, lines


def test_the_resource_itself_is_read_with_the_callers_rights(gateway: Gateway, tenants: Tenants) -> None:
    id = tenants.create("raw")  # noqa: A001
    base = f"/apis/dealguard.io/v1alpha1/namespaces/{tenants.namespace}/contractanalyses"
    with gateway.client(tenants.own) as own, gateway.client(tenants.other) as other:
        raw, known = own.get(f"{base}/raw").json(), tenants.get(id)
        assert (raw["metadata"]["uid"], raw["spec"]) == (known["metadata"]["uid"], known["spec"])
        found = own.get(base, params={"fieldSelector": "metadata.name=raw"}).json()
        assert [item["metadata"]["name"] for item in found["items"]] == ["raw"]
        table = own.get(f"{base}/raw", headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"})
        assert table.json()["kind"] == "Table"
        assert own.get(f"{base}/missing").json()["reason"] == "NotFound"
        refused = other.get(f"{base}/raw")
        assert (refused.status_code, refused.json()["kind"]) == (403, "Status")
        version = found["metadata"]["resourceVersion"]
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "2"}
        tenants.write_status(id, phase="Processing")
        with own.stream("GET", base, params=query) as answer:
            events = [json.loads(line) for line in answer.iter_lines()]
        assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [("MODIFIED", "raw")]


@pytest.mark.parametrize(
    "path",
    [
        "/apis/dealguard.io/../../api/v1/namespaces",
        "/apis/dealguard.io/%2e%2e/%2e%2e/api/v1/namespaces",
        "/apis/dealguard.io/..%2f..%2fapi/v1/namespaces",
        "/apis/dealguard.io//v1alpha1",
        "/apis/dealguard.io/v1alpha1/namespaces/%64efault/contractanalyses",
        "/apis%2fdealguard.io/v1alpha1",
        "/apis/apps/v1/deployments",
        "/api/v1/namespaces",
    ],
)
def test_nothing_else_of_the_api_server_is_reached(gateway: Gateway, tenants: Tenants, path: str) -> None:
    """Whatever the caller's rights: it is the gateway that refuses, in its own words."""
    with gateway.client(tenants.own) as client:
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:dealguard:problem:no-such-path"


def test_polls_are_answered_while_the_api_server_restarts(
    cluster: Cluster, gateway: Gateway, own: httpx.Client, tenants: Tenants
) -> None:
    id = tenants.create("restart")  # noqa: A001
    poll(own, id, status="pending")
    supervision.stop(cluster.layout, "kube-apiserver")
    try:
        end = time.monotonic() + 8  # longer than answers of reviews are kept
        statuses = []
        while time.monotonic() < end:
            began_at = time.monotonic()
            statuses.append(own.get(f"/contracts/{id}").status_code)
            assert time.monotonic() - began_at < 5
            time.sleep(0.2)
        assert set(statuses) == {200}
        with gateway.client(tenants.other) as stranger:
            refused = stranger.get(f"/contracts/{id}")
        assert refused.status_code == 503, "who was not known before cannot be known now"
        assert refused.headers["retry-after"].isdecimal()
        assert own.delete(f"/contracts/{id}").status_code == 503
    finally:
        supervision.start(cluster.layout, "kube-apiserver")
    wait_for("the API server", lambda: tenants.kubectl.run("get", "--raw=/readyz").returncode == 0)
    tenants.write_status(id, phase="Processing", stage="Starting", run=1)
    poll(own, id, status="processing")
    assert gateway.is_ready()


def test_a_client_that_never_ends_its_headers_is_cut_off(gateway: Gateway, tenants: Tenants) -> None:
    slow = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(50)]
    began_at = time.monotonic()
    for connection in slow:
        connection.sendall(b"GET /contracts HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        connection.settimeout(20)
    with gateway.client(tenants.own) as client:
        assert client.get("/contracts").status_code == 200, "others are served"
    for connection in slow:
        with connection, suppress(ConnectionResetError):
            assert connection.recv(100) == b""
    assert time.monotonic() - began_at < 20


def test_logs_name_the_analysis_by_its_uid_and_no_file(
    cluster: Cluster, gateway_kubeconfig: Path, tenants: Tenants, tmp_path: Path
) -> None:
    id = tenants.create("logged", annotations={"dealguard.io/file-name": "Geheim.pdf"})  # noqa: A001
    uid = tenants.get(id)["metadata"]["uid"]
    with running_gateway(cluster, gateway_kubeconfig, tmp_path) as gateway, gateway.client(tenants.own) as client:
        answer = client.post(f"/contracts/{id}/cancel", headers={"X-Request-Id": "from-a-proxy"})
        assert answer.status_code == 202
        assert answer.headers["x-request-id"] == "from-a-proxy"
        assert client.get(f"/contracts/{id}").headers["x-request-id"]
    lines = [json.loads(line) for line in gateway.log.splitlines()]
    (about,) = [line for line in lines if line.get("request") == "from-a-proxy"]
    assert (about["uid"], about["namespace"], about["name"]) == (uid, tenants.namespace, "logged")
    assert about["message"].startswith("POST /contracts/{id}/cancel: 202")
    assert "Geheim" not in gateway.log
    assert tenants.own.token not in gateway.log
