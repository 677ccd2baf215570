"""What a sweep takes for unneeded. Its work on real servers: tests/cluster/test_operator_storage.py."""

from datetime import timedelta
from typing import Any

import pytest

from dealguard_operator.policies.orphans import Living, Sort, is_dangling, is_due, is_orphan, sort_of
from dealguard_operator.report_storage import StoredObject
from dealguard_operator.sweep import living_from, main, summary
from tests.unit.operator_cases import at

POINTER = f"cache/acme/{'ab' * 32}"
LIVING = living_from(
    [
        {
            "metadata": {"uid": "alive"},
            "spec": {"document": {"key": "documents/acme/lease.pdf"}},
            "status": {
                "phase": "Processing",
                "run": 2,
                "runs": [{"run": 1, "report": {"key": "reports/acme/gone-too/1.json"}}],
            },
        },
        {
            "metadata": {"uid": "ended"},
            "spec": {"document": {"key": "documents/acme/offer.pdf"}},
            "status": {"phase": "Completed", "run": 1, "result": {"report": {"key": "reports/acme/gone/3.json"}}},
        },
        {"metadata": {"uid": "new"}, "spec": {}},
    ]
)


@pytest.mark.parametrize(
    ("why", "key", "expected"),
    [
        ("a living one's report", "reports/acme/alive/1.json", False),
        ("a gone one's report", "reports/acme/gone/1.json", True),
        ("a gone one's report, taken by a Cached one", "reports/acme/gone/3.json", False),
        ("a gone one's report, in a Cached one's history", "reports/acme/gone-too/1.json", False),
        ("the checkpoint of a run that goes on", "reports/acme/alive/2.checkpoint.json", False),
        ("the checkpoint of an earlier run", "reports/acme/alive/1.checkpoint.json", True),
        ("the checkpoint of an ended run", "reports/acme/ended/1.checkpoint.json", True),
        ("the checkpoint of a run not yet noted", "reports/acme/new/1.checkpoint.json", False),
        ("a gone one's checkpoint", "reports/acme/gone/1.checkpoint.json", True),
        ("a document that is named", "documents/acme/lease.pdf", False),
        ("a document that is not", "documents/acme/folder/old.pdf", True),
        ("the same name in another namespace", "documents/globex/lease.pdf", True),
        ("a pointer goes with its report", POINTER, False),
        ("somebody's file", "backup/2026.tar", False),
        ("somebody's file among ours", "reports/acme/notes.txt", False),
        ("a report that is not ours", "reports/acme/gone/one.json", False),
        ("no namespace", "documents/lease.pdf", False),
        ("the sweep's own record", "sweep/acme.json", False),
    ],
)
def test_what_nothing_needs(why: str, key: str, expected: bool) -> None:
    assert is_orphan(key, LIVING) is expected, why


@pytest.mark.parametrize(
    "raw",
    [
        {"metadata": {"uid": "odd"}, "spec": {"document": None}, "status": None},
        {"metadata": {"uid": "odd"}, "spec": {"document": "x"}, "status": {"run": "2", "result": [], "runs": None}},
        {"metadata": {"uid": "odd"}, "spec": None, "status": {"runs": ["x", {"report": 3}]}},
    ],
)
def test_an_odd_analysis_is_alive_all_the_same(raw: dict[str, Any]) -> None:
    living = living_from([raw])
    assert not is_orphan("reports/acme/odd/1.json", living)
    assert not is_orphan("reports/acme/odd/1.checkpoint.json", living)


def test_without_analyses_everything_of_ours_is_unneeded_and_nothing_else() -> None:
    keys = ["reports/acme/alive/1.json", "documents/acme/lease.pdf", "backup/2026.tar"]
    assert [is_orphan(key, Living()) for key in keys] == [True, True, False]


@pytest.mark.parametrize(
    ("why", "target", "expected"),
    [
        ("its report is there", "reports/acme/a/1.json", False),
        ("its report is gone", "reports/acme/b/1.json", True),
        ("its report goes", "reports/acme/c/1.json", True),
        ("it is none", None, True),
    ],
)
def test_a_pointer_that_leads_nowhere(why: str, target: str | None, expected: bool) -> None:
    present = {"reports/acme/a/1.json", "reports/acme/c/1.json"}
    assert is_dangling(target, present, {"reports/acme/c/1.json"}) is expected, why


@pytest.mark.parametrize(
    ("why", "orphan_since", "modified_at", "expected"),
    [
        ("long without an owner", 0, -1000, True),
        ("old, but its owner went a moment ago", 90, -1000, False),
        ("put again since", 0, 90, False),
        ("to the second", 40, 40, True),
    ],
)
def test_the_grace_period(why: str, orphan_since: float, modified_at: float, expected: bool) -> None:
    assert is_due(at(orphan_since), at(modified_at), at(100), timedelta(seconds=60)) is expected, why


def test_the_sorts() -> None:
    assert sort_of(POINTER) is Sort.POINTER
    assert sort_of("reports/acme/a/1.checkpoint.json") is Sort.CHECKPOINT
    assert sort_of(POINTER[:-1]) is None


def test_a_summary_counts_all_and_shows_some() -> None:
    items = [StoredObject(f"documents/acme/{number}.pdf", "e", 1024, at(0)) for number in range(30)]
    lines = summary(items)
    assert lines[0].split() == ["documents", "30", "30", "KiB"]
    assert len(lines) == 1 + 20 + 1
    assert lines[-1].strip() == "… and 10 more"


def test_without_settings_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DEALGUARD_S3_ENDPOINT", raising=False)
    assert main([]) == 2
    assert "DEALGUARD_S3_ENDPOINT" in capsys.readouterr().err
