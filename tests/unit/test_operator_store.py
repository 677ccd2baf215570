"""What the operator remembers: the newest version, no ghosts, last words; and its queue of work."""

import asyncio
from dataclasses import replace

import pytest

from dealguard_api import names
from dealguard_operator.model import Observation, PackedAnalysis
from dealguard_operator.observe import pack
from dealguard_operator.store import Store
from dealguard_operator.work_queue import WorkQueue
from tests.unit.operator_cases import (
    JOB_UID,
    NAME,
    NAMESPACE,
    UID,
    analysis,
    at,
    completed,
    job,
    pod,
    started,
    succeeded,
)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def filled() -> tuple[Store, Clock]:
    clock = Clock()
    store = Store(clock)
    store.put_analysis(analysis(started()))
    store.put_job(job())
    store.put_pod(pod())
    clock.time += 1
    return store, clock


def seen(store: Store) -> Observation:
    observation = store.observe(UID)
    assert observation is not None
    return observation


def test_what_belongs_together_is_observed_together() -> None:
    store, _ = filled()
    assert (seen(store).job, seen(store).pods) == (job(), (pod(),))


@pytest.mark.parametrize(("version", "is_news"), [("99", False), ("100", False), ("101", True), ("not-a-number", True)])
def test_the_newest_version_wins_in_whatever_order_it_comes(version: str, is_news: bool) -> None:
    store, _ = filled()
    assert store.put_analysis(replace(analysis(), resource_version=version)) is is_news
    assert (seen(store).analysis.resource_version == version) == (is_news or version == "100")


@pytest.mark.parametrize(
    ("why", "foreign"),
    [
        ("of another run", pod(2, job_name=names.job_name(NAME, UID, 2))),
        ("of a Job of that name that is not ours", pod(2, job_uid="forged")),
        ("of another namespace", pod(2, namespace="other")),
        ("with another label", pod(2, analysis_uid="other")),
    ],
)
def test_a_foreign_pod_is_not_observed(why: str, foreign: object) -> None:
    store, _ = filled()
    store.put_pod(foreign)  # type: ignore[arg-type]
    assert seen(store).pods == (pod(),), why


def test_a_foreign_job_is_not_observed() -> None:
    store, _ = filled()
    store.put_job(job(uid="other", owner_uid="another-analysis", created_at=at(50)))
    store.put_job(job(uid="later", name=names.job_name(NAME, UID, 2), created_at=at(50)))
    assert seen(store).job == job()


def test_a_deleted_pods_last_words_stay_until_the_end() -> None:
    store, _ = filled()
    store.put_pod(replace(succeeded(), resource_version="301"))
    store.remove_pod(replace(succeeded(), resource_version="302"))
    (last,) = seen(store).pods
    assert last.is_gone
    assert last.analyze == succeeded().analyze
    store.remove_job(job())
    assert seen(store).pods == (last,), "also when the Job is gone"
    store.put_analysis(replace(analysis(completed()), resource_version="110"))
    assert seen(store).pods == ()


def test_a_list_removes_what_is_gone_and_keeps_its_last_words() -> None:
    store, clock = filled()
    assert store.replace_pods(None, [], list_began_at=clock.time) == {UID}
    assert [last.is_gone for last in seen(store).pods] == [True]
    assert store.replace_jobs(None, [], list_began_at=clock.time) == {UID}
    assert seen(store).job is None
    assert store.replace_analyses(None, [], list_began_at=clock.time) == {UID}
    assert store.observe(UID) is None


def test_a_list_does_not_remove_what_came_after_it_began() -> None:
    store, clock = filled()
    began_at = clock.time - 5
    assert store.replace_jobs(None, [], list_began_at=began_at) == set()
    assert seen(store).job == job()


def test_a_list_does_not_bring_back_what_was_deleted_meanwhile() -> None:
    store, clock = filled()
    began_at = clock.time
    store.remove_job(job())
    store.remove_analysis(UID)
    store.replace_jobs(None, [job()], list_began_at=began_at)
    store.replace_analyses(None, [analysis()], list_began_at=began_at)
    assert store.observe(UID) is None


def test_a_fresh_answer_brings_back_what_only_lost_its_label() -> None:
    store, clock = filled()
    store.remove_job(job())
    store.remove_pod(pod())
    assert seen(store).job is None
    store.put_job(job(), is_fresh=True)
    store.replace_pods(NAMESPACE, [pod()], list_began_at=clock.time, analysis_uid=UID)
    assert (seen(store).job, seen(store).pods) == (job(), (pod(),)), "once each, and not as gone"


def test_a_fresh_answer_from_before_the_deletion_brings_nothing_back() -> None:
    store, _ = filled()
    store.put_job(job(resource_version="250", deleting_since=at(9)))
    store.remove_job(job(resource_version="250", deleting_since=at(9)))
    assert not store.put_job(job(), is_fresh=True)
    assert seen(store).job is None


@pytest.mark.parametrize(
    ("why", "version", "may_return", "is_back"),
    [
        ("the label came back", "103", True, True),
        ("a list that was under way says so", "103", False, False),
        ("the watch repeats what was before", "101", True, False),
        ("the watch repeats the deletion itself", "102", True, False),
    ],
)
def test_an_analysis_that_lost_its_label_may_come_back(why: str, version: str, may_return: bool, is_back: bool) -> None:
    store, _ = filled()
    store.put_analysis(replace(analysis(started()), resource_version="102"))  # as its deletion tells it
    store.remove_analysis(UID)
    again = replace(analysis(started()), resource_version=version)
    assert store.put_analysis(again, may_return=may_return) is is_back, why
    assert (store.observe(UID) is not None) is is_back, why
    if is_back:
        assert seen(store).job == job(), "its Job was watched all the time"


def test_what_is_known_of_an_object_is_its_newest_version_or_its_deletion() -> None:
    store, _ = filled()
    for version, is_known in (("299", True), ("300", True), ("301", False)):
        assert store.knows(replace(pod(), resource_version=version)) is is_known
    store.remove_pod(pod())
    assert store.knows(replace(pod(), resource_version="301"))
    assert not store.knows(replace(job(), uid="another"))


@pytest.mark.parametrize(("namespace", "is_gone"), [(NAMESPACE, True), ("other", False), (None, True)])
def test_a_list_speaks_of_its_own_namespace(namespace: str | None, is_gone: bool) -> None:
    store, clock = filled()
    store.replace_jobs(namespace, [], list_began_at=clock.time)
    assert (seen(store).job is None) is is_gone


def test_a_list_of_one_analysis_says_nothing_of_others() -> None:
    store, clock = filled()
    store.replace_pods(NAMESPACE, [], list_began_at=clock.time, analysis_uid="another")
    assert seen(store).pods == (pod(),)


def test_an_older_list_changes_nothing_newer() -> None:
    store, clock = filled()
    newer = job(resource_version="250", deleting_since=at(9))
    store.put_job(newer)
    assert store.replace_jobs(None, [job()], list_began_at=clock.time) == set()
    assert seen(store).job == newer


def test_only_unfinished_analyses_are_looked_at_again() -> None:
    store, _ = filled()
    store.put_analysis(replace(analysis(completed()), uid="done"))
    assert store.unfinished() == [UID]


def test_a_recreated_job_of_the_same_name_is_the_newer_one() -> None:
    store, _ = filled()
    store.put_job(job(uid="recreated", created_at=at(10)))
    observed = seen(store).job
    assert observed is not None
    assert observed.uid == "recreated" != JOB_UID


async def test_the_queue_merges_and_never_hands_a_key_to_two_workers() -> None:
    queue = WorkQueue()
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    queue.add("a")
    assert len(queue) == 0, "it is being looked at"
    queue.done("b")
    queue.done("a")
    assert await asyncio.wait_for(queue.get(), 1) == "a", "and is due again afterwards"


async def test_the_earliest_timer_counts_and_a_change_replaces_it() -> None:
    queue = WorkQueue()
    queue.add_after("a", 3600)
    queue.add_after("a", 0.01)
    queue.add_after("a", 3600)
    assert await asyncio.wait_for(queue.get(), 1) == "a"
    queue.done("a")
    queue.add_after("a", 0.01)
    queue.add("a")
    assert await asyncio.wait_for(queue.get(), 1) == "a"
    queue.done("a")
    await asyncio.sleep(0.05)
    assert len(queue) == 0, "the timer went with the change"


def test_a_later_list_refutes_a_deletion_that_an_older_one_made_believe() -> None:
    """An API server whose cache lags, after its restart for instance, lists without what was made a moment ago."""
    times = [1.0]
    store = Store(lambda: times[0])
    store.put_analysis(analysis())
    times[0] = 10.0
    assert store.replace_analyses(None, [], list_began_at=9.0) == {UID}
    times[0] = 11.0
    assert store.replace_analyses(None, [analysis()], list_began_at=9.5) == set(), "it was asked for before"
    assert store.replace_analyses(None, [analysis()], list_began_at=11.0) == {UID}
    assert store.analysis(UID) is not None


def test_what_has_ended_is_packed_and_observed_as_before() -> None:
    store, clock = filled()
    assert store.ended_and_not_packed() == []
    ended = replace(analysis(completed(), runToken="first"), resource_version="101", is_deleting=True)
    store.put_analysis(ended)
    before = seen(store)
    assert store.ended_and_not_packed() == [UID]
    store.pack(UID)
    assert isinstance(store.known_analysis(UID), PackedAnalysis)
    assert (store.ended_and_not_packed(), store.unfinished()) == ([], [])
    assert seen(store) == before
    assert store.analysis(UID) == ended
    clock.time += 1
    assert store.replace_analyses(None, [pack(ended)], list_began_at=clock()) == set(), "it is no news"
    again = replace(analysis(started(), runToken="second"), resource_version="102")
    assert store.put_analysis(again)
    assert store.unfinished() == [UID]


def test_what_has_not_ended_is_never_packed() -> None:
    store, _ = filled()
    store.pack(UID)
    assert store.known_analysis(UID) == analysis(started())
    store.remove_pod(succeeded())
    assert seen(store).pods, "its pod's last words are kept"


@pytest.mark.parametrize("seconds_later", [0, 15])
def test_a_late_answer_brings_back_nothing_that_was_deleted(seconds_later: float) -> None:
    store, clock = filled()
    store.remove_job(job())
    clock.time += seconds_later
    store.replace_jobs(None, [], list_began_at=clock())
    store.put_job(job())
    assert seen(store).job is None


def test_a_list_that_lags_by_minutes_brings_no_analysis_back() -> None:
    store, clock = filled()
    store.put_analysis(replace(analysis(started()), resource_version="150"))  # as its deletion tells it
    store.remove_analysis(UID)
    for seconds_later, is_back in ((30, False), (300, False), (600, True)):
        clock.time += seconds_later
        store.replace_analyses(None, [], list_began_at=clock())
        store.replace_analyses(None, [analysis(started())], list_began_at=clock())
        assert (store.analysis(UID) is not None) is is_back, "nothing is remembered for ever"


def test_deletions_are_not_remembered_for_ever() -> None:
    """One name that is kept keeps the block of memory that it lies in."""
    store, clock = filled()
    store.remove_job(job())
    began_at, clock.time = clock(), clock() + 60
    store.replace_jobs(None, [], list_began_at=began_at)
    assert store.knows(job()), "a list from before does not let it be forgotten"
    store.replace_jobs(None, [], list_began_at=clock())
    assert not store.knows(job())
