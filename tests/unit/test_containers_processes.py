"""The two containers as the kubelet runs them: a process, its files, its exit code, its signals."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dealguard_analyzer.containers.handover import write_document
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import AnalyzeOutcome, ExtractOutcome, RunIdentity
from dealguard_api.report import Report
from tests import odd_pdfs as make
from tests.standins.claude_server import ClaudeStandin
from tests.standins.presigned_storage import SIGNATURE, PresignedStorage
from tests.unit.claude_cases import long_contract

DOCUMENT = "documents/team-a/contract.pdf"
REPORT = "reports/team-a/uid/1.json"
CHECKPOINT = "reports/team-a/uid/1.checkpoint.json"
SENTENCES = [
    "Dieser Dienstleistungsvertrag wird zwischen der Alpha GmbH und der Beta AG geschlossen.",
    "Die Haftung des Auftragnehmers ist der Höhe nach unbegrenzt.",
    "Der Vertrag verlängert sich automatisch um jeweils zwei Jahre, wenn er nicht gekündigt wird.",
    "Es gilt das Recht der Bundesrepublik Deutschland. Gerichtsstand ist Hamburg.",
]
CONTRACT = make.pdf_of_lines(SENTENCES)


@dataclass
class Pod:
    """The files of a pod, and its two processes."""

    folder: Path
    storage: PresignedStorage
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("secret", "api-key", "work"):
            (self.folder / name).mkdir()
        self.set_secret("document-url", self.storage.url(DOCUMENT))
        self.set_secret("report-get-url", self.storage.url(REPORT))
        self.set_secret("report-put-url", self.storage.url(REPORT))
        for action in ("get", "put", "delete"):
            self.set_secret(f"checkpoint-{action}-url", self.storage.url(CHECKPOINT))
        self.set_deadline(120)

    def set_secret(self, key: str, value: str) -> None:
        (self.folder / "secret" / key).write_text(value)

    def set_deadline(self, seconds: float) -> None:
        self.set_secret("deadline", (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat())

    def start(self, container: str, *wrapper: str) -> "subprocess.Popen[str]":
        command = [
            *wrapper,
            *(sys.executable, "-m", "dealguard_analyzer", container),
            *("--secret-dir", f"{self.folder}/secret", "--api-key-dir", f"{self.folder}/api-key"),
            *("--work-dir", f"{self.folder}/work", "--termination-message", f"{self.folder}/termination-log"),
        ]
        environment = {
            "PATH": os.environ["PATH"],
            "DEALGUARD_ENGINE": "rules",
            "DEALGUARD_REPORT_KEY": REPORT,
            **self.environment,
        }
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, container: str) -> tuple[int, str]:
        """Exit code and log."""
        process = self.start(container)
        log, _ = process.communicate()
        return process.returncode, log

    @property
    def message(self) -> str:
        return (self.folder / "termination-log").read_text()


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    with PresignedStorage() as storage:
        storage.objects[DOCUMENT] = CONTRACT
        yield Pod(tmp_path, storage)


def test_a_contract_from_document_to_report(pod: Pod) -> None:
    code, extract_log = pod.run("extract")
    assert code == ExitCode.OK, extract_log
    document = ExtractOutcome.model_validate_json(pod.message).document
    assert document is not None
    assert (document.pages, document.language) == (1, "de")
    assert document.sha256 == hashlib.sha256(CONTRACT).hexdigest()
    assert [path.name for path in (pod.folder / "work").iterdir()] == ["text.jsonl"]  # the PDF is gone

    code, analyze_log = pod.run("analyze")
    assert code == ExitCode.OK, analyze_log
    outcome = AnalyzeOutcome.model_validate_json(pod.message)
    stored = pod.storage.objects[REPORT]
    report = Report.model_validate_json(stored)
    assert outcome.result is not None
    assert outcome.result.report.key == REPORT
    assert outcome.result.report.sha256 == hashlib.sha256(stored).hexdigest()
    assert outcome.result.risk_score == report.risk.score
    assert report.document == document

    assert_discreet(extract_log + analyze_log)
    assert [json.loads(line)["event"] for line in extract_log.splitlines()] == ["fetched", "read", "ended"]
    assert [json.loads(line)["event"] for line in analyze_log.splitlines()] == ["analysed", "stored", "ended"]


def test_every_line_says_which_run_it_is_about(pod: Pod) -> None:
    identity = RunIdentity(analysis_uid="26c3fb45", analysis_namespace="acme", analysis_name="lease", run=2)
    pod.environment |= identity.to_environment()
    logs = [pod.run("extract")[1], pod.run("analyze")[1]]
    pod.set_secret("document-url", "http://127.0.0.1:9/the-url?X-Amz-Signature=secret")
    (pod.folder / "work" / "text.jsonl").unlink()
    logs += [pod.run("extract")[1], pod.run("analyze")[1]]  # what fails says so as well
    lines = [json.loads(line) for log in logs for line in log.splitlines()]
    assert [line["event"] for line in lines].count("ended") == 4
    assert [line["reason"] for line in lines if line["event"] == "ended"][:2] == ["Completed", "Completed"]
    for line in lines:
        assert {key: line[key] for key in ("uid", "namespace", "name", "run")} == {
            "uid": "26c3fb45",
            "namespace": "acme",
            "name": "lease",
            "run": 2,
        }, line
    assert_discreet("".join(logs))
    assert "X-Amz-Signature" not in "".join(logs)


def test_a_report_that_an_earlier_attempt_stored_is_not_made_again(pod: Pod) -> None:
    pod.run("extract")
    pod.run("analyze")
    first = pod.message
    (pod.folder / "work" / "text.jsonl").unlink()  # so nothing could be analysed
    code, log = pod.run("analyze")
    assert code == ExitCode.OK, log
    assert pod.message == first
    assert pod.storage.requests.count(f"PUT {REPORT}") == 1


def test_a_report_that_another_attempt_stored_meanwhile_is_the_one(pod: Pod) -> None:
    pod.run("extract")
    pod.run("analyze")
    stored = pod.storage.objects[REPORT].replace(b'"findings":', b'"findings": ')
    pod.storage.objects[REPORT] = stored
    pod.storage.faults[f"GET {REPORT}"] = [404]  # it comes between the question and the answer
    code, log = pod.run("analyze")
    assert code == ExitCode.OK, log
    outcome = AnalyzeOutcome.model_validate_json(pod.message)
    assert outcome.result is not None
    assert outcome.result.report.sha256 == hashlib.sha256(stored).hexdigest()
    assert pod.storage.objects[REPORT] == stored


BAD_DOCUMENTS: list[tuple[str, dict[str, Any], ExitCode]] = [
    ("missing", {"pdf": None}, ExitCode.DOCUMENT_NOT_FOUND),
    ("empty", {"pdf": b""}, ExitCode.DOCUMENT_EMPTY),
    ("not a PDF", {"pdf": b"PK\x03\x04"}, ExitCode.NOT_A_PDF),
    ("too large", {"max_pdf_bytes": "100"}, ExitCode.DOCUMENT_TOO_LARGE),
    ("another file", {"expected_sha256": "0" * 64}, ExitCode.CHECKSUM_MISMATCH),
    ("encrypted", {"pdf": make.encrypted(CONTRACT, "x")}, ExitCode.DOCUMENT_ENCRYPTED),
    ("damaged", {"pdf": b"%PDF-1.7"}, ExitCode.DOCUMENT_UNREADABLE),
    ("too many pages", {"pdf": make.pdf_of_lines(*[SENTENCES] * 3), "max_pages": "2"}, ExitCode.TOO_MANY_PAGES),
    ("a scan", {"pdf": make.scanned_pdf()}, ExitCode.NO_TEXT_LAYER),
    ("a setting that is none", {"max_pages": "many"}, ExitCode.INTERNAL_ERROR),
]


@pytest.mark.parametrize(("case", "code"), [c[1:] for c in BAD_DOCUMENTS], ids=[c[0] for c in BAD_DOCUMENTS])
def test_extract_says_why_not(case: dict[str, Any], code: ExitCode, pod: Pod) -> None:
    settings = dict(case)
    pdf = settings.pop("pdf", CONTRACT)
    if pdf is None:
        del pod.storage.objects[DOCUMENT]
    else:
        pod.storage.objects[DOCUMENT] = pdf
    pod.environment = {f"DEALGUARD_{name.upper()}": value for name, value in settings.items()}
    ended, log = pod.run("extract")
    failure = ExtractOutcome.model_validate_json(pod.message).failure
    assert (ended, failure and failure.reason) == (code, code.reason)
    assert not list((pod.folder / "work").iterdir())
    assert_discreet(log + pod.message)


def test_an_expired_url(pod: Pod) -> None:
    pod.set_secret("document-url", pod.storage.url(DOCUMENT, signature="0ld516"))
    code, log = pod.run("extract")
    assert code == ExitCode.STORAGE_UNAVAILABLE
    assert "expired" in pod.message
    assert "0ld516" not in log + pod.message


@pytest.mark.parametrize(
    ("container", "key", "value"),
    [
        pytest.param("extract", "document-url", None, id="no document URL"),
        pytest.param("extract", "deadline", None, id="no deadline"),
        pytest.param("extract", "deadline", "tomorrow", id="a deadline that is no time"),
        pytest.param("extract", "deadline", "2036-01-01T00:00:00", id="a deadline without a time zone"),
        pytest.param("analyze", "report-get-url", None, id="no report URL"),
    ],
)
def test_a_secret_that_is_not_whole(container: str, key: str, value: str | None, pod: Pod) -> None:
    if value is None:
        (pod.folder / "secret" / key).unlink()
    else:
        pod.set_secret(key, value)
    code, log = pod.run(container)
    assert code == ExitCode.INTERNAL_ERROR
    assert key in pod.message
    assert "Traceback" not in log


def test_analyze_without_the_text(pod: Pod) -> None:
    code, _ = pod.run("analyze")
    assert code == ExitCode.INTERNAL_ERROR
    assert "extract container" in pod.message


def test_what_nobody_expected_is_named_without_its_words(pod: Pod) -> None:
    (pod.folder / "work").rmdir()
    (pod.folder / "work").write_text("a file where the volume should be")
    code, log = pod.run("extract")
    assert code == ExitCode.INTERNAL_ERROR
    assert "NotADirectoryError" in pod.message
    assert "Traceback" not in log
    assert str(pod.folder) not in log + pod.message


# As PID 1 of its own namespace, as in a container, where a signal without a handler is ignored.
AS_PID_1 = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
_CAN_UNSHARE = sys.platform == "linux" and os.geteuid() == 0


@pytest.mark.parametrize("wrapper", [(), AS_PID_1], ids=["a process", "PID 1"])
@pytest.mark.parametrize("container", ["extract", "analyze"])
def test_sigterm_ends_it_at_once(container: str, wrapper: tuple[str, ...], pod: Pod) -> None:
    if wrapper and not _CAN_UNSHARE:
        pytest.skip("a PID namespace needs root on Linux")
    stalled = DOCUMENT if container == "extract" else REPORT
    pod.storage.faults[f"GET {stalled}"] = ["stall"]
    process = pod.start(container, *wrapper)
    while not pod.storage.requests:  # it is waiting for the storage now
        time.sleep(0.02)
    pid = process.pid if not wrapper else _child(process.pid)
    started = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    log, _ = process.communicate()
    assert process.returncode == ExitCode.TERMINATED
    assert time.monotonic() - started < 5  # the pod's grace period; it takes milliseconds
    assert json.loads(pod.message)["failure"]["reason"] == "Terminated"
    assert_discreet(log + pod.message)


@pytest.mark.parametrize("container", ["extract", "analyze"])
def test_the_deadline_ends_it(container: str, pod: Pod) -> None:
    pod.set_deadline(0)
    pod.storage.faults[f"GET {DOCUMENT}"] = [503, "stall"]
    pod.storage.faults[f"GET {REPORT}"] = [503, "stall"]
    code, _ = pod.run(container)
    assert code == ExitCode.DEADLINE_EXCEEDED
    assert json.loads(pod.message)["failure"]["reason"] == "DeadlineExceeded"


@pytest.mark.parametrize(
    ("storage_ahead_seconds", "deadline_seconds"),
    [
        pytest.param(-60, -30, id="this node's clock is a minute ahead"),
        pytest.param(60, 30, id="the storage's is"),
    ],
)
def test_a_clock_that_is_ahead_ends_nothing(storage_ahead_seconds: float, deadline_seconds: float, pod: Pod) -> None:
    """By that clock the run, which has half a minute left, is over."""
    pod.storage.clock_ahead_seconds = storage_ahead_seconds
    pod.set_deadline(deadline_seconds)
    for container in ("extract", "analyze"):
        code, log = pod.run(container)
        assert code == ExitCode.OK, log


def test_sigterm_ends_the_wait_for_a_storage_that_is_away(pod: Pod) -> None:
    pod.run("extract")
    pod.storage.faults[f"PUT {REPORT}"] = [503] * 1000
    process = pod.start("analyze")
    while f"PUT {REPORT}" not in pod.storage.requests:
        time.sleep(0.02)
    started = time.monotonic()
    process.terminate()
    process.communicate()
    assert process.returncode == ExitCode.TERMINATED
    assert time.monotonic() - started < 5


def test_sigterm_while_reading_leaves_no_child(pod: Pod) -> None:
    pod.storage.objects[DOCUMENT] = make.slow_pdf(make.PROSE)
    pod.environment = {"DEALGUARD_MAX_SECONDS_PER_PAGE": "60", "DEALGUARD_MAX_MEMORY_BYTES": str(1 << 34)}
    process = pod.start("extract")
    while not (children := _children(process.pid)):
        time.sleep(0.02)
    process.terminate()
    process.communicate()
    assert process.returncode == ExitCode.TERMINATED
    while Path(f"/proc/{children[0]}/exe").exists():  # the test's own timeout is the limit
        time.sleep(0.02)


def test_sigterm_leaves_what_was_spent(pod: Pod) -> None:
    pod.run("extract")
    (pod.folder / "api-key" / "api-key").write_text("standin:overloaded_mid,silent\n")
    with ClaudeStandin() as claude:
        pod.environment = {"DEALGUARD_ENGINE": "claude", "DEALGUARD_ANTHROPIC_BASE_URL": claude.url}
        process = pod.start("analyze")
        while claude.calls() < 2:  # the first answer broke off and is billed; the second never comes
            time.sleep(0.02)
        process.terminate()
        log, _ = process.communicate()
    assert process.returncode == ExitCode.TERMINATED
    usage = AnalyzeOutcome.model_validate_json(pod.message).usage
    assert usage is not None
    assert usage.input_tokens > 0
    assert float(usage.cost_usd) > 0
    assert_discreet(log + pod.message)
    assert "standin" not in log + pod.message


def test_an_attempt_that_died_after_paying_is_not_paid_again(pod: Pod) -> None:
    """Two windows answered, then the pod is taken away; the next attempt asks about the rest."""
    write_document(pod.folder / "work" / "text.jsonl", long_contract())
    key = pod.folder / "api-key" / "api-key"
    with ClaudeStandin() as claude:
        pod.environment = {
            "DEALGUARD_ENGINE": "claude",
            "DEALGUARD_ANTHROPIC_BASE_URL": claude.url,
            "DEALGUARD_MAX_INPUT_TOKENS": "10000",
        }
        key.write_text("standin:ok,ok,silent")
        process = pod.start("analyze")
        while claude.calls() < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.terminate()
        first_log, _ = process.communicate()
        assert process.returncode == ExitCode.TERMINATED
        first = AnalyzeOutcome.model_validate_json(pod.message).usage
        assert CHECKPOINT in pod.storage.objects and REPORT not in pod.storage.objects
        asked = _windows(claude)[:2]
        claude.requests.clear()

        key.write_text("standin:ok")
        code, second_log = pod.run("analyze")
        assert code == ExitCode.OK, second_log
        assert claude.calls() >= 1
        assert not set(asked) & set(_windows(claude)), "no finished window is asked about again"
    second = AnalyzeOutcome.model_validate_json(pod.message).usage
    report = Report.model_validate_json(pod.storage.objects[REPORT])
    assert first is not None and second is not None
    assert report.usage == first + second, "each attempt told its own part, the report has all of it"
    assert sorted({clause.citation.page for clause in report.clauses}) == list(range(1, 21))
    assert CHECKPOINT not in pod.storage.objects, "it is removed once the report is stored"
    assert_discreet(first_log + second_log)
    assert "liability" not in first_log + second_log


def _windows(claude: ClaudeStandin) -> list[str]:
    bodies = [request.body for request in claude.requests if request.path == "/v1/messages"]
    return [body["messages"][0]["content"][0]["text"] for body in bodies]


@pytest.mark.parametrize("arguments", [[], ["train"], ["extract", "--password", "x"]], ids=" ".join)
def test_a_wrong_command_line_is_pythons_own_code(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "dealguard_analyzer", *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2


def test_extract_loads_no_engine_and_analyze_no_parser() -> None:
    code = "import sys; from dealguard_analyzer.containers import {}; print(*sys.modules)"
    for container, unwanted in (
        ("extract", {"anthropic", "dealguard_analyzer.engines", "pypdfium2", "pypdf"}),
        ("analyze", {"anthropic", "pypdfium2", "pypdf"}),
    ):
        command = [sys.executable, "-c", code.format(container)]
        loaded = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
        assert not unwanted & set(loaded)


def assert_discreet(text: str) -> None:
    """Neither a URL's signature nor a word of the contract nor a traceback."""
    assert SIGNATURE not in text
    assert "X-Amz" not in text
    assert "Traceback" not in text
    assert not any(sentence[:30] in text for sentence in SENTENCES)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _child(pid: int) -> int:
    (child,) = _children(pid)
    return child
