"""The object storage goes away and comes back: what runs goes on, what is new waits without a Job."""

import time
from itertools import cycle

import pytest

from dealguard_cluster import Cluster, supervision
from tests.faults.figures import Figures
from tests.faults.processes import OperatorProcess
from tests.faults.stage import CANCELLED, PLAIN, REJECTED, SUSPENDED, Stage, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

RECOVERY_SECONDS = 30


def test_the_object_storage_is_away(
    cluster: Cluster, stage: Stage, operator: OperatorProcess, figures: Figures, is_full: bool
) -> None:
    seconds, count = (30, 50) if is_full else (5, 10)
    kinds = cycle((PLAIN, REJECTED, CANCELLED, PLAIN, SUSPENDED))
    stage.stage_seconds = 1.0
    under_way = [f"{next(kinds).name}-{number}" for number in range(5)]
    for name in under_way:
        stage.create(name)
    wait_until("all to run", lambda: len(stage.api.list("jobs", stage.namespace)) == len(under_way), 30)
    supervision.stop(cluster.layout, "minio")
    away_at = time.monotonic()
    try:
        waiting = [f"plain-waits-{number}" for number in range(count)]
        for name in waiting:
            stage.create(name)
        wait_until("all to say what they wait for", lambda: _waiting_for_storage(stage) >= set(waiting), 30)
        stage.wait_finished(60, [name for name in under_way if not name.startswith(SUSPENDED.name)])
        assert not any(stage.jobs_of(stage.created[name]) for name in waiting), "nothing starts"
        time.sleep(max(0.0, away_at + seconds - time.monotonic()))
    finally:
        supervision.start(cluster.layout, "minio")
        away = time.monotonic() - away_at
    back_at = time.monotonic()
    stage.stage_seconds = 0.2
    stage.wait_finished(60)
    took = time.monotonic() - back_at
    figures.add_stage(
        "storage",
        f"object storage away for {away:.0f} s, {len(under_way)} under way and {count} waiting, all at their end "
        f"{took:.1f} s after its return",
        stage,
        faults=1,
        seconds=round(took, 1),
    )
    assert took < RECOVERY_SECONDS
    assert operator.starts == 1


def _waiting_for_storage(stage: Stage) -> set[str]:
    return {
        name
        for name, status in stage.statuses().items()
        if any(condition["reason"] == "StorageUnavailable" for condition in status.get("conditions", []))
    }
