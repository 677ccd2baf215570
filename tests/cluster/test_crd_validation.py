"""What the API server accepts and refuses, with the server's own words."""

import json
from typing import Any

import pytest

from dealguard_operator.kubernetes_api import UNFINISHED
from tests.cluster.operator_tools import result
from tests.cluster.tools import Kubectl, analysis_manifest

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]

# field, value at creation (None: absent), attempted change
IMMUTABLE_FIELDS: list[tuple[str, Any, Any]] = [
    ("document", {"key": "documents/x/a.pdf"}, {"key": "documents/x/b.pdf"}),
    ("engine", "rules", "claude"),
    ("language", "de", "en"),
    ("perspective", "Licensee", "Licensor"),
    ("submittedBy", "alice", "bob"),
    ("cache", "Use", "Refresh"),
    ("maxCostUSD", "0.50", "5"),
    ("deadlineSeconds", 300, 600),
    ("backoffLimit", 3, 1),
]


def _merge_patch(kubectl: Kubectl, namespace: str, name: str, spec: dict[str, Any]) -> Any:
    patch = json.dumps({"spec": spec})
    return kubectl.run("-n", namespace, "patch", "ca", name, "--type=merge", "--patch", patch)


@pytest.mark.parametrize(("field", "before", "after"), IMMUTABLE_FIELDS, ids=[row[0] for row in IMMUTABLE_FIELDS])
def test_an_immutable_field_cannot_be_changed_added_or_removed(
    kubectl: Kubectl, namespace: str, field: str, before: Any, after: Any
) -> None:
    kubectl.apply(analysis_manifest(namespace, "with", **{field: before}))
    refused = [_merge_patch(kubectl, namespace, "with", {field: after})]
    if field in ("perspective", "submittedBy", "maxCostUSD"):  # the others have a default or are required
        kubectl.apply(analysis_manifest(namespace, "without"))
        refused.append(_merge_patch(kubectl, namespace, "without", {field: after}))
        refused.append(_merge_patch(kubectl, namespace, "with", {field: None}))
    for answer in refused:
        assert answer.returncode != 0
        assert f"{field} cannot be changed: create a new ContractAnalysis instead" in answer.stderr


@pytest.mark.parametrize(
    "spec",
    [{"suspend": True}, {"cancel": True}, {"runToken": "again"}, {"priority": 5}, {"ttlSecondsAfterFinished": 60}],
    ids=lambda spec: next(iter(spec)),
)
def test_a_mutable_field_can_be_changed(kubectl: Kubectl, namespace: str, spec: dict[str, Any]) -> None:
    kubectl.apply(analysis_manifest(namespace, "lease"))
    assert _merge_patch(kubectl, namespace, "lease", spec).returncode == 0


def test_cancel_is_taken_back_only_with_a_new_run_token(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(analysis_manifest(namespace, "lease", cancel=True))
    alone = _merge_patch(kubectl, namespace, "lease", {"cancel": False})
    assert alone.returncode != 0
    assert "set cancel to false and runToken to a new value" in alone.stderr
    assert _merge_patch(kubectl, namespace, "lease", {"cancel": False, "runToken": "2"}).returncode == 0


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"document": {}}, "set key to documents/<namespace>/<name>.pdf"),
        ({"document": None}, "Required value"),
        ({"document": {"key": "elsewhere/a.pdf"}}, "should match"),
        ({"document": {"key": "documents/x/../a.pdf"}}, "must not have an empty, '.' or '..' part"),
        ({"document": {"key": "documents/x//a.pdf"}}, "must not have an empty, '.' or '..' part"),
        ({"document": {"key": "documents/x/./a.pdf"}}, "must not have an empty, '.' or '..' part"),
        ({"document": {"key": "documents/x/"}}, "must not have an empty, '.' or '..' part"),
        ({"document": {"key": "documents/x/" + "a" * 900}}, "may not be more than 900"),
        ({"document": {"key": "documents/x/a.pdf", "sha256": "ABC"}}, "should be at least 64 chars long"),
        ({"engine": "gpt"}, 'supported values: "auto", "claude", "rules"'),
        ({"language": "fr"}, 'supported values: "auto", "de", "en"'),
        ({"maxCostUSD": "a lot"}, "should match"),
        ({"maxCostUSD": 0.5}, "must be of type string"),
        ({"deadlineSeconds": 5}, "greater than or equal to 10"),
        ({"deadlineSeconds": 86400}, "less than or equal to 3600"),
        ({"backoffLimit": 11}, "less than or equal to 10"),
        ({"priority": 1001}, "less than or equal to 1000"),
        ({"perspective": "x" * 121}, "may not be more than 120"),
        ({"perspective": "line\nbreak"}, "should match"),
        ({"runToken": "with space"}, "should match"),
        ({"ttlSecondsAfterFinished": -1}, "greater than or equal to 0"),
        ({"image": "evil"}, 'unknown field "spec.image"'),
        ({"document": {"key": "documents/x/a.pdf", "bucket": "evil"}}, 'unknown field "spec.document.bucket"'),
    ],
    ids=str,
)
def test_a_bad_spec_is_refused_in_words(kubectl: Kubectl, namespace: str, spec: dict[str, Any], words: str) -> None:
    answer = kubectl.try_apply(analysis_manifest(namespace, "bad", **spec))
    assert answer.returncode != 0
    assert words in answer.stderr


def test_defaults_are_filled_in(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(analysis_manifest(namespace, "lease"))
    spec = kubectl.get("ca", "lease", namespace)["spec"]
    assert spec == {
        "document": {"key": f"documents/{namespace}/contract.pdf"},
        "engine": "auto",
        "language": "auto",
        "cache": "Use",
        "deadlineSeconds": 300,
        "backoffLimit": 3,
        "suspend": False,
        "cancel": False,
        "priority": 0,
    }


def test_status_is_a_subresource(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply({**analysis_manifest(namespace, "lease"), "status": {"phase": "Completed"}})
    assert "status" not in kubectl.get("ca", "lease", namespace), "a submitter cannot write it"


def test_it_is_listed_by_its_short_name_and_category_but_not_with_all(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(analysis_manifest(namespace, "lease"))
    for resource in ("ca", "contractanalyses", "dealguard"):
        assert "lease" in kubectl.check("-n", namespace, "get", resource)
    assert "lease" not in kubectl.check("-n", namespace, "get", "all")


def test_printer_columns(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(analysis_manifest(namespace, "lease"))
    narrow = kubectl.check("-n", namespace, "get", "ca").splitlines()[0].split()
    wide = kubectl.check("-n", namespace, "get", "ca", "-o", "wide").splitlines()[0].split()
    assert narrow == ["NAME", "PHASE", "STAGE", "RISK", "FINDINGS", "AGE"]
    assert wide == [*narrow, "REASON", "ENGINE", "COST", "ATTEMPTS", "SECONDS"]


def test_every_field_is_explained_by_kubectl(kubectl: Kubectl) -> None:
    words = kubectl.check("explain", "ca.spec.document.key")
    assert "documents/<namespace>/" in words


def test_a_list_can_be_restricted_to_a_phase_and_a_risk_level(kubectl: Kubectl, namespace: str) -> None:
    statuses: dict[str, dict[str, Any]] = {
        "new": {},
        "waits": {"phase": "Pending"},
        "failed": {"phase": "Failed"},
        "risky": {"phase": "Completed", "result": _result("High")},
        "harmless": {"phase": "Completed", "result": _result("Low")},
    }
    for name, status in statuses.items():
        kubectl.apply(analysis_manifest(namespace, name))
        patch = json.dumps({"status": status})
        kubectl.check("-n", namespace, "patch", "ca", name, "--subresource=status", "--type=merge", "--patch", patch)
    for selector, expected in (
        ("status.phase=Failed", {"failed"}),
        (UNFINISHED, {"new", "waits"}),
        ("status.result.riskLevel=High", {"risky"}),
    ):
        listed = kubectl.check("-n", namespace, "get", "ca", "-o", "name", f"--field-selector={selector}")
        assert {line.rpartition("/")[2] for line in listed.split()} == expected, selector


def _result(risk_level: str) -> dict[str, Any]:
    return {**result("reports/x/y/1.json"), "riskLevel": risk_level}
