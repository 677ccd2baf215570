"""The operator's health: what only a restart repairs, what keeps it from working, and what is neither."""

import asyncio
import json
import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import kmock as mock
import kopf
import pytest
from kubernetes.aio import client

from dealguard_operator.http_endpoints import HttpEndpoints
from dealguard_operator.main import Operator, main, run_kopf
from dealguard_operator.watch_check import STALE_SECONDS
from tests.unit.operator_cases import ENVIRONMENT, NOWHERE, settings

pytestmark = pytest.mark.kmock(cls=mock.RawHandler)

ANALYSES = "/apis/dealguard.io/v1alpha1/contractanalyses"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/here/leases/dealguard-operator"
# For every object that is read, and every list.
SOMEBODY_LEADS = {
    "metadata": {"resourceVersion": "1"},
    "items": [],
    "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 15},
}
ANALYSIS = {
    "kind": "ContractAnalysis",
    "metadata": {"namespace": "acme", "name": "lease", "uid": "u", "resourceVersion": "7"},
    "spec": {"document": {"key": "documents/acme/lease.pdf"}},
    "status": {"phase": "Completed", "run": 1, "observedGeneration": 1},
}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _operator(
    kmock: mock.RawHandler,
    clock: list[float],
    lease_clock: list[float] | None = None,
    *,
    catch_up_seconds: float = 0,
    **more: str,
) -> Operator:
    configuration = client.Configuration(host=str(kmock.url).rstrip("/"))
    lease_clock = lease_clock or [1000.0]
    return Operator(
        settings(HEALTH_PORT="0", **more),
        configuration,
        clock=lambda: clock[0],
        lease_clock=lambda: lease_clock[0],
        catch_up_seconds=catch_up_seconds,
    )


async def _until_synced(operator: Operator) -> None:
    assert operator.reconciler is not None
    async with asyncio.timeout(10):
        while not operator.reconciler.is_synced:  # noqa: ASYNC110 - what it is for is not said to others
            await asyncio.sleep(0.01)


def test_certificates_that_cannot_be_read_are_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DEALGUARD_S3_ENDPOINT", "https://storage.example")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    assert main() == 2
    assert "SSL_CERT_FILE has no certificates in it (No such file or directory)" in capsys.readouterr().err


async def test_it_is_live_until_the_last_look_is_too_long_ago() -> None:
    times = [1000.0]
    operator = Operator(settings(RESYNC_SECONDS="30", HEALTH_PORT="0"), NOWHERE, clock=lambda: times[0])
    assert operator.find_dead() == ["the reconciler is not running"]
    await operator.start()
    times[0] += 5 * 30 + 60
    assert operator.find_dead() == [], "an API server that restarts is no reason"
    times[0] += 1
    assert operator.find_dead() == ["the cluster could not be listed for 211 s"]
    await operator.stop()


async def test_it_is_ready_with_its_lists_and_until_they_are_refused(kmock: mock.RawHandler) -> None:
    times = [1000.0]
    kmock["get"] << {"items": []}
    operator = _operator(kmock, times, RESYNC_SECONDS="30")
    await operator.start()
    assert operator.find_unready() == ["the cluster has not been listed yet"]
    await _until_synced(operator)
    assert operator.find_unready() == []
    times[0] += 0.9 * 30 + 20  # resyncs are spread by a tenth
    assert operator.find_unready() == [], "the next resync may be at hand"
    times[0] += 0.2 * 30 + 1
    assert operator.find_unready() == ["the API server did not let the cluster be listed for 54 s"]
    assert operator.find_dead() == [], "a restart does not bring back rights"
    await operator.stop()


async def test_a_standby_is_ready(kmock: mock.RawHandler) -> None:
    kmock["get"] << SOMEBODY_LEADS
    operator = _operator(kmock, [1000.0], LEADER_ELECTION="true", LEASE_NAMESPACE="here")
    await operator.start()
    await _until_synced(operator)
    assert not operator.leads()
    assert operator.find_unready() == []
    await operator.stop()


async def test_it_is_ready_until_the_lease_is_refused_for_too_long(kmock: mock.RawHandler) -> None:
    is_refused = [True]
    kmock[f"get {LEASE}", lambda _: is_refused[0]] << 403
    kmock["get"] << SOMEBODY_LEADS
    times, lease_times = [1000.0], [5000.0]
    operator = _operator(kmock, times, lease_times, LEADER_ELECTION="true", LEASE_NAMESPACE="here")
    await operator.start()
    await _until_synced(operator)
    lease_times[0] += 45
    await _lists(kmock, 2, LEASE)
    assert operator.find_unready() == [], "an API server that restarts takes as long"
    lease_times[0] += 1
    assert operator.find_unready() == ["the API server did not let the Lease be read or written for 46 s"]
    assert operator.find_dead() == [], "a restart does not bring back rights"
    is_refused[0] = False
    await _lists(kmock, 2, LEASE)
    assert operator.find_unready() == [], "it recovers with them"
    await operator.stop()


async def test_who_has_no_lists_yet_does_not_compete(kmock: mock.RawHandler) -> None:
    kmock["get /api/v1/pods"] << 503
    kmock[f"get {LEASE}"] << 404
    kmock["get"] << {"items": []}
    operator = _operator(kmock, [1000.0], LEADER_ELECTION="true", LEASE_NAMESPACE="here")
    await operator.start()
    await _lists(kmock, 2, "/api/v1/pods")  # the first of a look at everything
    assert not any("leases" in str(request.url) for request in kmock)
    assert operator.find_unready() == ["the cluster has not been listed yet"]
    await operator.stop()


async def test_why_the_reconciler_ended_is_logged_by_type(
    kmock: mock.RawHandler, caplog: pytest.LogCaptureFixture
) -> None:
    kmock["get"] << {"items": ["contract text"]}
    operator = Operator(settings(HEALTH_PORT="0"), client.Configuration(host=str(kmock.url).rstrip("/")))
    with caplog.at_level(logging.ERROR):
        await operator.start()
        while not caplog.records:  # noqa: ASYNC110 - a log line sets no event
            await asyncio.sleep(0.01)
    assert "The reconciler ended (AttributeError)" in caplog.text
    assert "contract text" not in caplog.text
    assert operator.find_dead() == ["the reconciler is not running"]
    await operator.stop()


@pytest.mark.parametrize(
    ("why", "told", "dead"),
    [
        ("the watch never tells of it", None, ["the watch of analyses of all namespaces has not told a change"]),
        ("it tells of an older version", "6", ["the watch of analyses of all namespaces has not told a change"]),
        ("it tells what the list told", "7", []),
        ("it tells something newer", "8", []),
    ],
)
async def test_a_watch_that_does_not_deliver_is_found(
    kmock: mock.RawHandler, why: str, told: str | None, dead: list[str]
) -> None:
    times = [1000.0]
    kmock[f"get {ANALYSES}"] << {"items": [ANALYSIS]}
    kmock["get"] << {"items": []}
    operator = _operator(kmock, times, RESYNC_SECONDS="0.05")
    await operator.start()
    await _until_synced(operator)
    assert operator.reconciler is not None
    if told is not None:
        metadata: dict[str, Any] = {**ANALYSIS["metadata"], "resourceVersion": told}  # type: ignore[dict-item]
        operator.reconciler.see_analysis({**ANALYSIS, "metadata": metadata}, is_deleted=False)
    times[0] += STALE_SECONDS
    await _lists(kmock, 2)
    assert operator.find_dead() == [], f"{why}: not for long enough"
    times[0] += 1
    await _lists(kmock, 2)
    found = operator.find_dead()
    assert [problem.removesuffix(" for 151 s") for problem in found] == dead, why
    await operator.stop()


async def _lists(kmock: mock.RawHandler, more: int, path: str = ANALYSES) -> None:
    """Wait for that many further lists: the last but one is complete then."""
    seen = len(kmock[f"get {path}"])
    async with asyncio.timeout(10):
        while len(kmock[f"get {path}"]) < seen + more:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.01)


async def test_the_probes_are_answered_over_http(kmock: mock.RawHandler) -> None:
    port = _free_port()
    times = [1000.0]
    kmock["get"] << {"items": []}
    configuration = client.Configuration(host=str(kmock.url).rstrip("/"))
    operator = Operator(settings(HEALTH_PORT=str(port)), configuration, clock=lambda: times[0])
    await operator.start()
    await _until_synced(operator)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path in ("/healthz", "/readyz"):
            async with session.get(path) as answer:
                assert (answer.status, json.loads(await answer.text())) == (200, {"status": "ok"})
        times[0] += 100
        async with session.get("/readyz") as answer:
            assert answer.status == 503
            assert json.loads(await answer.text())["problems"] == [
                "the API server did not let the cluster be listed for 100 s"
            ]
    await operator.stop()


async def test_an_event_loop_that_hangs_does_not_answer_the_probe() -> None:
    port = _free_port()
    operator = Operator(settings(HEALTH_PORT=str(port)), NOWHERE)
    await operator.start()
    # As a kubelet asks: from outside, and with a limit; its default is 1 s.
    with ThreadPoolExecutor(1) as kubelet:
        probe = partial(httpx.get, f"http://127.0.0.1:{port}/healthz", trust_env=False)
        loop = asyncio.get_running_loop()
        assert (await loop.run_in_executor(kubelet, partial(probe, timeout=10))).status_code == 200
        asked = kubelet.submit(probe, timeout=0.5)
        with pytest.raises(httpx.ReadTimeout):
            asked.result()  # in the loop itself, which stands still meanwhile
        assert (await loop.run_in_executor(kubelet, partial(probe, timeout=10))).status_code == 200, "it goes on"
    await operator.stop()


async def test_a_taken_port_is_said_and_ends_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        operator = Operator(settings(HEALTH_PORT=str(taken.getsockname()[1])), NOWHERE)
        with pytest.raises(kopf.PermanentError, match=r"port \d+ cannot be listened on .* set DEALGUARD_HEALTH_PORT"):
            await operator.start()
        await operator.stop()


class _Unclosable(HttpEndpoints):
    """Fails when it is to stop listening."""

    async def stop(self) -> None:
        raise RuntimeError


@pytest.fixture
def kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Kopf's way to an API server: to none, or to the one whose address is given."""
    config = tmp_path / "config"
    monkeypatch.setenv("KUBECONFIG", str(config))

    def point_to(server: str) -> None:
        document = {
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{"name": "x", "cluster": {"server": server}}],
            "users": [{"name": "x", "user": {"token": "unused"}}],
        }
        config.write_text(json.dumps(document))

    point_to(NOWHERE.host)
    return point_to


async def test_kopf_lists_when_what_waited_had_its_turn(
    kmock: mock.RawHandler, kubeconfig: Callable[[str], None]
) -> None:
    is_away = [True]
    _serve_discovery(kmock)
    kmock["get /api/v1/pods", lambda _: is_away[0]] << 503
    kmock["get", lambda request: "watch" in request.params] << (lambda: asyncio.sleep(60))
    kmock[f"get {ANALYSES}"] << {"metadata": {"resourceVersion": "1"}, "items": [ANALYSIS]}
    kmock["get"] << {"metadata": {"resourceVersion": "1"}, "items": []}
    kubeconfig(str(kmock.url).rstrip("/"))
    operator, stop_flag = _operator(kmock, [1000.0], catch_up_seconds=20), asyncio.Event()
    run = asyncio.create_task(run_kopf(operator, settings(HEALTH_PORT="0"), stop_flag=stop_flag))
    await _lists(kmock, 2, "/api/v1/pods")
    assert not _kopfs_lists(kmock)
    is_away[0] = False
    async with asyncio.timeout(10):
        while not _kopfs_lists(kmock):  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.01)
    stop_flag.set()
    await asyncio.wait_for(run, 10)


def _kopfs_lists(kmock: mock.RawHandler) -> list[Any]:
    """Its lists of analyses; the operator's own has a field selector at first."""
    return [request for request in kmock[f"get {ANALYSES}"] if "fieldSelector" not in request.params]


def _serve_discovery(kmock: mock.RawHandler) -> None:
    version = {"version": "v1alpha1", "groupVersion": "dealguard.io/v1alpha1"}
    resource = {"name": "contractanalyses", "namespaced": True, "kind": "ContractAnalysis", "verbs": ["list", "watch"]}
    kmock["get /api"] << {"versions": ["v1"]}
    kmock["get /api/v1"] << {"resources": []}
    kmock["get /apis"] << {
        "groups": [{"name": "dealguard.io", "preferredVersion": version, "versions": [version]}],
    }
    kmock["get /apis/dealguard.io/v1alpha1"] << {"resources": [resource]}


async def test_a_leader_catches_up(kmock: mock.RawHandler) -> None:
    hold = asyncio.Event()
    lease = {"metadata": {"resourceVersion": "1"}, "spec": {}}
    waiting = [
        {**ANALYSIS, "metadata": {**ANALYSIS["metadata"], "name": f"a{number}", "uid": f"u{number}"}, "status": {}}
        for number in range(40)
    ]
    kmock[f"get {LEASE}"] << lease
    kmock[f"put {LEASE}"] << lease
    kmock["put"] << hold.wait
    kmock[f"get {ANALYSES}"] << {"items": waiting}
    kmock["get"] << {"items": []}
    leader = _operator(kmock, [1000.0], catch_up_seconds=60, LEADER_ELECTION="true", LEASE_NAMESPACE="here")
    await leader.start()
    catching_up = asyncio.create_task(leader.catch_up())
    async with asyncio.timeout(10):
        while len(kmock["put"]) < 16:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.01)
    assert leader.leads()
    assert not catching_up.done(), "as many again had no turn yet"
    hold.set()
    await asyncio.wait_for(catching_up, 10)
    await leader.stop()


async def test_a_standby_does_not_catch_up(kmock: mock.RawHandler) -> None:
    kmock["get"] << SOMEBODY_LEADS
    standby = _operator(
        kmock, [1000.0], catch_up_seconds=60, LEADER_ELECTION="true", LEASE_NAMESPACE="here", RESYNC_SECONDS="60"
    )
    await standby.start()
    await asyncio.wait_for(standby.catch_up(), 10)
    await standby.stop()


async def test_an_api_server_that_is_away_holds_kopf_up_for_so_long_only() -> None:
    operator = Operator(settings(HEALTH_PORT="0"), NOWHERE, catch_up_seconds=0.05)
    await operator.start()
    await asyncio.wait_for(operator.catch_up(), 5)
    await operator.stop()


class _Failing(Operator):
    """Fails at the start, or once it has started and was asked to end, in the middle of its clean-up."""

    def __init__(self, *, fails_at_start: bool) -> None:
        super().__init__(settings(HEALTH_PORT="0"), NOWHERE)
        self.endpoints = _Unclosable(0, find_dead=list, find_unready=list)
        self.calls: list[str] = []
        self.stop_flag = asyncio.Event()
        self._fails_at_start = fails_at_start

    async def start(self) -> None:
        self.calls.append("start")
        if self._fails_at_start:
            raise RuntimeError if self.calls == ["start"] else kopf.PermanentError("not again")
        self.stop_flag.set()

    async def stop(self) -> None:
        self.calls.append("stop")
        await super().stop()

    def run(self) -> float:
        """Let Kopf run it; how long that took, in seconds."""
        began = time.monotonic()
        stop_flag = None if self._fails_at_start else self.stop_flag
        asyncio.run(run_kopf(self, settings(NAMESPACES="acme"), stop_flag=stop_flag))
        return time.monotonic() - began


class _StoppedWhileCatchingUp(_Failing):
    """Is asked to end while it waits for the API server."""

    def __init__(self) -> None:
        super().__init__(fails_at_start=False)
        self._catch_up_seconds = 20

    async def start(self) -> None:
        await Operator.start(self)
        self.calls.append("start")

    async def catch_up(self) -> None:
        asyncio.get_running_loop().call_later(0.2, self.stop_flag.set)
        await super().catch_up()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Kopf's: a task that never began
def test_a_start_that_failed_halfway_is_not_tried_again_on_top_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    operator = _Failing(fails_at_start=True)
    with pytest.raises(Exception, match="One or more handlers failed"):
        operator.run()
    assert operator.calls == ["start", "stop"]


@pytest.mark.usefixtures("kubeconfig")
def test_a_clean_up_that_fails_does_not_hold_up_the_end() -> None:
    operator = _Failing(fails_at_start=False)
    assert operator.run() < 4, "Kopf would wait for five seconds, or try again after five, for ever"
    assert operator.calls == ["start", "stop"]


@pytest.mark.parametrize("endpoints", [_Unclosable, HttpEndpoints], ids=["and cannot be closed", "and can be closed"])
@pytest.mark.usefixtures("kubeconfig")
def test_an_operator_that_still_catches_up_ends_at_once(endpoints: type[HttpEndpoints]) -> None:
    operator = _StoppedWhileCatchingUp()
    operator.endpoints = endpoints(0, find_dead=list, find_unready=list)
    assert operator.run() < 4, "the API server is away, so it would wait"
    assert operator.calls == ["start", "stop"]
