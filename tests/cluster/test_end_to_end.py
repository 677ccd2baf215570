"""The whole way, as a user goes it: helm, the real images on the real kubelet, MinIO, the command line.

Only Claude's API is a stand-in: an HTTP server on the host that speaks its documented protocol.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dealguard_api import names
from dealguard_api.exit_codes import ExitCode
from dealguard_api.reasons import Reason
from dealguard_api.report import Report
from tests.cluster.cli_fixtures import edited_kubeconfig
from tests.cluster.installation import NAMESPACE, Installation
from tests.cluster.tools import Kubectl, analysis_manifest, wait_for
from tests.documents import (
    encrypted_pdf,
    pdf_with_pages,
    picture_only_pdf,
    sample_contract,
)
from tests.standins.claude_server import ClaudeStandin

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

# The stand-in behaves as the key says.
GOOD_KEY = "sk-ant-stand-in-6f1d"
SLOW_KEY = "standin:slow"
WRONG_KEY = "standin:unauthorized"
OVERLOADED_KEY = "standin:overloaded"
DRIPPING_KEY = "standin:drip"
# The first answer breaks off and is billed; the second never comes.
BROKEN_OFF_KEY = "standin:overloaded_mid,silent"
TERMINAL = {"Completed", "Failed", "Cancelled"}
CANCEL = '{"spec": {"cancel": true}}'
CANCELLED_WITHIN = timedelta(seconds=5)


def _finish(kubectl: Kubectl, namespace: str, name: str) -> dict[str, Any]:
    """The resource once it is finished, waited for as a script would."""
    kubectl.check("-n", namespace, "wait", "--for=condition=Finished", f"ca/{name}", "--timeout=150s")
    return kubectl.get("ca", name, namespace)


def _everything_visible(kubectl: Kubectl, namespace: str) -> str:
    """All that a person with read access, or the operator's log, would show about a namespace."""
    return (
        kubectl.check("-n", namespace, "get", "ca,jobs,pods,events,configmaps", "-o", "json")
        + kubectl.check("-n", namespace, "logs", "-l", "dealguard.io/run", "--all-containers", "--tail=-1")
        + kubectl.check("-n", NAMESPACE, "logs", "-l", "app.kubernetes.io/component=operator", "--tail=-1")
    )


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_sample_contract_goes_from_upload_to_report(
    installation: Installation, namespace: str, language: str
) -> None:
    answer = installation.dealguard("submit", str(sample_contract(language)), "-n", namespace, "--wait", "-o", "json")
    assert answer.returncode == 0, answer.stderr
    name = installation.kubectl.items("ca", namespace)[0]["metadata"]["name"]
    status = installation.kubectl.get("ca", name, namespace)["status"]

    assert status["phase"] == "Completed"
    assert "stage" not in status
    assert status["observedGeneration"] == 1
    assert {c["type"]: c["status"] for c in status["conditions"]} == {"Ready": "True", "Finished": "True"}
    assert status["document"]["sha256"] == hashlib.sha256(sample_contract(language).read_bytes()).hexdigest()
    assert status["document"]["language"] == language
    assert status["attemptCount"] == 1
    assert status["result"]["engine"] == "rules"
    assert status["result"]["findings"]["total"] > 0
    assert len(status["result"]["summary"].encode()) <= 800
    assert len(json.dumps(status).encode()) < 8192

    shown = installation.dealguard("report", name, "-n", namespace, "-o", "json")
    assert shown.returncode == 0, shown.stderr
    report = Report.model_validate_json(shown.stdout)
    assert report.finding_counts.total == status["result"]["findings"]["total"]
    quotes = [citation for finding in report.findings for citation in finding.citations]
    assert quotes
    assert all(quote.verified for quote in quotes)

    # One uid finds every line about it, of the operator and of both containers; all lines are JSON.
    uid = installation.kubectl.items("ca", namespace)[0]["metadata"]["uid"]
    logs = ("logs", "--all-containers", "--tail=-1", "-l")
    pod = installation.kubectl.check("-n", namespace, *logs, f"{names.LABEL_UID}={uid}").splitlines()
    operator = installation.kubectl.check("-n", NAMESPACE, *logs, "app.kubernetes.io/component=operator")
    about = [line for line in map(json.loads, operator.splitlines()) if line.get("uid") == uid]
    assert {(line["uid"], line["run"]) for line in (*map(json.loads, pod), *about)} == {(uid, 1)}
    assert "Completed" in about[-1]["message"]
    assert {"read", "analysed"} <= {json.loads(line)["event"] for line in pod}


BAD_DOCUMENTS: list[tuple[str, bytes | None, dict[str, Any], Reason]] = [
    ("missing", None, {}, Reason.DOCUMENT_NOT_FOUND),
    ("empty", b"", {}, Reason.DOCUMENT_EMPTY),
    ("not-a-pdf", b"Dear Sirs, please find enclosed", {}, Reason.NOT_A_PDF),
    ("encrypted", encrypted_pdf("secret"), {}, Reason.DOCUMENT_ENCRYPTED),
    ("picture", picture_only_pdf(), {}, Reason.NO_TEXT_LAYER),
    ("too-large", pdf_with_pages(1) + b"%" + b"x" * 3_000_000, {}, Reason.DOCUMENT_TOO_LARGE),
    ("too-many-pages", pdf_with_pages(60), {}, Reason.TOO_MANY_PAGES),
    ("other-bytes", pdf_with_pages(1), {"sha256": "0" * 64}, Reason.CHECKSUM_MISMATCH),
]


def test_bad_documents_fail_at_once_each_with_its_own_reason(installation: Installation, namespace: str) -> None:
    kubectl = installation.kubectl
    for name, content, document, _ in BAD_DOCUMENTS:
        key = f"documents/{namespace}/{name}.pdf"
        if content is not None:
            installation.put_object(key, content)
        kubectl.apply(analysis_manifest(namespace, name, document={"key": key, **document}))
    for name, _, _, reason in BAD_DOCUMENTS:
        status = _finish(kubectl, namespace, name)["status"]
        assert (name, status["phase"], status["failure"]["reason"]) == (name, "Failed", reason.value)
        assert status["attemptCount"] == 1, f"{name} was repeated"
        assert {c["type"]: c["status"] for c in status["conditions"]} == {
            "Ready": "False",
            "Stalled": "True",
            "Finished": "True",
        }
        described = kubectl.check("-n", namespace, "describe", "ca", name)
        assert status["failure"]["message"][:40] in described
        shown = installation.dealguard("get", name, "-n", namespace)
        assert reason.value in shown.stdout


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("documents/other/contract.pdf", "spec.document.key must lie under documents/NAMESPACE/"),
        # The name of one namespace may begin with another's.
        ("documents/NAMESPACE-2/contract.pdf", "spec.document.key must lie under documents/NAMESPACE/"),
        # The definition's own rule comes before the policy.
        ("documents/NAMESPACE/../other/contract.pdf", "key must not have an empty, '.' or '..' part"),
        ("documents/NAMESPACE//contract.pdf", "key must not have an empty, '.' or '..' part"),
    ],
)
def test_a_key_outside_the_namespace_is_refused_on_creation(
    installation: Installation, namespace: str, key: str, words: str
) -> None:
    document = {"key": key.replace("NAMESPACE", namespace)}
    answer = installation.kubectl.try_apply(analysis_manifest(namespace, "thief", document=document))
    assert answer.returncode != 0
    assert words.replace("NAMESPACE", namespace) in answer.stderr


def test_nobody_submits_in_somebody_elses_name(installation: Installation, namespace: str) -> None:
    answer = installation.kubectl.try_apply(analysis_manifest(namespace, "forged", submittedBy="alice"))
    assert answer.returncode != 0
    assert "spec.submittedBy must be your own user name, kubernetes-admin" in answer.stderr
    installation.kubectl.apply(analysis_manifest(namespace, "own", submittedBy="kubernetes-admin"))


@pytest.fixture(scope="module")
def claude(installation: Installation) -> Iterator[ClaudeStandin]:
    """A stand-in for Claude's API at the address that the installation gives to its pods."""
    address, port = installation.cluster_host_address, installation.claude_port
    with ClaudeStandin(address, port, slow_seconds=8) as server:
        yield server


def _give_key(kubectl: Kubectl, namespace: str, key: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "dealguard-claude", "namespace": namespace},
        "stringData": {"api-key": key},
    }
    kubectl.apply(secret)


def _submit_sample(installation: Installation, namespace: str, name: str, **spec: Any) -> None:
    key = f"documents/{namespace}/{name}.pdf"
    installation.put_object(key, sample_contract("en").read_bytes())
    installation.kubectl.apply(analysis_manifest(namespace, name, document={"key": key}, **spec))


def test_claude_writes_the_report_where_the_namespace_has_a_key(
    installation: Installation, namespace: str, claude: ClaudeStandin
) -> None:
    _give_key(installation.kubectl, namespace, GOOD_KEY)
    _submit_sample(installation, namespace, "lease", engine="auto")
    status = _finish(installation.kubectl, namespace, "lease")["status"]
    assert status["phase"] == "Completed", status.get("failure")
    assert status["result"]["engine"] == "claude"
    assert status["usage"]["outputTokens"] > 0
    assert float(status["usage"]["costUSD"]) > 0
    assert GOOD_KEY not in _everything_visible(installation.kubectl, namespace)

    # The same document once more: its report is there, and is not paid again.
    calls_before = claude.calls()
    document = {"key": f"documents/{namespace}/lease.pdf"}
    installation.kubectl.apply(analysis_manifest(namespace, "again", document=document))
    again = _finish(installation.kubectl, namespace, "again")["status"]
    assert {condition["reason"] for condition in again["conditions"]} == {"Cached"}
    assert (again["result"], again["document"], again.get("usage")) == (status["result"], status["document"], None)
    shown = installation.dealguard("report", "again", "-n", namespace, "-o", "json")
    assert Report.model_validate_json(shown.stdout).engine.name == "claude"
    assert claude.calls() == calls_before
    assert len(installation.kubectl.items("jobs", namespace)) == 1


def test_a_wrong_key_names_the_secret_and_never_the_key(
    installation: Installation, namespace: str, claude: ClaudeStandin
) -> None:
    _give_key(installation.kubectl, namespace, WRONG_KEY)
    _submit_sample(installation, namespace, "lease", engine="claude")
    status = _finish(installation.kubectl, namespace, "lease")["status"]
    assert status["failure"]["reason"] == "APIKeyRejected"
    assert f"{namespace}/dealguard-claude" in status["failure"]["message"]
    assert status["attemptCount"] == 1
    assert WRONG_KEY not in _everything_visible(installation.kubectl, namespace)


def test_a_missing_key_names_the_secret_to_create(installation: Installation, namespace: str) -> None:
    _submit_sample(installation, namespace, "lease", engine="claude")
    status = _finish(installation.kubectl, namespace, "lease")["status"]
    assert status["failure"]["reason"] == "APIKeyMissing"
    assert f"{namespace}/dealguard-claude" in status["failure"]["message"]


def test_an_api_that_stays_overloaded_is_tried_again_and_then_named(
    installation: Installation, namespace: str, claude: ClaudeStandin
) -> None:
    _give_key(installation.kubectl, namespace, OVERLOADED_KEY)
    _submit_sample(installation, namespace, "lease", engine="claude", backoffLimit=1, deadlineSeconds=90)
    status = _finish(installation.kubectl, namespace, "lease")["status"]
    assert status["phase"] == "Failed"
    assert status["failure"]["reason"] in {"EngineUnavailable", "DeadlineExceeded"}
    assert "EngineUnavailable" in {attempt["reason"] for attempt in status["attempts"]}


def test_the_deadline_ends_an_analysis_that_hangs(
    installation: Installation, namespace: str, claude: ClaudeStandin
) -> None:
    _give_key(installation.kubectl, namespace, DRIPPING_KEY)
    _submit_sample(installation, namespace, "lease", engine="claude", deadlineSeconds=20)
    status = _finish(installation.kubectl, namespace, "lease")["status"]
    assert status["phase"] == "Failed"
    assert status["failure"]["reason"] == "DeadlineExceeded"


def test_the_pod_holds_no_credentials_and_passes_the_restricted_profile(
    installation: Installation, namespace: str
) -> None:
    kubectl = installation.kubectl
    kubectl.check("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    _submit_sample(installation, namespace, "lease", engine="rules")
    assert _finish(kubectl, namespace, "lease")["status"]["phase"] == "Completed"
    (pod,) = kubectl.items("pods", namespace)
    assert pod["spec"]["automountServiceAccountToken"] is False
    text = json.dumps(pod)
    assert "X-Amz-Signature" not in text
    assert installation.storage_secret_key not in _everything_visible(kubectl, namespace)
    assert "X-Amz-Signature" not in _everything_visible(kubectl, namespace)


def test_an_operator_that_dies_in_the_middle_loses_nothing(
    installation: Installation, namespace: str, claude: ClaudeStandin
) -> None:
    kubectl = installation.kubectl
    calls_before = claude.calls()
    _give_key(kubectl, namespace, SLOW_KEY)
    _submit_sample(installation, namespace, "lease", engine="claude")
    wait_for(
        "the analysis to reach Claude",
        lambda: kubectl.get("ca", "lease", namespace).get("status", {}).get("stage") == "Analyzing",
        timeout_seconds=60,
    )
    kubectl.check(
        *("-n", NAMESPACE, "delete", "pod", "-l", "app.kubernetes.io/component=operator"),
        *("--grace-period=0", "--force", "--wait=false"),
    )
    status = _finish(kubectl, namespace, "lease")["status"]
    assert status["phase"] == "Completed", status.get("failure")
    assert len(kubectl.items("jobs", namespace)) == 1
    assert claude.calls() - calls_before == 1, "the analysis was paid once"


def test_cancel_ends_the_pod_in_seconds_and_names_what_was_spent(
    installation: Installation, namespace: str, claude: ClaudeStandin
) -> None:
    kubectl, calls_before = installation.kubectl, claude.calls()
    _give_key(kubectl, namespace, BROKEN_OFF_KEY)
    _submit_sample(installation, namespace, "lease", engine="claude")
    wait_for("the second request", lambda: claude.calls() == calls_before + 2)  # the first one's answer broke off
    asked_at = datetime.now(UTC)
    kubectl.check("-n", namespace, "patch", "ca", "lease", "--type=merge", "-p", CANCEL)
    status = _finish(kubectl, namespace, "lease")["status"]
    assert status["phase"] == "Cancelled"
    (attempt,) = status["attempts"]
    # The container's own times are cut to whole seconds: it may have run for almost one longer.
    ended_at = datetime.fromisoformat(attempt["startedAt"]) + timedelta(seconds=attempt["seconds"] + 1)
    assert ended_at - asked_at <= CANCELLED_WITHIN, status
    assert (attempt["reason"], attempt["exitCode"]) == ("Terminated", int(ExitCode.TERMINATED))
    assert status["usage"]["inputTokens"] > 0
    assert float(status["usage"]["costUSD"]) > 0
    assert claude.calls() == calls_before + 2
    wait_for("Job, pod and Secret to be gone", lambda: not kubectl.items("jobs,pods", namespace))


def test_cancel_ends_a_pod_that_has_only_begun(installation: Installation, namespace: str) -> None:
    kubectl = installation.kubectl
    _submit_sample(installation, namespace, "lease", engine="rules")
    wait_for("its pod", lambda: kubectl.items("pods", namespace))
    asked_at = datetime.now(UTC)
    kubectl.check("-n", namespace, "patch", "ca", "lease", "--type=merge", "-p", CANCEL)
    status = _finish(kubectl, namespace, "lease")["status"]
    assert datetime.now(UTC) - asked_at <= CANCELLED_WITHIN, status
    assert status["phase"] == "Cancelled"
    assert "result" not in status
    wait_for("Job, pod and Secret to be gone", lambda: not kubectl.items("jobs,pods,secrets", namespace))


def test_an_upgrade_and_an_uninstallation_block_and_lose_nothing(
    installation: Installation, namespace: str, claude: ClaudeStandin
) -> None:
    kubectl, calls_before = installation.kubectl, claude.calls()
    _give_key(kubectl, namespace, GOOD_KEY)
    _submit_sample(installation, namespace, "lease", engine="claude")
    assert _finish(kubectl, namespace, "lease")["status"]["phase"] == "Completed"
    kubectl.check("-n", namespace, "delete", "jobs", "--all")  # and with them pods and Secrets
    backup = kubectl.get("ca", "lease", namespace)

    # Upgraded while one runs: new pods of the operator, which list everything and look again every 3 s.
    _give_key(kubectl, namespace, SLOW_KEY)
    _submit_sample(installation, namespace, "running", engine="claude", perspective="Licensee")
    wait_for("it to reach Claude", lambda: claude.calls() == calls_before + 2)
    installation.install({"operator.resyncSeconds": "3"})
    assert _finish(kubectl, namespace, "running")["status"]["phase"] == "Completed"
    time.sleep(4)
    assert kubectl.get("ca", "lease", namespace) == backup, "what has ended is not written to"

    installation.uninstall()
    assert {item["metadata"]["name"] for item in kubectl.items("ca", namespace)} == {"lease", "running"}
    kubectl.check("-n", namespace, "delete", "ca", "running", "lease", "--timeout=10s")
    wait_for("what belonged to them to be gone", lambda: not kubectl.items("jobs,pods", namespace), 30)
    # As a backup brings it back: its status is a subresource, which `kubectl apply` does not write.
    metadata = {"namespace": namespace, "name": "lease"}
    kubectl.apply({**backup, "metadata": metadata})
    kubectl.apply(analysis_manifest(namespace, "meanwhile", document=backup["spec"]["document"], engine="rules"))

    installation.install()
    restored = _finish(kubectl, namespace, "lease")
    assert restored["metadata"]["uid"] != backup["metadata"]["uid"]
    assert {condition["reason"] for condition in restored["status"]["conditions"]} == {"Cached"}
    assert restored["status"]["result"] == backup["status"]["result"]
    assert _finish(kubectl, namespace, "meanwhile")["status"]["phase"] == "Completed"
    assert installation.dealguard("report", "lease", "-n", namespace).returncode == 0
    assert claude.calls() == calls_before + 2, "each of the two was paid once"
    assert len(kubectl.items("jobs", namespace)) == 1, "that of what was new"


def test_the_sweep_shows_what_it_would_remove(installation: Installation, namespace: str) -> None:
    installation.put_object(f"reports/{namespace}/gone/1.json", b"{}")
    kubectl, job = installation.kubectl, f"sweep-{namespace}"
    in_release = ("-n", NAMESPACE)
    kubectl.check(*in_release, "create", "job", job, "--from=cronjob/dealguard-sweep")
    kubectl.check(*in_release, "wait", "--for=condition=Complete", f"job/{job}", "--timeout=60s")
    lines = kubectl.check(*in_release, "logs", f"job/{job}").splitlines()
    assert lines[0] == "There is nothing to remove.", "a dry run, and the grace period has only begun"
    assert re.fullmatch(r"Needed by no analysis, but not yet for 7 days: [1-9]\d* objects\.", lines[1])
    assert lines[-1].startswith("Next: ")
    kubectl.check(*in_release, "delete", "job", job)


def test_deleting_an_analysis_takes_everything_with_it(installation: Installation, namespace: str) -> None:
    kubectl = installation.kubectl
    _submit_sample(installation, namespace, "lease", engine="rules")
    _finish(kubectl, namespace, "lease")
    assert "finalizers" not in kubectl.get("ca", "lease", namespace)["metadata"]
    kubectl.check("-n", namespace, "delete", "ca", "lease")
    wait_for("the Job, its Secret and its Pod to go", lambda: not kubectl.items("jobs,secrets,pods", namespace))


def test_events_tell_the_story_in_kubectl_describe(installation: Installation, namespace: str) -> None:
    _submit_sample(installation, namespace, "lease", engine="rules")
    _finish(installation.kubectl, namespace, "lease")
    described = wait_for(
        "the Event of the completion",
        lambda: (
            (text := installation.kubectl.check("-n", namespace, "describe", "ca", "lease"))
            and (text if "Completed" in text.split("Events:")[-1] else None)
        ),
    )
    assert "Started" in described.split("Events:")[-1]


def _kubeconfig_of(kubectl: Kubectl, namespace: str, role: str, target: Path) -> str:
    """A kubeconfig of somebody who has that ClusterRole in the namespace and nothing else."""
    kubectl.check("-n", namespace, "create", "serviceaccount", role)
    account = f"--serviceaccount={namespace}:{role}"
    kubectl.check("-n", namespace, "create", "rolebinding", role, f"--clusterrole={role}", account)
    token = kubectl.check("-n", namespace, "create", "token", role).strip()

    def as_account(config: dict[str, Any]) -> None:
        config["users"][0]["user"] = {"token": token}

    return str(edited_kubeconfig(Path(kubectl.kubeconfig), target, as_account))


def test_explain_tells_one_story_from_every_process_as_far_as_one_may_see_it(
    installation: Installation, namespace: str, tmp_path: Path
) -> None:
    kubectl = installation.kubectl
    _submit_sample(installation, namespace, "lease", engine="rules")
    uid = _finish(kubectl, namespace, "lease")["metadata"]["uid"]

    def explained(*options: str) -> dict[str, Any]:
        answer = installation.dealguard("explain", "lease", "-n", namespace, "-o", "json", *options)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        told: dict[str, Any] = json.loads(answer.stdout)
        return told

    # Some seconds after the analysis is Completed; nothing is added to the story after that.
    kubectl.check("-n", namespace, "wait", "--for=condition=Complete", "jobs", "--all", "--timeout=30s")
    told = explained()
    assert (told["analysis"]["uid"], told["headline"]["reason"]) == (uid, "Completed")
    assert told["notShown"] == []
    of_operator = [each for each in told["timeline"] if each["source"].get("container") == "operator"]
    others = [each for each in told["timeline"] if each not in of_operator]
    assert any("is Completed" in each["text"] for each in of_operator)
    assert {each["source"]["kind"] for each in others} == {"resource", "job", "pod", "container", "event", "log"}
    texts = [each["text"] for each in others]
    begins = [
        *("created: engine rules", "run 1 begins", "Job lease-", "pod lease-", "scheduled to node"),
        *("extract started", "fetched bytes=", "read pages=", "extract ended well"),
        *("analyze started", "analysed engine=rules", "stored bytes=", "analyze ended well", "run 1 is Completed"),
    ]
    found = [next(place for place, text in enumerate(texts) if text.startswith(begin)) for begin in begins]
    assert found == sorted(found), texts
    seconds = {each["stage"]: each["seconds"] for each in told["stages"]}
    assert seconds["extract"] + seconds["analyze"] <= seconds["total"] + 2, "each is cut to whole seconds"

    viewer = explained("--kubeconfig", _kubeconfig_of(kubectl, namespace, "view", tmp_path / "view"))
    (gap,) = viewer["notShown"]
    assert gap.startswith("The operator's log may not be read by you.")
    assert uid in gap
    assert viewer["timeline"] == others

    # Who sees the resource alone, as the chart's own role has it.
    narrow = explained("--kubeconfig", _kubeconfig_of(kubectl, namespace, "dealguard-viewer", tmp_path / "narrow"))
    assert {each["source"]["kind"] for each in narrow["timeline"]} == {"resource"}
    for right in ("list jobs.batch", "list pods", "list events"):
        assert any(f"you may not {right} in namespace {namespace}" in gap for gap in narrow["notShown"])
    assert any(each["text"].startswith("run 1 is Completed") for each in narrow["timeline"])


def test_images_hold_only_what_their_part_needs(installation: Installation) -> None:
    """The analyzer has no Kubernetes client, the operator no PDF parser, neither a compiler or pip."""
    probe = (
        "import importlib.util, json, sys; print(json.dumps([n for n in sys.argv[1:] if importlib.util.find_spec(n)]))"
    )
    parts = ["kopf", "kubernetes", "minio", "pypdf", "pypdfium2", "anthropic", "pip", "setuptools", "reportlab"]
    expected = {
        "operator": ["kopf", "kubernetes", "minio"],
        "analyzer": ["pypdf", "pypdfium2", "anthropic"],
    }
    for part, modules in expected.items():
        assert json.loads(installation.run_in_image(part, "-c", probe, *parts)) == modules
    for part in expected:
        found = installation.run_in_image(
            part, "-c", "import shutil; print([t for t in ('gcc', 'cc', 'make', 'pip', 'pip3') if shutil.which(t)])"
        )
        assert found.strip() == "[]"


def test_the_text_of_a_long_document_stays_out_of_the_resource(
    installation: Installation, namespace: str, tmp_path: Path
) -> None:
    contract = tmp_path / "long.pdf"
    contract.write_bytes(pdf_with_pages(45))
    installation.put_object(f"documents/{namespace}/long.pdf", contract.read_bytes())
    installation.kubectl.apply(
        analysis_manifest(namespace, "long", document={"key": f"documents/{namespace}/long.pdf"}, engine="rules")
    )
    resource = _finish(installation.kubectl, namespace, "long")
    assert resource["status"]["document"]["pages"] == 45
    assert len(json.dumps(resource["status"]).encode()) < 8192
