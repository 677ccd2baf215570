"""Contracts too long for one request: how they are cut, asked about, and put together again."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import pytest

from dealguard_analyzer.engines.claude.prompt import contract_text, task_text
from dealguard_analyzer.engines.claude.windows import LEAST_CHARACTERS, OVERLAP_CHARACTERS, ContractPages, Window
from dealguard_analyzer.running_text import MAX_QUOTE_CHARACTERS
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import AnalyzeSettings
from tests.contract_texts import document_of
from tests.standins.claude_server import INVENTED_QUOTE, ClaudeStandin, Recorded
from tests.unit.claude_cases import SMALL_WINDOWS, analyse, failure, long_contract

LONG = long_contract()
COUNT = "/v1/messages/count_tokens"


@pytest.fixture
def standin() -> Iterator[ClaudeStandin]:
    with ClaudeStandin() as server:
        yield server


def questions(standin: ClaudeStandin) -> list[Recorded]:
    return [request for request in standin.requests if request.path == "/v1/messages"]


PARAGRAPHS = "\n\n".join(f"{number}. " + "The parties agree as follows. " * 20 for number in range(1, 60))


@pytest.mark.parametrize(
    ("why", "pages", "size"),
    [
        ("many pages", ["Seite eins. " * 100] * 40, 8_000),
        ("one page with paragraphs", [PARAGRAPHS], 9_000),
        ("lines only", ["a line of a contract\n" * 2_000], 9_000),
        ("one sentence without an end", ["word " * 8_000], 9_000),
        ("no border at all", ["x" * 40_000], 9_000),
        ("an empty page in between", ["text. " * 2_000, "", "text. " * 2_000], 9_000),
        ("a form feed within a page", ["text.\f" * 4_000], 9_000),
        ("just too long", ["a" * 9_001], 9_000),
        ("a size with the whole overlap", [PARAGRAPHS, PARAGRAPHS], 30_000),
        ("pages end where the overlap is short", ["Seite eins. " * 250] * 40, 30_000),
    ],
)
def test_windows_cover_everything_overlap_and_are_small_enough(why: str, pages: list[str], size: int) -> None:
    contract = ContractPages(document_of(*pages))
    windows = contract.cut(size)
    assert (windows[0].start, windows[-1].end) == (0, contract.whole.end), why
    assert len(windows) > 1
    for window in windows:
        assert 0 < window.end - window.start <= size
        assert sum(len(part.text) for part in window.parts) <= size
    for before, after in pairwise(windows):
        assert before.start < after.start < before.end < after.end
        assert before.end - after.start <= OVERLAP_CHARACTERS
        assert before.end - after.start >= min(OVERLAP_CHARACTERS, size // 4) * 2 // 3
    assert not any(window.is_whole for window in windows)


def test_the_longest_quote_stands_whole_in_a_window() -> None:
    contract = ContractPages(document_of(*["Seite eins. " * 250] * 40))
    windows = contract.cut(30_000)
    assert all(before.end - after.start >= MAX_QUOTE_CHARACTERS for before, after in pairwise(windows))


def test_what_fits_is_one_window() -> None:
    contract = ContractPages(document_of("a page", "another page"))
    assert contract.cut(1_000) == [contract.whole]
    assert contract.whole.is_whole


@pytest.mark.parametrize(
    ("why", "pages", "end"),
    [
        ("between two pages", ["a" * 4_600, "b" * 4_600], "a" * 10),
        ("between two paragraphs", ["word " * 900 + "end.\n\n" + "next " * 900], "end.\n\n"),
        ("before the next clause", ["word\n" * 900 + "end.\n§ 5 Haftung\n" + "next\n" * 900], "end.\n"),
        ("between two lines", ["word " * 900 + "end\n" + "next " * 900], "end\n"),
        ("after a sentence", ["word " * 900 + "end. " + "next " * 900], "end. "),
        ("between two words", ["word" * 1_150 + " " + "next" * 1_150], "word "),
    ],
)
def test_a_window_ends_where_least_is_lost(why: str, pages: list[str], end: str) -> None:
    first = ContractPages(document_of(*pages)).cut(5_000)[0]
    assert first.parts[-1].text.endswith(end), why


def test_a_window_is_halved_until_it_is_a_clause() -> None:
    contract = ContractPages(document_of("Some words. " * 1_000))
    smallest, rounds = contract.whole, 0
    while halves := contract.halves(smallest):
        assert halves[0].start == smallest.start and halves[-1].end == smallest.end
        assert all(half.end - half.start < smallest.end - smallest.start for half in halves)
        smallest, rounds = halves[0], rounds + 1
    assert rounds >= 2
    assert smallest.end - smallest.start < 2 * LEAST_CHARACTERS


def test_a_part_says_that_it_is_one() -> None:
    first = ContractPages(LONG).cut(9_000)[0]
    task = task_text(LONG, first, "en", None)
    assert "pages 1-" in task and "30 pages" in task
    assert "part" not in task_text(LONG, ContractPages(LONG).whole, "en", None)
    assert contract_text(LONG, first).count("<page number=") == len(first.parts)
    assert Window(0, 0, (), is_whole=False).pages == "0", "an empty window is counted to learn what the rest costs"


def test_a_contract_that_fits_is_one_request(standin: ClaudeStandin) -> None:
    analyse(standin, "ok", document=LONG)
    assert [request.path for request in standin.requests] == ["/v1/messages"], "not even a count"


def test_a_long_contract_becomes_windows_that_fit(standin: ClaudeStandin) -> None:
    report = analyse(standin, "ok", SMALL_WINDOWS, document=LONG)
    asked = questions(standin)
    assert len(asked) >= 3
    usage = [request.usage for request in asked]
    assert all(sum(u[k] for k in u if k != "output_tokens") <= 10_000 for u in usage)
    # The first writes the instructions to the cache, all others read them.
    assert [bool(u["cache_creation_input_tokens"]) for u in usage] == [True] + [False] * (len(asked) - 1)
    assert report.usage.cache_read_tokens == report.usage.cache_write_tokens * (len(asked) - 1) > 0
    assert report.usage.input_tokens == sum(u["input_tokens"] for u in usage)


def test_windows_are_merged_without_duplicates(standin: ClaudeStandin) -> None:
    split, whole = analyse(standin, "ok", SMALL_WINDOWS, document=LONG), analyse(standin, "ok", document=LONG)
    assert [clause.citation for clause in split.clauses] == [clause.citation for clause in whole.clauses]
    pages = [c.citation.page for c in split.clauses if c.category == "Cap On Liability"]
    assert pages == list(range(1, 21)), "the first twenty of a category"
    ids = [finding.id for finding in split.findings]
    assert len(set(ids)) == len(ids)
    assert {finding.id for finding in whole.findings} <= set(ids), "an id does not depend on the windows"
    assert [c.quote for c in split.citations() if not c.verified] == [INVENTED_QUOTE]
    assert split.governing_law == whole.governing_law
    assert split.contract_type == whole.contract_type
    assert split.absent == whole.absent
    assert split.not_determined == whole.not_determined
    assert split.summary.startswith("Chapter 1 ") and "Gravest" in split.summary


def test_same_windows_same_report(standin: ClaudeStandin) -> None:
    first, second = (analyse(standin, "ok", SMALL_WINDOWS, document=LONG).to_wire() for _ in range(2))
    assert {**first, "usage": None} == {**second, "usage": None}


def test_the_models_own_window_is_the_limit_without_a_setting(standin: ClaudeStandin) -> None:
    prices = {"claude-sonnet-5-5": {"contextTokens": 20_000}}
    settings = AnalyzeSettings.model_validate({"prices": prices, "max_output_tokens": 8_000})
    assert analyse(standin, "ok", settings, document=LONG).clauses
    assert len(questions(standin)) >= 3


def test_no_room_for_a_contract_is_said_before_any_call(standin: ClaudeStandin) -> None:
    settings = AnalyzeSettings.model_validate({"prices": {"claude-sonnet-5-5": {"contextTokens": 9_900}}})
    error = failure(standin, "ok", settings.model_copy(update={"max_output_tokens": 8_000}), document=LONG)
    assert error.exit_code == ExitCode.CONTRACT_TOO_LONG
    assert questions(standin) == []


@pytest.mark.parametrize(
    ("why", "scenario", "requests"),
    [
        ("an answer longer than the limit on output", "max_tokens,ok", 3),
        ("the context window is exceeded while writing", "context_exceeded,ok", 3),
        ("a prompt longer than the API takes, against its own count", "too_long,ok", 3),
        ("a request with too many bytes", "too_large,ok", 3),
        ("twice", "too_long,too_long,ok", 5),
    ],
)
def test_a_window_that_is_too_much_is_divided(standin: ClaudeStandin, why: str, scenario: str, requests: int) -> None:
    report = analyse(standin, scenario, document=long_contract(9))
    assert len(questions(standin)) in (requests, requests + 1), why  # a half may need a third
    assert [c.citation.page for c in report.clauses if c.category == "Cap On Liability"] == list(range(1, 10))


def test_dividing_has_an_end(standin: ClaudeStandin) -> None:
    error = failure(standin, "max_tokens", document=document_of("The parties agree. " * 300))
    assert error.exit_code == ExitCode.ENGINE_OUTPUT_INVALID
    assert len(questions(standin)) <= 4
    assert failure(standin, "too_long").exit_code == ExitCode.CONTRACT_TOO_LONG


def test_a_budget_pays_for_all_windows_or_for_none(standin: ClaudeStandin) -> None:
    cost = Decimal(analyse(standin, "ok", SMALL_WINDOWS, document=LONG).usage.cost_usd or 0)
    windows = len(questions(standin))
    standin.requests.clear()
    # Every window needs at least 4,000 output tokens, which are 0.04 USD: some of them would be paid for, not all.
    error = failure(standin, "ok", SMALL_WINDOWS, document=LONG, max_cost_usd=Decimal("0.04") * windows)
    assert error.exit_code == ExitCode.COST_LIMIT_EXCEEDED
    assert questions(standin) == []
    assert f"{windows} requests" in error.message
    report = analyse(standin, "ok", SMALL_WINDOWS, document=LONG, max_cost_usd=Decimal("0.09") * windows)
    assert Decimal(report.usage.cost_usd or 0) <= cost + Decimal("0.05"), "and not more than without a limit"
    spent = [request.body["max_tokens"] for request in questions(standin)]
    assert spent[0] >= 4_000, "the rest is kept back for the windows to come"


def test_progress_covers_all_windows(standin: ClaudeStandin) -> None:
    seen: list[tuple[int, int]] = []
    analyse(standin, "ok", SMALL_WINDOWS, document=LONG, on_progress=lambda done, total: seen.append((done, total)))
    shares = [done / total for done, total in seen]
    assert shares == sorted(shares) and shares[-1] == 1 and all(share < 1 for share in shares[:-1])
    assert COUNT in {request.path for request in standin.requests}
