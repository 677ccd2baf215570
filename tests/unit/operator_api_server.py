"""A small API server: it keeps objects and answers the operator's requests about them."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from dealguard_api import names
from tests.unit.operator_cases import NAMESPACE, SHA256, settings

_EXTRACTED = {"document": {"sha256": SHA256, "bytes": 10, "pages": 3, "language": "en"}}
MODEL = settings().claude.model
KINDS = {"contractanalyses": names.KIND, "jobs": "Job", "pods": "Pod", "secrets": "Secret", "events": "Event"}


class ApiServer:
    """Keeps objects and answers the operator's requests about them; knows resource versions, and nothing more."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {plural: {} for plural in KINDS}  # by name
        self.conflicts = 0  # how many status writes to refuse
        self.lists = 0  # how many were asked for, to be read to their end
        self.refuses_lists = False
        self.left_out: set[str] = set()  # names that the next list of analyses, which lags, does not show
        self.failing_lists = 0  # how many of the first ones fail
        self.can_select_phases = True  # else the installed definition is an older one
        self._versions = 0
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(application)

    def put(self, plural: str, item: dict[str, Any]) -> dict[str, Any]:
        """Keep an object, as a new version."""
        self._versions += 1
        metadata = item["metadata"]
        metadata.setdefault("uid", f"uid-of-{metadata['name']}")
        metadata.setdefault("creationTimestamp", _rfc3339(datetime.now(UTC)))
        metadata["resourceVersion"] = str(self._versions)
        self.objects[plural][metadata["name"]] = {"kind": KINDS[plural], **item}
        return self.objects[plural][metadata["name"]]

    def analyse(self, name: str, key: str = f"documents/{NAMESPACE}/lease.pdf", **spec: Any) -> None:
        """Create an analysis."""
        metadata = {"namespace": NAMESPACE, "name": name, "generation": 1}
        self.put("contractanalyses", {"metadata": metadata, "spec": {"document": {"key": key}, **spec}})

    async def pod(self, name: str, number: int, *, extract: int, analyze: int | None, message: Any = None) -> None:
        """A pod of an analysis that ended: 3 s to start, 2 s of extraction, 20 s of analysis."""
        began = datetime.now(UTC).replace(microsecond=0)
        status = {
            "phase": "Succeeded" if analyze == 0 else "Failed",
            "initContainerStatuses": [_ended("extract", extract, began, 3, 5, _EXTRACTED)],
            "containerStatuses": [] if analyze is None else [_ended("analyze", analyze, began, 5, 25, message)],
        }
        await self._put_pod(name, number, began, status)

    async def running_pod(self, name: str, container: str) -> None:
        """A pod of an analysis whose `extract` or `analyze` runs."""
        began = datetime.now(UTC).replace(microsecond=0)
        running = {"name": container, "state": {"running": {"startedAt": _rfc3339(began)}}}
        status: dict[str, Any] = {"phase": "Running", "initContainerStatuses": [running]}
        if container == "analyze":
            ended = _ended("extract", 0, began, 0, 0, _EXTRACTED)
            status |= {"initContainerStatuses": [ended], "containerStatuses": [running]}
        await self._put_pod(name, 1, began, status)

    async def _put_pod(self, name: str, number: int, began: datetime, status: dict[str, Any]) -> None:
        job = await wait_until(lambda: self._job_of(name))
        owner = {"kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "controller": True}
        metadata = {
            "namespace": NAMESPACE,
            "name": f"{job['metadata']['name']}-{number}",
            "labels": job["metadata"]["labels"],
            "ownerReferences": [owner],
            "creationTimestamp": _rfc3339(began),
        }
        self.put("pods", {"metadata": metadata, "status": status})

    def result_of(self, name: str) -> dict[str, Any]:
        """What `analyze` says when it succeeds."""
        uid = self.objects["contractanalyses"][name]["metadata"]["uid"]
        return {
            "riskLevel": "Medium",
            "riskScore": 9,
            "findings": {"medium": 2, "total": 2},
            "summary": "A lease.",
            "report": {"key": names.report_key(NAMESPACE, uid, 1), "sha256": SHA256},
            "engine": "claude",
            "model": MODEL,
        }

    async def wait_for(self, **phases: str) -> None:
        """Wait until the analyses are in these phases."""

        def phase_of(name: str) -> object:
            return self.objects["contractanalyses"][name].get("status", {}).get("phase")

        await wait_until(lambda: all(phase_of(name) == is_ for name, is_ in phases.items()))

    def _job_of(self, name: str) -> dict[str, Any] | None:
        jobs = self.objects["jobs"].values()
        return next((job for job in jobs if job["metadata"]["labels"][names.LABEL_NAME] == name), None)

    async def _answer(self, request: web.Request) -> web.Response:
        match = re.search(rf"/({'|'.join(KINDS)})(?:/([^/]+))?(/status)?$", request.path)
        assert match, request.path
        plural, name = match[1], match[2]
        stored = self.objects[plural]
        if request.method == "GET" and name is None:
            if self.refuses_lists:
                message = f'{plural} is forbidden: User "operator" cannot list resource "{plural}"'
                return web.json_response({"kind": "Status", "message": message}, status=403)
            if request.query.get("limit") == "1":
                return web.json_response({"items": [*stored.values()][:1], "metadata": {}})
            self.lists += 1
            if self.lists <= self.failing_lists:
                return web.json_response({"kind": "Status", "message": "etcd is away"}, status=500)
            fields = request.query.get("fieldSelector", "")
            if fields and not self.can_select_phases:
                message = "field label not supported: status.phase"
                return web.json_response({"kind": "Status", "message": message}, status=400)
            left_out = re.findall(r"status\.phase!=(\w+)", fields)
            shown = [one for name, one in stored.items() if name not in self.left_out]
            self.left_out -= set(stored)
            items = [one for one in shown if one.get("status", {}).get("phase") not in left_out]
            return web.json_response({"items": items, "metadata": {}})
        if request.method == "POST":
            return web.json_response(self.put(plural, await request.json()))
        if name not in stored:
            return web.json_response({"kind": "Status", "message": "not found"}, status=404)
        if request.method == "PUT":
            body = await request.json()
            if self.conflicts or body["metadata"]["resourceVersion"] != stored[name]["metadata"]["resourceVersion"]:
                self.conflicts -= 1
                self.put(plural, stored[name])
                return web.json_response({"reason": "Conflict"}, status=409)
            return web.json_response(self.put(plural, {**stored[name], "status": body["status"]}))
        return web.json_response(stored[name])


def _ended(name: str, exit_code: int, began: datetime, start: int, end: int, message: Any) -> dict[str, Any]:
    terminated = {
        "exitCode": exit_code,
        "message": json.dumps(message or {}),
        "startedAt": _rfc3339(began + timedelta(seconds=start)),
        "finishedAt": _rfc3339(began + timedelta(seconds=end)),
    }
    return {"name": name, "state": {"terminated": terminated}}


def _rfc3339(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


async def wait_until(probe: Callable[[], Any]) -> Any:
    """Wait until `probe` finds something, and return it."""
    async with asyncio.timeout(20):
        while not (found := probe()):  # noqa: ASYNC110 - what is awaited sets no event
            await asyncio.sleep(0.01)
    return found
