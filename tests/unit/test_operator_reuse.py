"""Reuse: which report is one of the same input, when the storage is asked, and what follows from its answer."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dealguard_api.pod import ClaudeSettings
from dealguard_api.reasons import Reason
from dealguard_api.report import SCHEMA_VERSION, DocumentInfo
from dealguard_api.resource import ContractAnalysisStatus, Phase, Result, Run
from dealguard_operator.decide import decide
from dealguard_operator.model import (
    NO_REUSE,
    Analysis,
    CreateJob,
    DocumentVersion,
    Lookup,
    LookUpReport,
    Observation,
    QuotaRefusal,
    StoredReport,
)
from dealguard_operator.policies.conditions import current_reason
from dealguard_operator.policies.reuse import (
    job_note,
    new_report,
    pointer_to,
    pointers_to_read,
    pointers_to_write,
    report_of_pointer,
    stored_report_from,
)
from tests.unit.operator_cases import (
    NAMESPACE,
    REPORT_KEY,
    SHA256,
    analysis,
    at,
    completed,
    job,
    result,
    settle,
    started,
    succeeded,
)

CLAUDE = ClaudeSettings()
IMAGE = "registry.example/analyzer:1"
VERSION = DocumentVersion(etag="0123", size_bytes=1000, modified_at=at(-3600))
OTHER_BYTES = VERSION.model_copy(update={"etag": "4567"})
PUT_AGAIN = VERSION.model_copy(update={"modified_at": at(5)})
STORED = StoredReport(Result.model_validate(result()), DocumentInfo(sha256=SHA256, bytes=1000, pages=12, language="en"))


def written(
    version: DocumentVersion | None = VERSION,
    *,
    at_the_end: DocumentVersion | None = VERSION,
    claude: ClaudeSettings = CLAUDE,
    image: str = IMAGE,
    engine: str = "claude",
    **spec: Any,
) -> set[str]:
    """Where a report is noted that was made for `spec`."""
    this = analysis(**spec)
    status = completed()
    assert status.result is not None
    status = status.model_copy(update={"result": status.result.model_copy(update={"engine": engine})})
    note = job_note(this, Lookup(at(0), document=version), claude, image)
    return set(pointers_to_write(this, status, note, at_the_end))


def read(
    version: DocumentVersion | None = VERSION,
    *,
    claude: ClaudeSettings = CLAUDE,
    image: str = IMAGE,
    this: Analysis | None = None,
    **spec: Any,
) -> set[str]:
    """Where a report for `spec` is looked for."""
    return set(pointers_to_read(this or analysis(**spec), version, claude, image))


def test_the_same_input_is_found_by_version_and_by_digest() -> None:
    both = written()
    assert len(both) == 2
    assert all(key.startswith(f"cache/{NAMESPACE}/") for key in both)
    assert read() < both
    assert read(None, document={"key": "documents/acme/copy.pdf", "sha256": SHA256}) < both
    assert read() != read(None, document={"key": "documents/acme/copy.pdf", "sha256": SHA256})


@pytest.mark.parametrize(
    ("why", "made_for", "asked_for"),
    [
        ("another key with the same bytes", {}, {"document": {"key": "documents/acme/copy.pdf"}}),
        ("what it may cost", {}, {"maxCostUSD": "0.10"}),
        ("how long it may take", {}, {"deadlineSeconds": 60, "backoffLimit": 0}),
        ("who asked", {}, {"submittedBy": "somebody-else"}),
        ("claude takes what auto had claude write", {}, {"engine": "claude"}),
        ("Refresh does not look but is found", {"cache": "Refresh"}, {}),
    ],
)
def test_is_no_input(why: str, made_for: dict[str, Any], asked_for: dict[str, Any]) -> None:
    assert read(**asked_for) < written(**made_for), why


@pytest.mark.parametrize(
    ("why", "asked_for"),
    [
        ("other bytes under the same key", {"version": OTHER_BYTES}),
        ("other bytes by digest", {"document": {"key": "documents/acme/lease.pdf", "sha256": "cd" * 32}}),
        ("another language", {"language": "de"}),
        ("another side", {"perspective": "Tenant"}),
        ("another engine", {"engine": "rules"}),
        ("another model", {"claude": ClaudeSettings(model="another")}),
        ("another effort", {"claude": ClaudeSettings(effort="high")}),
        ("another namespace", {"this": replace(analysis(), namespace="globex")}),
    ],
)
def test_another_input_is_not_found(why: str, asked_for: dict[str, Any]) -> None:
    keys = read(**asked_for)
    assert keys, why
    assert not keys & written(), why


def test_a_report_of_another_schema_is_not_found() -> None:
    """The version is a constant, so the whole key is pinned: whoever changes it leaves old reports behind."""
    inputs = {
        **{"namespace": NAMESPACE, "engine": "claude", "model": CLAUDE.model, "effort": CLAUDE.effort},
        **{"language": "auto", "perspective": None},
    }

    def key(schema_version: str) -> str:
        digest = _sha256_of_json({**inputs, "schemaVersion": schema_version})
        return f"cache/{NAMESPACE}/{_sha256_of_json({'inputs': digest, 'document': 'etag:0123:1000'})}"

    assert read() == {key(SCHEMA_VERSION)}
    assert key("another") not in read()


def _sha256_of_json(value: dict[str, str | None]) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize(
    ("why", "asked_for"),
    [
        ("Refresh", {"cache": "Refresh"}),
        ("no document", {"version": None}),
        (
            "a run that brought a report, and a new runToken after it",
            {
                "this": analysis(
                    ContractAnalysisStatus(run=3, runs=[Run(run=1, phase=Phase.COMPLETED, reason="Completed")])
                )
            },
        ),
    ],
)
def test_nothing_is_looked_for(why: str, asked_for: dict[str, Any]) -> None:
    assert read(**asked_for) == set(), why


def test_after_a_failed_run_it_is_looked() -> None:
    status = ContractAnalysisStatus(run=2, runs=[Run(run=1, phase=Phase.FAILED, reason="Evicted")])
    assert read(this=analysis(status))


def test_what_the_rules_wrote_serves_only_who_asks_for_the_rules_of_the_same_image() -> None:
    by_auto = written(engine="rules")
    assert len(by_auto) == 2
    assert not read() & by_auto, "a key may have come since, and the rules cost nothing"
    assert read(engine="rules") <= by_auto
    assert not read(engine="rules", image="registry.example/analyzer:2") & by_auto
    assert read(engine="rules", claude=ClaudeSettings(model="another")) <= by_auto
    assert read(image="registry.example/analyzer:2") <= written(), "an upgrade does not make claude's reports stale"


@pytest.mark.parametrize(
    ("why", "before", "at_the_end"),
    [
        ("replaced before the pod read it, or after", VERSION, OTHER_BYTES),
        ("replaced and put back", VERSION, PUT_AGAIN),
        ("removed", VERSION, None),
        ("not there before the Job", None, VERSION),
        ("other bytes were read than the storage shows", *[VERSION.model_copy(update={"size_bytes": 7})] * 2),
    ],
)
def test_a_version_that_may_not_be_what_was_read_is_not_noted(
    why: str, before: DocumentVersion | None, at_the_end: DocumentVersion | None
) -> None:
    by_digest = read(None, document={"key": "documents/acme/lease.pdf", "sha256": SHA256})
    assert written(before, at_the_end=at_the_end) == by_digest, why


@pytest.mark.parametrize("note", ["", "{", "[]", '{"inputs": 3}', '{"inputs": {"rules": "00"}}'])
def test_without_the_jobs_own_note_nothing_is_noted(note: str) -> None:
    assert pointers_to_write(analysis(), completed(), note, VERSION) == []


def test_a_pointer_says_what_the_status_says() -> None:
    content = pointer_to(completed())
    assert len(content) < 4096
    assert stored_report_from(analysis(), content) == STORED
    assert report_of_pointer(content) == REPORT_KEY


@pytest.mark.parametrize(
    ("why", "content", "this"),
    [
        ("no JSON", b"<Error/>", analysis()),
        ("empty", b"", analysis()),
        ("another version", pointer_to(completed()).replace(b'"version":1', b'"version":2'), analysis()),
        ("a report elsewhere", pointer_to(completed()).replace(b"reports/acme/", b"reports/globex/"), analysis()),
        (
            "another document than the one asked for",
            pointer_to(completed()),
            analysis(document={"key": "documents/acme/lease.pdf", "sha256": "cd" * 32}),
        ),
    ],
)
def test_what_is_no_pointer_to_a_report_of_this_input_leads_nowhere(why: str, content: bytes, this: Analysis) -> None:
    assert stored_report_from(this, content) is None, why


# What is decided.


def test_first_it_is_looked_and_then_there_is_a_job() -> None:
    for has_place, status in ((True, None), (False, Phase.PENDING)):
        new, decision = settle(Observation(analysis(), lookup=None, has_place=has_place), 0)
        assert decision.actions == (LookUpReport(),)
        assert new.phase is status, "who need not wait has no status before the Job"
        _, decision = settle(Observation(analysis(new), lookup=Lookup(at(0), document=VERSION)), 0)
        assert isinstance(decision.actions[0], CreateJob)


@pytest.mark.parametrize(
    ("why", "spec", "more"),
    [
        ("suspended", {"suspend": True}, {}),
        ("cancelled", {"cancel": True}, {}),
        ("a key outside the namespace", {"document": {"key": "documents/globex/x.pdf"}}, {}),
        ("refused by the API server", {}, {"job_rejection": "no"}),
    ],
)
def test_who_does_not_start_asks_nothing(why: str, spec: dict[str, Any], more: dict[str, Any]) -> None:
    _, decision = settle(Observation(analysis(**spec), lookup=None, **more), 0)
    assert decision.actions == (), why


def test_it_is_looked_before_there_is_a_place_and_a_report_needs_none() -> None:
    queued, decision = settle(Observation(analysis(), lookup=None, has_place=False), 0)
    assert decision.actions == (LookUpReport(),)
    found = Observation(analysis(queued), lookup=Lookup(at(0), report=STORED), has_place=False)
    status, decision = settle(found, 1)
    assert (status.phase, decision.actions) == (Phase.COMPLETED, ())


def test_who_waits_for_a_place_asks_once_and_again_when_it_has_one() -> None:
    queued, _ = settle(Observation(analysis(), lookup=None, has_place=False), 0)
    waiting = Observation(analysis(queued), lookup=Lookup(at(0)), has_place=False)
    assert decide(waiting, at(500)).is_empty
    assert decide(replace(waiting, has_place=True), at(500)).actions == (LookUpReport(),)
    fresh = replace(waiting, has_place=True, lookup=Lookup(at(500)))
    assert isinstance(decide(fresh, at(501)).actions[0], CreateJob)


def test_what_was_found_long_ago_is_not_taken() -> None:
    queued, _ = settle(Observation(analysis(), lookup=None), 0)
    for has_place in (True, False):
        old = Observation(analysis(queued), lookup=Lookup(at(0), report=STORED), has_place=has_place)
        assert decide(old, at(60)).actions == (LookUpReport(),), "it may have been removed since"


def test_a_quota_that_refuses_the_job_is_no_reason_to_ask_again() -> None:
    queued, _ = settle(Observation(analysis(), lookup=None), 0)
    refused = Observation(analysis(queued), lookup=Lookup(at(0)), quota_refusal=QuotaRefusal("full", at(70)))
    assert decide(refused, at(60)).actions == ()
    assert decide(refused, at(70)).actions == (LookUpReport(),)


def test_completed_from_storage() -> None:
    queued, _ = settle(Observation(analysis(), lookup=None, has_place=False), 0)
    found = Observation(analysis(queued), lookup=Lookup(at(1), document=VERSION, report=STORED))
    status, decision = settle(found, 2)
    assert (status.phase, status.stage, current_reason(status)) == (Phase.COMPLETED, None, "Cached")
    assert (status.result, status.document) == (STORED.result, STORED.document)
    assert (status.queued_at, status.started_at, status.finished_at) == (at(0), None, at(2))
    assert (status.usage, status.attempts, status.job_name, status.duration_seconds) == (None, [], None, None)
    assert {(condition.type, condition.status) for condition in status.conditions} == {
        ("Ready", "True"),
        ("Finished", "True"),
    }
    assert REPORT_KEY in status.conditions[0].message
    assert [note.reason for note in decision.events] == ["Completed"]
    again = decide(Observation(analysis(status), lookup=None), at(3))
    assert again.is_empty, "an end is an end"


def test_a_storage_that_is_away_is_waited_for() -> None:
    queued, _ = settle(Observation(analysis(), lookup=None, has_place=False), 0)
    away = Lookup(at(0), unavailable="The object storage does not answer.", retry_at=at(5))
    status, decision = settle(Observation(analysis(queued), lookup=away), 1)
    assert (status.phase, current_reason(status)) == (Phase.PENDING, "StorageUnavailable")
    assert status.conditions[0].message == (
        "The object storage does not answer. The analysis waits without a Job and goes on by itself."
    )
    assert (decision.actions, decision.requeue_after_seconds) == ((), 4)
    later = Observation(analysis(status), lookup=replace(away, retry_at=at(5)))
    assert decide(later, at(5)).actions == (LookUpReport(),)
    still_away = replace(later, lookup=replace(away, at=at(5), retry_at=at(10)))
    assert decide(still_away, at(6)).status is None, "the same words: no write"
    back, decision = settle(replace(later, lookup=Lookup(at(10))), 10)
    assert current_reason(back) == "Queued"
    assert isinstance(decision.actions[0], CreateJob)


def test_a_second_job_of_a_run_looks_again() -> None:
    this = started(suspend=True)
    suspended, _ = settle(Observation(analysis(this, suspend=True)), 5)
    resumed, decision = settle(Observation(analysis(suspended), lookup=None, is_fresh=True), 9)
    assert resumed.job_count == 2
    assert decision.actions == (LookUpReport(),)


def test_a_run_whose_job_is_gone_is_completed_by_another_if_it_stored_its_report() -> None:
    gone = Observation(analysis(started()), lookup=None)
    job_name = gone.analysis.status.job_name
    for before in (None, Lookup(at(59)), Lookup(at(59), job_name="another", is_own_stored=True)):
        _, decision = settle(replace(gone, lookup=before), 60)
        assert (decision.status, decision.actions) == (None, (LookUpReport(),)), "before it fails"
    away = Lookup(at(60), job_name=job_name, unavailable="The object storage does not answer.", retry_at=at(65))
    waiting, decision = settle(replace(gone, lookup=away), 61)
    assert (waiting.phase, current_reason(waiting)) == (Phase.PROCESSING, Reason.STORAGE_UNAVAILABLE)
    assert (decision.actions, decision.events, decision.requeue_after_seconds) == ((), (), 4)
    _, decision = settle(replace(gone, lookup=away), 65)
    assert decision.actions == (LookUpReport(),)
    failed, _ = settle(replace(gone, lookup=Lookup(at(66), job_name=job_name)), 66)
    assert failed.failure is not None
    assert failed.failure.reason == Reason.JOB_DELETED
    stored = replace(gone, lookup=Lookup(at(66), job_name=job_name, is_own_stored=True))
    again, decision = settle(stored, 66)
    assert (again.phase, again.run, again.job_count) == (Phase.PENDING, 1, 2)
    assert decision.actions == (LookUpReport(),), "what was said was about the Job before"
    _, decision = settle(Observation(analysis(again), lookup=Lookup(at(67))), 67)
    assert isinstance(decision.actions[0], CreateJob)
    assert decision.actions[0].run == 1, "its pod finds the report"


def test_a_new_run_may_be_cached_and_is_kept_like_any_other() -> None:
    failed = ContractAnalysisStatus(phase=Phase.FAILED, run=1, finished_at=at(0), run_token=None)
    second, decision = settle(Observation(analysis(failed, runToken="again"), lookup=None), 10)
    assert decision.actions == (LookUpReport(),)
    found = Observation(analysis(second, runToken="again"), lookup=Lookup(at(10), report=STORED))
    status, _ = settle(found, 11)
    third, _ = settle(Observation(analysis(status, runToken="once-more"), lookup=None), 20)
    assert [(run.run, run.phase, run.reason, run.usage) for run in third.runs] == [
        (1, Phase.FAILED, "Completed", None),
        (2, Phase.COMPLETED, "Cached", None),
    ]
    assert third.runs[1].report == STORED.result.report


@pytest.mark.parametrize(
    ("why", "note", "after", "expected"),
    [
        ("a report of its own", "{}", completed(), True),
        ("a Job of a version that did not note anything", "", completed(), False),
        ("no status to write", "{}", None, False),
        ("not the end", "{}", started(), False),
    ],
)
def test_what_is_noted(why: str, note: str, after: ContractAnalysisStatus | None, expected: bool) -> None:
    observation = Observation(analysis(started()), job=job(reuse_note=note), pods=(succeeded(),))
    assert new_report(observation, after) is expected, why


def test_an_installation_without_reuse_starts_at_once() -> None:
    _, decision = settle(Observation(analysis(), lookup=NO_REUSE), 0)
    assert isinstance(decision.actions[0], CreateJob)
    long_after = decide(Observation(analysis(decision.status), lookup=NO_REUSE), at(0) + timedelta(days=1))
    assert isinstance(long_after.actions[0], CreateJob)
