"""Reasons, exit codes, conditions and the pod's interface hold together."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from dealguard_api.conditions import Condition, carry_transition_times
from dealguard_api.exit_codes import PERMANENT, ExitCode
from dealguard_api.pod import AnalyzeSettings, ExtractSettings, parse_deadline
from dealguard_api.reasons import Reason, explain
from dealguard_api.report import RiskLevel, Severity, Usage


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    explanation = explain(reason)
    assert explanation.meaning.endswith(".")
    assert explanation.next_step.endswith(".")


def test_every_exit_code_has_a_reason_of_its_own() -> None:
    reasons = [code.reason for code in ExitCode]
    assert len(set(reasons)) == len(reasons)


def test_permanent_codes_are_those_that_the_job_must_not_repeat() -> None:
    assert ExitCode.NOT_A_PDF in PERMANENT
    assert ExitCode.API_KEY_REJECTED in PERMANENT
    assert not {ExitCode.OK, ExitCode.INTERNAL_ERROR, ExitCode.STORAGE_UNAVAILABLE, ExitCode.TERMINATED} & set(
        PERMANENT
    )


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0, "NoneFound"),
        (1, "Low"),
        (4, "Low"),
        (5, "Medium"),
        (9, "Medium"),
        (10, "High"),
        (16, "High"),
        (20, "Critical"),
        (25, "Critical"),
    ],
)
def test_risk_level_of_score(score: int, level: str) -> None:
    assert RiskLevel.of(score) == RiskLevel(level)


def test_severity_is_likelihood_times_impact() -> None:
    severity = Severity(likelihood=4, impact=5)
    assert severity.to_wire() == {"likelihood": 4, "impact": 5, "score": 20, "level": "Critical"}


def test_usage_adds_up_without_rounding() -> None:
    total = Usage(input_tokens=1, cost_usd="0.1") + Usage(output_tokens=2, cost_usd="0.2")
    assert (total.input_tokens, total.output_tokens, total.cost_usd) == (1, 2, "0.3")
    assert (Usage() + Usage()).cost_usd == "0"


def _condition(status: str, at: int) -> Condition:
    return Condition(
        type="Ready",
        status=status,
        observed_generation=1,
        last_transition_time=datetime.fromtimestamp(at, UTC),
        reason="X",
        message="",
    )


def test_transition_time_moves_only_when_the_status_flips() -> None:
    kept = carry_transition_times([_condition("False", 20)], [_condition("False", 10)])
    moved = carry_transition_times([_condition("True", 20)], [_condition("False", 10)])
    assert kept[0].last_transition_time.timestamp() == 10
    assert moved[0].last_transition_time.timestamp() == 20


def test_settings_travel_through_the_environment() -> None:
    sent = AnalyzeSettings(engine="claude", perspective="Käufer", max_cost_usd="0.50")
    environment = sent.to_environment()
    assert environment["DEALGUARD_PERSPECTIVE"] == "Käufer"
    assert "DEALGUARD_ANTHROPIC_BASE_URL" not in environment, "unset fields are left out"
    assert AnalyzeSettings.from_environment({**environment, "PATH": "/bin"}) == sent
    assert ExtractSettings.from_environment({"DEALGUARD_MAX_PAGES": "7"}).max_pages == 7


def test_settings_refuse_what_the_field_does_not_allow() -> None:
    with pytest.raises(ValidationError):
        ExtractSettings.from_environment({"DEALGUARD_MAX_PAGES": "none"})


def test_a_deadline_has_a_time_zone() -> None:
    assert parse_deadline("2026-05-01T10:00:00+00:00\n").tzinfo is not None
    with pytest.raises(ValueError, match="no time zone"):
        parse_deadline("2026-05-01T10:00:00")
