"""Who may start: limits, fairness between namespaces, priority, age, and that no place is lost or given twice."""

import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dealguard_api.resource import Phase, Stage
from dealguard_operator.model import Observation, QuotaRefusal
from dealguard_operator.places import Candidate, Limits, Places
from dealguard_operator.policies.admission import Standing, standing_of
from tests.unit.operator_cases import analysis, at, completed, job, running, started, suspended


def candidate(
    uid: str, namespace: str = "a", standing: Standing = Standing.WAITS, priority: int = 0, queued: float = 0
) -> Candidate:
    return Candidate(uid, namespace, standing, priority, at(queued))


def places(*candidates: Candidate, **limits: Any) -> Places:
    places = Places(Limits(**limits))
    for one in candidates:
        places.update(one)
    return places


def test_without_limits_everybody_starts() -> None:
    everybody = [candidate(str(number)) for number in range(1000)]
    line = places(*everybody)
    assert all(line.claim(one.uid) for one in everybody)


def test_without_limits_nobody_is_called_when_one_ends() -> None:
    line = places(*(candidate(str(number)) for number in range(1000)), candidate("runs", standing=Standing.RUNS))
    assert not line.update(candidate("runs", standing=Standing.ASIDE)), (
        "else thousands are looked at for each that ends"
    )
    limited = places(candidate("waits"), candidate("runs", standing=Standing.RUNS), running=1)
    assert limited.update(candidate("runs", standing=Standing.ASIDE))


def test_in_a_namespace_priority_comes_before_age() -> None:
    line = places(
        candidate("old", queued=0),
        candidate("older", queued=-5),
        candidate("urgent", queued=9, priority=5),
        candidate("unimportant", queued=-9, priority=-1),
        running=4,
    )
    assert line.next_in_line() == ["urgent", "older", "old", "unimportant"]


def test_a_namespace_that_floods_does_not_hold_up_another() -> None:
    flood = [candidate(f"a{number}", "a", queued=number) for number in range(100)]
    line = places(*flood, candidate("b0", "b", queued=500), candidate("b1", "b", queued=501), running=4)
    assert line.next_in_line() == ["a0", "b0", "a1", "b1"]


def test_priority_does_not_overrule_fairness_between_namespaces() -> None:
    line = places(
        candidate("r", "a", Standing.RUNS),
        candidate("a1", "a", priority=1000),
        candidate("b1", "b", priority=-1000, queued=50),
        running=2,
    )
    assert line.next_in_line() == ["b1"]


def test_namespaces_that_run_equally_many_compare_their_first_in_line() -> None:
    line = places(candidate("a", "a", queued=1), candidate("b", "b", queued=2, priority=3), running=1)
    assert line.next_in_line() == ["b"]


def test_a_namespace_at_its_own_limit_leaves_places_to_others() -> None:
    line = places(
        candidate("r", "a", Standing.RUNS),
        candidate("a1", "a"),
        candidate("b1", "b", queued=9),
        candidate("b2", "b", queued=10),
        running=10,
        running_per_namespace=1,
    )
    assert line.next_in_line() == ["b1"]
    assert not line.claim("a1")
    assert line.claim("b1")
    assert not line.claim("b2")


def test_a_place_is_given_once_and_comes_back() -> None:
    line = places(candidate("first"), candidate("second", queued=1), running=1)
    assert not line.claim("second"), "not its turn"
    assert line.claim("first")
    assert line.claim("first"), "asking again costs nothing"
    assert not line.claim("second")
    assert not line.update(candidate("first")), "its Job is not there yet: the place stays its own"
    assert not line.update(candidate("first", standing=Standing.RUNS))
    assert line.next_in_line() == []
    assert line.update(candidate("first", standing=Standing.ASIDE)), "the next one is to be told"
    assert line.next_in_line() == ["second"]
    assert line.claim("second")


def test_a_priority_changed_while_waiting_counts() -> None:
    line = places(candidate("first"), candidate("second", queued=1), running=1)
    line.update(candidate("second", queued=1, priority=1))
    assert line.next_in_line() == ["second"]


def test_who_leaves_the_line_lets_the_next_one_be_called() -> None:
    line = places(candidate("first"), candidate("second", queued=1), running=1)
    assert line.remove("first")
    assert not line.remove("never seen")
    assert line.next_in_line() == ["second"]


def test_what_already_runs_counts_even_beyond_a_lowered_limit() -> None:
    running_now = [candidate(str(number), standing=Standing.RUNS) for number in range(5)]
    line = places(*running_now, candidate("w"), running=2)
    assert not line.claim("w")
    for one in running_now[:4]:
        line.update(replace(one, standing=Standing.ASIDE))
    assert line.claim("w")


def test_a_closed_namespace_is_passed_over_until_it_is_opened() -> None:
    line = places(candidate("r", "a", Standing.RUNS), candidate("a1", "a"), candidate("b1", "b", queued=9))
    assert line.close("a")
    assert not line.close("a"), "it is closed already"
    assert line.next_in_line() == ["b1"]
    assert not line.claim("a1")
    assert line.claim("r"), "who has a place keeps it"
    line.open("a")
    assert line.claim("a1")


def naive_line(limits: Limits, running: dict[str, str], waiting: dict[str, Candidate]) -> list[str]:
    """Who is next, by the words of the rule: one place after the other, each to the first by load, priority and age."""
    free = len(waiting) if limits.running is None else limits.running - len(running)
    load, left, chosen = Counter(running.values()), dict(waiting), list[str]()
    while len(chosen) < free:
        per_namespace = limits.running_per_namespace
        able = [one for one in left.values() if per_namespace is None or load[one.namespace] < per_namespace]
        if not able:
            break
        first = min(able, key=lambda one: (load[one.namespace], -one.priority, one.queued_at, one.uid))
        chosen.append(first.uid)
        load[first.namespace] += 1
        del left[first.uid]
    return chosen


@pytest.mark.parametrize("limits", [Limits(), Limits(3), Limits(None, 2), Limits(6, 2)], ids=str)
def test_the_line_is_what_the_rule_says(limits: Limits) -> None:
    chance = random.Random(11)
    for _ in range(30):
        line, running, waiting = Places(limits), dict[str, str](), dict[str, Candidate]()
        for number in range(25):
            one = candidate(
                str(number), chance.choice("abcd"), priority=chance.randint(0, 2), queued=chance.randint(0, 5)
            )
            line.update(one)
            waiting[one.uid] = one
            asked = chance.choice(list(waiting))
            expected = naive_line(limits, running, waiting)
            assert line.next_in_line() == expected
            assert line.claim(asked) == (asked in expected)
            if asked in expected:
                running[asked] = waiting.pop(asked).namespace


def test_any_course_of_events_keeps_the_limits_and_starves_nobody() -> None:
    chance = random.Random(7)
    limits = Limits(running=5, running_per_namespace=3)
    line = Places(limits)
    waiting = {f"{number}": chance.choice("abc") for number in range(300)}
    running: dict[str, str] = {}
    for uid, namespace in waiting.items():
        line.update(candidate(uid, namespace, priority=chance.randint(-2, 2), queued=int(uid)))
    for _ in range(20_000):
        if not waiting and not running:
            break
        if waiting and chance.random() < 0.7:
            uid = chance.choice([*line.next_in_line(), *list(waiting)[:3]])
            if uid in waiting and line.claim(uid):
                running[uid] = waiting.pop(uid)
                line.update(candidate(uid, running[uid], Standing.RUNS))
        elif running:
            uid = chance.choice(list(running))
            line.update(candidate(uid, running.pop(uid), Standing.ASIDE))
        assert len(running) <= 5
        assert all(list(running.values()).count(namespace) <= 3 for namespace in "abc")
        if len(running) < 3 and waiting:
            assert line.next_in_line(), "a free place is always offered"
    assert not waiting
    assert not running


@dataclass(frozen=True)
class StandingCase:
    why: str
    observation: Observation
    standing: Standing


QUEUED = started().model_copy(update={"phase": Phase.PENDING, "stage": Stage.QUEUED, "job_name": None})


@pytest.mark.parametrize(
    "case",
    [
        StandingCase("new", Observation(analysis()), Standing.WAITS),
        StandingCase("queued", Observation(analysis(QUEUED)), Standing.WAITS),
        StandingCase("its Job runs", Observation(analysis(started()), job=job(), pods=(running(),)), Standing.RUNS),
        StandingCase("its Job is not on record yet", Observation(analysis(QUEUED), job=job()), Standing.RUNS),
        StandingCase("its Job is lost", Observation(analysis(started())), Standing.RUNS),
        StandingCase("it ended", Observation(analysis(completed()), job=job()), Standing.ASIDE),
        StandingCase("it runs again", Observation(analysis(completed(), runToken="new"), job=job()), Standing.WAITS),
        StandingCase("suspended", Observation(analysis(suspended(), suspend=True)), Standing.ASIDE),
        StandingCase("not yet suspended", Observation(analysis(QUEUED, suspend=True)), Standing.ASIDE),
        StandingCase("being suspended", Observation(analysis(started(), suspend=True), job=job()), Standing.RUNS),
        StandingCase("resuming", Observation(analysis(suspended())), Standing.ASIDE),
        StandingCase("cancelled while it waits", Observation(analysis(QUEUED, cancel=True)), Standing.ASIDE),
        StandingCase(
            "refused by a quota",
            Observation(analysis(QUEUED), quota_refusal=QuotaRefusal("full", at(9))),
            Standing.ASIDE,
        ),
        StandingCase(
            "to be tried again",
            Observation(analysis(QUEUED), quota_refusal=QuotaRefusal("full", at(5))),
            Standing.WAITS,
        ),
        StandingCase("rejected", Observation(analysis(QUEUED), job_rejection="no"), Standing.ASIDE),
        StandingCase("deleted", Observation(replace(analysis(QUEUED), is_deleting=True)), Standing.ASIDE),
    ],
    ids=lambda case: case.why,
)
def test_standing(case: StandingCase) -> None:
    assert standing_of(case.observation, at(5)) is case.standing
