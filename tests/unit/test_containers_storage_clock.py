"""How long a run still has: by the node's clock or the object storage's, whichever leaves more time."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dealguard_analyzer.containers.storage_clock import StorageClock

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DEADLINE = NOON + timedelta(seconds=100)


class Node:
    """Its two clocks."""

    def __init__(self, ahead_seconds: float = 0.0) -> None:
        self.now = NOON + timedelta(seconds=ahead_seconds)
        self.monotonic = 5000.0
        self.clock = StorageClock(lambda: self.now, lambda: self.monotonic)


def date(seconds: float = 0.0) -> str:
    """A `Date` header, so long after noon; it has whole seconds."""
    return format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("why", "node_ahead", "storage_ahead", "expected"),
    [
        ("both are right", 0, 0, 100),
        ("the date's fraction of a second is cut off", 0.9, 0, 99.1),
        ("this clock is a minute ahead", 60, 0, 99),
        ("the storage's is: an early end would be the worse mistake", 0, 60, 100),
        ("this clock is a minute behind: the Job's controller ends the pod in time", -60, 0, 160),
        ("the storage's is", 0, -60, 159),
    ],
)
def test_the_clock_that_leaves_more_time_counts(
    why: str, node_ahead: float, storage_ahead: float, expected: float
) -> None:
    node = Node(node_ahead)
    node.clock.answered(date(storage_ahead))
    assert node.clock.seconds_until(DEADLINE) == pytest.approx(expected), why


def test_before_the_first_answer_nothing_is_judged() -> None:
    assert Node(ahead_seconds=10_000).clock.seconds_until(DEADLINE) == float("inf")


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Nov 2026 12:00:00 GMT"])
def test_an_answer_without_a_date_leaves_the_nodes_clock(date: str | None) -> None:
    node = Node(ahead_seconds=30)
    node.clock.answered(date)
    assert node.clock.seconds_until(DEADLINE) == pytest.approx(70)


def test_a_clock_that_is_set_during_the_run_changes_nothing() -> None:
    node = Node()
    node.clock.answered(date())
    node.now += timedelta(seconds=60)
    node.monotonic += 10
    node.clock.answered(date(10))
    assert node.clock.seconds_until(DEADLINE) == pytest.approx(90)
