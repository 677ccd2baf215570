"""Termination messages: always JSON, never longer than the kubelet keeps; and the file between the two containers."""

import json
from pathlib import Path

import pytest

from dealguard_analyzer.containers.handover import read_document, write_document
from dealguard_analyzer.containers.settings import load_settings
from dealguard_analyzer.containers.termination import encode, write
from dealguard_analyzer.document import ExtractedDocument, Page, Word
from dealguard_analyzer.errors import AnalysisError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import (
    MAX_TERMINATION_MESSAGE_BYTES,
    AnalyzeOutcome,
    AnalyzeSettings,
    ExtractOutcome,
    ExtractSettings,
    OutcomeFailure,
)
from dealguard_api.report import DocumentInfo, FindingCounts, RiskLevel, UnreadablePage, Usage
from dealguard_api.resource import ReportReference, Result
from dealguard_api.text import shorten_utf8

INFO = DocumentInfo(sha256="0" * 64, bytes=1234, pages=3, language="de")


def _result(summary: str, contract_type: str = "Mietvertrag") -> Result:
    return Result(
        contract_type=contract_type,
        risk_level=RiskLevel.HIGH,
        risk_score=16,
        findings=FindingCounts(high=3, medium=2, total=5),
        summary=summary,
        report=ReportReference(key=f"reports/{'n' * 63}/{'u' * 36}/12.json", sha256="f" * 64),
        engine="claude",
        model="claude-sonnet-5-5",
    )


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(ExtractOutcome(document=INFO), id="a document"),
        pytest.param(AnalyzeOutcome(result=_result("kurz"), usage=Usage(input_tokens=1)), id="a short summary"),
        pytest.param(AnalyzeOutcome(result=_result("Ä" * 800)), id="800 characters that are 1,600 bytes"),
        pytest.param(AnalyzeOutcome(result=_result("„§“ " * 200, "Überlassungsvertrag" * 5)), id="three bytes each"),
        pytest.param(AnalyzeOutcome(result=_result('"\\\n' * 266)), id="every character escaped"),
        pytest.param(AnalyzeOutcome(result=_result("😀" * 800)), id="four bytes each"),
        pytest.param(ExtractOutcome(failure=OutcomeFailure(reason="X" * 64, message="ü" * 1000)), id="a long failure"),
        pytest.param(AnalyzeOutcome(failure=OutcomeFailure(reason="X", message="\x01" * 1000)), id="six bytes each"),
    ],
)
def test_message_is_json_of_bounded_length(outcome: ExtractOutcome | AnalyzeOutcome) -> None:
    data = encode(outcome)
    assert len(data) <= MAX_TERMINATION_MESSAGE_BYTES
    assert json.loads(data)
    read_back = type(outcome).model_validate_json(data)
    if isinstance(outcome, AnalyzeOutcome) and isinstance(read_back, AnalyzeOutcome) and outcome.result:
        assert read_back.result is not None
        assert read_back.result.report == outcome.result.report
        assert outcome.result.summary.startswith(read_back.result.summary.removesuffix("…")[:400])
        assert read_back.usage == outcome.usage


def test_what_fits_is_left_alone() -> None:
    outcome = AnalyzeOutcome(result=_result("Der Vertrag verlängert sich automatisch."), usage=Usage(cost_usd="0.03"))
    assert AnalyzeOutcome.model_validate_json(encode(outcome)) == outcome


def test_a_message_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "no" / "such" / "folder", ExtractOutcome(document=INFO))


@pytest.mark.parametrize(
    ("text", "max_bytes", "short"),
    [
        pytest.param("Haftung", 7, "Haftung", id="it fits exactly"),
        pytest.param("Haftung unbegrenzt", 15, "Haftung…", id="cut between words"),
        pytest.param("Haftungsausschluss", 10, "Haftung…", id="one long word"),
        pytest.param("a Haftungsausschluss", 14, "a Haftungsa…", id="a long word at the end is cut, not given up"),
        pytest.param("üüüü", 7, "üü…", id="no half characters"),
        pytest.param("abc", 3, "abc", id="as long as the ellipsis, and fits"),
        pytest.param("abcd", 3, "…", id="room for the ellipsis alone"),
        pytest.param("abcd", 2, "", id="no room"),
    ],
)
def test_shorten(text: str, max_bytes: int, short: str) -> None:
    assert shorten_utf8(text, max_bytes) == short


DOCUMENT = ExtractedDocument(
    INFO,
    (
        Page(1, "Mietvertrag\n„Wohnung“ 😀", (Word(0, 11, 72.0, 700.1, 150.5, 712.9),)),
        Page(3, "", ()),
    ),
    (UnreadablePage(page=2, reason="The page is damaged."),),
)


def test_the_text_arrives_as_it_left(tmp_path: Path) -> None:
    write_document(tmp_path / "text.jsonl", DOCUMENT)
    assert read_document(tmp_path / "text.jsonl") == DOCUMENT
    assert [path.name for path in tmp_path.iterdir()] == ["text.jsonl"]


@pytest.mark.parametrize("keep_lines", [0, 1, 2], ids=["nothing", "the header alone", "a page too few"])
def test_a_text_that_is_not_whole_is_refused(keep_lines: int, tmp_path: Path) -> None:
    path = tmp_path / "text.jsonl"
    write_document(path, DOCUMENT)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:keep_lines]))
    with pytest.raises(AnalysisError) as error:
        read_document(path)
    assert error.value.exit_code == ExitCode.INTERNAL_ERROR


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        pytest.param({"DEALGUARD_MAX_PAGES": "many"}, ["DEALGUARD_MAX_PAGES"], id="not a number"),
        pytest.param({"DEALGUARD_MAX_PAGES": "0"}, ["DEALGUARD_MAX_PAGES"], id="out of bounds"),
        pytest.param(
            {"DEALGUARD_MAX_PDF_BYTES": "-1", "DEALGUARD_MAX_SECONDS": "x"},
            ["DEALGUARD_MAX_PDF_BYTES", "DEALGUARD_MAX_SECONDS"],
            id="two at once",
        ),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], names: list[str]) -> None:
    with pytest.raises(AnalysisError) as error:
        load_settings(ExtractSettings, environment)
    assert all(name in error.value.message for name in names)


def test_settings_survive_the_environment() -> None:
    settings = AnalyzeSettings(
        engine="rules", perspective="Käufer", max_cost_usd="0.50", report_key="reports/a/b/1.json"
    )
    assert load_settings(AnalyzeSettings, settings.to_environment()) == settings
