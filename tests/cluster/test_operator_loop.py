"""The operator's loop on the real API server: from creation to every end."""

import json
from typing import Any

import pytest

from dealguard_api import names
from dealguard_api.exit_codes import PERMANENT, ExitCode
from dealguard_api.pod import parse_deadline
from dealguard_cluster import Cluster
from dealguard_operator.job import job_manifest
from dealguard_operator.observe import analysis_from
from dealguard_operator.settings import OperatorSettings
from tests.cluster.operator_tools import (
    Analyses,
    Kubelet,
    analyses,
    environment,
    kubelet,
    operator,
    operator_environment,
    running_operator,
    secret_name,
)
from tests.cluster.tools import Kubectl, analysis_manifest, wait_for

__all__ = ["analyses", "environment", "kubelet", "operator"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]


@pytest.mark.usefixtures("operator")
def test_an_analysis_goes_through_its_stages_to_its_result(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    status = analyses.wait("lease", phase="Processing", stage="Starting", reason="Unschedulable")
    assert "Insufficient cpu" in status["conditions"][0]["message"], "why it waits is visible while it waits"

    (job,) = analyses.jobs("lease")
    resource = analyses.get("lease")
    assert job["metadata"]["name"] == status["jobName"]
    assert [owner["uid"] for owner in job["metadata"]["ownerReferences"]] == [resource["metadata"]["uid"]]
    secret = analyses.kubectl.get("secret", secret_name(job), analyses.namespace)
    assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == [job["metadata"]["uid"]]
    report = {"report-get-url", "report-put-url"}
    checkpoint = {"checkpoint-get-url", "checkpoint-put-url", "checkpoint-delete-url"}
    assert set(secret["data"]) == {"document-url", "deadline"} | report | checkpoint
    assert "finalizers" not in resource["metadata"], "uninstalling the operator must block no deletion"
    assert "annotations" not in resource["metadata"] or "kopf" not in json.dumps(resource["metadata"]["annotations"])

    kubelet.extracting("lease")
    analyses.wait("lease", phase="Processing", stage="Extracting", reason="Extracting")
    kubelet.analyzing("lease")
    status = analyses.wait("lease", phase="Processing", stage="Analyzing", reason="Analyzing")
    assert status["document"]["pages"] == 3
    kubelet.succeeds("lease")
    status = analyses.wait_finished("lease")

    assert status["phase"] == "Completed"
    assert status["observedGeneration"] == 1
    assert status["result"]["riskLevel"] == "Medium"
    assert status["usage"]["costUSD"] == "0.01"
    assert [attempt["reason"] for attempt in status["attempts"]] == ["Completed"]
    assert {condition["type"]: condition["status"] for condition in status["conditions"]} == {
        "Ready": "True",
        "Finished": "True",
    }
    events = wait_for("both Events", lambda: events if len(events := analyses.events("lease")) == 2 else None)
    assert [(kind, reason) for kind, reason, _ in events] == [("Normal", "Started"), ("Normal", "Completed")]
    assert status["jobName"] in events[0][2]
    columns = analyses.kubectl.check("-n", analyses.namespace, "get", "ca", "lease")
    assert columns.splitlines()[1].split()[:4] == ["lease", "Completed", "Medium", "2"]


@pytest.mark.usefixtures("operator")
def test_every_permanent_exit_code_fails_at_once_with_its_reason(analyses: Analyses, kubelet: Kubelet) -> None:
    # The document's codes are the init container's, the engine's the main one's.
    cases = [(code, "extract" if code < ExitCode.API_KEY_MISSING else "analyze") for code in PERMANENT]
    for code, container in cases:
        analyses.create(f"{container}-{int(code)}", engine="rules")
    for code, container in cases:
        fail = kubelet.extract_fails if container == "extract" else kubelet.analyze_fails
        fail(f"{container}-{int(code)}", int(code))
    for code, container in cases:
        status = analyses.wait_finished(f"{container}-{int(code)}")
        assert (status["phase"], status["failure"]["reason"]) == ("Failed", code.reason), container
        assert [(a["reason"], a["exitCode"]) for a in status["attempts"]] == [(code.reason, int(code))]
    # The Job's own controller comes to the same end, so nothing is retried behind a terminal status.
    wait_for(
        "all Jobs to have failed",
        lambda: all(
            any(
                c["type"] == "Failed" and c["reason"] == "PodFailurePolicy" for c in job["status"].get("conditions", [])
            )
            for job in analyses.jobs()
        ),
    )
    assert len(analyses.pods()) == len(cases)


@pytest.mark.usefixtures("operator")
def test_a_passing_failure_is_followed_by_another_attempt(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    kubelet.analyze_fails("lease", int(ExitCode.ENGINE_UNAVAILABLE), message={"usage": {"costUSD": "0.02"}})
    status = analyses.wait("lease", phase="Processing", attemptCount=1)
    assert "Attempt 1 failed (EngineUnavailable)" in status["conditions"][0]["message"]
    assert "finishedAt" not in status
    kubelet.succeeds("lease", number=2)
    status = analyses.wait_finished("lease")
    assert status["phase"] == "Completed"
    assert [attempt["reason"] for attempt in status["attempts"]] == ["EngineUnavailable", "Completed"]
    assert (status["attemptCount"], status["usage"]["costUSD"]) == (2, "0.03")
    assert "Retrying" in [reason for _, reason, _ in analyses.events("lease")]


@pytest.mark.usefixtures("operator")
def test_spent_attempts_and_deadlines_are_read_from_the_job(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("spent", engine="rules", backoffLimit=0)
    analyses.create("late", engine="rules", deadlineSeconds=25)
    analyses.create("stuck", engine="rules", deadlineSeconds=10)
    kubelet.analyze_fails("spent", int(ExitCode.STORAGE_UNAVAILABLE))
    kubelet.analyzing("late")
    status = analyses.wait_finished("spent")
    assert status["failure"]["reason"] == "StorageUnavailable"
    assert status["failure"]["message"].endswith("set spec.runToken to a new value to run again.")
    assert analyses.wait_finished("late")["failure"]["reason"] == "DeadlineExceeded"
    status = analyses.wait_finished("stuck")
    assert status["failure"]["reason"] == "Unschedulable", "it never started: that is the cause, not the deadline"
    assert [(kind, reason) for kind, reason, _ in analyses.events("stuck")][-1] == ("Warning", "Failed")


@pytest.mark.parametrize(
    ("obstacle", "reason", "words"),
    [
        ("image", "ImagePullFailed", "The pod did not start within 15 s."),  # it is not on the node, and never pulled
        ("room", "Unschedulable", "The pod did not start within 15 s."),
        ("quota", "PodNotCreated", "kubectl describe job"),
    ],
)
def test_what_keeps_a_pod_from_starting_is_named_and_has_its_own_deadline(
    analyses: Analyses,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    obstacle: str,
    reason: str,
    words: str,
) -> None:
    """Real kubelet, real scheduler, real quota; the run's own deadline is an hour away."""
    environment["DEALGUARD_START_DEADLINE_SECONDS"] = "15"  # a pod's absence is said after ten
    if obstacle != "room":
        del environment["DEALGUARD_EXTRACT_RESOURCES"]  # which no node has
    if obstacle == "quota":
        analyses.kubectl.check("-n", analyses.namespace, "create", "quota", "small", "--hard=count/pods=0")
        wait_for("the quota", lambda: analyses.kubectl.get("quota", "small", analyses.namespace)["status"].get("hard"))
    with running_operator(environment, monkeypatch):
        analyses.create("lease", engine="rules", deadlineSeconds=3600)
        status = analyses.wait("lease", phase="Processing", stage="Starting", reason=reason)
        assert "finishedAt" not in status, "it is visible while it waits"
        failure = analyses.wait_finished("lease")["failure"]
        assert failure["reason"] == reason
        assert words in failure["message"]
        wait_for("its Job to be gone", lambda: not analyses.jobs())


@pytest.mark.usefixtures("operator")
def test_a_document_outside_the_namespace_makes_no_job(analyses: Analyses, namespace: str) -> None:
    manifest = analysis_manifest(namespace, "foreign", document={"key": "documents/other/x.pdf"})
    analyses.kubectl.apply(manifest)  # no admission policy is installed: the operator is the only check
    status = analyses.wait_finished("foreign")
    assert status["failure"]["reason"] == "DocumentKeyForbidden"
    assert f"documents/{namespace}/" in status["failure"]["message"]
    assert analyses.jobs() == []


@pytest.mark.usefixtures("operator")
def test_a_quota_makes_an_analysis_wait_and_says_so(analyses: Analyses, kubectl: Kubectl, namespace: str) -> None:
    kubectl.check("-n", namespace, "create", "quota", "small", "--hard=count/jobs.batch=0")
    wait_for("the quota", lambda: kubectl.get("quota", "small", namespace)["status"].get("hard"))
    analyses.create("lease", engine="rules")
    wait_for("the quota's words", lambda: "exceeded quota: small" in json.dumps(analyses.status("lease")))
    assert analyses.status("lease")["phase"] == "Pending"
    kubectl.check("-n", namespace, "delete", "quota", "small")
    analyses.wait("lease", phase="Processing")


@pytest.mark.usefixtures("operator")
def test_a_quota_without_room_for_the_secret_is_waited_for(
    analyses: Analyses, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.check("-n", namespace, "create", "quota", "small", "--hard=count/secrets=0")
    wait_for("the quota", lambda: kubectl.get("quota", "small", namespace)["status"].get("hard"))
    analyses.create("lease", engine="rules")
    wait_for("the quota's words", lambda: "exceeded quota: small" in json.dumps(analyses.status("lease")))
    assert analyses.status("lease")["phase"] == "Processing"
    kubectl.check("-n", namespace, "delete", "quota", "small")
    wait_for("the Secret", lambda: kubectl.items("secrets", namespace))


@pytest.mark.usefixtures("operator")
def test_a_job_that_lost_our_label_still_counts(analyses: Analyses, kubelet: Kubelet, namespace: str) -> None:
    analyses.create("lease", engine="rules")
    kubelet.analyzing("lease")
    analyses.wait("lease", stage="Analyzing")
    label = f"{names.LABEL_MANAGED_BY}=somebody-else"
    (job,) = analyses.jobs("lease")
    analyses.kubectl.check("-n", namespace, "label", "job", job["metadata"]["name"], label, "--overwrite")
    kubelet.succeeds("lease")
    assert analyses.wait_finished("lease")["phase"] == "Completed"


@pytest.mark.usefixtures("operator")
def test_deleting_an_analysis_deletes_all_that_was_made_for_it(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    kubelet.pod("lease")
    analyses.kubectl.check("-n", analyses.namespace, "delete", "ca", "lease", "--timeout=10s")
    wait_for(
        "Job, pod and Secret to be gone",
        lambda: (
            not analyses.jobs() and not analyses.pods() and not analyses.kubectl.items("secrets", analyses.namespace)
        ),
    )


@pytest.mark.usefixtures("operator")
def test_a_deleted_job_fails_the_run_and_is_not_made_again(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules")
    kubelet.analyzing("lease")
    status = analyses.wait("lease", stage="Analyzing")
    analyses.kubectl.check("-n", analyses.namespace, "delete", "job", status["jobName"])
    status = analyses.wait_finished("lease")
    assert status["failure"]["reason"] == "JobDeleted"
    assert analyses.jobs() == []


def _metadata(namespace: str, name: str) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "uid": "0" * 32, "resourceVersion": "1"}


@pytest.mark.parametrize("engine", ["rules", "claude"])
def test_the_pod_passes_restricted_pod_security(
    cluster: Cluster, kubectl: Kubectl, namespace: str, engine: str
) -> None:
    label = ["label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted"]
    kubectl.check(*label, "pod-security.kubernetes.io/warn=restricted")
    settings = OperatorSettings.from_environment(operator_environment(cluster, namespace))
    raw = {**analysis_manifest(namespace, "lease", engine=engine), "metadata": _metadata(namespace, "lease")}
    job = job_manifest(analysis_from(raw), "lease-1", 1, settings)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": namespace},
        **job["spec"]["template"],
    }
    pod["metadata"] = {"name": "x", "namespace": namespace}
    for manifest in (job, pod):
        answer = kubectl.run("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(manifest))
        assert answer.returncode == 0, answer.stderr
        assert "Warning" not in answer.stderr


@pytest.mark.usefixtures("operator")
def test_the_deadline_in_the_secret_is_the_jobs(analyses: Analyses, kubelet: Kubelet) -> None:
    analyses.create("lease", engine="rules", deadlineSeconds=120)
    kubelet.pod("lease")
    (job,) = analyses.jobs("lease")
    template = "-o=go-template={{.data.deadline | base64decode}}"
    name = secret_name(job)
    text = wait_for(
        "the Secret", lambda: analyses.kubectl.run("-n", analyses.namespace, "get", "secret", name, template).stdout
    )
    created = parse_deadline(job["metadata"]["creationTimestamp"])
    assert (parse_deadline(text) - created).total_seconds() == 120
