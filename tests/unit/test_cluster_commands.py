"""What a person reads when the local cluster cannot do something: one sentence, and what to do instead."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dealguard_cluster import cgroups, cli, packages, preflight
from dealguard_cluster.commands import follow, run
from dealguard_cluster.console import Console
from dealguard_cluster.errors import CommandFailedError

GB = 10**9


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (lambda: preflight.platform_problem("darwin"), "needs Linux, and this is darwin; use `make deploy`"),
        (lambda: preflight.user_problem(1000), "needs root .* sudo, or use `make deploy`"),
        (lambda: preflight.cgroup_problem({"cpu", "cpuset"}), "no control group for memory.* `make deploy`"),
        (lambda: preflight.disk_problem(5 * GB, 90 * GB, built=False), "5.0 GB free and .* 11 GB.*DEALGUARD_CACHE"),
        (lambda: preflight.disk_problem(90 * GB, 1 * GB, built=False), "1.0 GB free and .* 2 GB.*DEALGUARD_STATE"),
    ],
    ids=["not Linux", "not root", "no cgroup", "disk too small to build", "disk too small to run"],
)
def test_unfit_machine(problem: Callable[[], str | None], says: str) -> None:
    message = problem()
    assert message is not None
    assert re.search(says, message), message
    assert message.count(". ") == 0, "one sentence"


@pytest.mark.parametrize(
    "problem",
    [
        preflight.platform_problem("linux"),
        preflight.user_problem(0),
        preflight.cgroup_problem({"cpu", "cpuset", "memory", "pids"}),
        preflight.disk_problem(12 * GB, 3 * GB, built=False),
        preflight.disk_problem(3 * GB, 3 * GB, built=True),
    ],
    ids=["Linux", "root", "all controllers", "room to build", "room to run what is built"],
)
def test_fit_machine(problem: str | None) -> None:
    assert problem is None


def test_free_space_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert preflight.free_bytes(tmp_path / "not" / "yet") == pytest.approx(preflight.free_bytes(tmp_path), rel=0.1)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cgroup.controllers": "cpuset cpu memory pids\n"}, {"cpuset", "cpu", "memory", "pids"}),
        ({"cpu,cpuacct/cgroup.procs": "", "memory/cgroup.procs": "", "empty/x": ""}, {"cpu", "cpuacct", "memory"}),
    ],
    ids=["version 2", "version 1"],
)
def test_controllers(files: dict[str, str], expected: set[str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cgroups.controllers(tmp_path) == expected


def test_a_machine_without_control_groups(tmp_path: Path) -> None:
    assert cgroups.controllers(tmp_path / "none") == set()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--name", "Bad_Name", "up"], 2, "'Bad_Name' cannot name a cluster"),
        (["--name", "never-made", "kubeconfig"], 1, "no cluster named 'never-made'.*make cluster-up"),
        (["--name", "never-made", "env"], 1, "no cluster named 'never-made'"),
        (["--name", "never-made", "logs"], 1, "no cluster named 'never-made'"),
        (["--name", "never-made", "status"], 1, "is not running; `make cluster-up`"),
        (["--name", "never-made", "load-image", "x.tar", "x"], 1, "no cluster named 'never-made'"),
    ],
    ids=lambda value: " ".join(value[2:]) if isinstance(value, list) else None,
)
def test_command_says_what_is_wrong(
    arguments: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DEALGUARD_STATE", str(tmp_path))
    assert cli.main(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == "", "standard output is for results"
    assert re.search(says, printed.err), printed.err
    assert "Traceback" not in printed.err


def test_ending_what_is_not_there_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALGUARD_STATE", str(tmp_path))
    assert cli.main(["--name", "never-made", "down"]) == 0
    assert cli.main(["--name", "never-made", "delete"]) == 0


def test_missing_packages(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    needed = {str(tmp_path / "there"): "one", str(tmp_path / "missing"): "two"}
    assert packages.missing_packages(needed) == ["two"]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["sh", "-c", "echo reason >&2; exit 3"], r"Could not try: sh ended with code 3\.\n    reason"),
        (["sh", "-c", "echo reason; exit 3"], r"ended with code 3\.\n    reason"),
        (["/nowhere/program"], "Could not try: /nowhere/program is not on this machine"),
        (["sleep", "5"], "took longer than"),
    ],
    ids=["standard error", "standard output", "no such program", "too slow"],
)
def test_failure_of_a_program(argv: list[str], says: str) -> None:
    with pytest.raises(CommandFailedError, match=says):
        run(argv, what="try", timeout_seconds=0.3)


def test_long_program_is_followed() -> None:
    seen: list[str] = []
    with pytest.raises(CommandFailedError, match=r"Could not build it\.\n    one\n    two\nTry again\."):
        follow(["sh", "-c", "echo one; echo two >&2; exit 1"], seen.append, what="build it", advice="Try again.")
    assert seen == ["one", "two"]


def test_piped_progress_is_plain() -> None:
    stream = io.StringIO()
    console = Console(stream)
    with console.step("Building it") as step:
        for number in range(1000):
            step.update(str(number))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "  Building it ..."
    assert lines[-1].startswith("✔ Building it (")
    assert len(lines) == 2, "a log is no place for a thousand updates"
    assert "\x1b" not in stream.getvalue()


def test_failed_step_is_marked() -> None:
    stream = io.StringIO()

    def fail() -> None:
        with Console(stream).step("Building it"):
            raise CommandFailedError("no")

    with pytest.raises(CommandFailedError):
        fail()
    assert "✘ Building it: failed" in stream.getvalue()
