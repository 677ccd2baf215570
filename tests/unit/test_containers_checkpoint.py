"""The container `analyze` and what an attempt has paid for: where it is kept, and that nothing fails because of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dealguard_analyzer.containers.analyze import AnalyzeContainer
from dealguard_analyzer.containers.handover import write_document
from dealguard_analyzer.containers.mounts import Mounts
from dealguard_analyzer.containers.storage import PresignedStorage
from dealguard_analyzer.errors import AnalysisError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import AnalyzeOutcome
from tests.standins.claude_server import ClaudeStandin
from tests.standins.presigned_storage import SIGNATURE
from tests.standins.presigned_storage import PresignedStorage as StorageServer
from tests.unit.claude_cases import DOCUMENT, long_contract

REPORT = "reports/team-a/uid/1.json"
CHECKPOINT = "reports/team-a/uid/1.checkpoint.json"


@dataclass
class Pod:
    """The container, with its files and the servers that it knows."""

    storage: StorageServer
    claude: ClaudeStandin
    mounts: Mounts
    engine: str = "claude"
    environment: dict[str, str] = field(default_factory=dict)

    def answer_with(self, scenarios: str) -> None:
        (self.mounts.api_key / "api-key").write_text(f"standin:{scenarios}")

    def run(self, deadline_seconds: float = 60) -> AnalyzeOutcome:
        environment = {
            "DEALGUARD_ENGINE": self.engine,
            "DEALGUARD_REPORT_KEY": REPORT,
            "DEALGUARD_ANTHROPIC_BASE_URL": self.claude.url,
            **self.environment,
        }
        with PresignedStorage(pauses_seconds=(0.0, 0.01), timeout_seconds=5) as storage:
            container = AnalyzeContainer(self.mounts, environment, storage)
            return container.run(datetime.now(UTC) + timedelta(seconds=deadline_seconds))


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    for name in ("secret", "api-key", "work"):
        (tmp_path / name).mkdir()
    mounts = Mounts(tmp_path / "secret", tmp_path / "api-key", tmp_path / "work", tmp_path / "message")
    write_document(mounts.text, DOCUMENT)
    with StorageServer() as storage, ClaudeStandin() as claude:
        for name, key in (("report", REPORT), ("checkpoint", CHECKPOINT)):
            for action in ("get", "put", "delete"):
                (tmp_path / "secret" / f"{name}-{action}-url").write_text(storage.url(key))
        pod = Pod(storage, claude, mounts)
        pod.answer_with("ok")
        yield pod


def test_it_is_read_first_and_removed_last(pod: Pod) -> None:
    pod.run()
    assert pod.storage.requests == [
        f"GET {REPORT}",
        f"GET {CHECKPOINT}",
        f"PUT {CHECKPOINT}",
        f"PUT {REPORT}",
        f"DELETE {CHECKPOINT}",
    ]
    assert set(pod.storage.objects) == {REPORT}


def test_an_attempt_that_could_not_store_its_report_is_not_paid_again(pod: Pod) -> None:
    pod.storage.faults[f"PUT {REPORT}"] = [403]
    with pytest.raises(AnalysisError) as error:
        pod.run()
    assert error.value.exit_code == ExitCode.STORAGE_UNAVAILABLE
    outcome = pod.run()
    assert pod.claude.calls() == 1
    assert outcome.usage is not None and outcome.usage.input_tokens == 0, "this attempt spent nothing"
    assert set(pod.storage.objects) == {REPORT}


def test_a_report_is_stored_once_the_storage_is_back(pod: Pod) -> None:
    """Away from when the answer is there: neither the checkpoint nor, for long, the report can be stored."""
    pod.storage.faults[f"PUT {CHECKPOINT}"] = [503] * 2
    pod.storage.faults[f"PUT {REPORT}"] = [503] * 50
    pod.run()
    assert pod.claude.calls() == 1
    assert set(pod.storage.objects) == {REPORT}


def test_answers_are_kept_once_the_storage_is_back(pod: Pod) -> None:
    """Two windows are paid for, and nothing could be stored, when the third fails for now."""
    write_document(pod.mounts.text, long_contract())
    pod.environment["DEALGUARD_MAX_INPUT_TOKENS"] = "10000"
    pod.answer_with("ok,ok,rate_limited_long")
    pod.storage.faults[f"PUT {CHECKPOINT}"] = [503] * 50
    with pytest.raises(AnalysisError) as error:
        pod.run()
    assert error.value.exit_code == ExitCode.ENGINE_UNAVAILABLE
    paid = _windows(pod.claude)[:2]
    pod.claude.requests.clear()
    pod.answer_with("ok")
    pod.run()
    assert pod.claude.calls() >= 1
    assert not set(paid) & set(_windows(pod.claude))


def test_answers_that_may_not_be_kept_hold_nothing_up(pod: Pod) -> None:
    pod.answer_with("overloaded_mid,rate_limited_long")  # the first is billed
    pod.storage.faults[f"PUT {CHECKPOINT}"] = [403] * 2
    with pytest.raises(AnalysisError) as error:
        pod.run()
    assert error.value.exit_code == ExitCode.ENGINE_UNAVAILABLE
    assert pod.storage.requests.count(f"PUT {CHECKPOINT}") == 2


def test_an_engine_has_the_time_that_is_left_by_the_storage(pod: Pod) -> None:
    """By the node's clock, a minute ahead, the deadline has passed."""
    pod.storage.clock_ahead_seconds = -60
    pod.run(deadline_seconds=-30)
    assert set(pod.storage.objects) == {REPORT}


def test_one_that_an_attempt_left_behind_is_removed_by_the_next(pod: Pod) -> None:
    pod.run()
    pod.storage.objects[CHECKPOINT] = b"{}"
    pod.run()
    assert set(pod.storage.objects) == {REPORT}
    assert pod.claude.calls() == 1


def test_the_rules_need_none(pod: Pod) -> None:
    pod.engine = "rules"
    for path in pod.mounts.secret.glob("checkpoint-*"):
        path.unlink()
    pod.run()
    assert pod.storage.requests == [f"GET {REPORT}", f"PUT {REPORT}"]


@pytest.mark.parametrize(
    ("why", "fault", "code", "calls"),
    [
        ("what is paid for is not known: nothing is paid", f"GET {CHECKPOINT}", ExitCode.STORAGE_UNAVAILABLE, 0),
        ("it cannot be stored: the work goes on", f"PUT {CHECKPOINT}", ExitCode.OK, 1),
        ("it cannot be removed: the report is there", f"DELETE {CHECKPOINT}", ExitCode.OK, 1),
    ],
)
def test_a_storage_that_refuses(
    why: str, fault: str, code: ExitCode, calls: int, pod: Pod, capsys: pytest.CaptureFixture[str]
) -> None:
    pod.storage.faults[fault] = [403] * 5
    try:
        pod.run()
        ended = ExitCode.OK
    except AnalysisError as error:
        ended = error.exit_code
    assert (ended, pod.claude.calls()) == (code, calls), why
    assert (REPORT in pod.storage.objects) == (code == ExitCode.OK)
    log = capsys.readouterr().out
    assert SIGNATURE not in log and "governed" not in log


def _windows(claude: ClaudeStandin) -> list[str]:
    bodies = [request.body for request in claude.requests if request.path == "/v1/messages"]
    return [body["messages"][0]["content"][0]["text"] for body in bodies]
