"""How pods die, as their kubelets and controllers tell it; and what anybody with rights may write onto them."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealguard_api import names
from tests.faults import fuzzed
from tests.faults.api import ApiServer, Raw, RefusedError
from tests.faults.figures import Figures
from tests.faults.processes import OperatorProcess
from tests.faults.stage import Stage, container_status, extracted, running, terminated, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

DISRUPTED = {"type": "DisruptionTarget", "status": "True"}


def _pod(stage: Stage, uid: str, number: int = 1) -> Raw:
    def probe() -> Raw | None:
        pods = sorted(
            stage.pods_of(uid), key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"])
        )
        return pods[number - 1] if len(pods) >= number else None

    result: Raw = wait_until(f"pod {number}", probe, 30)
    return result


def _analysed(stage: Stage, name: str) -> None:
    wait_until(f"{name} to be analysed", lambda: stage.status(name).get("stage") == "Analyzing", 30)


def _ended(stage: Stage, name: str, seconds: float = 60) -> Raw:
    def probe() -> Raw | None:
        status = stage.status(name)
        return status if status.get("phase") in ("Completed", "Failed", "Cancelled") else None

    status: Raw = wait_until(f"{name} to end", probe, seconds)
    return status


def test_each_end_has_its_reason(api: ApiServer, stage: Stage, operator: OperatorProcess, figures: Figures) -> None:
    """Lack of memory, eviction, a hang and a lost node. What the cluster did does not count as an attempt."""
    assert operator.is_alive()
    uids = {
        "hanging-memory": stage.create("hanging-memory", deadlineSeconds=3600, backoffLimit=0),
        "hanging-evicted": stage.create("hanging-evicted", deadlineSeconds=3600, backoffLimit=0),
        "hanging-node": stage.create("hanging-node", deadlineSeconds=3600, backoffLimit=0),
        "hanging-lost": stage.create("hanging-lost", deadlineSeconds=3600, backoffLimit=0),
        "hanging-forever": stage.create("hanging-forever", deadlineSeconds=10),
    }
    for name in uids:
        _analysed(stage, name)

    killed = terminated(137, reason="OOMKilled")
    stage.write(_pod(stage, uids["hanging-memory"]), "Failed", extract=extracted(), analyze=killed)

    evicted = {
        "reason": "Evicted",
        "message": "low on memory",
        "conditions": [{**DISRUPTED, "reason": "TerminationByKubelet"}],
    }
    stage.write(
        _pod(stage, uids["hanging-evicted"]), "Failed", more=evicted, extract=extracted(), analyze=terminated(143)
    )

    # The node does not answer: the taint manager marks the pod, and the pod garbage collector fails it.
    gone = {"conditions": [{**DISRUPTED, "reason": "DeletionByTaintManager", "message": "node unreachable"}]}
    stage.write(_pod(stage, uids["hanging-node"]), "Failed", more=gone, extract=extracted(), analyze=running())

    # With the node object goes its pod, which the pod garbage collector fails and deletes.
    lost = _pod(stage, uids["hanging-lost"])
    conditions = {"conditions": [{**DISRUPTED, "reason": "DeletionByPodGC"}]}
    stage.write(lost, "Failed", more=conditions, extract=extracted(), analyze=running())
    api.delete("pods", stage.namespace, lost["metadata"]["name"])

    for name in ("hanging-evicted", "hanging-node", "hanging-lost"):
        second = _pod(stage, uids[name], 2 if name != "hanging-lost" else 1)
        key = names.report_key(stage.namespace, uids[name], 1)
        wait_until(
            "the second pod", lambda second=second, lost=lost: second["metadata"]["uid"] != lost["metadata"]["uid"], 5
        )
        _succeed(stage, second, key)

    expected = {
        "hanging-memory": ("Failed", "OutOfMemory", ["OutOfMemory"]),
        "hanging-evicted": ("Completed", "Completed", ["Evicted", "Completed"]),
        "hanging-node": ("Completed", "Completed", ["Evicted", "Completed"]),
        "hanging-lost": ("Completed", "Completed", ["Evicted", "Completed"]),
        "hanging-forever": ("Failed", "DeadlineExceeded", None),
    }
    for name, (phase, reason, attempts) in expected.items():
        status = _ended(stage, name)
        assert (status["phase"], status["conditions"][0]["reason"]) == (phase, reason), name
        if attempts is not None:
            assert [attempt["reason"] for attempt in status["attempts"]] == attempts, name
        if phase == "Failed":
            assert status["failure"]["reason"] == reason
    figures.add("ends", "OOM, eviction, hang, node gone, node deleted: 5 of 5 with their reason", faults=5, analyses=5)


def _succeed(stage: Stage, pod: Raw, key: str) -> None:
    result = {
        "riskLevel": "Low",
        "riskScore": 1,
        "findings": {"total": 0},
        "summary": "A lease.",
        "report": {"key": key, "sha256": "ab" * 32},
        "engine": "rules",
    }
    stage.write(pod, "Succeeded", extract=extracted(), analyze=terminated(0, {"result": result}))


LONG = "x" * 200_000
NONSENSE: list[tuple[str, Any]] = [
    ("a termination message that is no JSON", terminated(0, "\x01 not json {")),
    ("one of another type", terminated(0, "[1, 2, 3]")),
    ("one nested beyond depth", terminated(0, "[" * 50_000)),
    ("one with somebody else's report", terminated(0, {"result": {"report": {"key": "reports/other/x/1.json"}}})),
    ("one of 200 KB", terminated(0, LONG)),
    ("one with numbers beyond belief", terminated(0, '{"usage": {"inputTokens": 1e400, "costUSD": "1e999"}}')),
    ("one with lone surrogates", terminated(1, '{"failure": {"reason": "InternalError", "message": "\\ud800"}}')),
    ("an exit code beyond the contract", terminated(-2147483648)),
    (
        "times before the beginning",
        {"terminated": {**terminated(1)["terminated"], "startedAt": "0001-01-01T00:00:00Z"}},
    ),
    ("times far ahead", {"terminated": {**terminated(1)["terminated"], "finishedAt": "9999-12-31T23:59:59Z"}}),
]


# By hand, on a Job whose pod is analysed; the Job controller may put it right, or not.
JOB_STATUSES: list[tuple[str, Raw]] = [
    (
        "conditions that nobody knows, of 200 KB",
        {"conditions": [{"type": "Exploded", "status": "Perhaps", "reason": "", "message": LONG}]},
    ),
    (
        "counts beyond belief, and pods that never were",
        {
            "active": 2**31 - 1,
            "ready": 2**31 - 1,
            "failed": 2**31 - 1,
            "uncountedTerminatedPods": {"failed": ["no-such-pod"]},
        },
    ),
]


def test_nonsense_on_pods_and_jobs(api: ApiServer, stage: Stage, operator: OperatorProcess, figures: Figures) -> None:
    """As much as the API server lets through. Each analysis ends, and the operator stays up."""
    assert operator.is_alive()
    for number, _ in enumerate(NONSENSE):
        stage.create(f"hanging-{number}", deadlineSeconds=3600, backoffLimit=0)
    stage.create("hanging-labels", deadlineSeconds=3600)
    stage.create("hanging-owners", deadlineSeconds=3600)
    for number, _ in enumerate(JOB_STATUSES):
        stage.create(f"hanging-job-{number}", deadlineSeconds=3600)
    for name in stage.created:
        _analysed(stage, name)
    for number, (_, state) in enumerate(NONSENSE):
        pod = _pod(stage, stage.created[f"hanging-{number}"])
        phase = "Succeeded" if state["terminated"]["exitCode"] == 0 else "Failed"
        stage.write(pod, phase, extract=extracted(), analyze=state)

    # Labels and annotations; another analysis's uid; a second controller; containers that do not exist.
    pod, job = _pod(stage, stage.created["hanging-labels"]), stage.jobs_of(stage.created["hanging-labels"])[0]
    hostile = {
        "labels": {names.LABEL_UID: stage.created["hanging-0"], names.LABEL_RUN: "99999999999", names.LABEL_NAME: None},
        "annotations": {"dealguard.io/x": "y" * 100_000, "kopf.zalando.org/last-handled-configuration": "{"},
    }
    api.merge("pods", stage.namespace, pod["metadata"]["name"], {"metadata": hostile})
    api.merge("jobs", stage.namespace, job["metadata"]["name"], {"metadata": hostile})
    pod = _pod(stage, stage.created["hanging-owners"])
    patch = {"metadata": {"ownerReferences": None}}
    api.merge("pods", stage.namespace, pod["metadata"]["name"], patch)
    statuses = [container_status("no-such-container", running())]
    api.merge("pods", stage.namespace, pod["metadata"]["name"], {"status": {"containerStatuses": statuses}}, "/status")

    for number, (_, job_status) in enumerate(JOB_STATUSES):
        (job,) = stage.jobs_of(stage.created[f"hanging-job-{number}"])
        api.merge("jobs", stage.namespace, job["metadata"]["name"], {"status": job_status}, "/status")

    # Objects that nobody made, with our labels.
    template = {"containers": [{"name": "x", "image": "x"}], "restartPolicy": "Never"}
    labels = {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_UID: stage.created["hanging-0"]}
    api.create("pods", stage.namespace, {"metadata": {"name": "planted", "labels": labels}, "spec": template})
    body = {
        "metadata": {"name": "planted", "labels": labels},
        "spec": {"suspend": True, "template": {"spec": template}},
    }
    api.create("jobs", stage.namespace, body)

    for number, (why, _) in enumerate(NONSENSE):
        status = _ended(stage, f"hanging-{number}")
        assert status["phase"] == "Failed", why
        assert len(json.dumps(status)) < 8192, why
        assert status["finishedAt"] < "2100", why
    of_jobs = [f"hanging-job-{number}" for number, _ in enumerate(JOB_STATUSES)]
    for name in ("hanging-labels", "hanging-owners", *of_jobs):
        api.merge("contractanalyses", stage.namespace, name, {"spec": {"cancel": True}})
        _ended(stage, name)
    stage.create("plain-after")
    stage.wait_finished(30, ["plain-after"])
    assert operator.starts == 1
    assert operator.beginnings == 0
    count = len(NONSENSE) + len(JOB_STATUSES) + 6
    figures.add(
        "nonsense",
        f"{count} kinds of nonsense on Pods and Jobs: the operator stayed up",
        faults=count,
        analyses=len(stage.created),
    )


STATUSES: list[tuple[str, Raw]] = [
    ("phase of another version", {"phase": "Exploded"}),
    ("a number for a text", {"jobName": 5}),
    ("a Completed without a result", {"phase": "Completed"}),
    ("another's Job", {"phase": "Processing", "run": 1, "jobName": "kube-root"}),
    ("a run far ahead", {"phase": "Pending", "run": 2**31}),
    ("a negative run", {"phase": "Pending", "run": -5}),
    ("no run", {"phase": "Processing"}),
]


def test_a_status_that_somebody_wrote(
    api: ApiServer, stage: Stage, operator: OperatorProcess, figures: Figures
) -> None:
    """Whoever may write statuses can spoil theirs. The operator stays up, and serves the others."""
    assert operator.is_alive()
    accepted = 0
    for number, (_, status) in enumerate(STATUSES):
        name = f"plain-{number}"
        stage.create(name, suspend=True)
        wait_until("its first status", lambda name=name: stage.status(name).get("phase"), 10)
        try:
            api.merge("contractanalyses", stage.namespace, name, {"status": status}, "/status")
            accepted += 1
        except RefusedError as error:
            assert error.status in (400, 422), status
    stage.create("plain-after")
    stage.wait_finished(30, ["plain-after"])
    time.sleep(0.5)
    assert operator.starts == 1
    assert operator.beginnings == 0
    figures.add(
        "statuses",
        f"{len(STATUSES)} spoilt statuses, {len(STATUSES) - accepted} refused by the schema: the operator stayed up",
        faults=len(STATUSES),
        analyses=len(STATUSES) + 1,
    )


def test_whatever_a_fuzzer_writes(
    api: ApiServer, namespace: str, operator: OperatorProcess, figures: Figures, is_full: bool
) -> None:
    """Annotations, labels and statuses of Pods, Jobs and analyses, as far as the API server lets them through."""
    count = 100 if is_full else 20
    stage = Stage(api, namespace)  # without its kubelet: the fuzzer speaks for all
    for number in range(count):
        stage.create(f"hanging-{number}", deadlineSeconds=3600)
    wait_until("all pods", lambda: len(api.list("pods", namespace)) == count, 60)
    pods = {pod["metadata"]["labels"][names.LABEL_NAME]: pod for pod in api.list("pods", namespace)}
    left = iter(pods.items())
    accepted = refused = 0

    def write(plural: str, name: str, patch: Raw, subresource: str) -> None:
        nonlocal accepted, refused
        try:
            api.merge(plural, namespace, name, patch, subresource)
            accepted += 1
        except RefusedError as error:
            assert error.status in (400, 404, 409, 413, 422), (plural, patch, error)
            refused += 1

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(
        pod=fuzzed.pod,
        job=fuzzed.job,
        analysis=fuzzed.analysis,
        text=st.text(max_size=200),
        run=st.sampled_from(["0", "-1", "x", "99999999999", "1"]),
    )
    def fuzz(pod: Raw, job: Raw, analysis: Raw, text: str, run: str) -> None:
        name, mine = next(left, (None, None))
        if name is None or mine is None:
            return
        pod_name, job_name = mine["metadata"]["name"], mine["metadata"]["labels"]["job-name"]
        annotations = {"dealguard.io/inputs": text, names.ANNOTATION_REUSE: text}
        metadata = {"metadata": {"annotations": annotations, "labels": {names.LABEL_RUN: run}}}
        write("jobs", job_name, metadata, "")
        write("pods", pod_name, metadata, "")
        write("pods", pod_name, {"status": pod["status"]}, "/status")
        write("jobs", job_name, {"status": job["status"]}, "/status")
        write("contractanalyses", name, {"status": analysis["status"]}, "/status")

    fuzz()
    stage.create("plain-after")
    wait_until("a new one to be run", lambda: stage.status("plain-after").get("phase") == "Processing", 30)
    log = operator.log.read_text()
    assert "could not be handled" not in log, operator.last_words()
    assert "Still not settled" not in log
    assert (operator.starts, operator.beginnings, operator.is_alive()) == (1, 0, True)
    figures.add(
        "fuzzer",
        f"{accepted + refused} fuzzed writes onto {count} analyses, their Jobs and pods, {refused} refused by the API "
        "server: the operator stayed up",
        faults=accepted,
        analyses=count + 1,
    )
    assert accepted > count
