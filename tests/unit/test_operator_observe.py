"""Raw objects to typed ones: whatever stands in them, the operator stays up."""

import contextlib
import copy
import random
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from dealguard_api import names
from dealguard_operator.errors import UnreadableResourceError
from dealguard_operator.model import Analysis, PackedAnalysis, Running, Terminated, Waiting
from dealguard_operator.observe import analysis_from, job_from, known_analysis_from, pack, pod_from, unpack
from tests.unit.operator_cases import KEY, NAME, NAMESPACE, UID, analysis, at, completed, started

RAW_ANALYSIS: dict[str, Any] = {
    "apiVersion": names.API_VERSION,
    "kind": names.KIND,
    "metadata": {"namespace": NAMESPACE, "name": NAME, "uid": UID, "resourceVersion": "7", "generation": 3},
    "spec": {"document": {"key": KEY}},
    "status": {"phase": "Pending", "run": 1},
}
RAW_JOB: dict[str, Any] = {
    "kind": "Job",
    "metadata": {
        "namespace": NAMESPACE,
        "name": "lease-1",
        "uid": "job",
        "resourceVersion": "8",
        "creationTimestamp": "2026-11-23T12:00:01Z",
        "ownerReferences": [{"kind": names.KIND, "uid": UID, "controller": True}],
    },
    "status": {
        "conditions": [
            {"type": "FailureTarget", "status": "True", "reason": "DeadlineExceeded", "message": "late"},
            {"type": "Suspended", "status": "False"},
        ]
    },
}
RAW_POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {
        "namespace": NAMESPACE,
        "name": "lease-1-abcde",
        "uid": "pod",
        "resourceVersion": "9",
        "creationTimestamp": "2026-11-23T12:00:02Z",
        "labels": {names.LABEL_UID: UID},
        "ownerReferences": [{"kind": "Job", "name": "lease-1", "uid": "job", "controller": True}],
    },
    "status": {
        "phase": "Running",
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-23T12:00:02Z"},
            {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": "2026-11-23T12:00:09Z"},
        ],
        "initContainerStatuses": [
            {
                "name": "extract",
                "state": {
                    "terminated": {
                        "exitCode": 0,
                        "reason": "Completed",
                        "message": "{}",
                        "startedAt": "2026-11-23T12:00:03Z",
                        "finishedAt": "2026-11-23T12:00:05Z",
                    }
                },
            }
        ],
        "containerStatuses": [{"name": "analyze", "state": {"running": {"startedAt": "2026-11-23T12:00:06Z"}}}],
    },
}


def test_an_analysis_is_read() -> None:
    analysis = analysis_from(RAW_ANALYSIS)
    assert (analysis.namespace, analysis.uid, analysis.generation, analysis.status.run) == (NAMESPACE, UID, 3, 1)
    assert analysis.expected_job_name == names.job_name(NAME, UID, 1)
    assert analysis_from(
        {**RAW_ANALYSIS, "metadata": {**RAW_ANALYSIS["metadata"], "deletionTimestamp": "x"}}
    ).is_deleting


def test_a_job_is_read() -> None:
    job = job_from(RAW_JOB)
    assert (job.owner_uid, job.created_at) == (UID, at(1))
    assert [condition.type for condition in job.conditions] == ["FailureTarget"], "those that hold"
    assert (job.secret_name, job.is_suspended, job.began_at) == ("lease-1", False, at(1))
    suspended = job_from({**RAW_JOB, "spec": {"suspend": True}, "status": {"startTime": "2026-11-23T12:00:09Z"}})
    assert (suspended.is_suspended, suspended.began_at) == (True, at(9))


def test_a_pod_is_read() -> None:
    pod = pod_from(RAW_POD)
    assert (pod.analysis_uid, pod.job_name, pod.job_uid, pod.is_disrupted) == (UID, "lease-1", "job", True)
    assert (pod.scheduled_at, pod.disrupted_at) == (at(2), at(9))
    assert pod.extract == Terminated(0, "Completed", "{}", at(3), at(5))
    assert pod.analyze == Running(at(6))


def test_a_pod_without_a_status_waits() -> None:
    pod = pod_from({**RAW_POD, "status": {}})
    assert (pod.extract, pod.analyze, pod.phase) == (Waiting(), Waiting(), "Pending")


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("another container's state", {"containerStatuses": [{"name": "sidecar", "state": {"running": {}}}]}),
        ("a list where an object belongs", {"containerStatuses": [{"name": "analyze", "state": []}]}),
        ("a text where a list belongs", {"containerStatuses": "analyze"}),
        ("null", {"containerStatuses": None}),
    ],
)
def test_an_odd_status_is_not_believed(why: str, change: dict[str, Any]) -> None:
    assert pod_from({**RAW_POD, "status": change}).analyze == Waiting(), why


@pytest.mark.parametrize(
    ("why", "raw"),
    [
        ("a status of another version", {**RAW_ANALYSIS, "status": {"phase": "Exploded"}}),
        ("a spec of another version", {**RAW_ANALYSIS, "spec": {"document": {"key": KEY}, "engine": "oracle"}}),
        ("no metadata", {"spec": RAW_ANALYSIS["spec"]}),
    ],
)
def test_what_this_version_cannot_read_is_said_without_its_values(why: str, raw: dict[str, Any]) -> None:
    with pytest.raises(UnreadableResourceError) as caught:
        analysis_from(raw)
    assert "oracle" not in str(caught.value), why
    assert "Exploded" not in str(caught.value)


def _scramble(value: Any, chance: random.Random) -> Any:
    """`value` with some parts replaced by nonsense."""
    if chance.random() < 0.08:
        return chance.choice([None, 5, -1.5, "", "text", [], {}, [[]], {"a": None}, True, "2026-99-99T00:00:00Z"])
    if isinstance(value, dict):
        return {key: _scramble(item, chance) for key, item in value.items()}
    if isinstance(value, list):
        return [_scramble(item, chance) for item in value]
    return value


@pytest.mark.parametrize("seed", range(20))
def test_no_object_however_odd_raises_anything_else(seed: int) -> None:
    chance = random.Random(seed)
    for parse, raw in ((analysis_from, RAW_ANALYSIS), (job_from, RAW_JOB), (pod_from, RAW_POD)) * 50:
        odd = _scramble(copy.deepcopy(raw), chance)
        if not isinstance(odd, dict):
            continue
        with contextlib.suppress(UnreadableResourceError):
            parse(odd)


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+05:00"])
def test_a_time_at_the_end_of_the_calendar_is_none(time: str) -> None:
    raw = {**copy.deepcopy(RAW_JOB), "status": {"startTime": time}}
    assert job_from(raw).started_at is None
    raw["metadata"]["creationTimestamp"] = time
    with pytest.raises(UnreadableResourceError):
        job_from(raw)


def test_packing_loses_nothing() -> None:
    plain = analysis(completed(), generation=3, priority=7, runToken="again", ttlSecondsAfterFinished=60)
    for one in (plain, replace(plain, is_deleting=True)):
        packed = pack(one)
        assert unpack(packed) == one
        assert (packed.uid, packed.namespace, packed.resource_version) == (one.uid, one.namespace, one.resource_version)


def test_only_what_has_ended_is_packed_when_it_is_read() -> None:
    ended = {**RAW_ANALYSIS, "status": completed().to_wire()}
    packed = known_analysis_from(ended)
    assert isinstance(packed, PackedAnalysis)
    assert unpack(packed) == analysis_from(ended)
    assert isinstance(known_analysis_from({**RAW_ANALYSIS, "status": started().to_wire()}), Analysis)


def test_what_is_packed_takes_the_memory_of_its_content() -> None:
    ended = analysis(completed())
    pack(ended)  # what is made once is made
    tracemalloc.start()
    try:
        packed = [pack(ended) for _ in range(50)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(packed) < len(packed[0].content) + 500, "what orjson returns holds on to 8 KB or more"
