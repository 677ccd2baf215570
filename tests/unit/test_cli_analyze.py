"""`dealguard analyze`: the real analyzer with the rules engine, on this machine."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dealguard_api.report import Report
from dealguard_cli.commands.analyze import Colour, exit_status
from dealguard_cli.errors import ExitStatus
from dealguard_cli.local_analysis import Failure, Outcome
from tests.documents import encrypted_pdf, pdf_with_pages, picture_only_pdf, sample_contract
from tests.reports import report_with
from tests.standins.claude_server import ClaudeStandin
from tests.terminal import run_on_terminal

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


def test_the_default_is_a_table_of_the_risks_and_where_they_stand() -> None:
    answer = analyze(str(sample_contract("de")))
    assert answer.returncode == ExitStatus.OK, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[0] == "saas-vertrag.de.pdf"
    assert "Risiko: hoch (" in lines[2]
    assert [line.split() for line in lines[3:5]] == [[], ["Risiko", "┃", "Wert", "┃", "Befund", "┃", "Seite"]]
    assert re.fullmatch(r"hoch +│ +\d+ │ \w.*│ +\d+", lines[6]), "the worst first, with its page"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in answer.stdout + answer.stderr, "no colours and no bar in a pipe"
    assert "-o html --output-dir DIR" in answer.stderr, "what to do next"


def test_a_terminal_gets_colours_and_a_bar() -> None:
    code, shown = run_on_terminal("analyze", str(sample_contract("en")), str(sample_contract("de")), columns=80)
    assert code == ExitStatus.OK
    assert "\x1b[38;5;208m" in shown, "orange"
    assert re.search(r"━.*[0-2]/2\x1b", shown), "a bar over all files"


def test_a_whole_report_is_the_same_bytes_each_time() -> None:
    once, again = (analyze(str(sample_contract("de")), "-o", "markdown").stdout for _ in range(2))
    assert once == again
    assert once.startswith("# ")


def test_text_puts_the_risk_table_first() -> None:
    text = analyze(str(sample_contract("de")), "-o", "text").stdout.splitlines()
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
        (pdf_with_pages(1), ("--max-seconds", "0.001"), ExitStatus.BAD_INPUT, "DocumentUnreadable", "PDF viewer"),
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


@pytest.fixture(scope="module")
def three_files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A contract, a file that is none, and another contract."""
    folder = tmp_path_factory.mktemp("contracts")
    contents = {
        "lease.pdf": pdf_with_pages(1),
        "broken.pdf": encrypted_pdf("secret"),
        "more/lease.pdf": pdf_with_pages(2),
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return [str(folder / name) for name in contents]


def test_one_bad_file_does_not_stop_the_others(three_files: list[str]) -> None:
    answer = analyze(*three_files)
    assert answer.returncode == ExitStatus.BAD_INPUT
    assert f"Error: {three_files[1]}: " in answer.stderr
    assert "Save a copy without the password" in answer.stderr
    assert "3 of 3: " in answer.stderr, "a sign of life for each file"
    overview = answer.stdout[answer.stdout.index("┃ File") :]
    shown = "".join(line.rpartition("│")[2].strip() for line in overview.splitlines()[2:])
    broken = "broken.pdf: DocumentEncrypted"
    assert shown == f"{three_files[0]}{broken}{three_files[2]}", "by their paths where the names are alike"
    assert "Traceback" not in answer.stderr


def test_several_files_as_json_are_a_list_in_their_order(three_files: list[str]) -> None:
    answer = analyze(*three_files, "-o", "json")
    assert answer.returncode == ExitStatus.BAD_INPUT
    first, second, third = json.loads(answer.stdout)
    assert [first["file"], second["file"], third["file"]] == three_files
    assert [Report.model_validate(each["report"]).document.pages for each in (first, third)] == [1, 2]
    assert second["error"]["reason"] == "DocumentEncrypted"
    assert "report" not in second


def test_each_report_has_a_file_of_its_own(three_files: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "new" / "reports"
    pages = analyze(*three_files, "--output-dir", str(folder))
    assert pages.returncode == ExitStatus.BAD_INPUT
    assert sorted(path.name for path in folder.iterdir()) == ["lease-2.html", "lease.html"]
    assert "Document: lease.pdf" in (folder / "lease-2.html").read_text()
    assert f"Wrote {folder}/lease.html and 1 more beside it." in pages.stderr
    data = analyze(three_files[0], "-O", str(folder), "-o", "json")
    assert data.returncode == ExitStatus.OK
    (listed,) = json.loads(data.stdout)
    assert listed["reportFile"] == str(folder / "lease.json")
    assert listed["risk"] == Report.model_validate_json((folder / "lease.json").read_text()).risk.to_wire()


def test_the_name_of_a_report_cannot_drive_a_terminal(tmp_path: Path) -> None:
    contract = tmp_path / "lease\x1b[2J\n\u202efdp.pdf"
    contract.write_bytes(pdf_with_pages(1))
    answer = analyze(str(contract), "-O", str(tmp_path / "reports"))
    assert answer.returncode == ExitStatus.OK, answer.stderr
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["lease_[2J__fdp.html"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "html"), "name a folder for them with --output-dir"),
        (("-O", "/proc/nowhere"), "Name another folder with --output-dir"),
        (("-O", __file__), "is a file"),
        (("--fail-on", "blue"), "'red', 'orange', 'yellow', 'green'"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_read(
    three_files: list[str], arguments: tuple[str, ...], words: str
) -> None:
    answer = analyze(*three_files, *arguments)
    assert answer.returncode == ExitStatus.BAD_INPUT
    assert words in answer.stderr
    assert " of 3" not in answer.stderr


@pytest.mark.parametrize(
    ("colour", "status"),
    [("red", ExitStatus.OK), ("orange", ExitStatus.RISK_FOUND)],
)
def test_a_pipeline_can_stop_at_a_colour(colour: str, status: ExitStatus) -> None:
    answer = analyze(str(sample_contract("en")), "--engine", "rules", "--fail-on", colour)
    assert answer.returncode == status, "the sample's worst finding is orange"
    assert ("--fail-on" in answer.stderr) == (status == ExitStatus.RISK_FOUND)


CRITICAL = report_with("x")
LOW = CRITICAL.model_copy(update={"findings": CRITICAL.findings[1:]})
NOTHING_FOUND = CRITICAL.model_copy(update={"findings": []})
BAD_FILE = Failure("NotAPDF", "x", ExitStatus.BAD_INPUT)
FAILED = Failure("EngineUnavailable", "x", ExitStatus.ANALYSIS_FAILED)
DEFECT = Failure("InternalError", "x", ExitStatus.DEFECT)


@pytest.mark.parametrize(
    ("results", "fail_on", "status", "why"),
    [
        ([CRITICAL], None, ExitStatus.OK, "a risk is no failure unless asked for"),
        ([LOW, CRITICAL], "red", ExitStatus.RISK_FOUND, "one is enough"),
        ([LOW], "yellow", ExitStatus.OK, "green is below yellow"),
        ([LOW], "green", ExitStatus.RISK_FOUND, "any finding at all"),
        ([NOTHING_FOUND], "green", ExitStatus.OK, "no finding"),
        ([CRITICAL, BAD_FILE], "red", ExitStatus.BAD_INPUT, "not all were examined: that weighs more"),
        ([FAILED, BAD_FILE], None, ExitStatus.BAD_INPUT, "bad input before a failure"),
        ([FAILED, CRITICAL], "red", ExitStatus.ANALYSIS_FAILED, "a failure before a risk"),
        ([BAD_FILE, DEFECT], None, ExitStatus.DEFECT, "a defect before everything"),
    ],
)
def test_the_exit_code_of_several_files(
    results: list[Report | Failure], fail_on: Colour | None, status: ExitStatus, why: str
) -> None:
    assert exit_status([Outcome(Path("x.pdf"), result) for result in results], fail_on) == status, why


def test_ctrl_c_ends_all_workers(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf_with_pages(1500))
    process = subprocess.Popen(
        [PROGRAM, "analyze", path, path, sample_contract("en")],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while len(workers := descendants(process.pid)) < 4:  # two workers, each with a reader
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=30)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert (out, err.splitlines()[-1]) == ("", "Error: Interrupted.")
    assert "Traceback" not in err
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < end, "a worker lives on"
        time.sleep(0.05)


def test_ctrl_c_while_the_json_is_printed_adds_no_second_document() -> None:
    process = subprocess.Popen(
        [PROGRAM, "analyze", sample_contract("en"), sample_contract("en"), "--engine", "rules", "-o", "json"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    process.stdout.read(1)  # it has begun; a pipe does not hold the rest, so the program waits for its reader
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert err.endswith("Error: Interrupted.\n")
    assert '"error"' not in out


def descendants(pid: int) -> list[int]:
    """The processes that `pid` started, and those that they started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, children) for each in (child, *descendants(child))]


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
