"""What an attempt has paid for is not paid for again by the next one."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from dealguard_analyzer.errors import PassingError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.report import Usage
from tests.contract_texts import document_of
from tests.standins.claude_server import ClaudeStandin
from tests.unit.claude_cases import SMALL_WINDOWS, analyse, failure, long_contract

LONG = long_contract()


@pytest.fixture
def standin() -> Iterator[ClaudeStandin]:
    with ClaudeStandin() as server:
        yield server


class Kept:
    """A checkpoint in memory: what the object storage is to a pod."""

    def __init__(self, data: bytes | None = None) -> None:
        self.data = data
        self.saved = 0

    def load(self) -> bytes | None:
        return self.data

    def save(self, data: bytes) -> None:
        self.data = data
        self.saved += 1


class Unreachable(Kept):
    def load(self) -> bytes | None:
        raise PassingError(ExitCode.STORAGE_UNAVAILABLE)


def contracts(standin: ClaudeStandin) -> list[str]:
    """The windows that were asked about."""
    messages = [request.body["messages"] for request in standin.requests if request.path == "/v1/messages"]
    return [message[0]["content"][0]["text"] for message in messages]


def test_finished_windows_are_not_asked_again(standin: ClaudeStandin) -> None:
    expected = analyse(standin, "ok", SMALL_WINDOWS, document=LONG)
    windows = contracts(standin)
    standin.requests.clear()

    kept = Kept()
    spent: list[Usage] = []
    failure(standin, "ok,ok,cut", SMALL_WINDOWS, document=LONG, checkpoint=kept, on_usage=spent.append)
    assert contracts(standin) == [*windows[:3], windows[2]], "the third failed twice"
    standin.requests.clear()

    own: list[Usage] = []
    report = analyse(standin, "ok", SMALL_WINDOWS, document=LONG, checkpoint=kept, on_usage=own.append)
    assert contracts(standin) == windows[2:]
    assert report.usage == spent[-1] + own[-1], "the report's usage is the run's, failed requests included"
    assert own[-1].input_tokens < report.usage.input_tokens, "an attempt tells its own alone: the operator adds them up"
    assert report.model_copy(update={"usage": Usage()}) == expected.model_copy(update={"usage": Usage()})


def test_what_is_too_much_for_one_request_is_not_tried_again(standin: ClaudeStandin) -> None:
    kept = Kept()
    contract = long_contract(9)
    failure(standin, "max_tokens,ok,cut", document=contract, checkpoint=kept)
    whole = contracts(standin)[0]
    standin.requests.clear()
    analyse(standin, "ok", document=contract, checkpoint=kept)
    assert whole not in contracts(standin)
    assert len(contracts(standin)) <= 2


@pytest.mark.parametrize(
    ("why", "settings", "request_fields"),
    [
        ("another model", {"model": "claude-haiku-5-5"}, {}),
        ("another effort", {"effort": "high"}, {}),
        ("another party", {}, {"perspective": "Customer"}),
        ("another language", {}, {"language": "de"}),
        ("another document", {}, {"document": document_of("Another contract. " * 50)}),
    ],
)
def test_only_the_very_same_question_is_answered(
    standin: ClaudeStandin, why: str, settings: dict[str, Any], request_fields: dict[str, Any]
) -> None:
    kept = Kept()
    analyse(standin, "ok", checkpoint=kept)
    analyse(standin, "ok", checkpoint=kept)
    assert standin.calls() == 1, "the same question is"
    analyse(standin, "ok", SMALL_WINDOWS.model_copy(update=settings), checkpoint=kept, **request_fields)
    assert standin.calls() == 2, why


def _tampered(data: bytes) -> bytes:
    stored = json.loads(data)
    stored["answers"] = {digest: {"is_contract": "perhaps"} for digest in stored["answers"]}
    return json.dumps(stored).encode()


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("not JSON", lambda data: data[:-5]),
        ("of a later version", lambda data: data.replace(b'"version":1', b'"version":2')),
        ("an answer that is none", _tampered),
        ("empty", lambda _: b""),
        ("not even text", lambda _: b"\xff\xfe\x00"),
    ],
)
def test_what_cannot_be_read_counts_as_nothing(standin: ClaudeStandin, why: str, change: Any) -> None:
    kept = Kept()
    analyse(standin, "ok", checkpoint=kept)
    assert kept.data is not None
    kept.data = change(kept.data)
    report = analyse(standin, "ok", checkpoint=kept)
    assert standin.calls() == 2, why
    assert report.findings


def test_a_storage_that_does_not_answer_costs_an_attempt_and_no_money(standin: ClaudeStandin) -> None:
    assert failure(standin, "ok", checkpoint=Unreachable()).exit_code == ExitCode.STORAGE_UNAVAILABLE
    assert standin.requests == []


def test_the_budget_is_the_runs_not_the_attempts(standin: ClaudeStandin) -> None:
    kept = Kept()
    failure(standin, "cut", checkpoint=kept, max_cost_usd=Decimal("0.08"))
    assert kept.saved == 1, "what it cost is kept although there is no answer"
    standin.requests.clear()
    error = failure(standin, "ok", checkpoint=kept, max_cost_usd=Decimal("0.06"))
    assert error.exit_code == ExitCode.COST_LIMIT_EXCEEDED
    assert standin.calls() == 0
    assert error.usage == Usage(), "this attempt spent nothing"


@pytest.mark.parametrize("scenario", ["unauthorized", "overloaded_mid,unauthorized", "bad_request"])
def test_what_ends_the_run_leaves_nothing_behind(standin: ClaudeStandin, scenario: str) -> None:
    kept = Kept()
    failure(standin, scenario, checkpoint=kept)
    assert kept.saved == 0, "no further attempt will read it"
