"""The operator's log lines: JSON, each with what it is about, and nothing that should not leave the process."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from dealguard_operator.errors import UnavailableError
from dealguard_operator.logs import AnalysisLogger, CorrelatedLogger, JsonFormatter, configure_logs
from tests.unit.operator_cases import NAME, NAMESPACE, UID, analysis, settings, started

CORRELATION = {"uid": UID, "namespace": NAMESPACE, "name": NAME, "run": 1}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the operator's logger writes as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("dealguard_operator")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_about_an_analysis_says_which_run_it_is(written: io.StringIO) -> None:
    AnalysisLogger(analysis()).warning("It waits\nfor %s.", "a place")
    AnalysisLogger(analysis(started().model_copy(update={"run": 3}))).warning("It runs.")
    CorrelatedLogger(uid=UID).warning("Only its uid is known.")
    logging.getLogger("dealguard_operator.main").warning("About none.")
    first, second, third, fourth = lines(written)
    assert first == {**CORRELATION, "time": first["time"], "severity": "warning", "message": "It waits\nfor a place."}
    assert second["run"] == 3
    assert {key: third.get(key) for key in CORRELATION} == {"uid": UID, "namespace": None, "name": None, "run": None}
    assert not set(CORRELATION) & set(fourth)
    assert first["time"].endswith("+00:00"), "with its zone: other parts' lines are sorted between"


def test_kopfs_own_lines_about_an_analysis_carry_its_uid(written: io.StringIO) -> None:
    reference = {"apiVersion": "dealguard.io/v1alpha1", "kind": "ContractAnalysis", "uid": UID, "namespace": NAMESPACE}
    logging.getLogger("dealguard_operator").warning("From a handler.", extra={"k8s_ref": {**reference, "name": NAME}})
    (line,) = lines(written)
    assert {key: line.get(key) for key in CORRELATION} == {**CORRELATION, "run": None}


def test_an_unexpected_error_is_told_by_type_and_place_not_by_its_words(written: io.StringIO) -> None:
    try:
        raise UnavailableError("contract text, https://storage.example/x?X-Amz-Signature=1, sk-ant-1")
    except UnavailableError:
        AnalysisLogger(analysis()).exception("It could not be handled, trying again.")
    (line,) = lines(written)
    assert line["error"] == "UnavailableError"
    assert "test_an_unexpected_error" in line["where"][-1]
    for secret in ("contract text", "X-Amz-Signature", "sk-ant"):
        assert secret not in written.getvalue()


@pytest.mark.parametrize(("log_format", "is_json"), [("json", True), ("plain", False)])
def test_the_format_is_the_installations_choice(
    log_format: str, is_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        configure_logs(settings(LOG_FORMAT=log_format))
        AnalysisLogger(analysis()).info("It runs.")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    line = next(line for line in capsys.readouterr().err.splitlines() if "It runs." in line)
    if is_json:
        assert json.loads(line)["uid"] == UID
    else:
        assert f"[{NAMESPACE}/{NAME}] It runs." in line
