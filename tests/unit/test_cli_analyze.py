"""`dealguard analyze`: the real analyzer with the rules engine, on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dealguard_api.report import Report
from dealguard_cli.errors import ExitStatus
from tests.documents import encrypted_pdf, pdf_with_pages, picture_only_pdf, sample_contract
from tests.standins.claude_server import ClaudeStandin

PROGRAM = Path(sys.executable).with_name("dealguard")
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def analyze(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `dealguard analyze`, piped."""
    return subprocess.run(
        [PROGRAM, "analyze", *arguments],
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_sample_gives_a_report_whose_quotes_stand_in_it(language: str) -> None:
    answer = analyze(str(sample_contract(language)), "--engine", "rules", "-o", "json")
    assert answer.returncode == ExitStatus.OK, answer.stderr
    report = Report.model_validate_json(answer.stdout)
    assert report.document.language == language
    assert report.engine.name == "rules"
    citations = [citation for finding in report.findings for citation in finding.citations]
    assert citations
    assert all(citation.verified for citation in citations)
    assert "reading, 5 pages" in answer.stderr
    assert "analysing" in answer.stderr


def test_a_pipe_gets_markdown_and_text_puts_the_risk_table_first() -> None:
    sample = str(sample_contract("de"))
    piped = analyze(sample)
    assert piped.returncode == ExitStatus.OK, piped.stderr
    assert piped.stdout.startswith("#")
    assert piped.stdout == analyze(sample, "-o", "markdown").stdout, "the same input, the same bytes"
    text = analyze(sample, "-o", "text").stdout.splitlines()
    assert text[0] == "saas-vertrag.de.pdf"
    assert text[2].split() == ["Risiko", "┃", "Wert", "┃", "Befund", "┃", "Seite"], "in the contract's language"
    assert sum("┃" in line for line in text) == 1, "one risk table, not two"


@pytest.mark.parametrize(
    ("content", "arguments", "exit_status", "reason", "next_step"),
    [
        (b"", (), ExitStatus.BAD_INPUT, "DocumentEmpty", "Save or download it again"),
        (b"Dear Sirs", (), ExitStatus.BAD_INPUT, "NotAPDF", "Export the contract as PDF"),
        (pdf_with_pages(1), ("--max-pdf-bytes", "100"), ExitStatus.BAD_INPUT, "DocumentTooLarge", "--max-pdf-bytes"),
        (pdf_with_pages(3), ("--max-pages", "2"), ExitStatus.BAD_INPUT, "TooManyPages", "raise --max-pages"),
        (encrypted_pdf("secret"), (), ExitStatus.BAD_INPUT, "DocumentEncrypted", "without the password"),
        (picture_only_pdf(), (), ExitStatus.BAD_INPUT, "NoTextLayer", "It needs OCR"),
        (b"%PDF-1.7\n" + b"\0" * 500, (), ExitStatus.BAD_INPUT, "DocumentUnreadable", "print it to a new PDF"),
        (
            pdf_with_pages(1),
            ("--engine", "claude"),
            ExitStatus.UNAVAILABLE,
            "APIKeyMissing",
            "Set ANTHROPIC_API_KEY to the key, or use --engine rules.",
        ),
    ],
)
def test_each_failure_has_its_reason_and_a_step_for_this_machine(
    tmp_path: Path, content: bytes, arguments: tuple[str, ...], exit_status: ExitStatus, reason: str, next_step: str
) -> None:
    path = tmp_path / "contract.pdf"
    path.write_bytes(content)
    as_json = analyze(str(path), *arguments, "-o", "json")
    assert as_json.returncode == exit_status
    error = json.loads(as_json.stdout)["error"]
    assert error["reason"] == reason
    assert next_step in error["message"]
    assert "spec." not in error["message"], "there is no resource here"
    assert "installation" not in error["message"], "there is no installation here"


def test_it_knows_nothing_of_clusters() -> None:
    code = (
        "import sys; from dealguard_cli.main import run\n"
        f"assert run(['analyze', {str(sample_contract('en'))!r}, '--engine', 'rules', '-o', 'json']) == 0\n"
        "print([name for name in ('kubernetes', 'minio', 'anthropic') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may take the network away from a process")
def test_the_rules_engine_needs_no_network() -> None:
    done = subprocess.run(
        ["unshare", "--net", PROGRAM, "analyze", sample_contract("en"), "--engine", "rules", "-o", "json"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitStatus.OK, done.stderr


def test_ctrl_c_ends_it_and_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf_with_pages(1500))
    process = subprocess.Popen(
        [PROGRAM, "analyze", path], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    process.stderr.readline()  # the first page was read
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert err.endswith("Error: Interrupted.\n")
    assert "Traceback" not in err
    end = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < end, "a child lives on"
        time.sleep(0.05)


def test_a_newline_after_the_key_does_no_harm() -> None:
    with ClaudeStandin() as server:
        answer = analyze(
            *(str(sample_contract("en")), "-o", "json"), ANTHROPIC_API_KEY="a-key\n", ANTHROPIC_BASE_URL=server.url
        )
    assert answer.returncode == ExitStatus.OK, answer.stderr


@pytest.mark.parametrize("base_url", ["localhost:8080", "ftp://x", "http://", "http://[::1"])
def test_an_address_of_claude_that_is_no_url_is_named(base_url: str) -> None:
    answer = analyze(str(sample_contract("en")), ANTHROPIC_API_KEY="a-key", ANTHROPIC_BASE_URL=base_url)
    assert answer.returncode == ExitStatus.BAD_INPUT
    assert "ANTHROPIC_BASE_URL is not an http or https URL" in answer.stderr


def test_claude_is_chosen_by_its_key() -> None:
    with ClaudeStandin() as server:
        answer = analyze(
            *(str(sample_contract("en")), "-o", "json"), ANTHROPIC_API_KEY="a-key", ANTHROPIC_BASE_URL=server.url
        )
    assert answer.returncode == ExitStatus.OK, answer.stderr
    assert Report.model_validate_json(answer.stdout).engine.name == "claude"


@pytest.mark.parametrize(
    ("key", "arguments", "reason", "next_step"),
    [
        ("standin:unauthorized", (), "APIKeyRejected", "Correct the key in ANTHROPIC_API_KEY, or use --engine rules."),
        ("standin:refusal", (), "ModelRefused", "Check that it is a contract"),
        ("a-key", ("--max-cost-usd", "0.0001"), "CostLimitExceeded", "Raise --max-cost-usd"),
    ],
)
def test_a_failure_of_claude_never_shows_the_key(
    key: str, arguments: tuple[str, ...], reason: str, next_step: str
) -> None:
    with ClaudeStandin() as server:
        answer = analyze(
            *(str(sample_contract("en")), *arguments, "-o", "json"),
            ANTHROPIC_API_KEY=key,
            ANTHROPIC_BASE_URL=server.url,
        )
    assert answer.returncode == ExitStatus.ANALYSIS_FAILED
    error = json.loads(answer.stdout)["error"]
    assert error["reason"] == reason
    assert next_step in error["message"]
    assert "spec." not in error["message"]
    assert key not in answer.stdout + answer.stderr
