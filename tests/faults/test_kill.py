"""The operator dies at every transition in turn, before and after each of its writes."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from tests.cluster.api_proxy import ApiProxy, Refusal, Request
from tests.faults.figures import Figures
from tests.faults.processes import OperatorProcess
from tests.faults.stage import CANCELLED, PLAIN, REJECTED, RETRIED, SHORT_LIVED, SUSPENDED, Kind, Stage, kind_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

WRITES = ("POST", "PUT", "PATCH", "DELETE")


def write_of(request: Request) -> str | None:
    """What a request writes, in the words of the story; None for a read."""
    if request.method not in WRITES:
        return None
    _, resource, verb = request.verb
    if resource != "contractanalyses/status":
        return f"{verb} {resource}"
    status = json.loads(request.body)["status"]
    reason = next(condition["reason"] for condition in status["conditions"])
    if reason == "Cancelled" and status["phase"] != "Cancelled":
        return "status stopping"  # in whatever stage it was
    last = "retry " if status.get("attempts") and status["phase"] == "Processing" else ""
    return f"status {last}{status['phase']}/{status.get('stage', '')} {reason}"


# Every write of the story, with the kind of analysis in which it comes.
POINTS: list[tuple[str, Kind]] = [
    ("create jobs", PLAIN),
    ("create secrets", PLAIN),
    ("status Processing/Starting", PLAIN),
    ("status Processing/Extracting", PLAIN),
    ("status Processing/Analyzing", PLAIN),
    ("status Completed/", PLAIN),
    ("status Failed/", REJECTED),
    ("status stopping", CANCELLED),
    ("delete jobs", CANCELLED),
    ("status Cancelled/", CANCELLED),
    ("status Pending/Queued Suspended", SUSPENDED),
    ("delete jobs", SUSPENDED),
    ("status Pending/Queued Queued", SUSPENDED),
    ("create jobs", SUSPENDED),
    ("status retry Processing/Starting", RETRIED),
    ("create events", PLAIN),
    ("delete contractanalyses", SHORT_LIVED),
]
OTHERS = (PLAIN, REJECTED, SUSPENDED, PLAIN, CANCELLED, SHORT_LIVED)


@dataclass(frozen=True)
class Instant:
    """When the operator is to die."""

    point: str  # the write, or its beginning
    kind: Kind
    is_after: bool  # the API server has done it; the operator does not hear of it any more
    skip: int = 0  # that many such writes come before


class Killer:
    """Kills the operator at an instant, seen through its proxy, and measures how long the next one needs."""

    def __init__(self, proxy: ApiProxy) -> None:
        self._operator: OperatorProcess | None = None
        self._instant: Instant | None = None
        self._left = 0
        self._lock = threading.Lock()
        self._died_at: float | None = None
        self.fired = threading.Event()
        self.recoveries: list[float] = []
        self.jobs_made: Counter[str] = Counter()
        self.secrets_made = 0
        proxy.fault = self._before
        proxy.answered = self._after

    def arm(self, operator: OperatorProcess, instant: Instant) -> None:
        """Kill `operator` at `instant`."""
        with self._lock:
            self.fired.clear()
            self._operator, self._instant, self._left = operator, instant, instant.skip

    def _before(self, request: Request) -> Refusal | None:
        written = write_of(request)
        if written is None:
            return None
        with self._lock:
            if self.fired.is_set():
                return 503, {}  # of the dead one, on its way
            if self._died_at is not None:
                self.recoveries.append(time.monotonic() - self._died_at)
                self._died_at = None
            if self._is_due(written, is_after=False):
                self._fire()
                return 503, {}
        return None

    def _after(self, request: Request, status: int) -> None:
        written = write_of(request)
        if written is None or status >= 300:
            return
        if written == "create jobs":
            self.jobs_made[json.loads(request.body)["metadata"]["name"]] += 1
        with self._lock:
            if not self.fired.is_set() and self._is_due(written, is_after=True):
                self._fire()

    def _is_due(self, written: str, *, is_after: bool) -> bool:
        instant = self._instant
        if instant is None or instant.is_after != is_after or not written.startswith(instant.point):
            return False
        self._left -= 1
        return self._left < 0

    def _fire(self) -> None:
        assert self._operator is not None
        self._operator.kill()
        self._died_at = time.monotonic()
        self._instant = None
        self.fired.set()


def instants(count: int) -> Iterator[Instant]:
    """Every point before and after, then points taken at random among later occurrences of them."""
    every = [Instant(point, kind, is_after) for is_after in (True, False) for point, kind in POINTS]
    chance = random.Random(5)
    if count < len(every):
        # After a failed attempt the Job controller waits ten seconds.
        yield from chance.sample([instant for instant in every if instant.kind is not RETRIED], count)
        return
    yield from every
    for _ in range(count - len(every)):
        point, kind = chance.choice(POINTS)
        yield Instant(point, kind, chance.random() < 0.5, skip=1)


def test_kill_at_every_transition(
    stage: Stage, proxied: dict[str, str], proxy: ApiProxy, tmp_path: Path, figures: Figures, is_full: bool
) -> None:
    kills, analyses = (50, 200) if is_full else (10, 30)
    killer = Killer(proxy)
    operator = OperatorProcess(proxied, tmp_path / "operator.log")
    kinds = cycle([*OTHERS, RETRIED] if is_full else OTHERS)
    stage.stage_seconds = 1.5  # so that the operator, just begun, tells each stage
    with operator:
        for number, instant in enumerate(instants(kills)):
            operator.revive()
            killer.arm(operator, instant)  # now: until then nothing kills, not a late request of the dead one either
            due = analyses * (number + 1) // kills - len(stage.created)
            for place in range(max(due, 1)):
                kind = instant.kind if place < 2 else next(kinds)
                stage.create(f"{kind.name}-{number}-{place}")
            _wait_killed(killer, instant, stage, number)
            assert operator.wait_killed(30)
        operator.revive()
        killer.arm(operator, Instant("never", PLAIN, is_after=True))
        stage.wait_finished(120)
    twice = [f"Job {name} was made {count} times" for name, count in killer.jobs_made.items() if count > 1]
    assert killer.jobs_made.total() == sum(kind_of(name).jobs for name in stage.created), "one for each uid and run"
    patches = sum(request.method == "PATCH" for request in proxy.requests)
    longest = max(killer.recoveries)
    figures.add_stage(
        "kill",
        f"kill -9 at {kills} instants, {patches} of Kopf's PATCHes to come between, "
        f"{killer.jobs_made.total()} Jobs, longest recovery {longest:.1f} s",
        stage,
        faults=kills,
        doubled=twice,
        jobs=killer.jobs_made.total(),
        patches=patches,
        longest_recovery_seconds=round(longest, 2),
    )
    assert patches == 0, "a kill between Kopf's PATCHes would be one more instant"


def _wait_killed(killer: Killer, instant: Instant, stage: Stage, number: int) -> None:
    """Wait for the instant; if a busy machine let it slip by, another analysis comes to it."""
    patience_seconds = 5 if instant.kind is not RETRIED else 20  # after a failed attempt a Job waits for ten seconds
    for attempt in range(12):
        if killer.fired.wait(patience_seconds):
            return
        stage.create(f"{instant.kind.name}-{number}-again-{attempt}")
    raise AssertionError(f"this instant did not come: {instant}")


def test_two_operators_at_once(
    stage: Stage, proxied: dict[str, str], proxy: ApiProxy, tmp_path: Path, figures: Figures, is_full: bool
) -> None:
    seconds = 60 if is_full else 6
    proxied = {**proxied, "DEALGUARD_RESYNC_SECONDS": "2"}
    made: Counter[str] = Counter()

    def count(request: Request, status: int) -> None:
        if write_of(request) == "create jobs" and status < 300:
            made[json.loads(request.body)["metadata"]["name"]] += 1

    proxy.answered = count
    kinds = cycle([*OTHERS, RETRIED] if is_full else OTHERS)
    with OperatorProcess(proxied, tmp_path / "1.log"), OperatorProcess(proxied, tmp_path / "2.log"):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stage.create(f"{next(kinds).name}-{len(stage.created)}")
            time.sleep(0.4)
        stage.wait_finished(240)
    twice = [f"Job {name} was made {number} times" for name, number in made.items() if number > 1]
    assert made.total() == sum(kind_of(name).jobs for name in stage.created), "one Job for each uid and run"
    line = f"two operators for {seconds} s, {made.total()} Jobs"
    figures.add_stage("two operators", line, stage, faults=1, doubled=twice, jobs=made.total())
