"""Who leads: a lease is taken, renewed, lost, given back and taken over, by clocks that are the test's own."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import kmock as mock
import pytest
from kubernetes.aio import client

from dealguard_operator import errors
from dealguard_operator.kubernetes_api import KubernetesApi
from dealguard_operator.lease import Alone, Election, Lease, boot_time
from dealguard_operator.lease_api import LeaseApi
from tests.unit.operator_cases import T0

DURATION = 15
# What the design promises for 15 s: a fifth is the margin.
MAY_WRITE_SECONDS = 12
OBJECT = {"metadata": {"namespace": "acme", "name": "x"}}
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class FakeLeases:
    """A Lease on a server that versions it as the API server does."""

    clock: Clock
    stored: Lease | None = None
    writes: list[Lease] = field(default_factory=list)
    error: errors.ApiError | None = None  # the answer to the next requests
    arrives_unanswered: bool = False  # the next write is carried out, and its answer is lost
    answer_seconds: float = 0.0

    async def read(self, timeout_seconds: float) -> Lease | None:
        self._answer()
        return self.stored

    async def write(self, lease: Lease, timeout_seconds: float) -> Lease:
        self._answer()
        version = self.stored.resource_version if self.stored else ""
        if lease.resource_version != version:
            raise errors.ConflictError("it changed", status=409) if version else errors.NotFoundError("gone")
        self.stored = replace(lease, resource_version=str(int(version or 0) + 1))
        self.writes.append(lease)
        if self.arrives_unanswered:
            self.arrives_unanswered = False
            raise errors.UnavailableError("cut off")
        return self.stored

    def _answer(self) -> None:
        self.clock.seconds += self.answer_seconds
        if self.error is not None:
            raise self.error


@dataclass
class Process:
    """One operator's election, with how often it began to lead."""

    election: Election
    won: list[float]

    def leads(self) -> bool:
        return self.election.seconds_left() > 0

    async def turn(self) -> float:
        return await self.election.take_turn()


def process(name: str, leases: FakeLeases, *, wall_clock_off_seconds: float = 0, duration: int = DURATION) -> Process:
    won: list[float] = []

    def now() -> datetime:
        return T0 + timedelta(seconds=leases.clock.seconds - 1000 + wall_clock_off_seconds)

    election = Election(
        leases, name, duration, on_won=lambda: won.append(leases.clock.seconds), now=now, clock=leases.clock
    )
    return Process(election, won)


@pytest.fixture
def leases() -> FakeLeases:
    return FakeLeases(Clock())


async def test_the_first_creates_the_lease_and_renews_it_a_third_into_its_duration(leases: FakeLeases) -> None:
    first = process("first", leases)
    assert not first.leads(), "not before it has the lease"
    assert await first.turn() == DURATION / 3
    assert first.election.seconds_left() == MAY_WRITE_SECONDS
    leases.clock.seconds += 5
    await first.turn()
    assert first.election.seconds_left() == MAY_WRITE_SECONDS
    assert first.won == [1000.0], "a renewal is no new term"
    created, renewed = leases.writes
    assert (created.holder, created.duration_seconds, created.transitions) == ("first", 15, 0)
    assert renewed.acquired_at == created.acquired_at
    assert renewed.renewed_at - created.renewed_at == timedelta(seconds=5)


async def test_the_right_to_write_counts_from_when_the_renewal_was_sent(leases: FakeLeases) -> None:
    first = process("first", leases)
    leases.answer_seconds = 2
    await first.turn()  # a read, then a write that was sent 2 s ago
    assert first.election.seconds_left() == MAY_WRITE_SECONDS - 2


@pytest.mark.parametrize("off_seconds", [-3600, -60, 0, 60, 3600])
async def test_a_standby_takes_over_when_nothing_was_renewed_for_the_duration_whatever_the_clocks_say(
    leases: FakeLeases, off_seconds: float
) -> None:
    leader, standby = process("a", leases), process("b", leases, wall_clock_off_seconds=off_seconds)
    await leader.turn()
    for _ in range(6):
        for _ in range(10):
            leases.clock.seconds += 0.5
            assert await standby.turn() <= 0.5, "a lease that is given back is not left unused for longer"
        await leader.turn()
    assert standby.won == []
    await standby.turn()
    died_at = leases.clock.seconds  # right after a renewal that the standby saw
    while not standby.leads():
        assert not leader.leads() or leases.clock.seconds < died_at + MAY_WRITE_SECONDS
        leases.clock.seconds += 0.5
        await standby.turn()
    assert leases.clock.seconds - died_at == DURATION
    assert not leader.leads()
    assert leases.stored is not None
    assert (leases.stored.holder, leases.stored.transitions) == ("b", 1)


async def test_who_wakes_up_after_another_took_over_neither_writes_nor_takes_it_back(leases: FakeLeases) -> None:
    sleeper, standby = process("a", leases), process("b", leases)
    await sleeper.turn()
    await standby.turn()
    leases.clock.seconds += 25  # the sleeper does not run
    assert not sleeper.leads(), "before it was told anything"
    await standby.turn()
    assert standby.leads()
    for _ in range(3):
        await sleeper.turn()
        assert not sleeper.leads()
    assert leases.stored is not None
    assert leases.stored.holder == "b"


async def test_who_wakes_up_and_still_has_the_lease_leads_again_and_looks_at_everything(leases: FakeLeases) -> None:
    sleeper = process("a", leases)
    await sleeper.turn()
    leases.clock.seconds += 25
    assert not sleeper.leads()
    await sleeper.turn()
    assert sleeper.leads()
    assert sleeper.won == [1000.0, 1025.0]


async def test_a_standby_that_slept_looks_before_it_counts(leases: FakeLeases) -> None:
    leader, sleeper = process("a", leases), process("b", leases)
    await leader.turn()
    await sleeper.turn()
    for _ in range(5):
        leases.clock.seconds += 5
        await leader.turn()
    await sleeper.turn()
    assert leader.leads()
    assert not sleeper.leads(), "25 s passed for it, but the record changed meanwhile"


async def test_released_it_is_taken_at_the_next_look(leases: FakeLeases) -> None:
    leader, standby = process("a", leases), process("b", leases)
    await leader.turn()
    await standby.turn()
    await leader.election.release()
    assert not leader.leads()
    await standby.turn()
    assert standby.leads()


@pytest.mark.parametrize("is_before_renewal_arrived", [False, True])
async def test_a_release_after_a_renewal_without_answer_gives_it_back_too(
    leases: FakeLeases, is_before_renewal_arrived: bool
) -> None:
    leader = process("a", leases)
    await leader.turn()
    if is_before_renewal_arrived:
        leases.arrives_unanswered = True
        await leader.turn()
    await leader.election.release()
    assert leases.stored is not None
    assert leases.stored.holder == ""


async def test_what_is_somebody_elses_is_not_given_back(leases: FakeLeases) -> None:
    late, leader = process("a", leases), process("b", leases)
    await late.turn()
    await leader.turn()
    leases.clock.seconds += 20
    await leader.turn()
    await late.election.release()
    assert leases.stored is not None
    assert leases.stored.holder == "b"
    assert leader.leads()


async def test_an_api_server_that_is_away_ends_the_right_and_nothing_else(leases: FakeLeases) -> None:
    leader = process("a", leases)
    await leader.turn()
    leases.error = errors.UnavailableError("refused")
    for second in range(1, 120):
        leases.clock.seconds += 1
        assert await leader.turn() <= DURATION / 3
        assert leader.leads() == (second < MAY_WRITE_SECONDS)
    leases.error = None
    await leader.turn()
    assert leader.leads()
    assert len(leader.won) == 2


async def test_a_lease_that_is_refused_is_told_once(leases: FakeLeases, caplog: pytest.LogCaptureFixture) -> None:
    standby = process("a", leases)
    leases.error = errors.UnavailableError('leases is forbidden: User "x" cannot get')
    for _ in range(20):
        await standby.turn()
        leases.clock.seconds += 1
    assert len(caplog.records) == 1
    assert "leases is forbidden" in caplog.text
    assert standby.election.seconds_since_answer() == 20
    leases.error = None
    await standby.turn()
    assert standby.election.seconds_since_answer() == 0


async def test_a_renewal_without_answer_is_tried_again_at_once(leases: FakeLeases) -> None:
    leader = process("a", leases)
    await leader.turn()
    leases.clock.seconds += 7.5
    leases.arrives_unanswered = True
    assert await leader.turn() <= 0.5
    await leader.turn()  # the version is not the one that it knows
    await leader.turn()
    assert leader.election.seconds_left() == MAY_WRITE_SECONDS
    assert len(leader.won) == 1, "it never lost it"


async def test_of_two_that_see_it_free_one_gets_it(leases: FakeLeases) -> None:
    one, two = process("a", leases), process("b", leases)
    await one.turn()
    await one.election.release()
    await asyncio.gather(one.turn(), two.turn())
    assert [one.leads(), two.leads()].count(True) == 1


async def test_what_others_write_beside_the_renewals_keeps_no_dead_leader(leases: FakeLeases) -> None:
    leader, standby = process("a", leases), process("b", leases)
    await leader.turn()
    for _ in range(40):
        await standby.turn()
        assert leases.stored is not None
        if standby.leads():
            break
        # An annotation, for example: a new version with the same record.
        leases.stored = replace(leases.stored, resource_version=str(int(leases.stored.resource_version) + 1))
        leases.clock.seconds += 0.5
    assert leases.clock.seconds == 1000 + DURATION


async def test_a_lease_that_was_deleted_by_hand_is_made_again_by_its_holder(leases: FakeLeases) -> None:
    leader, standby = process("a", leases), process("b", leases)
    await leader.turn()
    await standby.turn()
    leases.clock.seconds += 3
    leases.stored = None
    await standby.turn()
    assert not standby.leads(), "the other does not know yet, and may write"
    leases.clock.seconds += 2
    await leader.turn()
    await leader.turn()
    assert leader.leads()
    assert len(leader.won) == 1


async def test_a_lease_that_was_deleted_with_its_holder_dead_is_made_again_after_its_duration(
    leases: FakeLeases,
) -> None:
    leader, standby = process("a", leases), process("b", leases)
    await leader.turn()
    await standby.turn()
    leases.stored = None
    leases.clock.seconds += DURATION - 1
    await standby.turn()
    assert not standby.leads()
    leases.clock.seconds += 1
    await standby.turn()
    assert standby.leads()


async def test_who_sees_that_another_holds_it_stops_at_once(leases: FakeLeases) -> None:
    leader = process("a", leases)
    await leader.turn()
    assert leases.stored is not None
    leases.stored = replace(leases.stored, holder="an administrator's", resource_version="77")
    await leader.turn()
    await leader.turn()
    assert not leader.leads()


async def test_the_duration_of_who_holds_it_counts(leases: FakeLeases) -> None:
    leader, standby = process("a", leases, duration=30), process("b", leases, duration=5)
    await leader.turn()
    await standby.turn()
    leases.clock.seconds += 20
    await standby.turn()
    assert leader.leads()
    assert not standby.leads()


async def test_it_competes_until_cancelled(leases: FakeLeases) -> None:
    leader = process("a", leases)
    leases.error = errors.UnavailableError("refused")
    task = asyncio.create_task(leader.election.run())
    await asyncio.sleep(0.01)
    leases.error = None
    async with asyncio.timeout(5):
        while not leader.leads():  # noqa: ASYNC110 - what it is for is not said to others
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_clock_is_one_that_goes_on_while_the_machine_sleeps() -> None:
    assert boot_time() > 0
    assert Alone().seconds_left() == math.inf


# On the wire.


@pytest.fixture
async def lease_api(kmock: mock.RawHandler) -> AsyncIterator[LeaseApi]:
    api = LeaseApi(client.Configuration(host=str(kmock.url).rstrip("/")), "here", "the-lease")
    yield api
    await api.close()


PATH = "/apis/coordination.k8s.io/v1/namespaces/here/leases"


@pytest.mark.kmock(cls=mock.RawHandler)
async def test_a_lease_is_written_as_kubernetes_wants_it(kmock: mock.RawHandler, lease_api: LeaseApi) -> None:
    stored = {"metadata": {"resourceVersion": "2"}, "spec": {}}
    kmock[f"post {PATH}"] << stored
    kmock[f"put {PATH}/the-lease"] << stored
    lease = Lease("me", 15, T0, T0 + timedelta(milliseconds=1500), 3)
    await lease_api.write(lease, 1)
    await lease_api.write(replace(lease, resource_version="2"), 1)
    created, replaced = [request.data for request in kmock]
    assert created["spec"] == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-11-23T12:00:00.000000+00:00",
        "renewTime": "2026-11-23T12:00:01.500000+00:00",
        "leaseTransitions": 3,
    }
    assert "resourceVersion" not in created["metadata"]
    assert replaced == {**created, "metadata": {**created["metadata"], "resourceVersion": "2"}}


@pytest.mark.kmock(cls=mock.RawHandler)
@pytest.mark.parametrize(
    ("why", "spec", "expected"),
    [
        ("somebody made it by hand", {}, Lease("", 1, NEVER, NEVER, 0, "7")),
        (
            "whole seconds, as other clients write them",
            {"holderIdentity": "x", "leaseDurationSeconds": 9, "renewTime": "2026-11-23T12:00:00Z"},
            Lease("x", 9, NEVER, T0, 0, "7"),
        ),
    ],
)
async def test_fields_of_a_lease_may_be_missing(
    kmock: mock.RawHandler, lease_api: LeaseApi, why: str, spec: dict[str, object], expected: Lease
) -> None:
    kmock[f"get {PATH}/the-lease"] << {"metadata": {"resourceVersion": "7"}, "spec": spec}
    assert await lease_api.read(1) == expected, why


@pytest.mark.kmock(cls=mock.RawHandler)
@pytest.mark.parametrize("answer", [b"<html>", {"metadata": {"resourceVersion": "7"}, "spec": {"renewTime": "noon"}}])
async def test_an_answer_that_is_no_lease_may_pass(kmock: mock.RawHandler, lease_api: LeaseApi, answer: object) -> None:
    kmock["get"] << answer
    with pytest.raises(errors.UnavailableError, match=r"no (Lease|API server)"):
        await lease_api.read(1)


@pytest.mark.kmock(cls=mock.RawHandler)
async def test_no_lease_is_none(kmock: mock.RawHandler, lease_api: LeaseApi) -> None:
    kmock["get"] << 404
    assert await lease_api.read(1) is None


# The guard before each write.


@dataclass
class Right:
    """The right to write, for so many looks at it."""

    seconds: list[float]

    def seconds_left(self) -> float:
        return self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]


WRITES = {
    "replace_status": lambda api: api.replace_status(OBJECT),
    "delete_analysis": lambda api: api.delete_analysis("acme", "x", uid="u", resource_version="1"),
    "create_job": lambda api: api.create_job(OBJECT),
    "delete_job": lambda api: api.delete_job("acme", "x", uid="u"),
    "create_secret": lambda api: api.create_secret(OBJECT),
    "create_event": lambda api: api.create_event({**OBJECT, "involvedObject": {}}),
}


@pytest.mark.kmock(cls=mock.RawHandler)
@pytest.mark.parametrize("looks", [[0.0], [5.0, 0.0]], ids=["before it is asked for", "while it waits to be sent"])
@pytest.mark.parametrize("name", WRITES)
async def test_no_write_is_sent_without_the_right(kmock: mock.RawHandler, name: str, looks: list[float]) -> None:
    api = KubernetesApi(client.Configuration(host=str(kmock.url).rstrip("/")), leadership=Right([*looks]))
    kmock["get"] << {"items": []}
    with pytest.raises(errors.NotLeadingError):
        await WRITES[name](api)
    assert [item async for item in api.list_jobs(None)] == [], "reading goes on"
    assert {request.method.value for request in kmock} == {"GET"}
    await api.close()


def test_every_write_is_among_these() -> None:
    prefixes = ("replace_", "create_", "delete_", "patch_")
    assert {name for name in vars(KubernetesApi) if name.startswith(prefixes)} == set(WRITES)


@pytest.mark.kmock(cls=mock.RawHandler)
async def test_a_write_is_cut_off_when_the_right_ends(kmock: mock.RawHandler) -> None:
    api = KubernetesApi(client.Configuration(host=str(kmock.url).rstrip("/")), leadership=Right([0.2]))
    kmock["post"] << (lambda: asyncio.sleep(5))
    async with asyncio.timeout(2):
        with pytest.raises(errors.UnavailableError):
            await api.create_job(OBJECT)
    await api.close()
