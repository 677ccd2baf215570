"""Watching Jobs and pods: what is told, and from where it goes on after each way to break off."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio import client

from dealguard_operator.child_watch import ChildWatch
from dealguard_operator.connection import PODS
from dealguard_operator.kubernetes_api import KubernetesApi
from tests.unit.operator_api_server import wait_until


def event(kind: str, version: str, name: str = "a") -> bytes:
    item = {"metadata": {"name": name, "resourceVersion": version}}
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def error(code: int) -> bytes:
    return json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": code}}).encode() + b"\n"


@dataclass
class Script:
    """What the API server answers to each watch in turn: a status, or pieces of a stream, None: it stays open."""

    answers: list[int | list[bytes | None]]
    asked: list[dict[str, str]] = field(default_factory=list)
    lists: int = 0
    seen: list[tuple[str, bool]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        answer = self.answers.pop(0) if self.answers else [None]
        if isinstance(answer, int):
            return web.json_response({"kind": "Status", "code": answer}, status=answer)
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in answer:
            if piece is None:
                await asyncio.sleep(60)
            else:
                await response.write(piece)
        return response

    def see(self, raw: Any, *, is_deleted: bool) -> None:
        self.seen.append((raw["metadata"]["name"], is_deleted))

    @property
    def versions(self) -> list[str]:
        return [query["resourceVersion"] for query in self.asked]


@asynccontextmanager
async def watching(script: Script) -> AsyncIterator[ChildWatch]:
    """A watch that goes on from version 10, and from 20, 30 ... each time that it asks for a list."""
    application = web.Application()
    application.router.add_get("/api/v1/pods", script.answer)
    server = TestServer(application)
    await server.start_server()
    api = KubernetesApi(client.Configuration(host=str(server.make_url("")).rstrip("/")))

    def list_() -> None:
        script.lists += 1
        asyncio.get_running_loop().call_soon(lambda: watch.listed(str(10 * (script.lists + 1))))

    watch = ChildWatch(api, PODS, None, script.see, list_)
    assert watch.listed("10"), "it begins there"
    assert not watch.listed("11"), "it has begun, and tells what comes after itself"
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.wait([task])
        await api.close()
        await server.close()


async def test_changes_are_told_and_selected_by_the_server() -> None:
    stream = [event("ADDED", "11"), event("MODIFIED", "12", "b") + event("DELETED", "13"), None]
    script = Script([stream])
    async with watching(script):
        await wait_until(lambda: len(script.seen) == 3)
    assert script.seen == [("a", False), ("b", False), ("a", True)]
    (query,) = script.asked
    assert query["labelSelector"] == "app.kubernetes.io/managed-by=dealguard-operator"
    assert query["allowWatchBookmarks"] == "true", "a connection that went dead shows in those that are missing"


@pytest.mark.parametrize(
    ("why", "answers", "versions", "lists"),
    [
        ("the server ends it after its time", [[event("ADDED", "11")]], ["10", "11"], 0),
        ("a bookmark moves on what has no changes", [[event("BOOKMARK", "15")]], ["10", "15"], 0),
        ("a line is cut in its middle", [[event("ADDED", "11")[:20]]], ["10", "20"], 1),
        ("the version is too old, in the stream", [[error(410)]], ["10", "20"], 1),
        ("an error in the stream", [[event("ADDED", "11"), error(500)]], ["10", "20"], 1),
        ("something that is no event", [[b'{"items": []}\n']], ["10", "20"], 1),
        ("the version is too old", [410], ["10", "20"], 1),
        ("too many requests, twice", [429, 429], ["10", "20", "30"], 2),
        ("the rights are taken away", [403], ["10", "20"], 1),
        ("the version is of a later life of etcd", [504], ["10", "20"], 1),
    ],
)
async def test_a_watch_goes_on_from_where_it_was_or_from_a_list(
    why: str, answers: list[int | list[bytes | None]], versions: list[str], lists: int
) -> None:
    script = Script(answers)
    async with watching(script):
        await wait_until(lambda: len(script.asked) == len(versions))
        assert (script.versions, script.lists) == (versions, lists), why


async def test_a_connection_that_breaks_goes_on_from_where_it_was() -> None:
    script = Script([])

    async def broken(request: web.Request) -> web.StreamResponse:
        script.asked.append(dict(request.query))
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(event("ADDED", str(10 + len(script.asked))))
        await asyncio.sleep(0.02)
        assert request.transport is not None
        request.transport.abort()
        return response

    script.answer = broken  # type: ignore[method-assign]
    async with watching(script):
        await wait_until(lambda: len(script.asked) == 3)
    assert (script.versions, script.lists) == (["10", "11", "12"], 0)
