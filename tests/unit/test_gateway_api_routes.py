"""The routes that read, over ASGI, with a small API server behind them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import pytest

from dealguard_gateway.app import create_routes
from dealguard_gateway.health import Readiness
from dealguard_gateway.kubernetes.api import analyses_path
from dealguard_gateway.kubernetes.store import AnalysisStore
from dealguard_gateway.routes import events
from dealguard_gateway.routes.openapi import document
from tests.unit.gateway_fakes import RIGHTS, FakeGateway, analysis, fake_gateway
from tests.unit.gateway_settings import KEY
from tests.unit.test_gateway_contracts import RESULT


@pytest.fixture
def gateway() -> FakeGateway:
    return fake_gateway()


async def test_a_poll_has_what_the_next_one_needs(gateway: FakeGateway) -> None:
    gateway.store.put(analysis(version=7))
    async with gateway.client() as client:
        first = await client.get("/contracts/acme.lease")
        assert first.json()["id"] == "acme.lease"
        assert {"etag", "retry-after", "cache-control", "vary", "x-request-id", "x-content-type-options"} <= set(
            first.headers
        )
        etag = first.headers["etag"]
        for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            again = await client.get("/contracts/acme.lease", headers={"If-None-Match": known})
            assert (again.status_code, again.headers["etag"]) == (304, etag), known
        gateway.store.put(analysis(version=8, status={"phase": "Completed", "result": RESULT}))
        done = await client.get("/contracts/acme.lease", headers={"If-None-Match": etag})
    assert (done.status_code, done.json()["status"]) == (200, "completed")
    assert "retry-after" not in done.headers


@pytest.mark.parametrize(
    ("token_login", "insecure_cookies", "is_offered"),
    [(True, True, True), (True, False, False), (False, True, False)],
    ids=["on one's own machine", "elsewhere", "no login by token"],
)
async def test_a_login_by_link_is_offered_on_ones_own_machine_only(
    token_login: bool, insecure_cookies: bool, is_offered: bool
) -> None:
    gateway = fake_gateway(token_login=token_login, insecure_cookies=insecure_cookies, session_keys=(KEY,))
    async with gateway.client() as client:
        assert (await client.get("/session")).json()["loginByLink"] is is_offered


async def test_polls_ask_the_api_server_nothing(gateway: FakeGateway) -> None:
    gateway.store.put(analysis())
    async with gateway.client() as client:
        for _ in range(20):
            assert (await client.get("/contracts/acme.lease")).status_code == 200
    assert gateway.kubernetes.asked == {"tokenreviews": 1, "subjectaccessreviews": 1}


async def test_who_asks_too_much_is_told_when_to_come_back_and_others_are_served() -> None:
    gateway = fake_gateway(requests_per_second=1, uploads_per_minute=1)
    gateway.store.put(analysis())
    gateway.store.put(analysis("theirs", namespace="globex"))
    async with gateway.client() as greedy, gateway.client("other-token") as other:
        answers = [await greedy.get("/contracts/acme.lease") for _ in range(40)]
        assert {answer.status_code for answer in answers} == {200, 429}
        refused = answers[-1]
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        assert int(refused.headers["retry-after"]) > 0
        assert (await other.get("/contracts/globex.theirs")).status_code == 200
    gateway = fake_gateway(uploads_per_minute=1, max_pdf_bytes=1024)
    async with gateway.client() as client:
        # Too large by its own word: refused before anything is stored, and counted all the same.
        uploads = [
            await client.post("/contracts?organization=acme", files={"file": ("a.pdf", bytes(2**20))}) for _ in range(2)
        ]
        assert [answer.status_code for answer in uploads] == [413, 429]


@pytest.mark.parametrize("path", ["", "/events"])
async def test_somebody_elses_and_a_missing_contract_are_the_same(gateway: FakeGateway, path: str) -> None:
    gateway.store.put(analysis("secret", namespace="acme"))
    async with gateway.client("other-token") as client:
        answers = [await client.get(f"/contracts/{each}{path}") for each in ("acme.secret", "acme.gone", "x.y", "!")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert not any(asked.startswith("GET") for asked in gateway.kubernetes.asked), "nothing is looked up for them"


async def test_what_another_replica_has_just_created_is_found(gateway: FakeGateway) -> None:
    gateway.kubernetes.objects[analyses_path("acme", "new")] = analysis("new", version=9)
    async with gateway.client() as client:
        assert (await client.get("/contracts/acme.new")).status_code == 200
        assert (await client.get("/contracts/acme.missing")).status_code == 404
        gateway.kubernetes.is_away = True
        assert (await client.get("/contracts/acme.other")).status_code == 503
    assert gateway.store.get("acme", "new") is not None


async def test_other_namespaces_than_the_installations_are_not_looked_into() -> None:
    rights = {*RIGHTS, ("own", "get", "initech")}
    gateway = fake_gateway(rights=rights, namespaces=("acme",))
    async with gateway.client() as client:
        assert (await client.get("/contracts/initech.lease")).status_code == 404
    assert not any(asked.startswith("GET") for asked in gateway.kubernetes.asked)


@pytest.mark.parametrize(
    "path",
    [
        *("/contracts", "/contracts/acme.lease", "/contracts/acme.lease/events"),
        *("/events?organization=acme", "/organizations", "/apis/dealguard.io/v1alpha1"),
    ],
)
async def test_nobody_reads_nothing(gateway: FakeGateway, path: str) -> None:
    gateway.store.put(analysis())
    for token in (None, "unknown"):
        async with gateway.client(token) as client:
            answer = await client.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


def filled(gateway: FakeGateway) -> None:
    rows = [("a", "Zeta.pdf", "Completed", "High", 12), ("b", "alpha.pdf", "Failed", None, None),
            ("c", "Beta.pdf", "Completed", "Low", 2), ("d", "", "Processing", None, None)]  # fmt: skip
    for number, (name, file_name, phase, risk, score) in enumerate(rows):
        status = {"phase": phase, **({"result": {**RESULT, "riskLevel": risk, "riskScore": score}} if risk else {})}
        created = f"2026-11-24T10:0{number}:00Z"
        gateway.store.put(analysis(name, version=number + 1, file_name=file_name, status=status, created=created))
    gateway.store.put(analysis("hidden", namespace="globex", version=50))


@pytest.mark.parametrize(
    ("reason", "query", "expected"),
    [
        ("newest first", {}, "dcba"),
        ("oldest first", {"order": "createdAt"}, "abcd"),
        ("by file name, whatever the case; those without one first", {"order": "fileName"}, "dbca"),
        ("highest risk first, those without one last", {"order": "-riskScore"}, "acdb"),
        ("by status", {"order": "status"}, "acbd"),
        ("one status", {"status": "completed"}, "ca"),
        ("two statuses", {"status": ["completed", "failed"]}, "cba"),
        ("one risk", {"risk": "High"}, "a"),
        ("part of a file's name, whatever the case", {"q": "ETA"}, "ca"),
        ("the type", {"q": "lease", "order": "name"}, "ac"),
        ("nothing fits", {"q": "nothing"}, ""),
    ],
)
async def test_the_list_is_filtered_and_ordered(
    gateway: FakeGateway, reason: str, query: dict[str, Any], expected: str
) -> None:
    filled(gateway)
    async with gateway.client() as client:
        page = (await client.get("/contracts", params=query)).json()
    assert "".join(item["name"] for item in page["items"]) == expected, reason
    assert (page["total"], page["next"]) == (len(expected), None)


@pytest.mark.parametrize("order", ["createdAt", "-createdAt", "fileName", "-riskScore", "riskScore", "-finishedAt"])
async def test_pages_neither_repeat_nor_miss_whatever_comes_and_goes(gateway: FakeGateway, order: str) -> None:
    filled(gateway)
    seen: list[str] = []
    path: str | None = f"/contracts?organization=acme&limit=1&order={order}"
    async with gateway.client() as client:
        while path:
            page = (await client.get(path)).json()
            seen += [item["name"] for item in page["items"]]
            path = page["next"]
            if len(seen) == 2:
                gateway.store.remove(analysis(seen[1], version=90))  # the very one that the page ended with
    assert sorted(seen) == ["a", "b", "c", "d"]


async def test_an_unchanged_list_is_not_sent_again(gateway: FakeGateway) -> None:
    filled(gateway)
    async with gateway.client() as client:
        first = await client.get("/contracts")
        known = {"If-None-Match": first.headers["etag"]}
        assert (await client.get("/contracts", headers=known)).status_code == 304
        gateway.store.put(analysis("a", version=60, status={"phase": "Pending"}))
        assert (await client.get("/contracts", headers=known)).status_code == 200


_FOREIGN_PAGE = base64.urlsafe_b64encode(json.dumps(["name", True, "x", "acme.x"]).encode()).decode()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"organization": "globex"}, 403),
        ({"organization": "not a namespace"}, 422),
        ({"organization": "../acme"}, 422),
        ({"order": "color"}, 422),
        ({"limit": "0"}, 422),
        ({"limit": "1000"}, 422),
        ({"status": "done"}, 422),
        ({"after": "garbage"}, 422),
        ({"after": "bm9uZQ=="}, 422),
        ({"after": "ü"}, 422),
        ({"after": _FOREIGN_PAGE}, 422),
    ],
)
async def test_what_no_list_can_be_asked_for(gateway: FakeGateway, query: dict[str, str], status: int) -> None:
    async with gateway.client() as client:
        answer = await client.get("/contracts", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} == set(answer.json())


async def test_organizations_are_those_in_which_the_caller_may_list(gateway: FakeGateway) -> None:
    gateway.store.put(analysis())
    gateway.store.put(analysis(namespace="globex"))
    namespaces = [{"metadata": {"name": name}} for name in ("acme", "empty")]
    gateway.kubernetes.objects["/api/v1/namespaces"] = {"items": namespaces}
    gateway.kubernetes.rights.add(("own", "list", "empty"))
    found: dict[str, Any] = {}
    for token in ("own-token", "other-token", "nobody-token"):
        async with gateway.client(token) as client:
            found[token] = (await client.get("/organizations")).json()
    assert found == {
        "own-token": [{"name": "acme", "mayUpload": True}, {"name": "empty", "mayUpload": False}],
        "other-token": [{"name": "globex", "mayUpload": False}],
        "nobody-token": [],
    }


async def test_an_organization_without_a_contract_is_offered_where_the_installation_names_it() -> None:
    gateway = fake_gateway(organizations=("acme", "globex"))
    async with gateway.client() as client:
        assert (await client.get("/organizations")).json() == [{"name": "acme", "mayUpload": True}]
    unnamed = fake_gateway()
    async with unnamed.client() as client:
        assert (await client.get("/organizations")).json() == []


async def test_events_begin_with_the_present_state_and_follow_the_changes(gateway: FakeGateway) -> None:
    gateway.store.put(analysis(version=1))

    async def change() -> None:
        while not gateway.store.subscribers:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        gateway.store.put(analysis(version=2, status={"phase": "Processing"}))
        gateway.store.remove(analysis(version=3))

    async with gateway.client() as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(change())
        answer = await client.get("/contracts/acme.lease/events")
    told = [event.split("\n") for event in answer.text.strip().split("\n\n")]
    assert [(lines[0], lines[1]) for lines in told] == [
        ("event: contract", "id: 1"), ("event: contract", "id: 2"), ("event: deleted", "id: 3"),
    ]  # fmt: skip
    assert json.loads(told[1][2].removeprefix("data: "))["status"] == "processing"
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert gateway.store.subscribers == 0


@pytest.mark.parametrize("path", ["/contracts/acme.lease/events", "/events?organization=acme"])
@pytest.mark.parametrize("taken", ["right", "token"])
@pytest.mark.parametrize("moment", ["event", "heartbeat"])
async def test_a_stream_ends_with_the_right_to_it(
    path: str, taken: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = fake_gateway(review_cache_seconds=0)
    gateway.store.put(analysis(version=1))
    monkeypatch.setattr(events, "_HEARTBEAT_SECONDS", 0.02 if moment == "heartbeat" else 60.0)

    async def take() -> None:
        while not gateway.store.subscribers:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if taken == "right":
            gateway.kubernetes.rights.clear()
        else:
            gateway.kubernetes.users.clear()
        if moment == "event":
            gateway.store.put(analysis(version=2, status={"phase": "Processing"}))

    async with asyncio.timeout(30), gateway.client() as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(take())
        answer = await client.get(path)
    assert "processing" not in answer.text
    assert gateway.store.subscribers == 0


async def test_a_stream_goes_on_while_the_right_does(gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(events, "_STREAM_SECONDS", 0.2)
    gateway.store.put(analysis(version=1))
    async with gateway.client() as client:
        answer = await client.get("/contracts/acme.lease/events")
    assert answer.text.count(": still here") >= 2


@pytest.mark.parametrize(
    "path",
    [
        "/apis/dealguard.io/v1alpha1/watch/contractanalyses",
        "/apis/dealguard.io/v1alpha1/watch/namespaces/acme/contractanalyses",
        "/apis/dealguard.io/v1alpha1/watch/namespaces/acme/contractanalyses/lease",
    ],
)
async def test_the_older_way_to_watch_is_none_of_ours(gateway: FakeGateway, path: str) -> None:
    async with gateway.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:dealguard:problem:no-such-path"
    assert not any(asked.startswith("GET") for asked in gateway.kubernetes.asked)


async def test_an_answer_of_the_api_server_that_breaks_off_is_no_failure_of_ours(
    gateway: FakeGateway, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        """An answer whose second half never comes."""

        status, headers = 200, {"content-type": "application/json"}

        @property
        def content(self) -> "Broken":
            return self

        async def iter_any(self) -> AsyncIterator[bytes]:
            yield b"half"
            raise aiohttp.ClientPayloadError("secret words")

    @asynccontextmanager
    async def stream(*_: object, **__: object) -> AsyncIterator[Broken]:
        yield Broken()

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    monkeypatch.setattr(gateway.kubernetes, "stream", stream, raising=False)
    path = "/apis/dealguard.io/v1alpha1/contractanalyses"
    await gateway.app(
        {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "scheme": "http",
            "headers": [(b"authorization", b"Bearer own-token")], "client": ("127.0.0.1", 1), "server": ("x", 80),
        },
        receive, send,
    )  # fmt: skip
    bodies = [message for message in sent if message["type"] == "http.response.body"]
    assert [message["body"] for message in bodies] == [b"half"]
    assert all(message["more_body"] for message in bodies), "nobody takes it for whole"
    assert "unexpectedly" not in caplog.text
    assert "broke off (ClientPayloadError)" in caplog.text
    assert "secret words" not in caplog.text


async def test_old_answers_say_how_old_they_are_and_readiness_ends() -> None:
    now = 1000.0
    store = AnalysisStore(clock=lambda: now)
    readiness = Readiness(store)
    assert readiness.find_unready() == ["the analyses have not been read yet"]
    store.confirm(None)
    assert readiness.find_unready() == []
    now += 61
    assert readiness.find_unready() == ["the watch has heard nothing for 61 s"]
    store.confirm(None)
    readiness.is_stopping = True
    assert readiness.find_unready() == ["the process is ending"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/apis/apps/v1/deployments", 404),
        ("GET", "/docs", 404),
        ("PUT", "/contracts", 405),
        ("POST", "/apis/dealguard.io/v1alpha1/namespaces/acme/contractanalyses", 405),
        ("DELETE", "/apis/dealguard.io/v1alpha1/namespaces/acme/contractanalyses/lease", 405),
    ],
)
async def test_what_is_not_there_is_a_problem(gateway: FakeGateway, method: str, path: str, status: int) -> None:
    async with gateway.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-frame-options"] == "DENY"


async def test_a_failure_of_ours_says_nothing_of_what_was_worked_on(
    gateway: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    broken = analysis("broken")
    broken["metadata"]["creationTimestamp"] = "9999-12-31T23:59:59-99:99"
    gateway.store.put(broken)

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the contract says: secret words")

    gateway.app.state.services.access.may = fail
    async with gateway.client() as client:
        answer = await client.get("/contracts/acme.broken")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"]
    assert "secret words" not in answer.text


async def test_a_body_that_is_no_upload_is_small(gateway: FakeGateway) -> None:
    gateway.store.put(analysis())
    async with gateway.client() as client:
        announced = await client.post("/contracts/acme.lease/cancel", content=b"x" * 70_000)

        async def endless() -> Any:
            while True:
                yield b"x" * 10_000

        dripping = await client.post("/session", content=endless(), headers={"X-Requested-With": "dealguard",
                                     "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"})  # fmt: skip
    assert [announced.status_code, dripping.status_code] == [413, 413]


def test_openapi_declares_what_every_route_can_answer() -> None:
    described = document(create_routes())
    assert set(described["components"]["securitySchemes"]) == {"bearer", "cookie"}
    operations = [
        (path, method, operation)
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "delete")
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations:
        assert operation["tags"], (path, method)
        assert operation["summary"], (path, method)
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")) and status.isdecimal() and "text/html" not in response["content"]:
                assert list(response["content"]) == ["application/problem+json"], (path, method, status)
        if operation.get("security") != []:
            assert {"401", "429", "503"} <= set(operation["responses"]), (path, method)


def test_answers_have_the_shape_that_openapi_declares() -> None:
    """What is prepared as bytes is not checked by FastAPI, so here."""
    schema = document(create_routes())["components"]["schemas"]["Contract"]
    shown = httpx.Response(200, content=AnalysisStore().put(analysis()).body).json()
    assert set(shown) == set(schema["properties"])
