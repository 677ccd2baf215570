"""What a person reads when the local cluster cannot do something: one sentence, and what to do instead."""

import fcntl
import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dealguard_cluster import cgroups, cli, packages, preflight
from dealguard_cluster.commands import follow, run
from dealguard_cluster.console import Console
from dealguard_cluster.errors import CommandFailedError
from dealguard_cluster.locks import locked

GB = 10**9

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="these commands are for root")


def need(variable: str, needed_gb: int, free_gb: int, device: int = 1) -> preflight.Need:
    return preflight.Need(Path("/folder", variable), variable, needed_gb * GB, device, free_gb * GB)


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (lambda: preflight.platform_problem("darwin"), "needs Linux, and this is darwin; use `make deploy`"),
        (lambda: preflight.user_problem(1000), "needs root .* sudo, or use `make deploy`"),
        (lambda: preflight.cgroup_problem({"cpu", "cpuset"}), "no control group for memory.* `make deploy`"),
        (lambda: preflight.disk_problem([need("A", 2, 90), need("B", 2, 1, device=2)]), "/B has 1.0 GB.* 2 GB.*set B"),
        (lambda: preflight.disk_problem([need("A", 3, 4), need("B", 2, 4)]), "4.0 GB free.* 5 GB.*set A or B to"),
    ],
    ids=["not Linux", "not root", "no cgroup", "one of two disks too small", "room for one, not for both"],
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
        preflight.disk_problem([need("A", 3, 5), need("B", 2, 5)]),
        preflight.disk_problem([need("A", 3, 3), need("B", 2, 2, device=2)]),
        preflight.disk_problem([]),
    ],
    ids=["Linux", "root", "all controllers", "room for both", "two disks", "nothing needed"],
)
def test_fit_machine(problem: str | None) -> None:
    assert problem is None


def test_room_is_looked_for_where_a_folder_will_be(tmp_path: Path) -> None:
    assert preflight.nearest_existing(tmp_path / "not" / "yet") == tmp_path


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


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data with one instance, `begun`, of which only the number is recorded."""
    monkeypatch.setenv("DEALGUARD_STATE", str(tmp_path))
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "index").write_text("9")
    return tmp_path


@pytest.fixture
def other_user(state: Path) -> Iterator[None]:
    os.seteuid(65534)
    yield
    os.seteuid(0)


@as_root
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--name", "Bad_Name", "up"], 2, "'Bad_Name' cannot name a cluster"),
        (["--name", "never-made", "kubeconfig"], 1, "no cluster named 'never-made'.*--name never-made up"),
        (["--name", "never-made", "env"], 1, "no cluster named 'never-made'"),
        (["--name", "never-made", "logs"], 1, "no cluster named 'never-made'"),
        (["--name", "never-made", "status"], 1, "no cluster named 'never-made'"),
        (["--name", "never-made", "load-image", "x.tar", "x"], 1, "no cluster named 'never-made'"),
        (["--name", "begun", "kubeconfig"], 1, "is not set up: run .*--name begun up"),
        (["--name", "begun", "env"], 1, "is not set up: run .*--name begun up"),
        (["--name", "begun", "status"], 1, "is not running; start it with .*--name begun up"),
        (["--name", "begun", "load-image", "x.tar", "x"], 1, "is not running; start it with .*--name begun up"),
        (["--name", "begun", "build-images"], 1, "is not running; start it with .*--name begun up"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, list) else None,
)
def test_command_says_what_is_wrong(
    arguments: list[str], code: int, says: str, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == "", "standard output is for results"
    assert re.search(says, printed.err), printed.err
    assert "Traceback" not in printed.err


@as_root
@pytest.mark.parametrize(
    "verb",
    [["status"], ["down"], ["delete"], ["env"], ["logs"], ["load-image", "x.tar", "x"], ["build-images"]],
    ids=" ".join,
)
def test_other_users_are_told_to_be_root(verb: list[str], other_user: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--name", "begun", *verb]) == 2
    assert "needs root" in capsys.readouterr().err


@as_root
def test_what_the_system_refuses_is_one_sentence(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "begun" / "logs" / "etcd.log").mkdir(parents=True)
    assert cli.main(["--name", "begun", "logs", "etcd"]) == 1
    assert re.fullmatch(r"Could not logs: Is a directory \(.*etcd\.log\); correct that.*\n", capsys.readouterr().err)


@as_root
def test_a_reader_that_has_seen_enough_is_no_error(state: Path) -> None:
    (state / "begun" / "logs").mkdir()
    (state / "begun" / "logs" / "etcd.log").write_text("line\n" * 100_000)
    command = [sys.executable, "-m", "dealguard_cluster", "--name", "begun", "logs", "etcd", "--lines", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_waiting_for_a_lock_is_told_once(tmp_path: Path) -> None:
    """And the lock may be removed by who holds it: the one who waits takes that of the new file."""
    file, stream = tmp_path / "x.lock", SignallingStream()
    taken = threading.Event()

    def wait() -> None:
        with locked(file, Console(stream)):
            taken.set()

    waiting = threading.Thread(target=wait)
    with locked(file, Console()):
        waiting.start()
        assert stream.written.wait(10)
        assert not taken.is_set()
        file.unlink()
    waiting.join(10)
    assert taken.is_set()
    assert file.exists(), "the lock was taken on the file that others see"
    assert stream.getvalue().count("waiting for another command on this machine") == 1


def test_free_lock_says_nothing(tmp_path: Path) -> None:
    stream = io.StringIO()
    with (
        locked(tmp_path / "x.lock", Console(stream)),
        (tmp_path / "x.lock").open() as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert stream.getvalue() == ""


class SignallingStream(io.StringIO):
    """Tells another thread that something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


@as_root
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
