"""The API server, etcd, rights and the resource's definition go away and come back; writes fail; clocks differ."""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml

from dealguard_cluster import Cluster, supervision
from dealguard_operator.kubernetes_api import KubernetesApi, client_configuration
from dealguard_operator.presign import Presigner
from dealguard_operator.reconciler import Reconciler
from dealguard_operator.server_clock import ServerClock
from dealguard_operator.settings import OperatorSettings
from tests.cluster.api_proxy import CUT, Refusal, Relay, Request
from tests.faults.api import ApiServer
from tests.faults.crd import install_definition, remove_definition
from tests.faults.etcd import compact
from tests.faults.figures import Figures
from tests.faults.processes import OperatorProcess, free_port, probe
from tests.faults.scene import NO_RESYNC, new_scene
from tests.faults.stage import CANCELLED, PLAIN, REJECTED, SUSPENDED, Stage, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

RECOVERY_SECONDS = 30
UNREADY_SECONDS = 60
KINDS = (PLAIN, REJECTED, CANCELLED, PLAIN, SUSPENDED)


@pytest.mark.parametrize("component", ["kube-apiserver", pytest.param("etcd", marks=pytest.mark.long_faults)])
def test_the_api_server_or_its_store_is_away(
    cluster: Cluster,
    api: ApiServer,
    stage: Stage,
    elected: dict[str, str],
    tmp_path: Path,
    component: str,
    figures: Figures,
    is_full: bool,
) -> None:
    seconds = 120 if is_full else 8
    kinds = cycle(KINDS)
    with OperatorProcess(elected, tmp_path / "operator.log") as operator:
        # Some at their end, some in the middle, some just made.
        for number in range(10):
            stage.create(f"{next(kinds).name}-{number}")
            time.sleep(0.2)
        supervision.stop(cluster.layout, component)
        time.sleep(seconds)
        supervision.start(cluster.layout, component)
        # It looks for its store again by gRPC's back-off, which has grown to a minute or more by then.
        wait_until("the API server to be ready", api.is_ready, 180)
        back_at = time.monotonic()
        # It backs off by itself, up to a minute; that is not what is measured here.
        supervision.stop(cluster.layout, "kube-controller-manager")
        supervision.start(cluster.layout, "kube-controller-manager")
        wait_until("a new analysis to be taken", lambda: stage.create("plain-after"), 10)
        stage.wait_finished(60, meanwhile=operator.revive)
        took = time.monotonic() - back_at
    figures.add_stage(
        "away",
        f"{component} away for {seconds} s, all at their end {took:.1f} s after its return, "
        f"operator restarted {operator.starts - 1} times",
        stage,
        faults=1,
        seconds=round(took, 1),
        restarts=operator.starts - 1,
    )
    assert took < RECOVERY_SECONDS
    assert operator.starts == 1, "it recovers unaided"


@pytest.mark.long_faults
def test_etcd_is_compacted_while_the_watches_are_down(
    cluster: Cluster, api: ApiServer, tmp_path: Path, figures: Figures
) -> None:
    """What they missed is no longer to be had: the API server itself says 410, and everything is listed anew."""
    expired: Counter[str] = Counter()
    is_held = threading.Event()

    def relay_of(request: Request) -> Relay | None:
        if request.verb[2] != "watch":
            return None

        async def relay(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            while not is_held.is_set():  # then it ends without a word, and the next one is to go on from where it was
                try:
                    chunk = await asyncio.wait_for(anext(chunks), 0.1)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return
                if b'"ERROR"' in chunk and b'"code":410' in chunk:
                    expired[request.verb[1]] += 1
                yield chunk

        return relay

    with new_scene(cluster, api, tmp_path, RESYNC_SECONDS=NO_RESYNC) as scene:
        stage = scene.stage
        scene.proxy.relay = relay_of
        scene.proxy.fault = lambda request: _away(request) if is_held.is_set() else None
        scene.operator.start()
        stage.create("plain-before")
        scene.wait_finished(60)
        stage.create("stopped-during")
        wait_until("it to be analysed", lambda: stage.status("stopped-during").get("stage") == "Analyzing", 30)
        is_held.set()
        for number in range(5):
            stage.create(f"plain-{number}")
        api.merge("contractanalyses", stage.namespace, "stopped-during", {"spec": {"cancel": True}})
        revision = compact(cluster.layout)
        supervision.stop(cluster.layout, "kube-apiserver")  # its own memory would still have what they missed
        supervision.start(cluster.layout, "kube-apiserver")
        wait_until("the API server to be ready", api.is_ready, 60)
        supervision.stop(cluster.layout, "kube-controller-manager")
        supervision.start(cluster.layout, "kube-controller-manager")
        is_held.clear()
        back_at = time.monotonic()
        wait_until(
            "the one under way to be followed",
            lambda: stage.status("stopped-during").get("phase") == "Cancelled",
            RECOVERY_SECONDS,
        )
        scene.wait_finished(RECOVERY_SECONDS, *(f"plain-{number}" for number in range(5)))
        took = time.monotonic() - back_at
        assert scene.operator.starts == 1
        figures.add_stage(
            "compaction",
            f"etcd compacted at revision {revision} while the watches were down: {expired.total()} answers 410 of the "
            f"API server itself, converged in {took:.1f} s",
            stage,
            faults=expired.total(),
            seconds=round(took, 1),
        )
    assert set(expired) >= {"contractanalyses", "jobs", "pods"}
    assert took < RECOVERY_SECONDS


def _away(request: Request) -> Refusal:
    """Watches break, so they go on from where they were; with a status they would ask for a list at once."""
    return CUT if request.verb[2] == "watch" else (503, {})


def test_rights_are_taken_away_and_given_back(
    api: ApiServer,
    stage: Stage,
    elected: dict[str, str],
    tmp_path: Path,
    figures: Figures,
    is_full: bool,
) -> None:
    seconds = 90 if is_full else 0  # until it is not ready
    if not is_full:
        elected = {**elected, "DEALGUARD_RESYNC_SECONDS": "2"}  # it is unready one resync and 20 s later
    namespace = stage.namespace
    kubeconfig = _service_account(api, namespace, tmp_path)
    _bind(api, namespace)
    port = free_port()
    more = {"KUBECONFIG": str(kubeconfig), "DEALGUARD_HEALTH_PORT": str(port)}
    with OperatorProcess({**elected, **more}, tmp_path / "operator.log") as operator:
        stage.create("plain-before")
        stage.wait_finished(30)
        wait_until("it to be ready", lambda: probe(port, "readyz") == 200, 10)
        stage.create("stopped-during")
        wait_until("it to be analysed", lambda: stage.status("stopped-during").get("stage") == "Analyzing", 30)
        api.request("DELETE", f"{_RBAC}/{namespace}/rolebindings/operator")
        revoked_at = time.monotonic()
        stage.create("plain-during")
        wait_until("it not to be ready", lambda: probe(port, "readyz") == 503, UNREADY_SECONDS)
        unready_after = time.monotonic() - revoked_at
        time.sleep(max(0.0, revoked_at + seconds - time.monotonic()))
        revoked_for = time.monotonic() - revoked_at
        assert probe(port, "healthz") == 200, "a restart would not help"
        assert stage.status("plain-during") == {}, "it cannot be written to"
        _bind(api, namespace)
        back_at = time.monotonic()
        api.merge("contractanalyses", namespace, "stopped-during", {"spec": {"cancel": True}})
        stage.create("plain-after")
        stage.wait_finished(60, ["plain-during", "plain-after"], meanwhile=operator.revive)
        wait_until(
            "the one under way to be followed",
            lambda: stage.status("stopped-during").get("phase") == "Cancelled",
            RECOVERY_SECONDS,
        )
        wait_until("it to be ready again", lambda: probe(port, "readyz") == 200, RECOVERY_SECONDS)
        took = time.monotonic() - back_at
    figures.add_stage(
        "rights",
        f"rights revoked for {revoked_for:.0f} s: not ready after {unready_after:.1f} s, recovered {took:.1f} s after "
        f"their return, operator restarted {operator.starts - 1} times",
        stage,
        faults=1,
        seconds=round(took, 1),
        unready_seconds=round(unready_after, 1),
    )
    assert took < RECOVERY_SECONDS
    assert operator.starts == 1, "it recovers unaided"


_RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"


def _bind(api: ApiServer, namespace: str) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"}
    subject = {"kind": "ServiceAccount", "name": "operator", "namespace": namespace}
    body = {"metadata": {"name": "operator"}, "roleRef": reference, "subjects": [subject]}
    api.request("POST", f"{_RBAC}/{namespace}/rolebindings", body)


def _service_account(api: ApiServer, namespace: str, folder: Path) -> Path:
    """A kubeconfig with a service account's token, and a Role that nothing binds to it yet."""
    api.create("serviceaccounts", namespace, {"metadata": {"name": "operator"}})
    rule = {"apiGroups": ["dealguard.io", "batch", "coordination.k8s.io", ""], "resources": ["*"], "verbs": ["*"]}
    api.request("POST", f"{_RBAC}/{namespace}/roles", {"metadata": {"name": "operator"}, "rules": [rule]})
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/operator/token"
    token = api.request("POST", path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": api.server, "certificate-authority-data": api.authority}}],
        "users": [{"name": "x", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    file = folder / "service-account.config"
    file.write_text(yaml.safe_dump(kubeconfig))
    return file


def test_a_third_of_all_writes_fails(
    cluster: Cluster, api: ApiServer, tmp_path: Path, figures: Figures, is_full: bool
) -> None:
    """Refused before anything happened, or done and the answer lost: the same request may come twice."""
    count = 60 if is_full else 15
    chance = random.Random(7)
    faults = Counter[str]()
    made = Counter[str]()
    lock = threading.Lock()

    def fault(request: Request) -> Refusal | None:
        with lock:
            if request.method == "GET" or chance.random() > 0.33:
                return None
            status, headers = chance.choice([(409, {}), (429, {"Retry-After": "1"}), (500, {}), (503, {}), (504, {})])
            faults[str(status)] += 1
            return status, headers

    def answered(request: Request, status: int) -> None:
        if request.verb == ("batch", "jobs", "create") and status < 300:
            made[json.loads(request.body)["metadata"]["name"]] += 1
        with lock:
            loses = request.method != "GET" and chance.random() < 0.1
            faults["answer lost"] += loses
        if loses:
            raise ConnectionResetError("by the test: done, but nobody hears of it")

    kinds = cycle(KINDS)
    with new_scene(cluster, api, tmp_path) as scene:
        scene.proxy.fault, scene.proxy.answered = fault, answered
        scene.operator.start()
        stage = scene.stage
        for number in range(count):
            stage.create(f"{next(kinds).name}-{number}")
        took = scene.wait_finished(120)
        kinds_of_fault = ", ".join(f"{n} × {what}" for what, n in sorted(faults.items()))
        figures.add_stage(
            "writes",
            f"{faults.total()} failed writes ({kinds_of_fault}), {took:.1f} s",
            stage,
            faults=faults.total(),
            doubled=[f"Job {name} was made {number} times" for name, number in made.items() if number > 1],
        )


@pytest.mark.parametrize("skew_seconds", [60, pytest.param(-60, marks=pytest.mark.long_faults)])
def test_a_clock_is_a_minute_off(
    stage: Stage, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, figures: Figures, skew_seconds: int
) -> None:
    """The operator's clock against everybody else's: it decides and writes by the API server's."""
    monkeypatch.setenv("KUBECONFIG", environment["KUBECONFIG"])
    settings = OperatorSettings.from_environment({**environment, "DEALGUARD_RESYNC_SECONDS": "0.5"})
    began = datetime.now(UTC).replace(microsecond=0)
    with _reconciling(settings, timedelta(seconds=skew_seconds)):
        for name in ("plain-0", "rejected-0", "cancelled-0", "suspended-0"):
            stage.create(name)
        # Its Job's controller ends it by the API server's clock; a minute earlier is before it began.
        stage.create("hanging-0", deadlineSeconds=10)
        wait_until("it to be analysed", lambda: stage.status("hanging-0").get("stage") == "Analyzing", 30)
        stage.wait_finished(60, ["plain-0", "rejected-0", "cancelled-0", "suspended-0"])
        early = stage.status("hanging-0")
        assert early["phase"] == "Processing", early
        stage.wait_finished(60)
    statuses = stage.statuses()
    assert statuses["hanging-0"]["durationSeconds"] >= 9
    for name in ("plain-0", "rejected-0", "suspended-0"):
        status = statuses[name]
        assert status["startedAt"] <= status["finishedAt"], name
        assert 0 <= status["durationSeconds"] < 60, (name, status["durationSeconds"])
    latest = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()  # two of them are no difference
    earliest = (began - timedelta(seconds=3)).isoformat()
    for name, status in statuses.items():
        times = [status["queuedAt"], status["finishedAt"], *(c["lastTransitionTime"] for c in status["conditions"])]
        assert earliest < min(times) <= max(times) < latest, (name, times)
    figures.add_stage("clock", f"the operator's clock {skew_seconds:+} s, none ended early", stage, faults=1)


@contextmanager
def _reconciling(settings: OperatorSettings, skew: timedelta) -> Iterator[None]:
    """The operator's reconciler alone, with its lists and without its watches, by another clock."""
    ended: list[BaseException] = []
    started, stop = threading.Event(), threading.Event()

    async def reconcile() -> None:
        clock = ServerClock(lambda: datetime.now(UTC) + skew)
        api = KubernetesApi(await client_configuration(), clock=clock)
        reconciler = Reconciler(api, Presigner(settings), settings, now=clock.now)
        task = asyncio.create_task(reconciler.run())
        started.set()
        await asyncio.wait([task, asyncio.create_task(asyncio.to_thread(stop.wait))], return_when="FIRST_COMPLETED")
        if task.done():
            ended.append(task.exception() or RuntimeError("it ended"))
        task.cancel()
        await asyncio.wait([task])
        await api.close()

    thread = threading.Thread(target=lambda: asyncio.run(reconcile()))
    thread.start()
    try:
        assert started.wait(30)
        yield
    finally:
        stop.set()
        thread.join()
    assert not ended, ended


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("serves", ["one namespace", "all namespaces"])
def test_the_definition_is_removed_and_installed_again(
    api: ApiServer,
    stage: Stage,
    environment: dict[str, str],
    tmp_path: Path,
    figures: Figures,
    is_full: bool,
    serves: str,
) -> None:
    """With it go all analyses; those created afterwards are served, by the watch or else by the resync."""
    if serves == "all namespaces":  # then Kopf watches definitions, and begins and ends its watches by them
        environment = {**environment, "DEALGUARD_NAMESPACES": ""}
    if not is_full:
        environment = {**environment, "DEALGUARD_RESYNC_SECONDS": "5"}
    try:
        with OperatorProcess(environment, tmp_path / "operator.log") as operator:
            stage.create("plain-before")
            stage.wait_finished(60)
            stage.create("stopped-before")
            wait_until("it to be analysed", lambda: stage.status("stopped-before").get("stage") == "Analyzing", 30)
            remove_definition(api)
            _wait_for_no_workloads(stage, 60, operator.revive)
            assert not stage.doubled()
            stage.created.clear()  # they went with it
            time.sleep(3)
            operator.revive()
            install_definition(api)
            back_at = time.monotonic()
            stage.create("plain-after")
            stage.wait_finished(90, meanwhile=operator.revive)
            took = time.monotonic() - back_at
            began = time.monotonic()
            stage.create("plain-later")
            stage.wait_finished(90, meanwhile=operator.revive)
            later = time.monotonic() - began
        figures.add_stage(
            "definition",
            f"definition removed and installed again, {serves} served: the next analysis at its end after {took:.1f} "
            f"s, one later after {later:.1f} s, operator restarted {operator.starts - 1} times",
            stage,
            faults=1,
            seconds=round(took, 1),
            later_seconds=round(later, 1),
            restarts=operator.starts - 1,
        )
    finally:
        install_definition(api)
    assert took < 60
    assert later < 60


def _wait_for_no_workloads(stage: Stage, seconds: float, meanwhile: Callable[[], Any]) -> None:
    def is_empty() -> bool:
        meanwhile()
        return not stage.api.list("jobs", stage.namespace) and not stage.api.list("pods", stage.namespace)

    wait_until("Jobs and pods to be collected", is_empty, seconds)
