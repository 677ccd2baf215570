"""The program as a shell sees it: exit codes, streams, terminals, and no traceback, whatever happens."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dealguard_cli.errors import CliReason, ExitStatus
from dealguard_cli.main import cli
from tests.terminal import run_on_terminal

BIN = Path(sys.executable).parent
HEAVY = ("kubernetes", "minio", "pypdfium2", "pypdf", "anthropic", "pydantic", "rich.console", "yaml")
# A machine where nothing is configured; HOME has no kubeconfig.
NOTHING_SET = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def run(
    *arguments: str, program: str = "dealguard", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the installed program, piped."""
    return subprocess.run(
        [BIN / program, *arguments],
        capture_output=True,
        text=True,
        env={**NOTHING_SET, **(env or {})},
        timeout=60,
        check=False,
    )


@pytest.fixture
def pdf(tmp_path: Path) -> str:
    """A file that passes the first checks."""
    path = tmp_path / "lease.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "exit_status", "reason", "words"),
    [
        (["submit"], ExitStatus.BAD_INPUT, "UsageError", "Missing argument"),
        (["submit", "/nowhere.pdf"], ExitStatus.BAD_INPUT, "DocumentNotFound", "there is no such file"),
        (["submit", "PDF", "PDF", "--name", "x"], ExitStatus.BAD_INPUT, "UsageError", "--name goes with one file"),
        (["submit", "PDF", "--max-cost-usd", "much"], ExitStatus.BAD_INPUT, "UsageError", "decimal number"),
        (["submit", "PDF", "--perspective", "a\nb"], ExitStatus.BAD_INPUT, "UsageError", "The party whose interests"),
        (["submit", "PDF", "--engine", "oracle"], ExitStatus.BAD_INPUT, "UsageError", "oracle"),
        (["submit", "PDF"], ExitStatus.UNAVAILABLE, "StorageNotConfigured", "DEALGUARD_S3_ENDPOINT"),
        (["get"], ExitStatus.UNAVAILABLE, "ClusterNotConfigured", "no kubeconfig at ~/.kube/config"),
        (["get", "x", "-A"], ExitStatus.BAD_INPUT, "UsageError", "one namespace"),
        (["report", "x"], ExitStatus.UNAVAILABLE, "ClusterNotConfigured", "KUBECONFIG"),
        (["explain", "x"], ExitStatus.UNAVAILABLE, "ClusterNotConfigured", "KUBECONFIG"),
        (["explain"], ExitStatus.BAD_INPUT, "UsageError", "Missing argument"),
        (["analyze", "/etc/hostname"], ExitStatus.BAD_INPUT, "NotAPDF", "Export the contract as PDF"),
        (["get", ""], ExitStatus.BAD_INPUT, "UsageError", "is not a name"),
        (["get", "Lease"], ExitStatus.BAD_INPUT, "UsageError", "RFC 1123"),
        (["get", "-n", "a.b"], ExitStatus.BAD_INPUT, "UsageError", "is not a name"),
        (["report", "../x"], ExitStatus.BAD_INPUT, "UsageError", "is not a name"),
        (["submit", "PDF", "--name", "a_b"], ExitStatus.BAD_INPUT, "UsageError", "is not a name"),
        (["report", "a.b-1"], ExitStatus.UNAVAILABLE, "ClusterNotConfigured", "KUBECONFIG"),
        (["frobnicate"], ExitStatus.BAD_INPUT, "UsageError", "frobnicate"),
    ],
)
def test_every_error_is_a_sentence_and_an_exit_code(
    arguments: list[str], exit_status: ExitStatus, reason: str, words: str, pdf: str
) -> None:
    filled = [pdf if each == "PDF" else each for each in arguments]
    plain = run(*filled)
    assert plain.returncode == exit_status
    assert plain.stdout == ""
    assert words in plain.stderr
    assert "Traceback" not in plain.stderr

    as_json = run(*filled, "-o", "json")
    assert as_json.returncode == exit_status
    error = json.loads(as_json.stdout)["error"]
    assert error["reason"] == reason
    assert words in error["message"]


def test_a_kubeconfig_that_is_none_is_not_quoted(tmp_path: Path) -> None:
    for content in ("users: [token: SECRET-TOKEN", "- SECRET-TOKEN", "", "contexts: 5", "{}"):
        broken = tmp_path / "config"
        broken.write_text(content)
        answer = run("get", "--kubeconfig", str(broken))
        assert answer.returncode == ExitStatus.UNAVAILABLE, content
        assert "kubectl config view" in answer.stderr
        assert "SECRET-TOKEN" not in answer.stderr


def test_a_context_that_does_not_exist_lists_those_that_do(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: alpha,"
        " clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: u, user: {}}],"
        " contexts: [{name: alpha, context: {cluster: c, user: u}}]}"
    )
    answer = run("get", "--context", "beta", env={"KUBECONFIG": str(config)})
    assert answer.returncode == ExitStatus.UNAVAILABLE
    assert "It has: alpha." in answer.stderr
    unreachable = run("get", env={"KUBECONFIG": f"/nonexistent{os.pathsep}{config}"})
    assert unreachable.returncode == ExitStatus.UNAVAILABLE
    assert "https://127.0.0.1:1 does not answer" in unreachable.stderr
    assert unreachable.stderr.count("\n") == 1, "a library's own warnings are not for users"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dealguard_cli.main import run; code = run(['--help']);"
        f"print(code, [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_help_documents_every_exit_code() -> None:
    shown = run("--help").stdout
    listed = {int(line.split()[0]) for line in shown.splitlines() if line.split() and line.split()[0].isdigit()}
    assert listed == set(ExitStatus) - {ExitStatus.BROKEN_PIPE}


def test_the_reference_documents_every_exit_code_reason_and_option() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    for status in ExitStatus:
        assert f"| {status.value} |" in reference, f"exit code {status.value} is not in docs/cli.md"
    for reason in CliReason:
        assert f"`{reason}`" in reference, f"{reason} is not in docs/cli.md"
    for command in cli.commands.values():
        for parameter in command.params:
            option = max(parameter.opts, key=len)
            if option.startswith("--") and option != "--debug":
                assert f"`{option}" in reference, f"{command.name} {option} is not in docs/cli.md"


@pytest.mark.parametrize(
    ("program", "path", "expected"),
    [
        ("kubectl-dealguard", "/usr/bin", "kubectl dealguard"),
        ("dealguard", str(BIN), "dealguard"),
        ("dealguard", "/usr/bin", str(BIN / "dealguard")),
    ],
)
def test_it_names_itself_as_it_can_be_typed(program: str, path: str, expected: str) -> None:
    assert f"See `{expected} --help`" in run("frobnicate", program=program, env={"PATH": path}).stderr


def test_version_is_data_too() -> None:
    assert run("version").stdout.startswith("dealguard 0.")
    assert json.loads(run("version", "-o", "json").stdout)["apiVersion"] == "dealguard.io/v1alpha1"


def test_colours_are_for_terminals_and_no_color_is_respected() -> None:
    code, shown = run_on_terminal("get")
    assert code == ExitStatus.UNAVAILABLE
    assert "\x1b[1;31mError: " in shown
    _, without = run_on_terminal("get", env={"NO_COLOR": "1"})
    assert "\x1b[1;31m" not in without
    assert "\x1b[31m" not in without
    assert "\x1b" not in run("get").stderr


def test_a_file_name_that_is_no_text_is_still_a_sentence(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe.pdf"
    answer = subprocess.run(
        [os.fsencode(BIN / "dealguard"), b"submit", name, b"-o", b"json"],
        capture_output=True,
        env=NOTHING_SET,
        check=False,
    )
    assert answer.returncode == ExitStatus.BAD_INPUT
    assert json.loads(answer.stdout)["error"]["reason"] == "DocumentNotFound"


def test_a_reader_that_goes_away_is_no_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([BIN / "dealguard", "version"], stdout=write_end, stderr=subprocess.PIPE, check=False)
    os.close(write_end)
    assert done.returncode == ExitStatus.BROKEN_PIPE
    assert done.stderr == b""


@pytest.mark.parametrize("arguments", [("version",), ("version", "-o", "json"), ("get", "-o", "json"), ("--help",)])
def test_a_full_disk_is_a_sentence(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [BIN / "dealguard", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=NOTHING_SET,
            check=False,
        )
        both = subprocess.run([BIN / "dealguard", *arguments], stdout=full, stderr=full, env=NOTHING_SET, check=False)
    assert done.returncode == both.returncode == ExitStatus.OUTPUT_UNWRITABLE
    assert done.stderr.startswith("Error: The output cannot be written: No space left on device.")
    assert done.stderr.count("\n") == 1


def test_a_closed_output_is_a_sentence() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" version >&-', BIN / "dealguard"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == ExitStatus.OUTPUT_UNWRITABLE
    assert "standard output is closed" in done.stderr


def test_no_command_shows_the_help_and_no_error() -> None:
    bare = run()
    assert bare.returncode == ExitStatus.BAD_INPUT
    assert bare.stderr.startswith("Usage:")
    assert "Error" not in bare.stderr


@pytest.mark.parametrize(
    "output", [("-Ao", "json"), ("-Aojson",), ("-ojson",), ("--output=json",), ("--output", "json")]
)
def test_json_is_seen_in_every_spelling(output: tuple[str, ...]) -> None:
    assert json.loads(run("get", *output).stdout)["error"]["reason"] == "ClusterNotConfigured"


def test_debug_shows_where_an_error_came_from() -> None:
    assert "Traceback" in run("get", "--debug").stderr
    assert "Traceback" in run("--debug", "get").stderr


def test_a_defect_is_a_sentence_with_the_next_step() -> None:
    code = (
        "import sys, click; from dealguard_cli import main\n"
        "@main.cli.command()\n"
        "def broken() -> None: raise RuntimeError('contract text')\n"
        "sys.exit(main.run(['broken']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == ExitStatus.DEFECT
    assert done.stderr == (
        "Error: dealguard has a defect (RuntimeError). Run it again with --debug and report what it shows.\n"
    )
