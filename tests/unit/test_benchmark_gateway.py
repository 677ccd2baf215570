"""How the gateway's benchmark looks for the largest number of clients, and what it makes of its runs."""

import json
from pathlib import Path

import pytest

from benchmarks.gateway.capacity import search
from benchmarks.gateway.results import BODIES, Results, table
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
    for contender, clients in ((GATEWAY, 6000.0), (BODIES, 4000.0), (PROXY, 1000.0), (OLD, 5000.0)):
        results.add("capacity", contender, 0, clients, cpu_seconds=9.0)
    for key, milliseconds in (("accepted_p50", 20.0), ("accepted_p99", 301.0), ("accepted_max", 400.0)):
        results.add(key, GATEWAY, 0, milliseconds)
    written = json.loads(results.file.read_text())
    verdicts = [(row["measure"], row["value"], row["aim"], row["reached"]) for row in written[:7]]
    assert verdicts == [
        ("polling clients on one core (at least)", 6000.0, 5000, True),
        ("polling clients, to: asks the API server (at least)", 6.0, 5.0, True),
        ("polling clients, to: FastAPI + Redis/ARQ (more than)", 1.2, 1.0, True),
        ("polling clients without ETags, to: asks the API server (at least)", 4.0, 5.0, False),
        ("polling clients without ETags, to: FastAPI + Redis/ARQ (more than)", 0.8, 1.0, False),
        ("upload accepted, one at a time, p50", 20.0, 300, True),
        ("upload accepted, one at a time, p99", 301.0, 300, False),
    ]
    assert ("upload accepted, longest: DealGuard", 400.0) in [(row["measure"], row["value"]) for row in written[7:]]


def test_as_many_as_the_old_service_is_not_ahead_of_it(tmp_path: Path) -> None:
    results = Results(tmp_path / "gateway.json", {})
    for contender in (GATEWAY, OLD):
        results.add("capacity", contender, 0, 5000.0)
    row = next(row for row in results.rows() if "to: " in row.measure)
    assert (row.value, row.reached) == (1.0, False)
    assert "| > 1 | NO |" in table([row])


def test_a_ratio_to_nothing_is_written_as_no_number(tmp_path: Path) -> None:
    results = Results(tmp_path / "gateway.json", {})
    results.add("capacity", GATEWAY, 0, 6000.0)
    results.add("capacity", PROXY, 0, 0.0)
    assert "Infinity" not in results.file.read_text(), "which JSON does not have"
