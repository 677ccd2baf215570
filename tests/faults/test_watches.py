"""Watches that end, lie, stall or come back with nonsense: the operator converges without being told.

All scenarios run at the same time, each in a scene of its own, because each is mostly waiting. Unless said otherwise
the resync is switched off, so what happened is noticed by the watches.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from dealguard_cluster import Cluster
from tests.cluster.api_proxy import Refusal, Relay, Request
from tests.faults.api import ApiServer
from tests.faults.figures import Figures
from tests.faults.processes import probe
from tests.faults.scene import NO_RESYNC, Scene, new_scene

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

CONVERGENCE_SECONDS = 30
# Bookmarks come every 60 s, and a watch without a word for 70 s is given up.
BLACK_HOLE_SECONDS = 75
# What a list showed and a watch has not told for 150 s, as of a list, which come every 30 s or so.
MUTE_SECONDS = 220
_TIMES = 3


def is_watch(request: Request) -> bool:
    """Whether it is a watch of something we react to."""
    return request.verb[2] == "watch" and request.verb[1] in ("contractanalyses", "jobs", "pods")


def error_event(code: int, reason: str, **details: int) -> bytes:
    """An ERROR in a watch's stream."""
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": "x",
        "details": details,
    }
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"


@dataclass
class Watches:
    """The watches that go through a proxy. From `strike` on, every open one is cut, and each new one is met by a fault.

    Args:
        last_words: what a cut one says before.
        refusal: what the next ones of each kind are answered with, three times.
        greeting: what the next ones of each kind are told, three times, before they are cut.
    """

    last_words: bytes = b""
    refusal: Refusal | None = None
    greeting: bytes = b""
    _struck_at: float | None = None
    _met: Counter[tuple[str, str]] = field(default_factory=Counter)

    def attach(self, scene: Scene) -> None:
        """Stand in the proxy's way."""
        scene.proxy.fault = self._fault
        scene.proxy.relay = self._relay

    def strike(self) -> None:
        """Begin."""
        self._struck_at = time.monotonic()

    @property
    def injected(self) -> int:
        """How many faults there were."""
        return sum(min(count, _TIMES) for count in self._met.values())

    def _is_met(self, request: Request, what: str) -> bool:
        if self._struck_at is None or not is_watch(request):
            return False
        self._met[what, request.verb[1]] += 1
        return self._met[what, request.verb[1]] <= _TIMES

    def _fault(self, request: Request) -> Refusal | None:
        return self.refusal if self.refusal and self._is_met(request, "refusal") else None

    def _relay(self, request: Request) -> Relay | None:
        if not is_watch(request):
            return None
        greeting = self.greeting if self.greeting and self._is_met(request, "greeting") else b""
        began = time.monotonic()

        async def relay(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            if greeting:
                yield greeting
                return
            while self._struck_at is None or began > self._struck_at:
                try:
                    yield await asyncio.wait_for(anext(chunks), 0.1)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return
            self._met["cut", request.verb[1]] += 1
            if self.last_words:
                yield self.last_words

        return relay


def survives(watches: Watches, scene: Scene, seconds: float = CONVERGENCE_SECONDS) -> tuple[int, float]:
    """Analyses before, during and after the faults; the number of faults, and how long the slowest took."""
    stage = scene.stage
    watches.attach(scene)
    scene.operator.start()
    stage.create("plain-before")
    scene.wait_finished(60)
    stage.create("stopped-during")  # under way when it happens
    watches.strike()
    began = time.monotonic()
    for number in range(3):
        stage.create(f"plain-{number}")
        time.sleep(0.3)
    scene.wait_finished(seconds + 10, *[f"plain-{number}" for number in range(3)])
    took = time.monotonic() - began
    stage.api.merge("contractanalyses", stage.namespace, "stopped-during", {"spec": {"cancel": True}})
    began = time.monotonic()
    while stage.status("stopped-during").get("phase") != "Cancelled":
        assert time.monotonic() - began < seconds, "the one under way is not followed any more"
        scene.operator.revive()
        time.sleep(0.2)
    return watches.injected, max(took, time.monotonic() - began)


def black_hole(scene: Scene, limit_seconds: float) -> tuple[int, float]:
    """The connections of all watches go dead without a word; new ones work."""
    stage, holes = scene.stage, Counter[str]()
    dead_from: list[float] = []

    def relay_of(request: Request) -> Relay | None:
        if not is_watch(request):
            return None
        began = time.monotonic()

        async def relay(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            async for chunk in chunks:
                if dead_from and began < dead_from[0]:
                    holes[request.verb[1]] += 1
                    await asyncio.sleep(3600)
                yield chunk

        return relay

    scene.proxy.relay = relay_of
    scene.operator.start()
    stage.create("plain-before")
    scene.wait_finished(60)
    dead_from.append(time.monotonic())
    stage.create("plain-after")
    # The pods' watch has to find out as well, so what counts is the first reaction.
    while not stage.status("plain-after"):
        assert time.monotonic() - dead_from[0] < limit_seconds, f"no reaction within {limit_seconds:.0f} s"
        scene.operator.revive()
        time.sleep(0.2)
    took = time.monotonic() - dead_from[0]
    scene.wait_finished(limit_seconds)
    return len(holes), took


def mute(scene: Scene) -> tuple[int, float]:
    """The watches stay open and tell nothing but bookmarks; the lists go on. The liveness probe asks for a restart."""
    stage, held = scene.stage, Counter[str]()
    is_mute: list[bool] = []

    def relay_of(request: Request) -> Relay | None:
        if not is_watch(request):
            return None

        async def relay(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            pending = b""
            async for chunk in chunks:
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    if is_mute and b'"type":"BOOKMARK"' not in line:
                        held[request.verb[1]] += 1
                    else:
                        yield line + b"\n"

        return relay

    scene.proxy.relay = relay_of
    scene.operator.start()
    stage.create("plain-before")
    scene.wait_finished(60)
    assert probe(scene.port, "healthz") == 200
    is_mute.append(True)
    began = time.monotonic()
    stage.create("plain-during")
    scene.wait_finished(CONVERGENCE_SECONDS * 5)  # by the resyncs alone
    while probe(scene.port, "healthz") != 503:
        assert time.monotonic() - began < MUTE_SECONDS + 10, "it still says that it lives"
        time.sleep(1)
    took = time.monotonic() - began
    scene.operator.stop()  # as the kubelet does, which starts it again
    is_mute.clear()
    scene.operator.start()
    stage.create("plain-after")
    scene.wait_finished(60)
    assert probe(scene.port, "healthz") == 200
    return len(held), took


def stale_lists(scene: Scene) -> tuple[int, float]:
    """Three lists of each kind are those of before, as from a lagging cache: what was made since is missing in them."""
    stage = scene.stage
    recorded: dict[str, bytes] = {}
    given: Counter[str] = Counter()
    is_stale: list[bool] = []

    def relay_of(request: Request) -> Relay | None:
        if request.verb[2] != "list" or request.verb[1] not in ("contractanalyses", "jobs", "pods"):
            return None
        kind = request.verb[1]

        async def relay(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            body = b"".join([chunk async for chunk in chunks])
            if is_stale and given[kind] < _TIMES and kind in recorded:
                given[kind] += 1
                yield recorded[kind]
            else:
                recorded.setdefault(kind, body)
                yield body

        return relay

    scene.proxy.relay = relay_of
    scene.operator.start()
    while len(recorded) < 3:  # empty ones
        time.sleep(0.1)
    stage.create("stopped-during")
    while stage.status("stopped-during").get("stage") != "Analyzing":
        time.sleep(0.1)
    stage.create("plain-0")
    is_stale.append(True)
    began = time.monotonic()
    stage.create("plain-1")
    while sum(given.values()) < 3 * _TIMES:
        assert time.monotonic() - began < 60, given
        time.sleep(0.1)
    began = time.monotonic()
    stage.create("plain-2")
    scene.wait_finished(CONVERGENCE_SECONDS, "plain-0", "plain-1", "plain-2")
    stage.api.merge("contractanalyses", stage.namespace, "stopped-during", {"spec": {"cancel": True}})
    while stage.status("stopped-during").get("phase") != "Cancelled":
        assert time.monotonic() - began < CONVERGENCE_SECONDS, stage.status("stopped-during")
        time.sleep(0.2)
    return sum(given.values()), time.monotonic() - began


def echoes(scene: Scene) -> tuple[int, float]:
    """Everything that a watch says comes again, and again after what followed it."""
    repeated = Counter[str]()

    def relay_of(request: Request) -> Relay | None:
        if not is_watch(request):
            return None

        async def relay(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            heard: list[bytes] = []
            pending = b""
            async for chunk in chunks:
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    heard.append(line)
                    repeated[request.verb[1]] += 1
                    yield b"\n".join([line, *heard[-4:], b""])

        return relay

    scene.proxy.relay = relay_of
    scene.operator.start()
    for name in ("plain-0", "rejected-0", "suspended-0", "cancelled-0"):
        scene.stage.create(name)
    seconds = scene.wait_finished(60)
    return repeated.total(), seconds


Scenario = Callable[[Scene], tuple[int, float]]
GONE = error_event(410, "Expired")
TOO_MANY = error_event(429, "TooManyRequests", retryAfterSeconds=1)
SCENARIOS: dict[str, tuple[Scenario, dict[str, str]]] = {
    "watches cut": (lambda scene: survives(Watches(), scene), {"RESYNC_SECONDS": NO_RESYNC}),
    "watches cut in the middle of a word": (
        lambda scene: survives(Watches(last_words=b'{"type": "MODI'), scene),
        {"RESYNC_SECONDS": NO_RESYNC},
    ),
    "ERROR 410 in the stream": (
        lambda scene: survives(Watches(last_words=GONE, greeting=GONE), scene),
        {"RESYNC_SECONDS": NO_RESYNC},
    ),
    "410 for the watch": (lambda scene: survives(Watches(refusal=(410, {})), scene), {"RESYNC_SECONDS": NO_RESYNC}),
    "500 for the watch": (lambda scene: survives(Watches(refusal=(500, {})), scene), {"RESYNC_SECONDS": NO_RESYNC}),
    "429 for the watch": (
        lambda scene: survives(Watches(refusal=(429, {"Retry-After": "1"})), scene),
        {"RESYNC_SECONDS": NO_RESYNC},
    ),
    "ERROR 500 in the stream": (
        lambda scene: survives(
            Watches(last_words=error_event(500, "InternalError"), greeting=error_event(500, "InternalError")), scene
        ),
        {"RESYNC_SECONDS": NO_RESYNC},
    ),
    "ERROR 429 in the stream": (
        lambda scene: survives(Watches(last_words=TOO_MANY, greeting=TOO_MANY), scene),
        {"RESYNC_SECONDS": NO_RESYNC},
    ),
    "stale lists": (stale_lists, {"RESYNC_SECONDS": "3"}),
    "every event repeated": (echoes, {"RESYNC_SECONDS": NO_RESYNC}),
}
BLACK_HOLE = "watches black-holed"
MUTE = "watches mute"
LIMITS = {BLACK_HOLE: BLACK_HOLE_SECONDS, MUTE: MUTE_SECONDS}

Running = dict[str, Future[tuple[int, float]]]


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    api: ApiServer,
    tmp_path_factory: pytest.TempPathFactory,
    figures: Figures,
    is_full: bool,
) -> Iterator[Running]:
    """The scenarios of the selected tests, started together."""
    folder = tmp_path_factory.mktemp("watches")
    # The short form leaves it to the resync.
    limit_seconds, resync = (BLACK_HOLE_SECONDS, NO_RESYNC) if is_full else (40, "10")
    scenarios = {
        **SCENARIOS,
        BLACK_HOLE: (lambda scene: black_hole(scene, limit_seconds), {"RESYNC_SECONDS": resync}),
        MUTE: (mute, {}),
    }
    selected = [name for name in scenarios if any(f"[{name}]" in item.name for item in request.session.items)]

    def play(name: str) -> tuple[int, float]:
        scenario, settings = scenarios[name]
        with new_scene(cluster, api, folder, **settings) as scene:
            faults, seconds = scenario(scene)
            assert scene.operator.starts == (2 if name == MUTE else 1), "the process gets over that by itself"
            beginnings = scene.operator.beginnings
            figures.add_stage(
                "watch",
                f"{name}: {faults} times, converged in {seconds:.1f} s, Kopf begun again {beginnings} times",
                scene.stage,
                faults=faults,
                seconds=round(seconds, 1),
                beginnings=beginnings,
            )
            return faults, seconds

    with ThreadPoolExecutor(len(selected)) as pool:
        yield {name: pool.submit(play, name) for name in selected}


@pytest.mark.parametrize("name", [BLACK_HOLE, pytest.param(MUTE, marks=pytest.mark.long_faults), *SCENARIOS])
def test_it_converges(running: Running, name: str) -> None:
    faults, seconds = running[name].result()
    assert faults > 0
    assert seconds < LIMITS.get(name, CONVERGENCE_SECONDS)
