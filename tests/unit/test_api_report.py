"""The report: what it derives, what it refuses to say, and the JSON Schema that describes it."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dealguard_api.markdown import render
from dealguard_api.report import (
    Citation,
    DocumentInfo,
    EngineInfo,
    Fact,
    Money,
    Period,
    Report,
    UnreadablePage,
    Usage,
)
from tests.reports import cite, report_with

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
EMPTY = Report(
    document=DocumentInfo(sha256="a" * 64, bytes=0, pages=0), engine=EngineInfo(name="rules", version="1"), summary=""
)


def breaches(value: Any, schema: dict[str, Any], path: str = "$") -> list[str]:
    """Where `value` breaks `schema`; an assertion fails where the schema uses a keyword that is not known here."""
    notes = {"title", "description", "default", "readOnly", "$schema", "$comment", "$defs"}
    if "$ref" in schema:
        schema = {
            **SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]],
            **{k: v for k, v in schema.items() if k != "$ref"},
        }
    if "anyOf" in schema:
        branches = [breaches(value, branch, path) for branch in schema["anyOf"]]
        return [] if [] in branches else branches[0]
    found: list[str] = []
    for keyword, limit in schema.items():
        if keyword not in notes and not _holds(keyword, limit, value):
            found.append(f"{path}: {keyword} {limit}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{path}.{name}: not described" for name in value if name not in properties]
        for name in value.keys() & properties.keys():
            found += breaches(value[name], properties[name], f"{path}.{name}")
    if isinstance(value, list):
        for position, item in enumerate(value):
            found += breaches(item, schema["items"], f"{path}[{position}]")
    return found


TYPES: dict[str, type] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "null": type(None),
}


def _holds(keyword: str, limit: Any, value: Any) -> bool:
    """JSON Schema's keywords say nothing of values of another type than theirs; `type` does that."""
    match keyword:
        case "type" if limit == "number":
            return type(value) in (int, float)
        case "type":
            return type(value) is TYPES[limit]
        case "properties" | "items":
            return True  # looked at where they stand
        case "enum":
            return value in limit
        case "const":
            return bool(value == limit)
        case "required":
            return not isinstance(value, dict) or set(limit) <= set(value)
        case "pattern":
            return not isinstance(value, str) or re.search(limit, value) is not None
        case "maxLength":
            return not isinstance(value, str) or len(value) <= limit
        case "minimum":
            return not isinstance(value, int | float) or value >= limit
        case "maximum":
            return not isinstance(value, int | float) or value <= limit
    raise AssertionError(f"this test does not know the keyword {keyword}")


@pytest.mark.parametrize("report", [EMPTY, report_with("words"), report_with("x", "de", every_page_was_read=False)])
def test_the_schema_describes_what_is_written(report: Report) -> None:
    assert breaches(json.loads(report.model_dump_json(by_alias=True, exclude_none=True)), SCHEMA) == []


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("schemaVersion",), "dealguard.io/report/v2", "another version"),
        (("document", "sha256"), "abc", "no digest"),
        (("document", "language"), "fr", "a language that is not read"),
        (("findings", 0, "severity", "likelihood"), 6, "off the scale"),
        (("findings", 0, "severity", "level"), "Awful", "no level"),
        (("findings", 0, "assessment"), "maybe", "neither risk nor check"),
        (("clauses", 0, "citation", "page"), 0, "pages count from 1"),
        (("agreementDate", "value"), "March 2024", "not ISO 8601"),
        (("prices", 0, "value", "currency"), "Euro", "not ISO 4217"),
        (("notDetermined",), "all", "not a list"),
        (("summary",), None, "missing words"),
    ],
)
def test_the_schema_refuses_what_is_no_report(path: tuple[str | int, ...], value: object, why: str) -> None:
    data = json.loads(report_with("words").model_dump_json(by_alias=True, exclude_none=True))
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    assert breaches(data, SCHEMA), why


def test_what_was_written_is_read_back() -> None:
    report = report_with("words")
    assert Report.model_validate_json(report.model_dump_json(by_alias=True, exclude_none=True)) == report


def test_derived_values_are_written() -> None:
    wire = report_with("words").to_wire()
    assert wire["risk"] == {"level": "Critical", "score": 25}
    assert wire["unverifiedCitations"] == 2, "the venue's and one of a finding"
    assert (wire["isContract"], wire["notDetermined"]) == (True, ["Source Code Escrow"])


def test_every_citation_is_counted() -> None:
    report = report_with("words")
    wire = json.dumps(report.to_wire())
    # A clause gives its citation's quote a second time, beside the citation.
    assert len(list(report.citations())) == wire.count('"quote":') - len(report.clauses)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"verified": True}, "has start and end"),
        ({"verified": True, "start": 4}, "has start and end"),
        ({"verified": True, "start": 4, "end": 4}, "end must come after start"),
        ({"end_page": 2}, "endPage must come after page"),
        ({"end_page": 3}, "leave it out"),
    ],
)
def test_a_citation_that_cannot_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        Citation(quote="contract text", page=3, **fields)
    assert "contract text" not in str(caught.value)


def test_a_quote_over_a_page_break_may_end_before_where_it_began() -> None:
    assert Citation(quote="x", page=3, start=2900, end=12, end_page=4, verified=True).last_page == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parties": [{"name": "A", "citation": cite("A", page=10)}]}, "a page that the document does not have"),
        ({"venue": None, "clauses": [{"category": "Insurance", "citation": cite("x")}]}, "absent and has a clause"),
        ({"not_determined": ["Insurance"]}, "absent and not determined"),
        ({"is_contract": False}, "nothing can be absent from what is no contract"),
        ({"unreadable_pages": [UnreadablePage(page=10, reason="x")]}, "is called unreadable"),
        ({"unreadable_pages": [UnreadablePage(page=9, reason="x")]}, "while pages are unread"),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    fields = {name: getattr(report_with("words"), name) for name in Report.model_fields}
    with pytest.raises(ValidationError, match=message):
        Report(**{**fields, **changes})


def test_an_unverified_citation_may_name_any_page() -> None:
    """What a model says is kept and marked: its page is no more certain than its words."""
    invented = Fact[str](value="x", citation=cite("x", page=99, verified=False))
    assert EMPTY.model_copy(update={"governing_law": invented}).unverified_citations == 1


@pytest.mark.parametrize("amount", ["1E+100", "1E-30", "NaN", "Infinity", "123456789012345678901"])
def test_an_amount_that_cannot_be_printed_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError):
        Money(amount=Decimal(amount), currency="EUR")


def test_numbers_are_written_in_digits() -> None:
    hundred = Decimal(100).normalize()
    assert str(hundred) == "1E+2"
    assert Period(value=hundred, unit="day").to_wire()["value"] == "100"


@pytest.mark.parametrize(
    ("usage", "cost", "why"),
    [
        (Usage(), "0", "nothing was used"),
        (Usage(output_tokens=1), None, "used, and nobody knows the price"),
        (Usage(output_tokens=1, cost_usd="0.1"), "0.1", "said"),
        (Usage(output_tokens=1, cost_usd="0.1") + Usage(), "0.1", "nothing more was used"),
        (Usage(output_tokens=1, cost_usd="0.1") + Usage(output_tokens=1), None, "a part is not known"),
    ],
)
def test_a_cost_that_is_not_known_is_unset(usage: Usage, cost: str | None, why: str) -> None:
    assert usage.cost_usd == cost, why
    assert Usage.model_validate(usage.to_wire()) == usage
    assert ("costUSD" in usage.to_wire()) == (cost is not None)


def test_an_empty_report_can_be_rendered() -> None:
    assert render(EMPTY).startswith("# Contract analysis")
