"""The time as the API server has it."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from dealguard_operator.server_clock import ServerClock
from tests.unit.operator_cases import at


@pytest.mark.parametrize(
    ("why", "answers", "expected"),
    [
        ("nobody has answered yet", [], 100),
        ("it is as late there", [at(100)], 100),
        ("the answer was on its way, and its date has whole seconds", [at(98)], 100),
        ("this clock is a minute ahead", [at(40)], 40),
        ("this clock is a minute behind", [at(160)], 160),
        ("what the first answer showed is not moved by the next one's second", [at(160), at(161), at(159)], 160),
        ("that clock was set right", [at(160), at(100), at(100)], 100),
        ("one wrong date among right ones", [at(100), at(200_000)], 100),
        ("wrong dates that do not agree", [at(100), at(200_000), at(300_000), at(200_000)], 100),
        ("wrong dates, and never two in a row", [at(160), at(200_000), at(161), at(200_000)], 160),
        ("the very first was wrong", [at(200_000), at(100), at(101)], 101),
    ],
)
def test_the_time_is_the_api_servers(why: str, answers: list[object], expected: float) -> None:
    clock = ServerClock(lambda: at(100))
    for answer in answers:
        clock.answered(format_datetime(answer, usegmt=True), at(100))  # type: ignore[arg-type]
    assert clock.now() == at(expected), why


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Nov 2026 12:00:00 GMT"])
def test_an_answer_without_a_date_changes_nothing(date: str | None) -> None:
    clock = ServerClock(lambda: at(100))
    clock.answered(date, at(100))
    assert clock.now() == at(100)


def test_it_goes_on_between_answers() -> None:
    clock = ServerClock(lambda: at(10))
    clock.answered(format_datetime(at(60), usegmt=True), at(0))
    assert clock.now() - at(60) == timedelta(seconds=10)
