"""What an API server holds about one analysis, as recorded shapes, and a small server that hands it out.

The server knows the requests that `dealguard explain` makes: get, lists with a label or a field selector, logs. It
refuses what a case says is forbidden, with the API server's own `Status`.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dealguard_api import names

Raw = dict[str, Any]

CREATED = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
UID = "0a1b2c3d-0000-4000-8000-000000000001"
JOB = names.job_name("lease", UID, 1)
POD = f"{JOB}-x7k2p"


def at(seconds: float) -> str:
    """`seconds` after the analysis was created, as the API server writes times."""
    time = CREATED + timedelta(seconds=seconds)
    return time.isoformat(timespec="milliseconds" if seconds % 1 else "seconds").replace("+00:00", "Z")


def analysis(*, spec: Raw | None = None, generation: int = 1, **status: Any) -> Raw:
    """The resource."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {
            "name": "lease",
            "namespace": "acme",
            "uid": UID,
            "generation": generation,
            "creationTimestamp": at(0),
        },
        "spec": {"document": {"key": "documents/acme/lease.pdf"}, "engine": "rules", "submittedBy": "alice"}
        | (spec or {}),
        "status": {"observedGeneration": generation, "run": 1, "jobCount": 1, "queuedAt": at(0)} | status
        if status
        else {},
    }


def conditions(reason: str, message: str, *, seconds: float, finished: bool = False, ready: bool = False) -> list[Raw]:
    """Ready and Finished, as the operator writes them."""
    return [
        {
            "type": type_,
            "status": str(is_true),
            "observedGeneration": 1,
            "lastTransitionTime": at(seconds),
            "reason": reason,
            "message": message,
        }
        for type_, is_true in (("Ready", ready), ("Finished", finished))
    ]


def completed(*, end: float = 7, **status: Any) -> Raw:
    """The status of an analysis that ended well."""
    return {
        "phase": "Completed",
        "conditions": conditions("Completed", "Risk High, 3 findings.", seconds=end + 1, finished=True, ready=True),
        "jobName": JOB,
        "startedAt": at(0),
        "finishedAt": at(end),
        "durationSeconds": int(end),
        "attemptCount": 1,
        "attempts": [{"podName": POD, "reason": "Completed", "exitCode": 0, "startedAt": at(2), "seconds": 5}],
        "usage": {"costUSD": "0"},
        "result": {
            "riskLevel": "High",
            "riskScore": 16,
            "findings": {"high": 3, "total": 3},
            "summary": "Five years.",
            "report": {"key": f"reports/acme/{UID}/1.json", "sha256": "a" * 64},
            "engine": "rules",
        },
    } | status


def failed(reason: str, message: str, *, end: float, **status: Any) -> Raw:
    """The status of an analysis that failed."""
    return {
        "phase": "Failed",
        "conditions": conditions(reason, message, seconds=end, finished=True),
        "jobName": JOB,
        "startedAt": at(0),
        "finishedAt": at(end),
        "durationSeconds": int(end),
        "attemptCount": 1,
        "attempts": [{"podName": POD, "reason": reason, "startedAt": at(2), "seconds": int(end) - 2}],
        "failure": {"reason": reason, "message": message},
    } | status


def job(name: str = JOB, *, run: int = 1, created: float = 0, ends: dict[str, tuple[float, str]] | None = None) -> Raw:
    """A Job; `ends` is a condition's type to its time and reason."""
    return {
        "metadata": {
            "name": name,
            "namespace": "acme",
            "uid": f"uid-{name}",
            "creationTimestamp": at(created),
            "labels": _labels(run),
        },
        "spec": {},
        "status": {
            "conditions": [
                {
                    "type": type_,
                    "status": "True",
                    "lastTransitionTime": at(time),
                    "reason": reason,
                    "message": "It ended.",
                }
                for type_, (time, reason) in (ends or {}).items()
            ]
        },
    }


def pod(
    name: str = POD,
    *,
    job_name: str = JOB,
    run: int = 1,
    created: float = 0,
    scheduled: float | None = 1,
    extract: Raw | None = None,
    analyze: Raw | None = None,
    **status: Any,
) -> Raw:
    """A pod; `scheduled` None: no node has room for it. Containers are `ended(...)`, `running(...)`, `waiting(...)`."""
    no_room = {"status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}
    condition = {"status": "True"} if scheduled is not None else no_room
    return {
        "metadata": {
            "name": name,
            "namespace": "acme",
            "uid": f"uid-{name}",
            "creationTimestamp": at(created),
            "labels": _labels(run),
            "ownerReferences": [{"kind": "Job", "name": job_name, "controller": True}],
        },
        "spec": {"nodeName": "node-1"} if scheduled is not None else {},
        "status": {
            "phase": "Pending",
            "conditions": [
                {"type": "PodScheduled", "lastTransitionTime": at(created if scheduled is None else scheduled)}
                | condition
            ],
            "initContainerStatuses": [{"name": "extract", "state": extract or waiting("PodInitializing")}],
            "containerStatuses": [{"name": "analyze", "state": analyze or waiting("PodInitializing")}],
        }
        | status,
    }


def ended(begin: float, end: float, code: int = 0, reason: str = "") -> Raw:
    """A container that ended."""
    said = reason or ("Completed" if code == 0 else "Error")
    return {
        "terminated": {
            "exitCode": code,
            "reason": said,
            "message": '{"failure":{"reason":"X","message":"not for the timeline"}}',
            "startedAt": at(begin),
            "finishedAt": at(end),
        }
    }


def running(begin: float) -> Raw:
    """A container that runs."""
    return {"running": {"startedAt": at(begin)}}


def waiting(reason: str, message: str = "") -> Raw:
    """A container that has not started."""
    return {"waiting": {"reason": reason, "message": message}}


def event(kind: str, name: str, reason: str, message: str, *, seconds: float, **more: Any) -> Raw:
    """An Event."""
    uid = UID if kind == names.KIND else f"uid-{name}"
    return {
        "involvedObject": {"kind": kind, "name": name, "uid": uid},
        "type": "Normal",
        "reason": reason,
        "message": message,
        "firstTimestamp": at(seconds),
        "lastTimestamp": at(seconds),
        "count": 1,
    } | more


def log(*lines: tuple[float, Raw | str]) -> str:
    """A container's log with the node's times, which are a little later than the container's."""
    return "".join(
        f"{at(seconds + 0.002)} {text if isinstance(text, str) else json.dumps({'time': at(seconds), **text})}\n"
        for seconds, text in lines
    )


def _labels(run: int) -> dict[str, str]:
    return {names.LABEL_UID: UID, names.LABEL_NAME: "lease", names.LABEL_RUN: str(run)}


@dataclass
class Cluster:
    """What the API server holds, and what it refuses: 'contractanalyses', 'jobs', 'pods', 'log', 'events'."""

    analysis: Raw | None = None
    jobs: list[Raw] = field(default_factory=list)
    pods: list[Raw] = field(default_factory=list)
    events: list[Raw] = field(default_factory=list)
    logs: dict[tuple[str, str], str] = field(default_factory=dict)  # by pod and container
    operators: list[str | None] = field(default_factory=list)  # the log of each; None: its node does not answer
    before_restart: dict[int, str] = field(default_factory=dict)  # by operator, the log of its previous container
    forbidden: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of a GET."""
        self.requests.append(path)
        parts = path.strip("/").split("/")
        if parts[-1] == "log":
            return self._log(parts, query)
        if names.PLURAL in parts:
            return self._analysis()
        if path == "/api/v1/pods" or "dealguard-system" in parts:
            items = [self._operator(number) for number in range(len(self.operators))]
            return self._list("operators", items[: int(query["limit"])])
        return self._list(parts[-1], self._selected(parts[-1], query))

    def _analysis(self) -> tuple[int, bytes]:
        if names.PLURAL in self.forbidden:
            return _status(403, f"{names.PLURAL} is forbidden")
        if self.analysis is None:
            return _status(404, "not found", name="lease")
        return 200, json.dumps(self.analysis).encode()

    def _selected(self, what: str, query: dict[str, str]) -> list[Raw]:
        if what == "events":
            name = query["fieldSelector"].removeprefix("involvedObject.name=")
            return [each for each in self.events if each["involvedObject"]["name"] == name]
        label, _, value = query["labelSelector"].partition("=")
        items = self.jobs if what == "jobs" else self.pods
        return [each for each in items if each["metadata"]["labels"].get(label) == value]

    def _operator(self, number: int) -> Raw:
        container = {"name": "operator", "restartCount": int(number in self.before_restart)}
        return {
            "metadata": {"namespace": "dealguard-system", "name": f"operator-{number}"},
            "status": {"containerStatuses": [{"name": "a-sidecar", "restartCount": 3}, container]},
        }

    def _list(self, what: str, items: list[Raw]) -> tuple[int, bytes]:
        if what in self.forbidden:
            return _status(403, f"{what} is forbidden")
        return 200, json.dumps({"items": items}).encode()

    def _log(self, parts: list[str], query: dict[str, str]) -> tuple[int, bytes]:
        if "dealguard-system" in parts:
            number = int(parts[-2].removeprefix("operator-"))
            log = self.before_restart.get(number) if "previous" in query else self.operators[number]
            return (200, _as_a_kubelet(log, query)) if log is not None else _status(500, "dial tcp: i/o timeout")
        if "log" in self.forbidden:
            return _status(403, "pods/log is forbidden")
        text = self.logs.get((parts[-2], query["container"]))
        return (200, text.encode()) if text is not None else _status(404, "no such log", name=parts[-2])


def _as_a_kubelet(log: str, query: dict[str, str]) -> bytes:
    """The last lines, of those the ones since a time, of those the first bytes."""
    lines = log.splitlines(keepends=True)[-int(query.get("tailLines", 0)) :]
    if since := query.get("sinceTime"):
        lines = [line for line in lines if line.partition(" ")[0] >= since]
    return "".join(lines).encode()[: int(query["limitBytes"])]


def _status(code: int, message: str, **details: str) -> tuple[int, bytes]:
    return code, json.dumps(
        {"kind": "Status", "message": message, "code": code, "details": details or {"x": 1}}
    ).encode()


@contextmanager
def served(cluster: Cluster, folder: Path) -> Iterator[Path]:
    """A kubeconfig for a server that answers as `cluster` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            status, body = cluster.answer(url.path, {key: values[0] for key, values in parse_qs(url.query).items()})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Not onto the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
    kubeconfig = folder / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "acme"}}],
    }
    kubeconfig.write_text(json.dumps(config))
    try:
        yield kubeconfig
    finally:
        server.shutdown()
        server.server_close()
