"""Limits on how many analyses run at the same time, on the real API server."""

import time

import pytest

from tests.cluster.operator_tools import (
    Analyses,
    Kubelet,
    analyses,
    environment,
    kubelet,
    neighbour,
    running_operator,
)
from tests.cluster.tools import wait_for

__all__ = ["analyses", "environment", "kubelet", "neighbour"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]


def with_jobs(*namespaces: Analyses) -> set[str]:
    return {job["metadata"]["labels"]["dealguard.io/analysis-name"] for one in namespaces for job in one.jobs()}


def test_two_places_are_shared_fairly_and_waiting_costs_no_job(
    analyses: Analyses,
    neighbour: Analyses,
    kubelet: Kubelet,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = f"{analyses.namespace},{neighbour.namespace}"
    environment |= {"DEALGUARD_NAMESPACES": served, "DEALGUARD_MAX_RUNNING": "2"}
    with running_operator(environment, monkeypatch):
        analyses.create("first", engine="rules")
        analyses.wait("first", phase="Processing")
        analyses.create("second", engine="rules")
        analyses.wait("second", phase="Processing")
        for name in ("third", "fourth", "urgent"):
            analyses.create(name, engine="rules")
            analyses.wait(name, phase="Pending", stage="Queued", reason="Queued")
            time.sleep(1.1)  # queuedAt has whole seconds
        neighbour.create("theirs", engine="rules")
        neighbour.wait("theirs", phase="Pending", reason="Queued")
        waiting = {name: analyses.get(name)["metadata"]["resourceVersion"] for name in ("third", "fourth")}
        time.sleep(5)  # two resyncs
        assert with_jobs(analyses, neighbour) == {"first", "second"}
        for name, version in waiting.items():
            assert analyses.get(name)["metadata"]["resourceVersion"] == version, "waiting writes nothing"

        analyses.patch("urgent", priority=10)
        kubelet.succeeds("first")
        neighbour.wait("theirs", phase="Processing")
        assert with_jobs(analyses, neighbour) == {"first", "second", "theirs"}, "the namespace that runs less, first"
        kubelet.succeeds("second")
        analyses.wait("urgent", phase="Processing")
        assert analyses.status("third")["phase"] == "Pending"

    analyses.patch("urgent", suspend=True)
    with running_operator(environment, monkeypatch):
        # A suspended one gives its place back once its Job is gone; a restarted operator counts what runs.
        analyses.wait("third", phase="Processing")
        analyses.wait("urgent", phase="Pending", reason="Suspended")
        assert analyses.status("fourth")["phase"] == "Pending"
        neighbour.patch("theirs", cancel=True)
        analyses.wait("fourth", phase="Processing")
        started, created = (
            analyses.status("fourth")["startedAt"],
            next(job for job in analyses.jobs("fourth"))["metadata"]["creationTimestamp"],
        )
        assert started == created, "the deadline runs from the Job's creation on"
        kubelet.succeeds("third")
        kubelet.succeeds("fourth")
        analyses.patch("urgent", suspend=False)
        kubelet.succeeds("urgent", number=1)
        assert analyses.wait_finished("urgent")["phase"] == "Completed"


def test_a_namespace_has_a_limit_of_its_own(
    analyses: Analyses, kubelet: Kubelet, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment |= {"DEALGUARD_MAX_RUNNING_PER_NAMESPACE": "1", "DEALGUARD_START_DEADLINE_SECONDS": "15"}
    with running_operator(environment, monkeypatch):
        analyses.create("first", engine="rules")
        analyses.wait("first", reason="Unschedulable")
        analyses.create("second", engine="rules")
        analyses.wait("second", phase="Pending", reason="Queued")
        # The pod finds no node: its own deadline ends it long before spec.deadlineSeconds, and the place is free.
        status = analyses.wait("first", phase="Failed", reason="Unschedulable")
        assert "did not start within 15 s" in status["failure"]["message"]
        wait_for("its Job to be gone", lambda: not analyses.jobs("first"))
        kubelet.succeeds("second")
        assert analyses.wait_finished("second")["phase"] == "Completed"
