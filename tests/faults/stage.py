"""One namespace as a stage: analyses of several kinds, and the kubelet and the person that play along.

What an analysis is to go through stands in its name: `retried-3` fails once and succeeds then. The pods ask for more
than any node has, so no real kubelet speaks for them; their statuses are written here, as a kubelet would.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from dealguard_api import names
from dealguard_api.exit_codes import ExitCode
from tests.cluster.operator_tools import SHA256, result
from tests.cluster.tools import analysis_manifest, now_text
from tests.faults.api import AWAY, ApiServer, Raw, RefusedError

_TICK_SECONDS = 0.1
_ACTIVE = "?fieldSelector=status.phase!=Succeeded,status.phase!=Failed"
TERMINAL = ("Completed", "Failed", "Cancelled")


@dataclass(frozen=True)
class Kind:
    """What happens to the analyses whose name begins with `name`."""

    name: str
    phase: str  # at the end; empty: the resource is deleted
    reason: str
    exit_codes: tuple[int, ...] = (0,)  # of `analyze`, pod by pod
    extract_exit_code: int = 0
    spec: Raw = field(default_factory=dict)
    is_cancelled: bool = False  # by a person, while it is analysed
    is_suspended: bool = False  # by a person, while it is analysed; resumed as soon as that is done
    is_never_read: bool = False  # it hangs in `extract`

    @property
    def reports(self) -> int:
        """How many reports it makes."""
        return 1 if 0 in self.exit_codes and not self.extract_exit_code and not self.is_cancelled else 0

    @property
    def jobs(self) -> int:
        """How many Jobs it is run by."""
        return 2 if self.is_suspended else 1


PLAIN = Kind("plain", "Completed", "Completed")
REJECTED = Kind("rejected", "Failed", "NoTextLayer", extract_exit_code=int(ExitCode.NO_TEXT_LAYER))
RETRIED = Kind("retried", "Completed", "Completed", exit_codes=(int(ExitCode.ENGINE_UNAVAILABLE), 0))
CANCELLED = Kind("cancelled", "Cancelled", "Cancelled", is_cancelled=True)
SUSPENDED = Kind("suspended", "Completed", "Completed", is_suspended=True)
SHORT_LIVED = Kind("short-lived", "", "", spec={"ttlSecondsAfterFinished": 0})
HANGING = Kind("hanging", "Failed", "DeadlineExceeded", exit_codes=(), spec={"deadlineSeconds": 10})
# It hangs until the test cancels it.
STOPPED = Kind("stopped", "Cancelled", "Cancelled", exit_codes=(), spec={"deadlineSeconds": 3600})
UNREAD = Kind("unread", "Failed", "DeadlineExceeded", exit_codes=(), is_never_read=True)

KINDS = (PLAIN, REJECTED, RETRIED, CANCELLED, SUSPENDED, SHORT_LIVED, HANGING, STOPPED, UNREAD)


def kind_of(name: str) -> Kind:
    """What happens to the analysis of that name."""
    return next((kind for kind in KINDS if name.startswith(f"{kind.name}-")), PLAIN)


class Stage:
    """A namespace with its played kubelet. A context manager.

    Args:
        api: the API server.
        namespace: exists already.
        stage_seconds: how long a pod stays in each stage.
    """

    def __init__(self, api: ApiServer, namespace: str, *, stage_seconds: float = 0.2) -> None:
        self.api = api
        self.namespace = namespace
        self.stage_seconds = stage_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._play, name=f"kubelet-{namespace}")
        self._steps: dict[str, tuple[int, float]] = {}  # by the pod's uid: step, and when it was taken
        self._pods: dict[str, list[str]] = {}  # by the analysis's uid and run: its pods that were analysed
        self._asked: set[str] = set()  # analyses that the person has suspended or cancelled
        self.created: dict[str, str] = {}  # name to uid
        self.reports: Counter[str] = Counter()  # by the analysis's uid and run
        self.analysed: Counter[str] = Counter()  # pods that would have been paid, by the analysis's uid and run
        self.failed: list[Exception] = []

    def __enter__(self) -> "Stage":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(30)
        if kind is None:
            assert not self.failed, self.failed

    # What a person does.

    def create(self, name: str, **spec: Any) -> str:
        """Create an analysis; its uid."""
        merged = {"engine": "rules", **kind_of(name).spec, **spec}
        raw = self.api.create("contractanalyses", self.namespace, analysis_manifest(self.namespace, name, **merged))
        uid: str = raw["metadata"]["uid"]
        self.created[name] = uid
        return uid

    def status(self, name: str) -> Raw:
        """Its status; empty if it has none, or is gone."""
        status: Raw = (self.api.get("contractanalyses", self.namespace, name) or {}).get("status", {})
        return status

    def statuses(self) -> dict[str, Raw]:
        """Name to status, of all."""
        items = self.api.list("contractanalyses", self.namespace)
        return {item["metadata"]["name"]: item.get("status", {}) for item in items}

    def jobs_of(self, uid: str) -> list[Raw]:
        """The Jobs of an analysis."""
        return self.api.list("jobs", self.namespace, f"?labelSelector={names.LABEL_UID}={uid}")

    def pods_of(self, uid: str) -> list[Raw]:
        """The pods of an analysis."""
        return self.api.list("pods", self.namespace, f"?labelSelector={names.LABEL_UID}={uid}")

    # What is to be true at the end.

    def unfinished(self, created: Iterable[str] | None = None) -> list[str]:
        """The names of those that have not come to the end their kind comes to."""
        statuses = self.statuses()
        return [name for name in created or list(self.created) if not _is_at_its_end(name, statuses.get(name))]

    def wait_finished(
        self, seconds: float, created: Iterable[str] | None = None, *, meanwhile: Callable[[], object] = lambda: None
    ) -> float:
        """Wait until all are at their end; how long it took, in seconds. `meanwhile` is called again and again."""
        began = time.monotonic()
        names_left = list(created or self.created)
        while names_left := self._unfinished_or_away(names_left):
            took = time.monotonic() - began
            assert took < seconds, (
                f"not at their end after {seconds:.0f} s: { {n: self._words(n) for n in names_left} }"
            )
            meanwhile()
            time.sleep(0.2)
        return time.monotonic() - began

    def _unfinished_or_away(self, left: list[str]) -> list[str]:
        try:
            return self.unfinished(left)
        except AWAY:
            return left

    def _words(self, name: str) -> str:
        status = self.status(name)
        return f"{words_of(status)} job {status.get('jobName')}"

    def lost(self) -> list[str]:
        """The analyses that did not come to their right end, each with what is wrong."""
        statuses = self.statuses()
        wrong = [
            f"{name} is {self._words(name)}" for name in self.created if not _is_at_its_end(name, statuses.get(name))
        ]
        for name, uid in self.created.items():
            kind, reports = kind_of(name), self.reports[f"{uid}/1"]
            if reports < kind.reports:
                wrong.append(f"{name} has no report")
        return wrong

    def doubled(self) -> list[str]:
        """The analyses that ran more than once, each with what was doubled."""
        wrong = []
        jobs = Counter(job["metadata"]["labels"].get(names.LABEL_UID) for job in self.api.list("jobs", self.namespace))
        for name, uid in self.created.items():
            kind, key = kind_of(name), f"{uid}/1"
            if jobs[uid] > kind.jobs:
                wrong.append(f"{name} has {jobs[uid]} Jobs")
            if self.reports[key] > 1:
                wrong.append(f"{name} has {self.reports[key]} reports")
            expected = max(len(kind.exit_codes), 1) + (1 if kind.is_suspended else 0)
            if self.analysed[key] > expected:
                wrong.append(f"{name} was analysed by {self.analysed[key]} pods")
        return wrong

    # What a kubelet does.

    def _play(self) -> None:
        while not self._stopped.wait(_TICK_SECONDS):
            try:
                for pod in self.api.list("pods", self.namespace, _ACTIVE):
                    self._advance(pod)
                self._resume()
            except AWAY:
                continue
            except RefusedError as error:
                # Gone or ended between the list and the write; or the API server is in trouble, or just began, when it
                # does not know its own roles yet.
                if error.status not in (403, 404, 409, 422, 429, 500, 503, 504):
                    self.failed.append(error)
            except Exception as error:
                self.failed.append(error)
                return

    def _advance(self, pod: Raw) -> None:
        metadata = pod["metadata"]
        labels = metadata.get("labels", {})
        name, uid, run = (labels.get(label) for label in (names.LABEL_NAME, names.LABEL_UID, names.LABEL_RUN))
        if "deletionTimestamp" in metadata or None in (name, uid, run):  # somebody took a label away
            return
        step, since = self._steps.get(metadata["uid"], (0, 0.0))
        if time.monotonic() - since < self.stage_seconds:
            return
        kind = kind_of(name)
        key = f"{uid}/{run}"
        if step == 0:
            self.write(pod, "Pending", extract=running())
        elif kind.is_never_read:
            return
        elif step == 1 and kind.extract_exit_code:
            self.write(pod, "Failed", extract=terminated(kind.extract_exit_code))
        elif step == 1:
            self.write(pod, "Running", extract=extracted(), analyze=running())
            self._pods.setdefault(key, []).append(metadata["uid"])
            self.analysed[key] += 1
        elif not self._ask(kind, name):
            self._end(pod, kind, key)
        self._steps[metadata["uid"]] = (step + 1, time.monotonic())

    def _end(self, pod: Raw, kind: Kind, key: str) -> None:
        number = self._pods[key].index(pod["metadata"]["uid"])
        if not kind.exit_codes or (kind.is_suspended and number == 0):
            return  # it hangs, or is ended by the suspension
        code = 0 if kind.is_suspended else kind.exit_codes[min(number, len(kind.exit_codes) - 1)]
        if code:
            self.write(pod, "Failed", extract=extracted(), analyze=terminated(code))
            return
        uid, _, run = key.partition("/")
        report_key = names.report_key(self.namespace, uid, int(run))
        message = {"result": result(report_key), "usage": {"inputTokens": 100, "outputTokens": 10, "costUSD": "0.01"}}
        self.write(pod, "Succeeded", extract=extracted(), analyze=terminated(0, message))
        self.reports[key] += 1

    def _ask(self, kind: Kind, name: str) -> bool:
        """Suspend or cancel, if that is what happens to it now."""
        if not (kind.is_cancelled or kind.is_suspended) or name in self._asked:
            return kind.is_cancelled
        change = {"cancel": True} if kind.is_cancelled else {"suspend": True}
        self.api.merge("contractanalyses", self.namespace, name, {"spec": change})
        self._asked.add(name)
        return True

    def _resume(self) -> None:
        for name in [name for name in self._asked if kind_of(name).is_suspended]:
            analysis = self.api.get("contractanalyses", self.namespace, name)
            if analysis is None or not analysis["spec"]["suspend"]:
                continue
            if reason_of(analysis.get("status", {})) == "Suspended" and not self.jobs_of(analysis["metadata"]["uid"]):
                self.api.merge("contractanalyses", self.namespace, name, {"spec": {"suspend": False}})

    def write(self, pod: Raw, phase: str, *, more: Raw | None = None, **states: Raw) -> None:
        """Write a pod's status."""
        status = {
            "phase": phase,
            "startTime": pod["metadata"]["creationTimestamp"],
            "initContainerStatuses": [container_status("extract", states.get("extract", {"waiting": {}}))],
            "containerStatuses": [container_status("analyze", states.get("analyze", {"waiting": {}}))],
            **(more or {}),
        }
        self.api.merge("pods", self.namespace, pod["metadata"]["name"], {"status": status}, "/status")


def reason_of(status: Raw) -> str | None:
    """The reason of its conditions."""
    return next((condition["reason"] for condition in status.get("conditions", [])), None)


def words_of(status: Raw) -> str:
    """Where an analysis stands, in a few words."""
    return f"{status.get('phase')}/{status.get('stage')} {reason_of(status)}"


def _is_at_its_end(name: str, status: Raw | None) -> bool:
    kind = kind_of(name)
    if not kind.phase:
        return status is None
    if status is None or status.get("phase") != kind.phase:
        return False
    return any(condition["reason"] == kind.reason for condition in status["conditions"])


def running() -> Raw:
    """A container that runs."""
    return {"running": {"startedAt": now_text()}}


def extracted() -> Raw:
    """`extract` ended well."""
    return terminated(0, {"document": {"sha256": SHA256, "bytes": 10, "pages": 3, "language": "en"}})


def terminated(exit_code: int, message: Raw | str | None = None, reason: str | None = None) -> Raw:
    """A container that ended."""
    text = message if isinstance(message, str) else json.dumps(message or {})
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason or ("Completed" if exit_code == 0 else "Error"),
            "message": text,
            "startedAt": now_text(),
            "finishedAt": now_text(),
        }
    }


def container_status(name: str, state: Raw) -> Raw:
    """A container's status, complete enough for the API server."""
    return {"name": name, "image": "x", "imageID": "x", "ready": False, "restartCount": 0, "state": state}


def wait_until(what: str, probe: Callable[[], Any], seconds: float) -> Any:
    """Ask `probe` until it answers something true, through an API server that is away; the answer."""
    end = time.monotonic() + seconds
    while True:
        try:
            answer = probe()
        except AWAY:
            answer = None
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.1)
