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
        ("that clock was set right", [at(160), at(100)], 100),
    ],
)
def test_the_time_is_the_api_servers(why: str, answers: list[object], expected: float) -> None:
    clock = ServerClock(lambda: at(100))
    for answer in answers:
        clock.answered(format_datetime(answer, usegmt=True))  # type: ignore[arg-type]
    assert clock.now() == at(expected), why


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Nov 2026 12:00:00 GMT"])
def test_an_answer_without_a_date_changes_nothing(date: str | None) -> None:
    clock = ServerClock(lambda: at(100))
    clock.answered(date)
    assert clock.now() == at(100)


def test_it_goes_on_between_answers() -> None:
    seconds = iter((0, 10, 20))
    clock = ServerClock(lambda: at(next(seconds)))
    clock.answered(format_datetime(at(60), usegmt=True))
    assert clock.now() - at(60) == timedelta(seconds=10)
