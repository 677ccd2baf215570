"""How the gateway's benchmark looks for the largest number of clients, and what it makes of its runs."""

import json
from pathlib import Path

import pytest

from benchmarks.gateway.capacity import search
from benchmarks.gateway.results import Results
from benchmarks.gateway.servers import GATEWAY, OLD, PROXY


@pytest.mark.parametrize(
    ("served", "bisections", "found", "why"),
    [
        (0, 3, 0, "not even a few"),
        (200, 3, 187, "fewer than the first step"),
        (250, 0, 250, "the first step and no more"),
        (5300, 0, 4000, "doubled: 250, 500, 1000, 2000, 4000; 8000 are too many"),
        (5300, 3, 5000, "then 6000 are too many, 5000 are not, 5500 are too many"),
        (10**6, 3, 32_000, "more than the search goes to: no bisection, since nothing was too many"),
    ],
)
def test_search(served: int, bisections: int, found: int, why: str) -> None:
    assert search(lambda clients: clients <= served, bisections) == found, why


def test_results_are_on_disk_after_each_run_with_the_aims_first(tmp_path: Path) -> None:
    results = Results(tmp_path / "bench" / "gateway.json", {"cores": 2})
    results.add("capacity", GATEWAY, 0, 6000.0, cpu_seconds=9.0)
    results.add("capacity", PROXY, 0, 1000.0)
    results.add("capacity", OLD, 0, 7000.0)
    written = json.loads(results.file.read_text())
    verdicts = [(row["value"], row["aim"], row["reached"]) for row in written[:3]]
    assert verdicts == [(6000.0, 5000, True), (6.0, 5.0, True), (6000 / 7000, 1.0, False)]


def test_a_ratio_to_nothing_is_written_as_no_number(tmp_path: Path) -> None:
    results = Results(tmp_path / "gateway.json", {})
    results.add("capacity", GATEWAY, 0, 6000.0)
    results.add("capacity", PROXY, 0, 0.0)
    assert "Infinity" not in results.file.read_text(), "which JSON does not have"
