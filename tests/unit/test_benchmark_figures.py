"""What the operator's benchmark makes of its samples: percentiles, medians, ratios, aims, and the drawn bars."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.operator import waiting
from benchmarks.operator.figures import Bar, bar_chart
from benchmarks.operator.measures import FULL, revision
from benchmarks.operator.report import draw, measures_of
from benchmarks.operator.summary import Run, add_runs, load_runs, measure, percentile, ratio, save_runs

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("values", "percent", "expected", "why"),
    [
        ([7.0], 99, 7.0, "one value is every percentile"),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.0, "the lower middle: a value that was measured, not one between two"),
        ([float(number) for number in range(1, 101)], 99, 99.0, "99 of 100 are not above it"),
        ([float(number) for number in range(1, 21)], 99, 20.0, "of twenty, the largest"),
        ([2.0, 1.0], 0, 1.0, "the smallest"),
    ],
)
def test_percentile(values: list[float], percent: float, expected: float, why: str) -> None:
    assert percentile(values, percent) == expected, why


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def _runs(contender: str, *values: float) -> list[Run]:
    return [Run(contender, repeat, value) for repeat, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "aim", "median", "reached", "why"),
    [
        ((1.0, 9.0, 2.0), 2.0, 2.0, True, "the median counts, and an aim that is met exactly is reached"),
        ((1.0, 9.0, 2.1), 2.0, 2.1, False, "just above"),
        ((5.0,), None, 5.0, None, "no aim, no verdict"),
        ((0.0, 0.0), 0.0, 0.0, True, "none of something that shall not be"),
    ],
)
def test_measure(values: tuple[float, ...], aim: float | None, median: float, reached: bool | None, why: str) -> None:
    row = measure("time", "s", _runs("dealguard", *values), aim=aim)
    assert (row.value, row.reached) == (median, reached), why
    assert (row.low, row.high) == (min(values), max(values))


def test_a_ratio_compares_runs_of_the_same_repeat() -> None:
    ours, theirs = _runs("dealguard", 2.0, 20.0), _runs("bare", 1.0, 10.0)
    row = ratio("burst", ours, list(reversed(theirs)), aim=2.0)
    assert [run.value for run in row.runs] == [2.0, 2.0], "a slow repeat was slow for both"
    assert row.reached


def test_a_ratio_leaves_out_what_has_no_partner() -> None:
    row = ratio("burst", _runs("dealguard", 2.0, 3.0), _runs("bare", 1.0), aim=2.5)
    assert [run.value for run in row.runs] == [2.0], "the run broke off in the second repeat"


def test_those_that_wait_are_compared_with_nobody_as_far_as_it_was_measured() -> None:
    runs = {f"waiting_{waiting.NOBODY}_p50": _runs("dealguard", 50.0, 80.0)}
    assert [row.value for row in waiting.rows(runs, 2000)] == [65.0], "it broke off before the others came"
    runs[f"waiting_{waiting.ALL}_p50"] = _runs("dealguard", 55.0, 120.0)
    first, *_ = waiting.rows(runs, 2000)
    assert [run.value for run in first.runs] == [1.1, 1.5]
    assert (first.aim, first.reached) == (1.2, False)


def test_bars_are_as_long_as_their_values() -> None:
    bars = [Bar("dealguard", "DealGuard", 10, 10, 10), Bar("bare", "bare <Jobs>", 5, 4, 8)]
    root = ElementTree.fromstring(bar_chart("Burst & end", "s", bars, aim=20))
    space = "{http://www.w3.org/2000/svg}"
    widths = [float(rect.get("width", "0")) for rect in root.iter(f"{space}rect")][1:]
    assert widths[0] == pytest.approx(2 * widths[1])
    texts = [text.text or "" for text in root.iter(f"{space}text")]
    assert "Burst & end" in texts
    assert "bare <Jobs>" in texts
    assert "5 s (4–8)" in texts, "a range is said only where there is one"
    assert "10 s" in texts
    assert "aim 20 s" in texts


def test_runs_of_several_days_make_one_report(tmp_path: Path) -> None:
    kept = tmp_path / "runs.json"
    assert load_runs(kept) == {}, "nothing was measured yet"
    runs = {
        "burst_200": [Run("dealguard", 0, 10.0, 1.5), Run("bare", 0, 8.0)],
        "memory_after": [Run("dealguard", 0, 5.0)],
    }
    save_runs(runs, kept)
    again = load_runs(kept)
    assert again == runs
    again["burst_1000"] = [Run("dealguard", 1, 60.0), Run("bare", 2, 50.0)]
    values = {row.measure: row.value for row in measures_of(again, FULL)}
    assert values["burst of 200: last one done, to bare Jobs"] == 1.25
    assert "burst of 1000: last one done, to bare Jobs" not in values, "no repeat has both"


def test_runs_say_which_code_they_are_of_and_when_they_were(tmp_path: Path) -> None:
    kept = tmp_path / "runs.json"
    # As they were kept before.
    kept.write_text('{"burst_200": [{"contender": "bare", "repeat": 0, "value": 8.0, "cpu_seconds": null}]}')
    runs = load_runs(kept)
    taken = {"burst_200": [Run("dealguard", 0, 10.0)]}
    add_runs(runs, taken, revision="0123456789ab-dirty", begun="2026-11-30T12:00:00+00:00")
    save_runs(runs, kept)
    old, new = load_runs(kept)["burst_200"]
    assert (old.revision, old.begun) == ("", "")
    assert (new.revision, new.begun) == ("0123456789ab-dirty", "2026-11-30T12:00:00+00:00")
    (row,) = [row for row in measures_of(runs, FULL) if row.measure == "burst of 200: last one done, to bare Jobs"]
    assert [run.revision for run in row.runs] == ["0123456789ab-dirty"]


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="the code lies in no repository")
def test_the_revision_is_the_repositorys() -> None:
    assert re.fullmatch("[0-9a-f]{12,40}(-dirty)?", revision())


def _burst(count: int, repeat: int, *contenders: str) -> dict[str, list[Run]]:
    """What a burst gives; bare Jobs have no operator."""
    of_operators = [Run(contender, repeat, 1.0) for contender in contenders if contender != "bare"]
    everybodys = [Run(contender, repeat, 1.0) for contender in contenders]
    return {f"burst_{count}": everybodys, f"cpu_{count}": of_operators, f"writes_{count}": of_operators}


def test_a_larger_burst_of_some_hides_no_comparison_of_all(tmp_path: Path) -> None:
    all_four = ("dealguard", "twin", "textbook", "bare")
    runs = _burst(200, 0, *all_four) | _burst(1000, 1, *all_four) | _burst(5000, 2, "dealguard", "bare")
    rows = {row.measure for row in measures_of(runs, FULL)}
    assert "operator CPU per analysis, burst of 5000" in rows
    assert "operator CPU per analysis, burst of 1000, to the Go twin" in rows
    assert "burst of 5000: last one done, to bare Jobs" in rows
    figures = {path.stem: path.read_text() for path in draw(runs, tmp_path)}
    assert {name for name in figures if "Go twin" in figures[name] and "textbook" in figures[name]} == {
        "operator-burst-200",
        "operator-burst-1000",
        "operator-cpu",
        "operator-writes",
    }
    assert "Go twin" not in figures["operator-burst-5000"]
    assert all("urst of 1000" in figures[name] for name in ("operator-burst-1000", "operator-cpu", "operator-writes"))


def test_two_alone_are_drawn_at_their_largest_burst(tmp_path: Path) -> None:
    runs = _burst(200, 0, "dealguard", "bare") | _burst(5000, 1, "dealguard", "bare")
    figures = {path.stem: path.read_text() for path in draw(runs, tmp_path)}
    assert all("urst of 5000" in figures[name] for name in ("operator-burst-5000", "operator-cpu", "operator-writes"))
