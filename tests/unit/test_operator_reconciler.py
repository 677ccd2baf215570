"""The reconciler on a small API server: what lists alone tell, taking over, a namespace without room."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from kubernetes.aio import client

from dealguard_operator.kubernetes_api import KubernetesApi
from dealguard_operator.model import Analysis, PackedAnalysis
from dealguard_operator.places import Places
from dealguard_operator.presign import Presigner
from dealguard_operator.reconciler import Reconciler
from tests.unit.operator_api_server import ApiServer, wait_until
from tests.unit.operator_cases import settings


class CrowdedApiServer(ApiServer):
    """Has no room for a Job while `is_full`, or for what else `crowded` names."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False
        self.crowded = "jobs"
        self.rejects_jobs = False
        self.is_noted = asyncio.Event()  # set: what is refused is told
        self.refused = 0
        self.deleted: list[str] = []
        self.conflicting_deletes = 0  # how many are refused because somebody writes to the object

    async def _answer(self, request: web.Request) -> web.Response:
        if self.rejects_jobs and request.method == "POST" and request.path.endswith("/jobs"):
            self.refused += 1
            await self.is_noted.wait()
            return web.json_response({"kind": "Status", "message": "denied by policy"}, status=403)
        if self.is_full and request.method == "POST" and request.path.endswith(f"/{self.crowded}"):
            self.refused += 1
            message = f'{self.crowded} "x" is forbidden: exceeded quota: small, limited: count/{self.crowded}=1'
            return web.json_response({"kind": "Status", "message": message}, status=403)
        if request.method == "DELETE":
            name = request.path.rpartition("/")[2]
            self.deleted.append(name)
            if self.conflicting_deletes:
                self.conflicting_deletes -= 1
                return web.json_response({"kind": "Status", "reason": "Conflict"}, status=409)
            self.objects["contractanalyses"].pop(name, None)
            return web.json_response({"kind": "Status"})
        return await super()._answer(request)

    def phases(self) -> list[str]:
        return [item.get("status", {}).get("phase", "") for item in self.objects["contractanalyses"].values()]


class Switch:
    """The right to write, switched by hand."""

    def __init__(self, *, leads: bool) -> None:
        self.leads = leads

    def seconds_left(self) -> float:
        return math.inf if self.leads else 0


@pytest.fixture
async def api_server() -> AsyncIterator[CrowdedApiServer]:
    api_server = CrowdedApiServer()
    await api_server.server.start_server()
    yield api_server
    await api_server.server.close()


@asynccontextmanager
async def reconciling(
    api_server: ApiServer,
    leadership: Switch | None = None,
    *,
    ahead_seconds: float = 0,
    clock: Callable[[], float] = time.monotonic,
    **chosen: str,
) -> AsyncIterator[Reconciler]:
    """A reconciler that no watch feeds, by a clock that may be ahead of the API server's."""
    our_settings = settings(**{"RESYNC_SECONDS": "0.05", **chosen})
    configuration = client.Configuration(host=str(api_server.server.make_url("")).rstrip("/"))
    api = KubernetesApi(configuration, leadership=leadership)
    reconciler = Reconciler(
        api,
        Presigner(our_settings),
        our_settings,
        leadership=leadership,
        now=lambda: datetime.now(UTC) + timedelta(seconds=ahead_seconds),
        clock=clock,
    )
    task = asyncio.create_task(reconciler.run())
    try:
        yield reconciler
    finally:
        task.cancel()
        await asyncio.wait([task])
        await api.close()


async def some_resyncs(api_server: ApiServer) -> None:
    lists = api_server.lists
    await wait_until(lambda: api_server.lists > lists + 12)


@pytest.mark.parametrize("gone", ["first", "second"], ids=["one that ran", "one that waited"])
async def test_a_deletion_that_only_a_list_tells_gives_the_place_back(api_server: CrowdedApiServer, gone: str) -> None:
    api_server.analyse("first")
    async with reconciling(api_server, MAX_RUNNING="1"):
        await api_server.wait_for(first="Processing")
        for name in ("second", "third"):
            api_server.analyse(name)
            await api_server.wait_for(**{name: "Pending"})
        del api_server.objects["contractanalyses"][gone]
        if gone == "second":
            await some_resyncs(api_server)
            del api_server.objects["contractanalyses"]["first"]
            await api_server.wait_for(third="Processing")
        else:
            await api_server.wait_for(second="Processing", third="Pending")


async def test_a_list_that_lags_takes_nothing_away_that_runs(api_server: CrowdedApiServer) -> None:
    api_server.analyse("lease")
    async with reconciling(api_server) as reconciler:
        await api_server.wait_for(lease="Processing")
        for _ in range(5):
            api_server.left_out = {"lease"}
            await wait_until(lambda: not api_server.left_out)
            await asyncio.sleep(0.1)  # it is asked again, and the resync ends
            assert _known(reconciler) == {"uid-of-lease"}
        await api_server.pod("lease", 1, extract=0, analyze=0, message={"result": api_server.result_of("lease")})
        await api_server.wait_for(lease="Completed")
        del api_server.objects["contractanalyses"]["lease"]
        await wait_until(lambda: not _known(reconciler))


async def test_a_job_that_somebody_writes_to_is_deleted_all_the_same(api_server: CrowdedApiServer) -> None:
    api_server.analyse("lease")
    async with reconciling(api_server, RESYNC_SECONDS="1000") as reconciler:
        await api_server.wait_for(lease="Processing")
        api_server.conflicting_deletes = 1
        running = api_server.objects["contractanalyses"]["lease"]
        cancelled = api_server.put("contractanalyses", {**running, "spec": {**running["spec"], "cancel": True}})
        reconciler.see_analysis(cancelled, is_deleted=False)
        await api_server.wait_for(lease="Cancelled")
        assert len(api_server.deleted) == 2, "a conflict says nothing about whether it is gone"


async def test_what_was_refused_in_an_earlier_term_is_asked_for_anew(api_server: CrowdedApiServer) -> None:
    leadership = Switch(leads=True)
    api_server.rejects_jobs = True
    api_server.analyse("lease")
    async with reconciling(api_server, leadership, RESYNC_SECONDS="1000") as reconciler:
        await wait_until(lambda: api_server.refused)
        leadership.leads = False
        api_server.is_noted.set()
        await asyncio.sleep(0.2)  # the refusal is known, and cannot be put on record
        assert api_server.phases() != ["Failed"]
        api_server.rejects_jobs = False
        leadership.leads = True
        reconciler.take_everything_up()
        await api_server.wait_for(lease="Processing")


async def test_lists_that_are_refused_are_noticed_before_the_next_look_at_everything(
    api_server: CrowdedApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dealguard_operator.reconciler._LONGEST_PAUSE_RESYNCS", 10_000)

    def clock() -> float:  # a list takes ten minutes of it, so the pause is that long
        return 600 * api_server.lists

    async with reconciling(api_server, clock=clock, RESYNC_SECONDS="0.1") as reconciler:
        await reconciler.wait_synced()
        assert reconciler.seconds_overdue() < -600
        api_server.refuses_lists = True
        await wait_until(lambda: reconciler.seconds_overdue() >= -0.1)
        api_server.refuses_lists = False
        await wait_until(lambda: reconciler.seconds_overdue() < -600)


async def test_what_was_packed_when_it_had_ended_runs_again_when_asked(api_server: CrowdedApiServer) -> None:
    api_server.analyse("lease")
    async with reconciling(api_server):
        await api_server.pod("lease", 1, extract=0, analyze=0, message={"result": api_server.result_of("lease")})
        await api_server.wait_for(lease="Completed")
        await some_resyncs(api_server)
        ended = api_server.objects["contractanalyses"]["lease"]
        api_server.put("contractanalyses", {**ended, "spec": {**ended["spec"], "runToken": "again"}})
        await wait_until(lambda: len(api_server.objects["jobs"]) == 2)
        (before,) = api_server.objects["contractanalyses"]["lease"]["status"]["runs"]
        assert before["report"] == ended["status"]["result"]["report"], "nothing of it was lost"


@pytest.mark.parametrize("can_select_phases", [True, False], ids=["", "older definition"])
async def test_what_has_not_ended_is_taken_up_before_all_that_has(
    api_server: CrowdedApiServer, can_select_phases: bool
) -> None:
    keep_ended(api_server, "done")
    api_server.analyse("lease")
    api_server.can_select_phases = can_select_phases
    async with reconciling(api_server, RESYNC_SECONDS="1000") as reconciler:
        await api_server.wait_for(lease="Processing")
        assert _known(reconciler) == ({"uid-of-lease"} if can_select_phases else {"uid-of-done", "uid-of-lease"})
        reconciler.resync_soon()
        await wait_until(lambda: _known(reconciler) == {"uid-of-done", "uid-of-lease"})


async def test_a_first_look_that_fails_is_followed_by_a_complete_one(api_server: CrowdedApiServer) -> None:
    keep_ended(api_server, "done")
    api_server.failing_lists = 1
    async with reconciling(api_server, RESYNC_SECONDS="1000") as reconciler:
        await reconciler.wait_synced()
        assert _known(reconciler) == {"uid-of-done"}


async def test_it_ends_though_a_list_was_asked_for_just_before(api_server: CrowdedApiServer) -> None:
    async with asyncio.timeout(10), reconciling(api_server, RESYNC_SECONDS="1000") as reconciler:
        await reconciler.wait_synced()
        await asyncio.sleep(0.1)  # it waits for the next resync
        reconciler.resync_soon()


def _known(reconciler: Reconciler) -> set[str]:
    return {one.uid for one in reconciler.snapshot().analyses}


async def test_what_a_first_list_says_has_ended_is_packed_at_once(api_server: CrowdedApiServer) -> None:
    keep_ended(api_server, "done")
    (raw,) = api_server.objects["contractanalyses"].values()
    api_server.objects["contractanalyses"].clear()  # only the watch tells of it
    async with reconciling(api_server, RESYNC_SECONDS="1000") as reconciler:
        await reconciler.wait_synced()
        for is_listed, kept_as in ((True, PackedAnalysis), (False, Analysis)):
            uid = f"uid-{is_listed}"
            told = {**raw, "metadata": {**raw["metadata"], "uid": uid}}
            reconciler.see_analysis(told, is_deleted=False, is_listed=is_listed)
            assert {type(one) for one in reconciler.snapshot().analyses if one.uid == uid} == {kept_as}


async def test_what_cannot_be_packed_is_kept_as_it_is_and_said_once(
    api_server: CrowdedApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with reconciling(api_server) as reconciler:
        await reconciler.wait_synced()
        for name in ("hostile", "lease"):
            api_server.analyse(name)
            raw = api_server.objects["contractanalyses"][name]
            finished = {"phase": "Failed", "run": 1, "failure": {"reason": "InternalError", "message": "secret words"}}
            raw["status"] = {**finished, "observedGeneration": 1}
            if name == "hostile":  # as Kopf reads it
                told = {**raw, "status": {**raw["status"], "attemptCount": 2**70}}
                reconciler.see_analysis(told, is_deleted=False)
        await some_resyncs(api_server)
        await wait_until(lambda: "cannot be packed" in caplog.text)
        await some_resyncs(api_server)
        assert reconciler.seconds_since_resync() < 10
        kept = {type(one) for one in reconciler.snapshot().analyses if one.uid == "uid-of-hostile"}
        assert kept == {Analysis}
        assert {type(one) for one in reconciler.snapshot().analyses if one.uid == "uid-of-lease"} == {PackedAnalysis}
        assert caplog.text.count("cannot be packed (TypeError)") == 1
        assert "secret words" not in caplog.text


async def test_it_has_caught_up_when_all_that_waited_had_their_turn(api_server: CrowdedApiServer) -> None:
    for number in range(60):
        api_server.analyse(f"a{number}")
    async with reconciling(api_server) as reconciler:
        caught_up = asyncio.create_task(reconciler.wait_caught_up())
        await reconciler.wait_synced()
        assert not caught_up.done()
        await asyncio.wait_for(caught_up, 10)
        assert len(api_server.objects["jobs"]) > 60 - 16, "each of sixteen workers may still have one in hand"


async def test_memory_is_given_back_thoroughly_after_much_and_now_and_then(
    api_server: CrowdedApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    thorough: list[bool] = []
    monkeypatch.setattr("dealguard_operator.reconciler.give_back", lambda *, is_thorough: thorough.append(is_thorough))
    monkeypatch.setattr("dealguard_operator.reconciler._MUCH", 3)
    async with reconciling(api_server, RESYNC_SECONDS="0.01") as reconciler:
        await reconciler.wait_synced()
        await wait_until(lambda: len(thorough) >= 30)
        assert [number for number, is_ in enumerate(thorough[:30], 1) if is_] == [10, 20, 30]
        for number in range(3):
            api_server.analyse(f"a{number}")
        await wait_until(lambda: api_server.phases() == ["Processing"] * 3)
        await wait_until(lambda: len(thorough) % 10 == 2)
        api_server.objects["contractanalyses"].clear()
        seen = len(thorough)
        await wait_until(lambda: len(thorough) >= seen + 7)
        assert True in thorough[seen : seen + 6], "three went at once"


@pytest.mark.parametrize(
    ("list_seconds", "pause_seconds"),
    [(0, 30), (2, 54), (100, 120)],
    ids=["as chosen", "nine times as long as it took", "never longer than four of those chosen"],
)
async def test_looking_at_everything_takes_a_tenth_of_the_time(
    api_server: CrowdedApiServer, list_seconds: float, pause_seconds: float
) -> None:
    def clock() -> float:
        return list_seconds * api_server.lists

    async with reconciling(api_server, clock=clock, RESYNC_SECONDS="30") as reconciler:
        await reconciler.wait_synced()
        took_seconds = 3 * list_seconds
        assert -reconciler.seconds_overdue() - took_seconds == pytest.approx(pause_seconds, rel=0.11)


async def test_memory_is_saved_while_the_next_look_at_everything_is_far_off(api_server: CrowdedApiServer) -> None:
    def clock() -> float:  # a list takes ten minutes of it, so the pause is four times as long as chosen
        return 600 * api_server.lists

    async with reconciling(api_server, clock=clock, RESYNC_SECONDS="0.5") as reconciler:
        await reconciler.wait_synced()
        keep_ended(api_server, "done")
        reconciler.see_analysis(api_server.objects["contractanalyses"]["done"], is_deleted=False)
        lists = api_server.lists
        await wait_until(lambda: {type(one) for one in reconciler.snapshot().analyses} == {PackedAnalysis})
        assert api_server.lists == lists


@pytest.mark.parametrize(
    ("runs_at_once", "seconds"),
    [(1, 1), (35, 5), (700, 10)],
    ids=["as a person follows it", "seven writes a second", "every ten seconds"],
)
async def test_progress_is_written_when_its_time_has_come_and_an_end_at_once(
    api_server: CrowdedApiServer, monkeypatch: pytest.MonkeyPatch, runs_at_once: int, seconds: float
) -> None:
    monkeypatch.setattr(Places, "count_taken", lambda _: runs_at_once)
    ahead_seconds = 0.0

    def clock() -> float:  # a second of it takes a quarter of an hour
        return ahead_seconds + time.monotonic() / 1000

    def written() -> tuple[str, ...]:
        status = api_server.objects["contractanalyses"]["lease"]["status"]
        return tuple(str(status.get(key)) for key in ("phase", "stage"))

    api_server.analyse("lease")
    async with reconciling(api_server, clock=clock):
        await api_server.wait_for(lease="Processing")
        for container in ("extract", "analyze"):
            await api_server.running_pod("lease", container)
            await some_resyncs(api_server)
            assert written() == ("Processing", "Starting")
        ahead_seconds = seconds - 0.5
        await some_resyncs(api_server)
        assert written() == ("Processing", "Starting")
        ahead_seconds = seconds
        await wait_until(lambda: written() == ("Processing", "Analyzing"))
        await api_server.pod("lease", 1, extract=0, analyze=0, message={"result": api_server.result_of("lease")})
        await api_server.wait_for(lease="Completed")


def keep_ended(api_server: ApiServer, name: str, *, generation: int = 1, **spec: object) -> None:
    """An analysis that has ended two minutes ago."""
    api_server.analyse(name, **spec)
    raw = api_server.objects["contractanalyses"][name]
    raw["metadata"]["generation"] = generation
    finished_at = (datetime.now(UTC) - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    raw["status"] = {"phase": "Failed", "run": 1, "observedGeneration": 1, "finishedAt": finished_at}


async def test_what_was_deleted_before_its_first_status_is_forgotten(
    api_server: CrowdedApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with reconciling(api_server, RESYNC_SECONDS="1000") as reconciler:
        await reconciler.wait_synced()
        api_server.analyse("lease")
        raw = api_server.objects["contractanalyses"].pop("lease")
        reconciler.see_analysis(raw, is_deleted=False)
        assert len(list(reconciler.snapshot().analyses)) == 1
        await wait_until(lambda: not list(reconciler.snapshot().analyses))
    assert "trying again" not in caplog.text


@pytest.mark.parametrize("is_told_first_by", ["a list", "the watch"])
async def test_of_what_has_ended_only_what_has_something_to_be_done_is_looked_at(
    is_told_first_by: str, api_server: CrowdedApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    reconcile = Reconciler._reconcile

    async def note(self: Reconciler, uid: str) -> None:
        looked_at.append(uid.removeprefix("uid-of-"))
        await reconcile(self, uid)

    monkeypatch.setattr(Reconciler, "_reconcile", note)
    for number in range(20):
        keep_ended(api_server, f"done-{number}")
        keep_ended(api_server, f"later-{number}", ttlSecondsAfterFinished=3600)
    keep_ended(api_server, "over", ttlSecondsAfterFinished=60)
    keep_ended(api_server, "soon", ttlSecondsAfterFinished=122)
    keep_ended(api_server, "again", runToken="again")
    keep_ended(api_server, "changed", generation=2)
    api_server.analyse("waits")
    api_server.can_select_phases = is_told_first_by == "the watch"
    async with reconciling(api_server, RESYNC_SECONDS="1000") as reconciler:
        if is_told_first_by == "the watch":
            for raw in list(api_server.objects["contractanalyses"].values()):
                reconciler.see_analysis(raw, is_deleted=False)
        await wait_until(lambda: set(api_server.deleted) == {"over", "soon"})
        await api_server.wait_for(again="Processing", waits="Processing")
        assert set(looked_at) == {"over", "soon", "again", "changed", "waits"}
        if is_told_first_by == "a list":
            assert looked_at[0] == "waits", "before what has ended, though it is last in the list"
        looked_at.clear()
        reconciler.take_everything_up()
        await wait_until(lambda: {"again", "waits"} <= set(looked_at))
        await asyncio.sleep(0.1)
        assert not {name for name in looked_at if name.startswith(("done", "later"))}


async def test_who_takes_over_knows_first_which_places_are_taken(api_server: CrowdedApiServer) -> None:
    leadership = Switch(leads=False)
    async with reconciling(api_server, leadership, MAX_RUNNING="1", RESYNC_SECONDS="1000") as reconciler:
        await reconciler.wait_synced()
        for name in ("waits", "runs"):  # as the watches tell it
            api_server.analyse(name)
            reconciler.see_analysis(api_server.objects["contractanalyses"][name], is_deleted=False)
        async with reconciling(api_server, MAX_RUNNING="1"):  # the other leader, which chose another one
            await wait_until(lambda: api_server.objects["jobs"])
            await wait_until(lambda: sorted(api_server.phases()) == ["Pending", "Processing"])
        for raw in api_server.objects["contractanalyses"].values():
            reconciler.see_analysis(raw, is_deleted=False)
        for raw in api_server.objects["jobs"].values():
            reconciler.see_job(raw, is_deleted=False)
        # The order in which it learned of them must not matter.
        leadership.leads = True
        reconciler.take_everything_up()
        await asyncio.sleep(0.3)
        assert len(api_server.objects["jobs"]) == 1


async def test_a_namespace_without_room_is_not_asked_by_all_that_wait(api_server: CrowdedApiServer) -> None:
    api_server.is_full = True
    for number in range(100):
        api_server.analyse(f"a{number}")
    async with reconciling(api_server, MAX_RUNNING="10"):
        await wait_until(lambda: api_server.phases() == ["Pending"] * 100)
        await some_resyncs(api_server)
        assert 1 <= api_server.refused <= 16, "no more than the workers had in hand"


async def test_a_quota_without_room_for_the_secret_is_waited_for_and_named(api_server: CrowdedApiServer) -> None:
    api_server.is_full, api_server.crowded = True, "secrets"
    api_server.analyse("first")
    async with reconciling(api_server):
        await wait_until(lambda: "namespace has no room" in str(api_server.objects["contractanalyses"]))
        await wait_until(lambda: api_server.refused > 1)
        assert api_server.phases() == ["Processing"]
        api_server.is_full = False
        await wait_until(lambda: api_server.objects["secrets"])
        await wait_until(lambda: "namespace has no room" not in str(api_server.objects["contractanalyses"]))


async def test_a_quota_without_room_for_the_secret_is_not_waited_for_for_ever(api_server: CrowdedApiServer) -> None:
    api_server.is_full, api_server.crowded = True, "secrets"
    api_server.analyse("first")
    async with reconciling(api_server, ahead_seconds=200, START_DEADLINE_SECONDS="180"):
        await api_server.wait_for(first="Failed")
    assert "exceeded quota: small" in str(api_server.objects["contractanalyses"])


async def test_what_a_finished_job_and_its_pod_say_after_the_end_is_known_and_not_looked_at(
    api_server: CrowdedApiServer,
) -> None:
    api_server.analyse("lease")
    async with reconciling(api_server, RESYNC_SECONDS="0.2") as reconciler:
        await api_server.pod("lease", 1, extract=0, analyze=0, message={"result": api_server.result_of("lease")})
        await api_server.wait_for(lease="Completed")
        await some_resyncs(api_server)  # nobody looks at it any more
        (pod,), (job,) = api_server.objects["pods"].values(), api_server.objects["jobs"].values()
        pod["status"]["phase"] = "Failed"
        reconciler.see_pod(api_server.put("pods", pod), is_deleted=False)
        done = {"conditions": [{"type": "Complete", "status": "True"}]}
        reconciler.see_job(api_server.put("jobs", {**job, "status": done}), is_deleted=False)
        assert reconciler.snapshot().work_queue_depth == 0
        running = {**job, "status": {"startTime": "2026-11-23T12:00:01Z"}}
        reconciler.see_job(api_server.put("jobs", running), is_deleted=False)
        assert reconciler.snapshot().work_queue_depth == 1, "a Job that runs on may have to be deleted"
