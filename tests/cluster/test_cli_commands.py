"""The command line against the real API server and the real object storage; only the operator is played."""

import hashlib
import io
import json
import os
import pty
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from minio import Minio

from dealguard_api.report import DocumentInfo, EngineInfo, Finding, Report, Severity
from dealguard_cli.adapters.cluster import connect
from dealguard_cli.errors import ExitStatus
from dealguard_cluster import Cluster
from tests.cluster.cli_fixtures import PROGRAM, Line, PlayedOperator, Program, edited_kubeconfig
from tests.cluster.tools import Kubectl, analysis_manifest, wait_for
from tests.documents import sample_contract

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]


@pytest.fixture(scope="module")
def environment(cluster: Cluster) -> dict[str, str]:
    """What a shell has after the cluster's `env`."""
    environment = {**os.environ, **cluster.environment()}
    return {**environment, "PATH": f"{PROGRAM.parent}{os.pathsep}{environment['PATH']}"}


@pytest.fixture(scope="module")
def program(environment: dict[str, str]) -> Program:
    """The installed program."""
    return Program(environment)


@pytest.fixture(scope="module")
def storage(environment: dict[str, str]) -> Minio:
    """The object storage, without the command line between."""
    return Minio(
        urlsplit(environment["DEALGUARD_S3_ENDPOINT"]).netloc,
        access_key=environment["DEALGUARD_S3_ACCESS_KEY"],
        secret_key=environment["DEALGUARD_S3_SECRET_KEY"],
        region=environment["DEALGUARD_S3_REGION"],
        secure=False,
    )


@pytest.fixture
def operator(kubectl: Kubectl, namespace: str) -> PlayedOperator:
    """The test in the operator's place."""
    return PlayedOperator(kubectl, namespace)


SAMPLE = sample_contract("de")


def test_submit_uploads_the_file_and_creates_the_resource(
    program: Program, operator: PlayedOperator, storage: Minio, environment: dict[str, str]
) -> None:
    answer = program.run(
        *("submit", str(SAMPLE), "-n", operator.namespace, "--engine", "rules", "--language", "de"),
        *("--perspective", "Käufer", "--max-cost-usd", "0.50", "--priority", "7", "--refresh"),
    )
    assert answer.returncode == 0, answer.stderr
    (name,) = operator.submitted()
    assert answer.stdout == f"contractanalysis.dealguard.io/{name} created\n"
    assert f"Next: dealguard get {name} -n {operator.namespace}" in answer.stderr
    assert name.startswith("saas-vertrag-de-")

    digest = hashlib.sha256(SAMPLE.read_bytes()).hexdigest()
    spec = operator.kubectl.get("ca", name, operator.namespace)["spec"]
    key = f"documents/{operator.namespace}/{digest[:16]}-saas-vertrag-de.pdf"
    assert spec["document"] == {"key": key, "sha256": digest}
    assert (spec["engine"], spec["language"], spec["perspective"]) == ("rules", "de", "Käufer")
    assert (spec["maxCostUSD"], spec["priority"], spec["submittedBy"]) == ("0.50", 7, "kubernetes-admin")
    assert spec["cache"] == "Refresh"
    stored = storage.get_object(environment["DEALGUARD_S3_BUCKET"], key)
    assert stored.read() == SAMPLE.read_bytes()
    stored.close()


def test_the_same_file_is_submitted_anew(program: Program, operator: PlayedOperator) -> None:
    for _ in range(2):
        assert program.run("submit", str(SAMPLE), "-n", operator.namespace).returncode == 0
    for name in operator.submitted(2):
        assert operator.kubectl.get("ca", name, operator.namespace)["spec"]["cache"] == "Use"


def test_a_name_of_ones_own_is_taken_once(program: Program, operator: PlayedOperator) -> None:
    arguments = ("submit", str(SAMPLE), "-n", operator.namespace, "--name", "lease", "-o", "name")
    assert program.run(*arguments).stdout == "contractanalysis.dealguard.io/lease\n"
    again = program.run(*arguments)
    assert again.returncode == ExitStatus.BAD_INPUT
    assert "already exists" in again.stderr
    assert "Choose another --name" in again.stderr


@pytest.mark.parametrize(("output", "parse"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_submit_prints_data(program: Program, operator: PlayedOperator, output: str, parse: Any) -> None:
    one = program.run("submit", str(SAMPLE), "-n", operator.namespace, "-o", output)
    assert parse(one.stdout)["kind"] == "ContractAnalysis"
    both = program.run("submit", str(SAMPLE), str(sample_contract("en")), "-n", operator.namespace, "-o", output)
    assert [item["kind"] for item in parse(both.stdout)["items"]] == ["ContractAnalysis"] * 2


def test_nothing_is_uploaded_for_a_submission_that_the_server_refuses(
    program: Program, storage: Minio, environment: dict[str, str]
) -> None:
    nowhere = program.run("submit", str(SAMPLE), "-n", "nowhere", "-o", "json")
    assert nowhere.returncode == ExitStatus.NOT_FOUND
    assert "kubectl create namespace nowhere" in json.loads(nowhere.stdout)["error"]["message"]
    assert not list(storage.list_objects(environment["DEALGUARD_S3_BUCKET"], "documents/nowhere/"))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"DEALGUARD_S3_SECRET_KEY": "wrong"}, "StorageForbidden"),
        ({"DEALGUARD_S3_ACCESS_KEY": "wrong"}, "StorageForbidden"),
        ({"DEALGUARD_S3_BUCKET": "no-such-bucket"}, "StorageNotConfigured"),
        ({"DEALGUARD_S3_ENDPOINT": "http://127.0.0.1:9"}, "StorageUnavailable"),
    ],
)
def test_storage_that_refuses_is_told_apart(
    program: Program, operator: PlayedOperator, changed: dict[str, str], reason: str
) -> None:
    answer = program.run("submit", str(SAMPLE), "-n", operator.namespace, "-o", "json", **changed)
    assert answer.returncode == ExitStatus.UNAVAILABLE
    assert json.loads(answer.stdout)["error"]["reason"] == reason
    assert program.environment["DEALGUARD_S3_SECRET_KEY"] not in answer.stdout + answer.stderr


def test_wait_tells_each_stage_and_ends_with_the_result(program: Program, operator: PlayedOperator) -> None:
    with program.start("submit", str(SAMPLE), "-n", operator.namespace, "--wait") as running:
        (name,) = operator.submitted()
        operator.set(name, phase="Pending", stage="Queued")
        document = {"sha256": "b" * 64, "bytes": 100, "pages": 5}
        operator.set(name, phase="Processing", stage="Extracting")
        operator.set(name, phase="Processing", stage="Analyzing", document=document)
        operator.complete(name)
        code, out, err = running.end()
    assert code == ExitStatus.OK, err
    assert "\x1b" not in out + err
    told = [line.split("] ", 1)[1] for line in err.splitlines() if line.startswith("[")]
    assert told[0] == f"{name}  Pending"
    # A watch may fold quick changes together, but the last one always comes.
    assert told[-1] == f"{name}  Completed: 5 pages"
    assert set(told) <= {
        f"{name}  Pending",
        f"{name}  Pending: waits for a free place",
        f"{name}  Processing: reading the document",
        f"{name}  Processing: analysing the contract, 5 pages",
        f"{name}  Completed: 5 pages",
    }
    assert "High (16 of 25)" in out
    assert "Five years, renews by itself." in out
    assert err.splitlines()[-1] == f"Next: dealguard report {name} -n {operator.namespace}"


def test_wait_ends_with_1_and_the_reason_of_a_failure(program: Program, operator: PlayedOperator) -> None:
    with program.start("submit", str(SAMPLE), "-n", operator.namespace, "--wait") as running:
        (name,) = operator.submitted()
        operator.fail(name, "NoTextLayer", "The PDF has no text layer. It needs OCR.")
        code, out, _ = running.end()
    assert code == ExitStatus.ANALYSIS_FAILED
    assert "NoTextLayer" in out
    assert "It needs OCR." in out


def test_several_files_are_followed_together(program: Program, operator: PlayedOperator) -> None:
    files = [str(SAMPLE), str(sample_contract("en"))]
    with program.start("submit", *files, "-n", operator.namespace, "--wait", "-o", "json") as running:
        english, german = operator.submitted(2)
        operator.complete(german)
        operator.fail(english, "NoTextLayer", "It needs OCR.")
        code, out, _ = running.end()
    assert code == ExitStatus.ANALYSIS_FAILED
    phases = {item["metadata"]["name"]: item["status"]["phase"] for item in json.loads(out)["items"]}
    assert phases == {german: "Completed", english: "Failed"}


def test_others_analyses_do_not_end_the_wait(program: Program, operator: PlayedOperator) -> None:
    operator.kubectl.apply(analysis_manifest(operator.namespace, "other"))
    with program.start("submit", str(SAMPLE), "-n", operator.namespace, "--wait", "--timeout", "3") as running:
        operator.complete("other")
        code, _, err = running.end()
    assert code == ExitStatus.WAIT_TIMEOUT
    assert "the analysis goes on in the cluster" in err
    assert "other" not in err


def test_a_timeout_leaves_the_resource_on_standard_output(program: Program, operator: PlayedOperator) -> None:
    answer = program.run("submit", str(SAMPLE), "-n", operator.namespace, "--wait", "--timeout", "1", "-o", "json")
    assert answer.returncode == ExitStatus.WAIT_TIMEOUT
    assert json.loads(answer.stdout)["metadata"]["name"] == operator.submitted()[0]


def test_ctrl_c_leaves_the_analysis_and_says_how_to_look_again(program: Program, operator: PlayedOperator) -> None:
    with program.start("submit", str(SAMPLE), "-n", operator.namespace, "--wait") as running:
        (name,) = operator.submitted()
        operator.set(name, phase="Processing", stage="Extracting")
        assert running.process.stderr
        while "Processing" not in running.process.stderr.readline():
            pass
        running.interrupt()
        code, _, err = running.end()
    assert code == ExitStatus.INTERRUPTED
    assert "Stopped waiting; the analysis goes on in the cluster." in err
    assert f"Next: dealguard get {name} -n {operator.namespace}" in err
    assert "Traceback" not in err
    assert operator.submitted() == [name]


def test_an_analysis_that_is_deleted_ends_the_wait(program: Program, operator: PlayedOperator) -> None:
    with program.start("submit", str(SAMPLE), "-n", operator.namespace, "--wait") as running:
        (name,) = operator.submitted()
        operator.kubectl.check("-n", operator.namespace, "delete", "ca", name)
        code, _, err = running.end()
    assert code == ExitStatus.NOT_FOUND
    assert "was deleted" in err


@pytest.fixture
def line(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[Line, Path]]:
    """A line to the API server that can be cut, and a kubeconfig that goes through it."""
    server = urlsplit(yaml.safe_load(Path(cluster.kubeconfig).read_text())["clusters"][0]["cluster"]["server"])
    assert server.hostname
    assert server.port
    line = Line(server.hostname, server.port)

    def through_the_line(config: dict[str, Any]) -> None:
        config["clusters"][0]["cluster"] |= {
            "server": f"https://127.0.0.1:{line.port}",
            "tls-server-name": "kubernetes",
        }

    yield line, edited_kubeconfig(Path(cluster.kubeconfig), tmp_path / "line", through_the_line)
    line.close()


def test_a_cut_watch_is_taken_up_again_and_nothing_is_missed(
    program: Program, operator: PlayedOperator, line: tuple[Line, Path]
) -> None:
    cable, kubeconfig = line
    arguments = ("submit", str(SAMPLE), "-n", operator.namespace, "--wait", "--timeout", "200")
    with program.start(*arguments, KUBECONFIG=str(kubeconfig)) as running:
        (name,) = operator.submitted()
        operator.set(name, phase="Processing", stage="Analyzing")
        assert running.process.stderr
        while "Processing" not in running.process.stderr.readline():
            pass
        cable.cut()
        while "does not answer" not in (said := running.process.stderr.readline()):
            assert said, "it ended instead of trying again"
        operator.complete(name)  # while nobody watches
        cable.mend()
        code, out, err = running.end()
    assert code == ExitStatus.OK, err
    assert "The cluster answers again." in err
    assert "High (16 of 25)" in out


def test_a_version_that_the_server_forgot_ends_a_watch_quietly(cluster: Cluster, namespace: str) -> None:
    connection = connect(str(cluster.kubeconfig), None)
    assert list(connection.changes(namespace, "", "1", timeout_seconds=5)) == []


def test_the_terminal_shows_live_progress(environment: dict[str, str], operator: PlayedOperator) -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "submit", str(SAMPLE), "-n", operator.namespace, "--wait"],
        stdin=child,
        stdout=child,
        stderr=child,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "120"},
    )
    os.close(child)
    shown = b""

    def read_until(expected: bytes) -> None:
        nonlocal shown
        while expected not in shown:
            shown += os.read(parent, 4096)

    try:
        (name,) = operator.submitted()
        operator.set(name, phase="Processing", stage="Analyzing")
        read_until(b"analysing the contract")
        operator.complete(name)
        read_until(f"Next: dealguard report {name}".encode())
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(parent)
    assert b"\x1b[" in shown
    assert any(frame in shown.decode(errors="replace") for frame in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"), "a spinner turns"


def test_get_lists_like_kubectl(program: Program, operator: PlayedOperator) -> None:
    nothing = program.run("get", "-n", operator.namespace)
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert f"No analyses in namespace {operator.namespace}" in nothing.stderr

    for name in ("first", "second"):
        operator.kubectl.apply(analysis_manifest(operator.namespace, name))
    operator.complete("first")
    operator.fail("second", "NotAPDF", "Export the contract as PDF.")
    table = program.run("get", "-n", operator.namespace, "-o", "wide").stdout.splitlines()
    assert table[0].split()[:6] == ["NAME", "PHASE", "STAGE", "RISK", "FINDINGS", "AGE"]
    assert [line.split()[:2] for line in table[1:]] == [["first", "Completed"], ["second", "Failed"]]
    assert "NotAPDF" in table[2]

    everywhere = program.run("get", "-A").stdout
    assert everywhere.startswith("NAMESPACE")
    assert operator.namespace in everywhere
    listed = json.loads(program.run("get", "-n", operator.namespace, "-o", "json").stdout)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["first", "second"]


def test_get_shows_all_about_one(program: Program, operator: PlayedOperator) -> None:
    operator.kubectl.apply(analysis_manifest(operator.namespace, "scan"))
    operator.fail("scan", "NoTextLayer", "The PDF has no text layer. It needs OCR.")
    shown = program.run("get", "scan", "-n", operator.namespace)
    assert shown.returncode == 0
    assert "NoTextLayer" in shown.stdout
    assert "It needs OCR." in shown.stdout
    raw = json.loads(program.run("get", "scan", "-n", operator.namespace, "-o", "json").stdout)
    assert raw["status"]["failure"]["reason"] == "NoTextLayer"
    missing = program.run("get", "nothing", "-n", operator.namespace, "-o", "json")
    assert missing.returncode == ExitStatus.NOT_FOUND
    assert json.loads(missing.stdout)["error"]["reason"] == "NotFound"


def test_the_namespace_comes_from_the_context(
    program: Program, operator: PlayedOperator, cluster: Cluster, tmp_path: Path
) -> None:
    def in_namespace(config: dict[str, Any]) -> None:
        config["contexts"][0]["context"]["namespace"] = operator.namespace

    kubeconfig = edited_kubeconfig(Path(cluster.kubeconfig), tmp_path / "config", in_namespace)
    operator.kubectl.apply(analysis_manifest(operator.namespace, "mine"))
    assert "mine" in program.run("get", "--kubeconfig", str(kubeconfig)).stdout


def test_who_may_not_is_told_what_is_missing(
    program: Program, operator: PlayedOperator, cluster: Cluster, tmp_path: Path
) -> None:
    operator.kubectl.check("-n", operator.namespace, "create", "serviceaccount", "nobody")
    token = operator.kubectl.check("-n", operator.namespace, "create", "token", "nobody").strip()

    def as_nobody(config: dict[str, Any]) -> None:
        config["users"][0]["user"] = {"token": token}

    def as_a_stranger(config: dict[str, Any]) -> None:
        config["users"][0]["user"] = {"token": "expired"}

    kubeconfig = edited_kubeconfig(Path(cluster.kubeconfig), tmp_path / "nobody", as_nobody)
    stranger = edited_kubeconfig(Path(cluster.kubeconfig), tmp_path / "stranger", as_a_stranger)
    for arguments in (("get",), ("get", "x"), ("explain", "x"), ("report", "x"), ("submit", str(SAMPLE))):
        answer = program.run(*arguments, "-n", operator.namespace, "-o", "json", KUBECONFIG=str(kubeconfig))
        assert answer.returncode == ExitStatus.UNAVAILABLE
        error = json.loads(answer.stdout)["error"]
        assert error["reason"] == "Forbidden"
        assert "contractanalyses" in error["message"]
        assert token not in answer.stdout + answer.stderr
    unknown = program.run("get", "-o", "json", KUBECONFIG=str(stranger))
    assert json.loads(unknown.stdout)["error"]["reason"] == "Unauthorized"


def test_a_cluster_without_dealguard_says_how_to_install_it(
    program: Program, operator: PlayedOperator, cluster: Cluster, tmp_path: Path
) -> None:
    # A path at which the real server has no such API: the answer is the one for a missing definition.
    def nowhere(config: dict[str, Any]) -> None:
        config["clusters"][0]["cluster"]["server"] += "/apis/example.com"

    kubeconfig = edited_kubeconfig(Path(cluster.kubeconfig), tmp_path / "nowhere", nowhere)
    for arguments in (("get",), ("get", "x"), ("submit", str(SAMPLE))):
        answer = program.run(*arguments, "-n", operator.namespace, "-o", "json", KUBECONFIG=str(kubeconfig))
        assert answer.returncode == ExitStatus.UNAVAILABLE
        error = json.loads(answer.stdout)["error"]
        assert error["reason"] == "NotInstalled"
        assert "`make deploy`" in error["message"]


@pytest.fixture
def stored_report(operator: PlayedOperator, storage: Minio, environment: dict[str, str]) -> tuple[str, bytes]:
    """A completed analysis called `done` and the bytes of its report."""
    finding = Finding(
        id="f1",
        category="Renewal Term",
        title="Renews by itself",
        severity=Severity(likelihood=4, impact=4),
        assessment="risk",
        explanation="The term is prolonged unless notice is given.",
        recommendation="Ask for a shorter notice.",
    )
    report = Report(
        document=DocumentInfo(sha256="a" * 64, bytes=10, pages=1, language="en"),
        engine=EngineInfo(name="rules", version="1"),
        findings=[finding],
        summary="A contract that renews by itself.",
    )
    content = report.model_dump_json(by_alias=True, exclude_none=True).encode()
    key = f"reports/{operator.namespace}/{uuid.uuid4()}/1.json"
    storage.put_object(environment["DEALGUARD_S3_BUCKET"], key, io.BytesIO(content), len(content))
    operator.kubectl.apply(analysis_manifest(operator.namespace, "done"))
    operator.complete("done", key=key, sha256=hashlib.sha256(content).hexdigest())
    return key, content


def test_report_in_each_form(program: Program, operator: PlayedOperator, stored_report: tuple[str, bytes]) -> None:
    _, content = stored_report
    where = ("report", "done", "-n", operator.namespace)
    assert program.run(*where, "-o", "json").stdout.encode() == content
    markdown = program.run(*where).stdout
    assert markdown.startswith("#"), "a pipe gets Markdown"
    assert program.run(*where, "-o", "markdown").stdout == markdown
    text = program.run(*where, "-o", "text").stdout
    assert text.index("Renews by itself") < text.index("Ask for a shorter notice."), "the risk table comes first"
    assert "\x1b" not in text


def test_a_report_that_was_altered_is_not_shown(
    program: Program,
    operator: PlayedOperator,
    storage: Minio,
    environment: dict[str, str],
    stored_report: tuple[str, bytes],
) -> None:
    key, content = stored_report
    altered = content.replace(b"Renews by itself", b"All is very well")
    storage.put_object(environment["DEALGUARD_S3_BUCKET"], key, io.BytesIO(altered), len(altered))
    answer = program.run("report", "done", "-n", operator.namespace)
    assert answer.returncode == ExitStatus.UNAVAILABLE
    assert answer.stdout == ""
    assert "SHA-256 differs" in answer.stderr

    storage.remove_object(environment["DEALGUARD_S3_BUCKET"], key)
    gone = program.run("report", "done", "-n", operator.namespace)
    assert gone.returncode == ExitStatus.NOT_FOUND
    assert "no longer in the object storage" in gone.stderr


def test_without_a_report_it_says_why(program: Program, operator: PlayedOperator) -> None:
    for name in ("waiting", "scan", "stopped"):
        operator.kubectl.apply(analysis_manifest(operator.namespace, name))
    operator.fail("scan", "NoTextLayer", "It needs OCR.")
    operator.set("stopped", phase="Cancelled")
    expected = {"waiting": "NotFinished", "scan": "NoTextLayer", "stopped": "Cancelled"}
    for name, reason in expected.items():
        answer = program.run("report", name, "-n", operator.namespace, "-o", "json")
        assert answer.returncode == ExitStatus.ANALYSIS_FAILED
        assert json.loads(answer.stdout)["error"]["reason"] == reason


def test_kubectl_runs_it_as_a_plugin(kubectl: Kubectl, environment: dict[str, str], namespace: str) -> None:
    answer = subprocess.run(
        [kubectl.program, "dealguard", "get", "-n", namespace],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "kubectl dealguard submit FILE.pdf" in answer.stderr


def test_every_page_of_a_long_list_is_shown(operator: PlayedOperator, cluster: Cluster) -> None:
    manifests = [analysis_manifest(operator.namespace, f"a{number:03}") for number in range(501)]
    operator.kubectl.check(
        "create", "-f", "-", stdin=json.dumps({"kind": "List", "apiVersion": "v1", "items": manifests})
    )
    listed = wait_for(
        "all to be listed", lambda: connect(str(cluster.kubeconfig), None).snapshot(operator.namespace).analyses
    )
    assert len({analysis.name for analysis in listed}) == 501
