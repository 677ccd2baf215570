"""The one translation from the resource to what clients see, spoilt resources included."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dealguard_gateway.contracts import contract_from, contract_id, split_id
from dealguard_gateway.problems import NotFoundProblem
from tests.unit.gateway_fakes import analysis

RESULT = {
    "riskLevel": "High",
    "riskScore": 12,
    "summary": "A lease.",
    "contractType": "Lease",
    "findings": {"high": 1, "total": 1},
    "report": {"key": "reports/acme/uid/1.json", "sha256": "ab" * 32},
    "engine": "rules",
}
WAITING = {"type": "Reconciling", "status": "True", "reason": "Queued", "message": "The analysis waits."}


@pytest.mark.parametrize(
    ("reason", "fields", "expected"),
    [
        ("no operator has seen it", {}, {"status": "pending", "stage": "queued", "run": 1, "attempts": 0}),
        (
            "it waits, and says why",
            {"status": {"phase": "Pending", "stage": "Queued", "conditions": [WAITING]}},
            {"status": "pending", "stage": "queued", "message": "The analysis waits."},
        ),
        (
            "it runs",
            {"status": {"phase": "Processing", "stage": "Extracting", "attemptCount": 2, "run": 3}},
            {"status": "processing", "stage": "extracting", "attempts": 2, "run": 3},
        ),
        (
            "it is done",
            {"status": {"phase": "Completed", "result": RESULT, "finishedAt": "2026-11-24T10:01:00Z"}},
            {"status": "completed", "stage": None, "message": None, "finishedAt": "2026-11-24T10:01:00Z"},
        ),
        (
            "an earlier report was taken",
            {
                "status": {
                    "phase": "Completed",
                    "result": RESULT,
                    "conditions": [{"type": "Ready", "status": "True", "reason": "Cached"}],
                }
            },
            {"reused": True},
        ),
        (
            "it failed",
            {"status": {"phase": "Failed", "failure": {"reason": "NoTextLayer", "message": "It needs OCR."}}},
            {"status": "failed", "failure": {"reason": "NoTextLayer", "message": "It needs OCR."}, "summary": None},
        ),
        (
            "another run was asked for: what the status tells is of the one before",
            {
                "spec": {"runToken": "again"},
                "status": {"phase": "Completed", "run": 1, "result": RESULT, "finishedAt": "2026-11-24T10:01:00Z"},
            },
            {"status": "pending", "run": 2, "summary": None, "finishedAt": None},
        ),
        (
            "a cancelled one stays so whatever its token",
            {"spec": {"runToken": "again", "cancel": True}, "status": {"phase": "Cancelled", "runToken": "first"}},
            {"status": "cancelled", "run": 1},
        ),
        ("it is suspended", {"spec": {"suspend": True}}, {"suspended": True}),
        (
            "options",
            {"spec": {"engine": "rules", "language": "de", "perspective": "Käufer", "submittedBy": "anna"}},
            {"options": {"engine": "rules", "language": "de", "perspective": "Käufer"}, "submittedBy": "anna"},
        ),
        (
            "a name that would turn the text around",
            {"file_name": "Vertrag\u202efdp.\nexe"},
            {"fileName": "Vertrag fdp. exe"},
        ),
        ("a phase of a later version", {"status": {"phase": "Archived"}}, {"status": "pending"}),
        ("a result that says nothing", {"status": {"phase": "Completed", "result": {}}}, {"summary": None}),
        (
            "numbers that are none",
            {"status": {"phase": "Processing", "run": "x", "attemptCount": -1, "startedAt": "soon", "usage": []}},
            {"status": "processing", "run": 1, "attempts": 0, "startedAt": None, "usage": None},
        ),
    ],
)
def test_a_resource_as_clients_see_it(reason: str, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    shown = contract_from(analysis(**fields)).model_dump(mode="json", by_alias=True)
    assert {field: shown[field] for field in expected} == expected, reason


def test_a_completed_contract_has_its_report_in_short() -> None:
    contract = contract_from(analysis(status={"phase": "Completed", "result": RESULT}))
    assert contract.summary is not None
    assert (contract.summary.risk_level, contract.summary.risk_score) == ("High", 12)
    assert contract.links == {
        "self": "/contracts/acme.lease",
        "document": "/contracts/acme.lease/document",
        "events": "/contracts/acme.lease/events",
        "report": "/contracts/acme.lease/report",
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
_FIELDS = ("phase", "stage", "run", "result", "failure", "conditions", "document", "usage", "attemptCount", "startedAt")


@given(
    status=_JSON | st.dictionaries(st.sampled_from(_FIELDS), _JSON),
    spec=_JSON | st.dictionaries(st.sampled_from(("engine", "suspend", "runToken")), _JSON),
)
def test_no_status_keeps_a_contract_from_being_shown(status: Any, spec: Any) -> None:
    raw = {**analysis(), "status": status, "spec": spec}
    assert contract_from(raw).model_dump_json(by_alias=True)


@pytest.mark.parametrize(
    "id",
    [
        *("", "acme", ".lease", "acme.", "Acme.lease", "acme.le/ase", "acme.../x", "acme.lease\n"),
        *("a" * 64 + ".x", "acme." + "a" * 254),
    ],
)
def test_what_no_contract_can_be_called_is_not_found(id: str) -> None:  # noqa: A002
    with pytest.raises(NotFoundProblem):
        split_id(id)


@pytest.mark.parametrize("name", ["lease", "a.b", "contract-5e0a6b21c90f", "a" * 253])
def test_an_id_is_namespace_and_name(name: str) -> None:
    assert split_id(contract_id("acme", name)) == ("acme", name)
