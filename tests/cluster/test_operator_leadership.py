"""Of several operators one writes: takeover, a leader that wakes up too late, and shares by label.

The processes are real, each behind a recording proxy of its own, so that what each one wrote is known.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dealguard_cluster import Cluster
from tests.cluster.api_proxy import ApiProxy, Refusal, Request
from tests.cluster.operator_tools import Analyses, Kubelet, analyses, environment, kubelet, neighbour
from tests.cluster.tools import analysis_manifest, wait_for

__all__ = ["analyses", "environment", "kubelet", "neighbour"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]

LEASE = "dealguard-operator"


class OperatorProcess:
    """An operator, and the times of the writes that it asked for; those of the Lease apart."""

    def __init__(self, proxy: ApiProxy, environment: dict[str, str], directory: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.proxy = proxy
        self.writes: list[tuple[float, Request]] = []
        self.done: list[tuple[float, Request]] = []  # those of them that the API server did
        self.may_write = True
        proxy.fault = self._see
        proxy.answered = self._see_answer
        self.log = directory / f"log-{self._port}"
        more = {
            "KUBECONFIG": str(proxy.kubeconfig(directory / f"config-{self._port}")),
            "DEALGUARD_HEALTH_PORT": str(self._port),
        }
        with self.log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dealguard_operator"],
                env={**os.environ, **environment, **more},
                stdout=file,
                stderr=file,
            )

    def wait_ready(self) -> None:
        """Wait until it has its lists."""
        wait_for(f"the operator to be ready; it says {self.log.read_text()}", self._is_ready, 30)

    def send(self, number: signal.Signals) -> float:
        """Send a signal; when."""
        at = time.monotonic()
        self._process.send_signal(number)
        return at

    def end(self) -> None:
        """End it, whatever state it is in."""
        self._process.kill()
        self._process.wait(20)

    def first_write_after(self, at: float, seconds: float) -> float:
        """Seconds from `at` to its first write."""
        wait_for(f"a write; it says {self.log.read_text()}", lambda: any(t > at for t, _ in self.writes), seconds)
        return min(t for t, _ in self.writes if t > at) - at

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:  # it does not listen yet, or says that it is not ready
            return False

    def _see(self, request: Request) -> Refusal | None:
        if request.method == "GET" or request.verb[1] == "leases":
            return None
        self.writes.append((time.monotonic(), request))
        return None if self.may_write else (503, {})

    def _see_answer(self, request: Request, status: int) -> None:
        if status < 300 and request.method != "GET" and request.verb[1] != "leases":
            self.done.append((time.monotonic(), request))


class Operators:
    """Starts operators, each behind its own proxy, and ends them all."""

    def __init__(self, kubeconfig: Path, environment: dict[str, str], directory: Path, stack: ExitStack) -> None:
        self._kubeconfig = kubeconfig
        self._environment = environment
        self._directory = directory
        self._stack = stack

    def start(self, **more: str) -> OperatorProcess:
        """Start one and wait until it has its lists."""
        proxy = self._stack.enter_context(ApiProxy(self._kubeconfig))
        operator = OperatorProcess(proxy, {**self._environment, **more}, self._directory)
        self._stack.callback(operator.end)
        operator.wait_ready()
        return operator


@pytest.fixture
def operators(cluster: Cluster, environment: dict[str, str], tmp_path: Path) -> Iterator[Operators]:
    with ExitStack() as stack:
        yield Operators(Path(cluster.kubeconfig), environment, tmp_path, stack)


def _create(analyses: Analyses, *names: str, **labels: str) -> None:
    """Create several at once."""
    items: list[dict[str, Any]] = [analysis_manifest(analyses.namespace, name, engine="rules") for name in names]
    for item in items:
        item["metadata"]["labels"] = labels
    analyses.kubectl.apply({"apiVersion": "v1", "kind": "List", "items": items})


def _one_job_each(analyses: Analyses, expected: set[str]) -> None:
    def jobs() -> list[str]:
        return sorted(job["metadata"]["labels"]["dealguard.io/analysis-name"] for job in analyses.jobs())

    wait_for(f"one Job for each of {sorted(expected)}; there are {jobs()}", lambda: jobs() == sorted(expected), 30)


def _holder(analyses: Analyses) -> str:
    holder: str = analyses.kubectl.get("lease", LEASE, analyses.namespace)["spec"]["holderIdentity"]
    return holder


def test_another_takes_over_and_who_does_not_lead_writes_nothing(
    analyses: Analyses, operators: Operators, record_property: Any
) -> None:
    election = {"DEALGUARD_LEADER_ELECTION": "true", "DEALGUARD_LEASE_NAMESPACE": analyses.namespace}
    first = operators.start(**election)
    wait_for("the first to lead", lambda: "leads" in first.log.read_text())
    second = operators.start(**election)
    names = {f"lease-{number}" for number in range(10)}
    _create(analyses, *names)
    _one_job_each(analyses, names)
    assert second.writes == [], "a standby that has everything writes nothing"

    # The first is asked to end, with work that it could not do.
    first.may_write = False
    _create(analyses, "at-sigterm")
    first.first_write_after(0, 10)
    asked_at = first.send(signal.SIGTERM)
    seconds = second.first_write_after(asked_at, 20)
    record_property("takeover_seconds_after_sigterm", round(seconds, 2))
    assert seconds < 2
    _one_job_each(analyses, names := names | {"at-sigterm"})

    # The second dies.
    third = operators.start(**election)
    assert third.writes == []
    second.may_write = False
    _create(analyses, "at-sigkill")
    killed_at = second.send(signal.SIGKILL)
    fourth = operators.start(**election)  # it sees the record later than the third, so it is not its turn
    seconds = third.first_write_after(killed_at, 40)
    record_property("takeover_seconds_after_sigkill", round(seconds, 2))
    assert seconds < 20
    _one_job_each(analyses, names := names | {"at-sigkill"})

    # The third is suspended in the middle of its work for longer than its lease, and wakes up with more to do.
    begun = {f"begun-{number}" for number in range(5)}
    _create(analyses, *begun)
    stopped_at = third.send(signal.SIGSTOP)
    fourth.first_write_after(stopped_at, 40)
    leader = _holder(analyses)
    _one_job_each(analyses, names := names | begun)
    fourth.may_write = False
    missed = {f"missed-{number}" for number in range(5)}
    _create(analyses, *missed)
    time.sleep(max(0.0, stopped_at + 25 - time.monotonic()))
    woken_at = third.send(signal.SIGCONT)
    wait_for("the woken one to know", lambda: "leads no longer" in third.log.read_text(), 10)
    time.sleep(3)
    # A request that was half sent when it was suspended is sent to its end, and refused: it is fenced. Events are not.
    assert [request for at, request in third.done if at > woken_at and request.verb[1] != "events"] == []
    assert _holder(analyses) == leader
    fourth.may_write = True
    _one_job_each(analyses, names | missed)


def test_operators_share_the_analyses_by_label(analyses: Analyses, kubelet: Kubelet, operators: Operators) -> None:
    a = operators.start(DEALGUARD_ANALYSIS_SELECTOR="shard=a")
    b = operators.start(DEALGUARD_ANALYSIS_SELECTOR="shard=b")
    _create(analyses, "a-1", "a-2", "a-3", shard="a")
    _create(analyses, "b-1", "b-2", "b-3", shard="b")
    _create(analyses, "nobodys")
    _one_job_each(analyses, {"a-1", "a-2", "a-3", "b-1", "b-2", "b-3"})
    for name in ("a-1", "b-1"):
        kubelet.succeeds(name)
        assert analyses.wait_finished(name)["phase"] == "Completed"
    assert _statuses_written(a) == {"a-1", "a-2", "a-3"}
    assert _statuses_written(b) == {"b-1", "b-2", "b-3"}
    assert analyses.status("nobodys") == {}, "it waits for a label or a selector"

    # In the middle of a run one goes to the other operator, and comes back.
    for shard, operator in (("b", b), ("a", a)):
        analyses.kubectl.check("-n", analyses.namespace, "label", "ca", "a-2", f"shard={shard}", "--overwrite")
        kubelet.analyzing("a-2") if shard == "b" else kubelet.succeeds("a-2")
        analyses.wait("a-2", **({"stage": "Analyzing"} if shard == "b" else {"phase": "Completed"}))
        assert "a-2" in _statuses_written(operator)
    assert len(analyses.jobs("a-2")) == 1
    assert {request.query["labelSelector"] for request in a.proxy.requests if _reads_analyses(request)} == {"shard=a"}


def test_operators_share_the_analyses_by_namespace(
    analyses: Analyses, neighbour: Analyses, operators: Operators
) -> None:
    shares = (analyses, neighbour)
    running = [operators.start(DEALGUARD_NAMESPACES=share.namespace) for share in shares]
    for share in shares:
        _create(share, "lease")
        Kubelet(share).succeeds("lease")
    for share in shares:
        assert share.wait_finished("lease")["phase"] == "Completed"
        assert len(share.jobs()) == 1
    for share, operator in zip(shares, running, strict=True):
        asked = [request for request in operator.proxy.requests if request.verb[1]]
        assert all(f"/namespaces/{share.namespace}/" in f"{request.path}/" for request in asked), "and nowhere else"


def _statuses_written(operator: OperatorProcess) -> set[str]:
    paths = [request.path for _, request in operator.writes if request.verb[1] == "contractanalyses/status"]
    return {path.split("/")[-2] for path in paths}


def _reads_analyses(request: Request) -> bool:
    return request.verb[1] == "contractanalyses" and request.verb[2] in ("list", "watch")
