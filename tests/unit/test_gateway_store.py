"""What is in memory: only newer versions, nothing that is gone, and everybody is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web

from dealguard_gateway.kubernetes.api import Connection, KubernetesApi
from dealguard_gateway.kubernetes.store import MAX_QUEUED_CHANGES, AnalysisStore
from dealguard_gateway.kubernetes.watch import AnalysisWatch
from tests.unit.gateway_fakes import analysis


def test_only_a_newer_version_replaces_what_is_known() -> None:
    store = AnalysisStore()
    store.put(analysis(version=10))
    assert store.put(analysis(version=9)).resource_version == "10", "as numbers, not as text"
    assert store.put(analysis(version=100)).resource_version == "100"
    assert store.size == 1


def test_an_answer_that_was_under_way_does_not_bring_back_what_is_deleted() -> None:
    store = AnalysisStore()
    store.put(analysis(version=5, uid="first"))
    store.remove(analysis(version=6, uid="first"))
    store.put(analysis(version=5, uid="first"))
    assert store.get("acme", "lease") is None
    assert store.namespaces() == set()
    store.put(analysis(version=7, uid="second"))
    store.remove(analysis(version=8, uid="first"))
    assert store.get("acme", "lease") is not None, "the one that came after it stays"


def test_a_new_list_removes_what_it_lacks_but_not_what_came_after_it() -> None:
    store = AnalysisStore()
    for name, version in (("gone", 3), ("kept", 4), ("just-uploaded", 12)):
        store.put(analysis(name, version=version))
    store.replace(None, {("acme", "kept")}, "10")
    assert {entry.name for entry in store.in_namespace("acme")} == {"kept", "just-uploaded"}


def test_what_clients_are_never_shown_is_not_kept_and_bodies_are_made_once() -> None:
    entry = AnalysisStore().put(analysis())
    assert "managedFields" not in entry.raw["metadata"]
    assert entry.body is entry.body
    assert json.loads(entry.body)["id"] == "acme.lease"
    assert entry.etag != AnalysisStore().put(analysis(version=2)).etag


async def test_subscribers_are_told_of_theirs_alone() -> None:
    store = AnalysisStore()
    one, all_of_them = store.subscribe("acme", "lease"), store.subscribe("acme")
    store.put(analysis("lease", version=1))
    store.put(analysis("other", version=2))
    store.put(analysis("lease", namespace="globex", version=3))
    store.remove(analysis("lease", version=4))
    store.close()
    assert [(change.kind, change.entry.name) async for change in one] == [("contract", "lease"), ("deleted", "lease")]
    assert [change.entry.name async for change in all_of_them] == ["lease", "other", "lease"]
    one.close()
    all_of_them.close()
    assert store.subscribers == 0


async def test_a_reader_that_lags_too_far_is_cut_off_and_not_buffered_for() -> None:
    store = AnalysisStore()
    slow = store.subscribe("acme")
    for version in range(MAX_QUEUED_CHANGES + 10):
        store.put(analysis(version=version + 1))
    assert [change async for change in slow] == []


def test_age_is_that_of_the_oldest_scope() -> None:
    now = 100.0
    store = AnalysisStore(["acme", "globex"], clock=lambda: now)
    store.confirm("acme")
    assert not store.synced
    assert store.age_seconds == float("inf")
    store.confirm("globex")
    now = 130.0
    store.confirm("acme")
    assert store.synced
    assert store.age_seconds == 30.0
    assert store.serves("acme")
    assert not store.serves("initech")


class ApiServer:
    """List and watch as a script tells them: each watch is one entry."""

    def __init__(self, items: list[dict[str, Any]], watches: list[Any]) -> None:
        self.items = items
        self.version = 10
        self.watches = watches
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.asked.append(query)
        if "watch" not in query:
            half = len(self.items) // 2
            rest = "continue" in query
            metadata = {"resourceVersion": str(self.version), **({} if rest else {"continue": "page-2"})}
            return web.json_response({"items": self.items[half:] if rest else self.items[:half], "metadata": metadata})
        script = self.watches.pop(0) if self.watches else "silent"
        if isinstance(script, int):
            return web.json_response({"kind": "Status", "code": script, "reason": "Expired"}, status=script)
        response = web.StreamResponse()
        await response.prepare(request)
        if script == "silent":
            await asyncio.sleep(30)
            return response
        for event in script:
            text = json.dumps(event).encode() + b"\n"
            # In two pieces: what ends a piece does not end an event.
            await response.write(text[:20])
            await asyncio.sleep(0.01)
            await response.write(text[20:])
        return response


class NoCredentials:
    async def headers(self) -> dict[str, str]:
        return {}


@asynccontextmanager
async def watching(server: ApiServer) -> AsyncIterator[AnalysisStore]:
    application = web.Application()
    application.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    store = AnalysisStore()
    async with KubernetesApi(Connection(f"http://127.0.0.1:{port}", NoCredentials())) as kubernetes:
        watch = AnalysisWatch(kubernetes, store, watch_seconds=0, silence_seconds=0.3, jitter=lambda: 0.0)
        task = asyncio.create_task(watch.run())
        try:
            yield store
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    await runner.cleanup()


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not check():  # noqa: ASYNC110 - a condition on what the program itself does
            await asyncio.sleep(0.01)


def event(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": raw}


def bookmark(version: int) -> dict[str, Any]:
    return event("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


async def test_the_watch_lists_in_pages_and_goes_on_from_the_last_bookmark() -> None:
    server = ApiServer(
        [analysis("a", version=1), analysis("b", version=2)],
        [[event("ADDED", analysis("c", version=11)), event("DELETED", analysis("a", version=12)), bookmark(20)]],
    )
    async with watching(server) as store:
        await until(lambda: len(server.asked) >= 4)
        assert {entry.name for entry in store.in_namespace("acme")} == {"b", "c"}
        assert store.synced
    lists = [asked for asked in server.asked if "watch" not in asked]
    watches = [asked["resourceVersion"] for asked in server.asked if "watch" in asked]
    assert [asked.get("continue") for asked in lists] == [None, "page-2"], "listed once"
    assert watches[:2] == ["10", "20"]
    assert all(asked["allowWatchBookmarks"] == "true" for asked in server.asked if "watch" in asked)


async def test_a_version_that_is_too_old_is_answered_by_a_new_list_that_also_finds_what_is_gone() -> None:
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
    for too_old in (410, [gone]):
        server = ApiServer([analysis("a", version=1), analysis("b", version=2)], [too_old])
        async with watching(server) as store:
            await until(lambda: store.size == 2)
            server.items, server.version = [analysis("b", version=2)], 30
            await until(lambda: "30" in [asked.get("resourceVersion") for asked in server.asked])  # noqa: B023
            assert {entry.name for entry in store.in_namespace("acme")} == {"b"}


async def test_a_watch_that_has_silently_died_is_begun_again() -> None:
    server = ApiServer([], ["silent", [event("ADDED", analysis("late", version=11))]])
    async with watching(server) as store:
        await until(lambda: store.get("acme", "late") is not None)
    assert [asked["resourceVersion"] for asked in server.asked if "watch" in asked][:2] == ["10", "10"]
