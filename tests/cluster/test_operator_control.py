"""Cancel, suspend, run again, delete after a time: what a person does to an analysis on the real API server."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import parse_deadline
from dealguard_cluster import Cluster
from tests.cluster.api_proxy import ApiProxy, Refusal, Request
from tests.cluster.operator_tools import (
    Analyses,
    Kubelet,
    analyses,
    environment,
    kubelet,
    running_operator,
    secret_name,
)
from tests.cluster.tools import wait_for

__all__ = ["analyses", "environment", "kubelet"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd", "operator")]

CANCELLED_WITHIN_SECONDS = 5


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[ApiProxy]:
    """What the operator asks of the API server."""
    with ApiProxy(Path(cluster.kubeconfig)) as proxy:
        yield proxy


@pytest.fixture
def operator(
    environment: dict[str, str], proxy: ApiProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """An operator that serves the test's namespace, through the proxy."""
    with running_operator(environment, monkeypatch, kubeconfig=proxy.kubeconfig(tmp_path / "kubeconfig")):
        yield


def _secret_text(analyses: Analyses, job: dict[str, Any], key: str) -> str:
    """What a Job's Secret says, once it is there."""
    name = secret_name(job)
    found = wait_for(
        "the Secret",
        lambda: [s for s in analyses.kubectl.items("secrets", analyses.namespace) if s["metadata"]["name"] == name],
    )
    return base64.b64decode(found[0]["data"][key]).decode()


@pytest.mark.parametrize("stage", ["Starting", "Extracting", "Analyzing"])
def test_cancel_ends_the_job_and_the_run(analyses: Analyses, kubelet: Kubelet, proxy: ApiProxy, stage: str) -> None:
    analyses.create("lease", engine="rules")
    {"Starting": kubelet.pod, "Extracting": kubelet.extracting, "Analyzing": kubelet.analyzing}[stage]("lease")
    analyses.wait("lease", stage=stage)
    ended_at = []

    def answered(request: Request, status: int) -> None:
        is_end = request.verb[1:] == ("contractanalyses/status", "update") and b'"phase":"Cancelled"' in request.body
        if is_end and status == 200:
            ended_at.append(time.monotonic())

    proxy.answered = answered
    asked_at = time.monotonic()
    analyses.patch("lease", cancel=True)
    status = analyses.wait_finished("lease")
    assert status["phase"] == "Cancelled"
    assert ended_at[0] - asked_at < CANCELLED_WITHIN_SECONDS
    assert status["observedGeneration"] == 2
    wait_for("the Job to be gone", lambda: not analyses.jobs())
    assert analyses.events("lease")[-1][:2] == ("Normal", "Cancelled")


def test_cancel_goes_back_only_with_a_new_run(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules", cancel=True)
    assert analyses.wait_finished("lease")["phase"] == "Cancelled"
    assert analyses.jobs() == []
    analyses.patch("lease", cancel=False, runToken="again")
    kubelet.succeeds("lease")
    status = analyses.wait("lease", phase="Completed", run=2)
    assert [(run["run"], run["phase"]) for run in status["runs"]] == [(1, "Cancelled")]


def test_suspend_deletes_the_job_and_resuming_makes_a_new_one(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    kubelet.analyzing("lease")
    first = analyses.wait("lease", stage="Analyzing")["jobName"]
    analyses.patch("lease", suspend=True)
    analyses.wait("lease", phase="Pending", stage="Queued", reason="Suspended")
    wait_for("the Job to be gone", lambda: not analyses.jobs())
    assert analyses.status("lease")["phase"] == "Pending"
    analyses.patch("lease", suspend=False)
    status = analyses.wait("lease", phase="Processing", jobCount=2)
    assert status["jobName"] == f"{first}-2"
    (job,) = analyses.jobs()
    deadline = parse_deadline(_secret_text(analyses, job, "deadline"))
    created = parse_deadline(job["metadata"]["creationTimestamp"])
    assert (deadline - created).total_seconds() == job["spec"]["activeDeadlineSeconds"] == 300, "a whole new one"
    kubelet.succeeds("lease")
    status = analyses.wait_finished("lease")
    assert (status["phase"], status["run"]) == ("Completed", 1)
    assert [attempt["reason"] for attempt in status["attempts"]] == ["Terminated", "Completed"]


def test_suspend_deletes_the_job_after_the_state_is_on_record(
    analyses: Analyses, kubelet: Kubelet, proxy: ApiProxy
) -> None:
    analyses.create("lease", engine="rules")
    kubelet.analyzing("lease")
    analyses.wait("lease", stage="Analyzing")
    story = []

    def asked(request: Request) -> Refusal | None:
        if request.verb[1:] == ("jobs", "delete"):
            story.append("the deletion of the Job is asked for")
        return None

    def answered(request: Request, status: int) -> None:
        if request.verb[1:] == ("contractanalyses/status", "update") and b'"Suspended"' in request.body:
            story.append(f"Suspended is written: {status}")

    proxy.fault, proxy.answered = asked, answered
    analyses.patch("lease", suspend=True)
    wait_for("the Job to be gone", lambda: not analyses.jobs())
    assert story[:2] == ["Suspended is written: 200", "the deletion of the Job is asked for"]
    assert story.count(story[1]) == 1


def test_suspended_from_the_start_waits_without_a_job(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules", suspend=True)
    analyses.wait("lease", phase="Pending", reason="Suspended")
    assert analyses.jobs() == []
    analyses.patch("lease", suspend=False)
    kubelet.succeeds("lease")
    assert analyses.wait_finished("lease")["phase"] == "Completed"


def test_a_new_run_token_runs_a_finished_analysis_again(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules", runToken="one")
    kubelet.extract_fails("lease", int(ExitCode.NO_TEXT_LAYER))
    assert analyses.wait_finished("lease")["failure"]["reason"] == "NoTextLayer"
    analyses.patch("lease", runToken="two")
    kubelet.succeeds("lease", number=2)
    status = analyses.wait("lease", phase="Completed", run=2, runToken="two")
    assert "failure" not in status
    assert status["result"]["report"]["key"].endswith("/2.json")
    assert [(run["runToken"], run["reason"]) for run in status["runs"]] == [("one", "NoTextLayer")]
    # `kubectl wait` looks at observedGeneration, so it speaks of the new run.
    analyses.wait_finished("lease")


def test_the_last_five_runs_are_kept(analyses: Analyses, namespace: str) -> None:
    # No admission policy is installed, so each run fails at once.
    analyses.create("lease", runToken="t1", document={"key": "documents/other/x.pdf"})
    for run in range(1, 9):
        analyses.wait("lease", phase="Failed", run=run)
        analyses.patch("lease", runToken=f"t{run + 1}")
    status = analyses.wait("lease", phase="Failed", run=9)
    kept = [(run["run"], run["runToken"], run["reason"]) for run in status["runs"]]
    assert kept == [(run, f"t{run}", "DocumentKeyForbidden") for run in range(4, 9)]


def test_a_late_pod_of_an_older_run_or_attempt_changes_nothing(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    kubelet.extract_fails("lease", int(ExitCode.NO_TEXT_LAYER))
    analyses.wait_finished("lease")
    analyses.patch("lease", runToken="again")
    kubelet.analyze_fails("lease", int(ExitCode.ENGINE_UNAVAILABLE), number=2)
    analyses.wait("lease", run=2, attemptCount=1)
    kubelet.analyzing("lease", number=3)
    before = analyses.wait("lease", run=2, stage="Analyzing", attemptCount=2)

    kubelet.succeeds("lease", number=1)  # of the first run: with a result, of a report that may be there
    # Of the first attempt. With a permanent code the Job controller itself would end the Job, whichever pod it is.
    kubelet.analyze_fails("lease", int(ExitCode.STORAGE_UNAVAILABLE), number=2, message={"usage": {"costUSD": "5"}})
    time.sleep(5)  # two resyncs
    assert analyses.status("lease") == before
    kubelet.succeeds("lease", number=2)  # the first attempt after all, while the second works
    time.sleep(5)
    assert analyses.status("lease") == before

    kubelet.succeeds("lease", number=3)
    status = analyses.wait("lease", phase="Completed", run=2)
    assert status["result"]["report"]["key"].endswith("/2.json")
    assert [attempt["reason"] for attempt in status["attempts"]] == ["EngineUnavailable", "Completed"]
    assert [(run["run"], run["reason"]) for run in status["runs"]] == [(1, "NoTextLayer")]


def test_what_is_left_of_a_finished_run_is_collected_by_its_ttl(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    kubelet.succeeds("lease")
    before = analyses.wait_finished("lease")
    (job,) = analyses.jobs()
    assert job["spec"]["ttlSecondsAfterFinished"] == 24 * 3600
    assert analyses.kubectl.items("secrets", analyses.namespace)
    patch = ("--type=merge", "-p", '{"spec": {"ttlSecondsAfterFinished": 0}}')  # the day is over
    analyses.kubectl.check("-n", analyses.namespace, "patch", "job", job["metadata"]["name"], *patch)
    wait_for(
        "Job, pod and Secret to be gone", lambda: not analyses.kubectl.items("jobs,pods,secrets", analyses.namespace)
    )
    time.sleep(5)  # a resync
    assert analyses.status("lease") == before
    assert analyses.jobs() == []


def test_a_change_after_the_end_is_observed_and_changes_nothing(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    kubelet.succeeds("lease")
    before = analyses.wait_finished("lease")
    analyses.patch("lease", priority=7)
    after = analyses.wait("lease", observedGeneration=2)
    for status in (before, after):
        del status["observedGeneration"], status["conditions"]
    assert after == before
    assert len(analyses.jobs()) == 1


def test_a_finished_analysis_is_deleted_after_its_time(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("short", engine="rules", ttlSecondsAfterFinished=0)
    analyses.create("long", engine="rules", ttlSecondsAfterFinished=3600)
    kubelet.succeeds("short")
    kubelet.succeeds("long")
    analyses.wait_finished("long")
    wait_for("the resource to be gone", lambda: set(analyses.statuses()) == {"long"})
    wait_for("its Job to be gone", lambda: not analyses.jobs("short"))
