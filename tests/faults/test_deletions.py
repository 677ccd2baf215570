"""Deleted while nobody looks, and made again under the same name: nothing is left behind, nothing is mixed up."""

import time
from pathlib import Path

import pytest

from tests.faults.api import ApiServer, RefusedError
from tests.faults.figures import Figures
from tests.faults.processes import OperatorProcess
from tests.faults.stage import Stage, reason_of, wait_until, words_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900), pytest.mark.usefixtures("collector")]

GONE_SECONDS = 30
POD_SECONDS = 10


@pytest.mark.parametrize("what", ["resource", pytest.param("namespace", marks=pytest.mark.long_faults)])
def test_deleted_while_the_operator_is_uninstalled(
    stage: Stage, environment: dict[str, str], tmp_path: Path, what: str, figures: Figures
) -> None:
    """Nobody of ours is needed to clean up; who is installed again makes nothing of what is gone."""
    with OperatorProcess(environment, tmp_path / "operator.log") as operator:
        stage.create("plain-done")
        stage.wait_finished(60)
        for number in range(3):
            stage.create(f"hanging-{number}", deadlineSeconds=3600)
        wait_until(
            "all to be analysed", lambda: sum(s.get("stage") == "Analyzing" for s in stage.statuses().values()) == 3, 30
        )
    stage.create("plain-not-seen")
    deleted_at = time.monotonic()
    if what == "namespace":
        stage.api.request("DELETE", f"/api/v1/namespaces/{stage.namespace}")
    else:
        for name in stage.created:
            stage.api.delete("contractanalyses", stage.namespace, name)
    wait_until("everything to be gone", lambda: not _left_of(stage, what), GONE_SECONDS)
    took = time.monotonic() - deleted_at
    with operator:
        time.sleep(3)  # more than a start and a first list
        assert not _left_of(stage, what), "nothing is made anew"
        assert operator.is_alive()
        if what == "resource":
            stage.create("plain-after")
            stage.wait_finished(30, ["plain-after"])
    figures.add(
        "deletion",
        f"{what} deleted while the operator is uninstalled: Jobs, pods and Secrets gone after {took:.1f} s, no orphan",
        faults=1,
        analyses=len(stage.created),
        seconds=round(took, 1),
    )


def _left_of(stage: Stage, what: str) -> list[str]:
    kinds = ["contractanalyses", "jobs", "pods", "secrets"]
    if what == "namespace":
        listed = stage.api.request("GET", f"/api/v1/namespaces?fieldSelector=metadata.name={stage.namespace}")
        if not listed["items"]:
            return []
    return [f"{kind}/{item['metadata']['name']}" for kind in kinds for item in stage.api.list(kind, stage.namespace)]


def test_the_same_name_again_and_again(
    stage: Stage, operator: OperatorProcess, figures: Figures, is_full: bool
) -> None:
    """Deleted and created without a pause: each is a new one, with a pod of its own."""
    times = 100 if is_full else 20
    waits: list[float] = []
    uids: set[str] = set()
    assert operator.is_alive()
    for _ in range(times):
        uid = stage.create("hanging-lease", deadlineSeconds=3600)
        uids.add(uid)
        began = time.monotonic()
        wait_until("its pod", lambda uid=uid: stage.pods_of(uid), POD_SECONDS)
        waits.append(time.monotonic() - began)
        stage.api.delete("contractanalyses", stage.namespace, "hanging-lease")
    wait_until("all to be gone", lambda: not _left_of(stage, "resource"), GONE_SECONDS)
    waits.sort()
    figures.add(
        "same name",
        f"the same name deleted and created {times} times: {len(waits)} of {times} got a pod within {POD_SECONDS} s, "
        f"the median after {waits[len(waits) // 2]:.1f} s, the last after {waits[-1]:.1f} s",
        faults=times,
        analyses=times,
        seconds=round(waits[-1], 1),
    )
    assert len(uids) == times


def test_deleted_at_every_stage(api: ApiServer, stage: Stage, operator: OperatorProcess, figures: Figures) -> None:
    """Between any two steps of the operator; it stays up, and leaves nothing."""
    assert operator.is_alive()
    for number in range(15):
        name = f"hanging-{number}"
        stage.create(name, deadlineSeconds=3600)
        time.sleep(number * 0.03)
        api.delete("contractanalyses", stage.namespace, name)
    wait_until("all to be gone", lambda: not _left_of(stage, "resource"), GONE_SECONDS)
    stage.create("plain-after")
    stage.wait_finished(30, ["plain-after"])
    assert operator.starts == 1
    figures.add("deletion", "deleted at 15 instants of the start: nothing left", faults=15, analyses=16)


# What the name says happens to it (stage.py), and the status in which it is deleted.
STAGES: list[tuple[str, dict[str, object]]] = [
    ("unread-extracted", {"stage": "Extracting"}),
    ("hanging-analysed", {"stage": "Analyzing"}),
    ("retried-between", {"phase": "Processing", "attemptCount": 1, "stage": "Starting"}),
    ("cancelled-stopping", {"phase": "Processing", "reason": "Cancelled"}),
    ("cancelled-ended", {"phase": "Cancelled"}),
    ("suspended-stopped", {"phase": "Pending", "reason": "Suspended"}),
    ("plain-ended", {"phase": "Completed"}),
    ("rejected-ended", {"phase": "Failed"}),
]


def test_deleted_in_each_stage(
    api: ApiServer, stage: Stage, environment: dict[str, str], tmp_path: Path, figures: Figures
) -> None:
    """One after the other at the only place: nothing of one is left, and its place is free for the next."""
    waiting: tuple[str, dict[str, object]] = ("plain-waits", {"phase": "Pending", "reason": "Queued"})
    with OperatorProcess({**environment, "DEALGUARD_MAX_RUNNING": "1"}, tmp_path / "operator.log") as operator:
        for name, expected in STAGES:
            stage.create(name)
            _wait(stage, name, expected)
            if name == "hanging-analysed":  # and what waits for its place meanwhile
                stage.create(waiting[0], priority=1)
                _wait(stage, *waiting)
                assert not stage.jobs_of(stage.created[waiting[0]])
                api.delete("contractanalyses", stage.namespace, waiting[0])
            api.delete("contractanalyses", stage.namespace, name)
        wait_until("all to be gone", lambda: not _left_of(stage, "resource"), GONE_SECONDS)
        stage.create("plain-after")
        stage.wait_finished(30, ["plain-after"])
        assert operator.starts == 1
    count = len(STAGES) + 1
    figures.add(
        "deletion", f"deleted in {count} stages, at one place: nothing left", faults=count, analyses=len(stage.created)
    )


def _wait(stage: Stage, name: str, expected: dict[str, object]) -> None:
    """Wait until a status has these fields, however shortly; `reason` is that of its conditions."""
    statuses = []
    for version in stage.api.versions("contractanalyses", stage.namespace, name, 30):
        status = version.get("status", {})
        seen = {**status, "reason": reason_of(status)}
        if all(seen.get(field) == value for field, value in expected.items()):
            return
        statuses.append(words_of(status))
    pytest.fail(f"{name} was never {expected}, but {statuses}")


def test_a_foreign_finalizer_holds_it(api: ApiServer, stage: Stage, operator: OperatorProcess) -> None:
    """Somebody else's finalizer keeps the resource: no run begins, none is started again, and it goes with it."""
    assert operator.is_alive()
    held = {"metadata": {"finalizers": ["example.com/held"]}}
    stage.create("hanging-held", deadlineSeconds=3600)
    api.merge("contractanalyses", stage.namespace, "hanging-held", held)
    wait_until("it to be analysed", lambda: stage.status("hanging-held").get("stage") == "Analyzing", 30)
    api.delete("contractanalyses", stage.namespace, "hanging-held")
    (job,) = api.list("jobs", stage.namespace)
    api.delete("jobs", stage.namespace, job["metadata"]["name"])
    wait_until("its Job to be gone", lambda: not api.list("jobs", stage.namespace), 30)
    time.sleep(1)
    assert not api.list("jobs", stage.namespace), "what is being deleted starts nothing"
    with pytest.raises(RefusedError):  # finalizers of what is being deleted can only be taken away
        api.merge("contractanalyses", stage.namespace, "hanging-held", {"metadata": {"finalizers": ["example.com/x"]}})
    api.merge("contractanalyses", stage.namespace, "hanging-held", {"metadata": {"finalizers": None}})
    wait_until("all to be gone", lambda: not _left_of(stage, "resource"), GONE_SECONDS)
