"""The operator's one decision: every transition, and that it stands still where nothing is left to do."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dealguard_api import names
from dealguard_api.conditions import Condition
from dealguard_api.exit_codes import ExitCode
from dealguard_api.reasons import Reason
from dealguard_api.report import DocumentInfo, Usage
from dealguard_api.resource import (
    Attempt,
    ContractAnalysisStatus,
    Phase,
    ReportReference,
    Run,
    Stage,
)
from dealguard_operator.decide import decide, look_at
from dealguard_operator.model import (
    NO_REUSE,
    Analysis,
    CreateJob,
    CreateSecret,
    DeleteAnalysis,
    DeleteJob,
    JobCondition,
    JobState,
    Lookup,
    LookUpReport,
    Observation,
    PodState,
    QuotaRefusal,
    Running,
)
from dealguard_operator.observe import gone
from dealguard_operator.policies.messages import MAX_MESSAGE_BYTES
from tests.unit.operator_cases import (
    JOB_UID,
    NAME,
    SHA256,
    UID,
    analysis,
    at,
    completed,
    condition,
    ended,
    extracted,
    failed,
    job,
    never_started,
    pod,
    pulling,
    running,
    settle,
    started,
    succeeded,
    usage,
)

JOB_NAME = names.job_name(NAME, UID, 1)
BACKOFF = condition("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE = condition("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline", seconds=301)
# The second pod, as the Job controller stops it at the deadline.
AT_DEADLINE = gone(replace(running(2), analyze=ended(143, start=46, end=301)))


def conditions_of(status: ContractAnalysisStatus) -> dict[str, str]:
    return {condition.type: condition.status for condition in status.conditions}


def observe(
    *pods: PodState, job: JobState | None = None, status: ContractAnalysisStatus | None = None, **spec: Any
) -> Observation:
    """A started run, its Job and its pods."""
    begun = status or started(**{field: value for field, value in spec.items() if field not in ("cancel", "suspend")})
    return Observation(analysis(begun, **spec), job=job, pods=pods, has_secret=True)


def test_a_result_lost_with_its_pod_is_read_again_from_storage() -> None:
    observation = observe(job=job(condition("Complete")))
    status, decision = settle(observation)
    assert (status.phase, status.job_count, status.job_name) == (Phase.PENDING, 2, None)
    assert not decision.actions, "not while the finished Job is what is observed"
    again = decide(Observation(analysis(status)), at(61))
    assert again.actions == (CreateJob(f"{JOB_NAME}-2", 1),), "the same run: its pod finds the stored report"


@pytest.mark.parametrize("gone_by", [None, at(70)], ids=["left alone", "being deleted"])
@pytest.mark.parametrize("lookup", [NO_REUSE, Lookup(at(0), job_name=JOB_NAME)], ids=["without reuse", "with reuse"])
def test_a_pod_whose_job_was_deleted_has_its_last_words(gone_by: datetime | None, lookup: Lookup) -> None:
    deleted = replace(observe(replace(running(), gone_by=gone_by), job=None), lookup=lookup)
    status, decision = settle(deleted, 60)
    assert (status.phase, status.conditions[0].reason) == (Phase.PROCESSING, Reason.JOB_DELETED)
    assert (decision.actions, decision.events) == ((), ())
    seconds = decision.requeue_after_seconds
    assert seconds == 20 if gone_by else 300 < (seconds or 0) < 400
    for pods in ((running(),), ()):  # on a node that does not answer, it never ends
        lost = Observation(analysis(status), job=None, pods=tuple(replace(one, gone_by=gone_by) for one in pods))
        late = 60 + (seconds or 0)
        asked, decision = settle(replace(lost, lookup=None), late)
        assert (asked.phase, decision.actions) == (Phase.PROCESSING, (LookUpReport(),))
        failed_, _ = settle(replace(lost, lookup=Lookup(at(late), job_name=JOB_NAME)), late)
        assert failed_.failure is not None
        assert failed_.failure.reason == Reason.JOB_DELETED
    spent, decision = settle(observe(failed(143, usage=usage(7)), job=None), 65)
    assert spent.failure is not None
    assert (spent.failure.reason, spent.usage) == (Reason.JOB_DELETED, Usage.model_validate(usage(7)))
    assert [note.reason for note in decision.events] == ["Failed"]
    finished, _ = settle(observe(succeeded(), job=None), 65)
    assert finished.phase is Phase.COMPLETED


def test_a_resumed_run_says_that_its_new_job_has_no_pod() -> None:
    before = started().model_copy(
        update={
            "job_count": 2,
            "attempts": [Attempt(pod_name=f"{JOB_NAME}-abcde", reason=Reason.TERMINATED, started_at=at(2))],
            "attempt_count": 1,
        }
    )
    second = replace(job(), name=f"{JOB_NAME}-2")
    status, _ = settle(observe(job=second, status=before), 60)
    assert status.conditions[0].reason == Reason.POD_NOT_CREATED


# Waiting for a place, and for a start.


def test_without_a_place_it_is_queued_and_has_no_job() -> None:
    decision = decide(Observation(analysis(), has_place=False), at(0))
    assert decision.status is not None
    assert (decision.status.phase, decision.status.stage) == (Phase.PENDING, Stage.QUEUED)
    assert decision.actions == ()
    assert decide(Observation(analysis(decision.status), has_place=False), at(500)).is_empty, "waiting writes nothing"
    after = decide(Observation(analysis(decision.status)), at(501))
    assert after.actions == (CreateJob(JOB_NAME, 1),)


def test_what_a_quota_refused_waits_for_a_place_like_others_once_the_pause_is_over() -> None:
    refusal = QuotaRefusal("exceeded quota: small", at(10))
    status, refused = settle(Observation(analysis(), has_place=False, quota_refusal=refusal), 2)
    assert refused.requeue_after_seconds == 8
    decision = decide(Observation(analysis(status), has_place=False, quota_refusal=refusal), at(11))
    assert decision.is_empty
    assert decision.requeue_after_seconds is None, (
        "it is called when a place is free: looking again would be a busy loop"
    )


@dataclass(frozen=True)
class ObstructionCase:
    why: str
    pods: tuple[PodState, ...]
    reason: Reason | None
    job_started: float | None = 1


@pytest.mark.parametrize(
    "case",
    [
        ObstructionCase("no node has room", (pod(unschedulable_message="0/3 nodes"),), Reason.UNSCHEDULABLE),
        ObstructionCase("no node gets the image", (pulling("ImagePullBackOff"),), Reason.IMAGE_PULL_FAILED),
        ObstructionCase(
            "the node came late: its image has the time from then on",
            (replace(pulling("ErrImagePull"), scheduled_at=at(50)),),
            None,
        ),
        ObstructionCase("no pod may be created", (), Reason.POD_NOT_CREATED),
        ObstructionCase("the Job controller has not come to the Job: slow, not stuck", (), None, job_started=None),
        ObstructionCase("a large image is pulled: slow, not stuck", (pod(),), None),
        ObstructionCase("it works: slow, not stuck", (running(),), None),
        ObstructionCase(
            "a retry finds no room", (failed(71), pod(2, unschedulable_message="0/3 nodes")), Reason.UNSCHEDULABLE
        ),
    ],
    ids=lambda case: case.why,
)
def test_what_cannot_start_has_a_deadline_of_its_own(case: ObstructionCase) -> None:
    started_at = None if case.job_started is None else at(case.job_started)
    observation = observe(*case.pods, job=job(started_at=started_at))
    created_at = case.pods[-1].created_at if case.pods else at(1)
    late = created_at + timedelta(seconds=60)
    early = settle(observation, 59, start_deadline_seconds=60)[0]
    assert early.phase is Phase.PROCESSING
    decision = decide(replace(observation, is_fresh=True), late, start_deadline_seconds=60)
    if case.reason is None:
        assert decision.status is None or decision.status.phase is Phase.PROCESSING
        return
    assert decision.status is not None
    assert decision.status.failure is not None
    assert decision.status.failure.reason == case.reason
    assert "60 s" in decision.status.failure.message or case.reason is Reason.POD_NOT_CREATED
    assert decision.actions == (DeleteJob(JOB_NAME, JOB_UID),), "it would wait on until the Job's own deadline"


# The way to the end.


def test_a_new_analysis_that_waits_is_queued() -> None:
    decision = decide(Observation(analysis(runToken="first"), has_place=False), at(0))
    assert decision.status is not None
    assert (decision.status.phase, decision.status.stage) == (Phase.PENDING, Stage.QUEUED)
    assert (decision.status.run, decision.status.run_token, decision.status.queued_at) == (1, "first", at(0))
    assert conditions_of(decision.status) == {"Ready": "False", "Reconciling": "True", "Finished": "False"}
    assert decision.actions == ()


def test_a_new_analysis_with_a_place_starts_with_one_status_written_after_its_job() -> None:
    first = decide(Observation(analysis(runToken="first")), at(0))
    assert (first.status, first.events, first.actions) == (None, (), (CreateJob(JOB_NAME, 1),))
    status, decision = settle(Observation(analysis(runToken="first"), job=job()), 2)
    assert (status.phase, status.stage, status.job_name) == (Phase.PROCESSING, Stage.STARTING, JOB_NAME)
    assert (status.run, status.run_token) == (1, "first")
    assert (status.queued_at, status.started_at) == (at(0), at(1)), "whenever the status is written"
    assert [note.reason for note in decision.events] == ["Started"]


def test_a_start_that_failed_is_queued_so_that_the_status_says_something() -> None:
    status, decision = settle(Observation(analysis(), has_failed=True), 0)
    assert (status.phase, status.stage) == (Phase.PENDING, Stage.QUEUED)
    assert decision.actions == (CreateJob(JOB_NAME, 1),), "it is tried again all the same"


def test_what_may_be_an_outdated_view_is_on_record_before_its_job() -> None:
    for created_at, seconds, phase in ((at(0), 59, None), (at(0), 60, Phase.PENDING), (None, 0, Phase.PENDING)):
        view = replace(analysis(), created_at=created_at)
        status, decision = settle(Observation(view), seconds)
        assert (status.phase, decision.actions) == (phase, (CreateJob(JOB_NAME, 1),)), "a write that is fenced, or none"
    assert status.queued_at == at(0)


def test_cancelled_before_its_first_status_it_has_had_a_job() -> None:
    going = Observation(analysis(cancel=True), job=job())
    status, decision = settle(going, 3)
    assert (status.job_name, status.started_at) == (JOB_NAME, at(1))
    assert decision.actions == (DeleteJob(JOB_NAME, JOB_UID),)


def test_a_later_run_is_on_record_before_its_job() -> None:
    status, decision = settle(Observation(analysis(completed(), runToken="again")), 100)
    assert (status.phase, status.run, status.run_token) == (Phase.PENDING, 2, "again")
    assert isinstance(decision.actions[0], CreateJob)


def test_an_interrupted_start_goes_on_where_it_was() -> None:
    queued, _ = settle(Observation(analysis(), has_place=False), 0)
    assert decide(Observation(analysis(queued)), at(5)).actions == (CreateJob(JOB_NAME, 1),), "killed before the Job"
    without_status = decide(Observation(analysis(), job=job()), at(5))
    assert without_status.status is not None
    assert without_status.status.job_name == JOB_NAME, "killed before any status: the Job is adopted, not doubled"
    assert not [action for action in without_status.actions if isinstance(action, CreateJob)]


def test_a_job_without_a_known_secret_gets_one_until_its_pod_starts() -> None:
    observation = Observation(analysis(started()), job=job())
    assert decide(observation, at(5)).actions == (CreateSecret(job(), 1),), "the operator was restarted in between"
    assert decide(replace(observation, has_secret=True), at(5)).is_empty
    assert decide(replace(observation, pods=(running(),)), at(5)).actions == (), "it started, so it has its Secret"
    retried = replace(observation, pods=(failed(71), pod(2)))
    assert decide(retried, at(45)).actions == (CreateSecret(job(), 1),), "one that ended says nothing of the next one's"


@dataclass(frozen=True)
class StageCase:
    why: str
    pods: tuple[PodState, ...]
    stage: Stage
    reason: Reason
    words: str = ""


STAGES = [
    StageCase("no pod for long", (), Stage.STARTING, Reason.POD_NOT_CREATED, f"kubectl describe job {JOB_NAME}"),
    StageCase("a pod without containers", (pod(),), Stage.STARTING, Reason.STARTING),
    StageCase("the init container runs", (pod(extract=Running(at(3))),), Stage.EXTRACTING, Reason.EXTRACTING),
    StageCase("between the two", (pod(extract=extracted()),), Stage.EXTRACTING, Reason.EXTRACTING),
    StageCase("the main container runs", (running(),), Stage.ANALYZING, Reason.ANALYZING),
    StageCase("image cannot be pulled", (pulling("ErrImagePull"),), Stage.STARTING, Reason.IMAGE_PULL_FAILED, "image"),
    StageCase("pull is backed off", (pulling("ImagePullBackOff"),), Stage.STARTING, Reason.IMAGE_PULL_FAILED),
    StageCase(
        "no room",
        (pod(unschedulable_message="0/3 nodes are available: 3 Insufficient memory."),),
        Stage.STARTING,
        Reason.UNSCHEDULABLE,
        "Insufficient memory",
    ),
    StageCase("an ordinary wait is no cause", (pulling("PodInitializing"),), Stage.STARTING, Reason.STARTING),
    StageCase(
        "a failed attempt, the next not there yet",
        (failed(71, failure={"reason": "EngineUnavailable", "message": "Overloaded."}),),
        Stage.STARTING,
        Reason.STARTING,
        "Attempt 1 failed (EngineUnavailable)",
    ),
    StageCase("the second attempt runs", (failed(71), running(2)), Stage.ANALYZING, Reason.ANALYZING),
]


@pytest.mark.parametrize("case", STAGES, ids=lambda case: case.why)
def test_stage_and_waiting_cause_come_from_the_pod(case: StageCase) -> None:
    status, _ = settle(observe(*case.pods, job=job()))
    assert (status.phase, status.stage) == (Phase.PROCESSING, case.stage)
    assert {condition.reason for condition in status.conditions} == {case.reason}
    assert case.words in status.conditions[0].message
    assert conditions_of(status) == {"Ready": "False", "Reconciling": "True", "Finished": "False"}


def test_progress_can_wait_and_nothing_else_can() -> None:
    on_its_way = {"a pod without containers", "the init container runs", "between the two", "the main container runs"}
    on_its_way.add("an ordinary wait is no cause")
    can_wait = {case.why for case in STAGES if settle(observe(*case.pods, job=job()))[1].can_wait}
    assert can_wait == on_its_way
    obstructed, _ = settle(observe(pulling("ErrImagePull"), job=job()))
    assert not decide(observe(running(), job=job(), status=obstructed), at(61)).can_wait, "it goes on again"
    changed = replace(observe(running(), job=job()), analysis=analysis(started(), generation=2))
    assert not decide(changed, at(60)).can_wait, "somebody waits for it to be observed"
    assert not settle(observe(succeeded(), job=job()))[1].can_wait


def test_a_first_pod_gets_ten_seconds() -> None:
    early = decide(observe(job=job()), at(5))
    assert (early.status, early.needs_fresh, early.requeue_after_seconds) == (None, False, 6)
    assert decide(observe(job=job()), at(11)).needs_fresh, "a watch that lags is no refusal"


def test_a_job_suspended_from_outside_is_said_and_its_deadline_does_not_run() -> None:
    suspended = job(is_suspended=True)
    observation = replace(observe(job=suspended), has_secret=False)
    status, decision = settle(observation, 9000)
    assert (status.phase, status.conditions[0].reason) == (Phase.PROCESSING, Reason.SUSPENDED)
    assert JOB_NAME in status.conditions[0].message
    assert decision.actions == (), "it is not ours to delete, and its URLs would expire"
    resumed = replace(suspended, is_suspended=False, started_at=at(9000))
    status, decision = settle(replace(observe(job=resumed, status=status), has_secret=False), 9001)
    assert status.conditions[0].reason == Reason.STARTING
    assert decision.actions == (CreateSecret(resumed, 1),)


def test_a_job_that_nobody_ends_is_ended_after_its_deadline_by_our_own_clock() -> None:
    observation = observe(running(), job=job())
    waiting = decide(observation, at(390))
    assert waiting.requeue_after_seconds == 1
    assert decide(observation, at(391)).needs_fresh
    status, decision = settle(observation, 391)
    assert status.failure is not None
    assert status.failure.reason == Reason.DEADLINE_EXCEEDED
    assert decision.actions == (DeleteJob(JOB_NAME, JOB_UID),)
    again = decide(observe(running(), job=job(), status=status), at(400))
    assert again.actions == (DeleteJob(JOB_NAME, JOB_UID),), "killed between the two"


def test_a_job_that_a_quota_has_no_room_for_waits_and_is_tried_again() -> None:
    queued, _ = settle(Observation(analysis()), 0)
    refusal = QuotaRefusal('jobs.batch "x" is forbidden: exceeded quota: small\n\x1b[31m', at(10))
    observation = Observation(analysis(queued), quota_refusal=refusal)
    status, decision = settle(observation, 1)
    assert (status.phase, status.stage, status.conditions[0].reason) == (Phase.PENDING, Stage.QUEUED, Reason.QUEUED)
    assert "exceeded quota: small" in status.conditions[0].message
    assert status.conditions[0].message.isprintable()
    assert (decision.actions, decision.requeue_after_seconds) == ((), 9)
    again = decide(Observation(analysis(status), quota_refusal=refusal), at(10))
    assert (again.status, again.actions) == (None, (CreateJob(JOB_NAME, 1),))


def test_a_retry_is_counted_beyond_what_is_kept() -> None:
    pods = tuple(failed(71, number) for number in range(1, 13))
    status, _ = settle(observe(*pods[:11], job=job(), backoffLimit=10), 60)
    _, decision = settle(observe(*pods, job=job(), status=status, backoffLimit=10), 60)
    messages = [note.message for note in decision.events if note.reason == "Retrying"]
    assert status.attempt_count == 11
    assert [message.split(" failed")[0] for message in messages] == ["Attempt 12"]


def test_the_document_is_known_as_soon_as_it_is_read() -> None:
    status, _ = settle(observe(running(), job=job()))
    assert status.document == DocumentInfo(sha256=SHA256, bytes=1000, pages=12, language="en")


def test_a_pod_that_succeeded_completes_the_run_before_its_job_does() -> None:
    status, decision = settle(observe(succeeded(), job=job()), 31)
    assert status.phase is Phase.COMPLETED
    assert status.stage is None
    assert status.result is not None
    assert status.result.risk_level == "High"
    assert (status.finished_at, status.duration_seconds) == (at(30), 29), "the container's end, not the operator's look"
    assert status.usage == Usage(input_tokens=1000, output_tokens=10, cost_usd="0.05")
    assert [(attempt.reason, attempt.exit_code, attempt.seconds) for attempt in status.attempts] == [
        ("Completed", 0, 27)
    ]
    assert conditions_of(status) == {"Ready": "True", "Finished": "True"}
    assert [note.reason for note in decision.events] == ["Completed"]
    assert "Risk High, 3 findings" in decision.events[0].message


# How a run fails.


@dataclass(frozen=True)
class FailureCase:
    why: str
    observation: Observation
    reason: Reason
    words: tuple[str, ...] = ()
    seconds: float = 60


def _rejected(message: str) -> Observation:
    queued, _ = settle(Observation(analysis()), 0)
    return Observation(analysis(queued), job_rejection=message)


FAILURES = [
    FailureCase(
        "a permanent code of the main container, in its own words",
        observe(
            failed(41, failure={"reason": "APIKeyRejected", "message": "The key in Secret acme/k is refused."}),
            job=job(),
        ),
        Reason.API_KEY_REJECTED,
        ("Secret acme/k", "Correct the key"),
    ),
    FailureCase(
        "a permanent code of the init container",
        observe(pod(phase="Failed", extract=ended(25, start=3, end=4)), job=job()),
        Reason.DOCUMENT_ENCRYPTED,
        ("password",),
    ),
    FailureCase(
        "the words of another reason are not believed",
        observe(failed(28, failure={"reason": "NotAPDF", "message": "Something else."}), job=job()),
        Reason.NO_TEXT_LAYER,
        ("OCR",),
    ),
    FailureCase(
        "a permanent code wins over OOMKilled, which a child can cause",
        observe(pod(phase="Failed", extract=ended(26, reason="OOMKilled", start=3)), job=job()),
        Reason.DOCUMENT_UNREADABLE,
    ),
    FailureCase(
        "all attempts fail alike: their reason",
        observe(failed(71, 1), failed(71, 2), job=job(BACKOFF), backoffLimit=1),
        Reason.ENGINE_UNAVAILABLE,
        ("All 2 attempts", "runToken"),
    ),
    FailureCase(
        "attempts fail differently: none of their reasons",
        observe(failed(70, 1), failed(71, 2), job=job(BACKOFF), backoffLimit=1),
        Reason.ATTEMPTS_EXHAUSTED,
        ("overloaded", "runToken"),
    ),
    FailureCase(
        "one attempt only: its own cause, in its own words",
        observe(
            failed(70, failure={"reason": "StorageUnavailable", "message": "No answer from the storage."}),
            job=job(BACKOFF),
            backoffLimit=0,
        ),
        Reason.STORAGE_UNAVAILABLE,
        ("No answer from the storage.", "reachable from pods"),
    ),
    FailureCase(
        "what the node took away does not count: the cause of what does",
        observe(failed(143, is_disrupted=True), failed(71, 2), job=job(BACKOFF), backoffLimit=0),
        Reason.ENGINE_UNAVAILABLE,
        ("Claude's API was overloaded",),
    ),
    FailureCase(
        "the same, among attempts that agree",
        observe(failed(71), failed(143, 2, is_disrupted=True), failed(71, 3), job=job(BACKOFF), backoffLimit=1),
        Reason.ENGINE_UNAVAILABLE,
        ("All 2 attempts",),
    ),
    FailureCase(
        "evicted for what it used itself: that counts",
        observe(failed(70), pod(2, phase="Failed", reason="Evicted"), job=job(BACKOFF), backoffLimit=1),
        Reason.ATTEMPTS_EXHAUSTED,
        ("All 2 attempts",),
    ),
    FailureCase(
        "of what counts nothing is left to see",
        observe(failed(143, is_disrupted=True), job=job(BACKOFF), backoffLimit=0),
        Reason.ATTEMPTS_EXHAUSTED,
    ),
    FailureCase(
        "memory",
        observe(
            failed_by := pod(phase="Failed", extract=extracted(), analyze=ended(137, reason="OOMKilled")),
            job=job(BACKOFF),
        ),
        Reason.OUT_OF_MEMORY,
        ("memory limit",),
    ),
    FailureCase(
        "the deadline while it worked",
        observe(gone(replace(running(), analyze=ended(143, end=301))), job=job(DEADLINE)),
        Reason.DEADLINE_EXCEEDED,
        ("within 300 s",),
        seconds=302,
    ),
    FailureCase(
        "the deadline after failed attempts names them",
        observe(failed(71, 1), gone(pod(2)), job=job(DEADLINE)),
        Reason.DEADLINE_EXCEEDED,
        ("1 attempt(s) failed", "EngineUnavailable"),
        seconds=302,
    ),
    FailureCase(
        "the deadline after a crash names it",
        observe(failed(1), AT_DEADLINE, job=job(DEADLINE)),
        Reason.DEADLINE_EXCEEDED,
        ("1 attempt(s) failed, the last one with InternalError",),
        seconds=302,
    ),
    FailureCase(
        "the deadline after an eviction names it",
        observe(failed(143, is_disrupted=True), AT_DEADLINE, job=job(DEADLINE)),
        Reason.DEADLINE_EXCEEDED,
        ("1 attempt(s) failed, the last one with Evicted",),
        seconds=302,
    ),
    FailureCase(
        "the deadline while the image could not be pulled",
        observe(gone(pulling("ImagePullBackOff")), job=job(DEADLINE)),
        Reason.IMAGE_PULL_FAILED,
        ("did not start within 300 s", "registry"),
        seconds=302,
    ),
    FailureCase(
        "the deadline while there was no room",
        observe(gone(pod(unschedulable_message="0/1 nodes")), job=job(DEADLINE)),
        Reason.UNSCHEDULABLE,
        ("add nodes",),
        seconds=302,
    ),
    FailureCase(
        "the same, and its kubelet invents an exit code",
        observe(never_started(), job=job(DEADLINE), status=settle(observe(pulling("ErrImagePull"), job=job()))[0]),
        Reason.IMAGE_PULL_FAILED,
        ("did not start within 300 s", "registry"),
        seconds=302,
    ),
    FailureCase(
        "the deadline without ever a pod",
        observe(job=job(DEADLINE), status=settle(observe(job=job()))[0]),
        Reason.POD_NOT_CREATED,
        (f"kubectl describe job {JOB_NAME}", "quota"),
        seconds=302,
    ),
    FailureCase(
        "the pod is lost, the Job still names its exit code",
        observe(
            job=job(
                condition(
                    "Failed",
                    "PodFailurePolicy",
                    "Container extract for pod acme/x failed with exit code 24 matching FailJob rule at index 0",
                )
            )
        ),
        Reason.NOT_A_PDF,
    ),
    FailureCase("the pod is lost and the Job says nothing", observe(job=job(BACKOFF)), Reason.ATTEMPTS_EXHAUSTED),
    FailureCase("somebody deleted the Job", observe(job=None), Reason.JOB_DELETED, ("runToken",)),
    FailureCase(
        "Job after Job completed but their pods are lost",
        observe(status=started().model_copy(update={"job_count": 5}), job=job(condition("Complete"))),
        Reason.INTERNAL_ERROR,
        ("deleted before its result",),
    ),
    FailureCase(
        "a success without a readable result",
        observe(pod(phase="Succeeded", extract=extracted(), analyze=ended(0, "not json")), job=job()),
        Reason.INTERNAL_ERROR,
        ("not readable",),
    ),
    FailureCase(
        "a result that points at another analysis's report",
        observe(succeeded(report={"key": "reports/other/uid/1.json", "sha256": SHA256}), job=job()),
        Reason.INTERNAL_ERROR,
    ),
    FailureCase(
        "the API server refuses the Job",
        _rejected('jobs.batch "x" is forbidden: denied by policy: small\n\x1b[31m'),
        Reason.JOB_REJECTED,
        ("denied by policy: small", "administrator"),
    ),
    FailureCase(
        "a document of another namespace",
        Observation(analysis(document={"key": "documents/other/x.pdf"})),
        Reason.DOCUMENT_KEY_FORBIDDEN,
        ("must lie under documents/acme/", "create a new"),
    ),
    FailureCase(
        "a document key that climbs",
        Observation(analysis(document={"key": "documents/acme/../other/x.pdf"})),
        Reason.DOCUMENT_KEY_FORBIDDEN,
    ),
    FailureCase("no document key", Observation(analysis(document={})), Reason.DOCUMENT_KEY_FORBIDDEN, ("missing",)),
]


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case.why)
def test_failures_have_one_reason_and_say_what_to_do(case: FailureCase) -> None:
    status, decision = settle(case.observation, case.seconds)
    assert status.phase is Phase.FAILED
    assert status.failure is not None
    assert status.failure.reason == case.reason
    for words in case.words:
        assert words in status.failure.message
    assert len(status.failure.message.encode()) <= MAX_MESSAGE_BYTES
    assert status.failure.message.isprintable()
    assert conditions_of(status) == {"Ready": "False", "Stalled": "True", "Finished": "True"}
    assert {condition.reason for condition in status.conditions} == {case.reason}
    assert [note.reason for note in decision.events if note.type == "Warning"][-1:] == ["Failed"]
    assert not [action for action in decision.actions if isinstance(action, CreateJob)]


@dataclass(frozen=True)
class AttemptCase:
    why: str
    pod: PodState
    reason: Reason
    exit_code: int | None = None
    seconds: int | None = None


# The pod garbage collector fails a pod whose node is gone; its containers stay as they were last heard of.
LOST = replace(running(), phase="Failed", is_disrupted=True, disrupted_at=at(53))


def _stopped(exit_code: int, *, end: float = 30, **more: Any) -> PodState:
    return pod(phase="Failed", extract=extracted(), analyze=ended(exit_code, end=end), **more)


def _killed(exit_code: int, *, end: float = 30, **more: Any) -> PodState:
    """The kubelet says that it lacked memory."""
    return pod(phase="Failed", extract=extracted(), analyze=ended(exit_code, reason="OOMKilled", end=end), **more)


ATTEMPTS = [
    AttemptCase("our own passing code", failed(72), Reason.ENGINE_OUTPUT_INVALID, 72, 27),
    AttemptCase("a crash", failed(1), Reason.INTERNAL_ERROR, 1, 27),
    AttemptCase(
        "a crash for lack of memory", pod(extract=ended(1, reason="OOMKilled", start=3)), Reason.OUT_OF_MEMORY, 1, 27
    ),
    AttemptCase("a code nobody knows", failed(99), Reason.INTERNAL_ERROR, 99, 27),
    AttemptCase("killed from outside", failed(137), Reason.TERMINATED, 137, 27),
    AttemptCase("terminated from outside", failed(143), Reason.TERMINATED, 143, 27),
    AttemptCase("the node went away", failed(143, is_disrupted=True), Reason.EVICTED, 143, 27),
    AttemptCase("its node is lost: the time until that was found", LOST, Reason.EVICTED, None, 50),
    AttemptCase("evicted before it ran", pod(phase="Failed", reason="Evicted"), Reason.EVICTED),
    AttemptCase("deleted before it ran", gone(pod()), Reason.TERMINATED),
    AttemptCase("the same, as its kubelet tells it", never_started(), Reason.TERMINATED),
    AttemptCase(
        "deleted between its containers",
        replace(never_started(), extract=extracted()),
        Reason.TERMINATED,
    ),
]


@pytest.mark.parametrize("case", ATTEMPTS, ids=lambda case: case.why)
def test_an_ended_pod_becomes_an_attempt_and_another_follows(case: AttemptCase) -> None:
    status, decision = settle(observe(case.pod, job=job()))
    assert status.phase is Phase.PROCESSING, "the Job decides whether another attempt follows"
    (attempt,) = status.attempts
    assert (attempt.reason, attempt.exit_code, attempt.seconds) == (case.reason, case.exit_code, case.seconds)
    assert [note.reason for note in decision.events] == ["Retrying"]


TWO_SIGNS = [
    AttemptCase("a passing code and OOMKilled: the child lacked memory", _killed(71), Reason.ENGINE_UNAVAILABLE),
    AttemptCase("stopped, but for lack of memory", _killed(143), Reason.OUT_OF_MEMORY),
    AttemptCase("memory at the deadline", _killed(137, end=301), Reason.OUT_OF_MEMORY),
    AttemptCase("memory on a node that goes", _killed(137, is_disrupted=True), Reason.OUT_OF_MEMORY),
    AttemptCase("a passing code at the deadline", _stopped(70, end=301), Reason.STORAGE_UNAVAILABLE),
    AttemptCase("a passing code on a node that goes", _stopped(71, is_disrupted=True), Reason.ENGINE_UNAVAILABLE),
    AttemptCase("a code nobody knows, on a node that goes", _stopped(99, is_disrupted=True), Reason.EVICTED),
    AttemptCase("evicted, and its kubelet says terminated", _stopped(143, reason="Evicted"), Reason.EVICTED),
    AttemptCase("evicted, and its kubelet says killed", _stopped(137, reason="Evicted"), Reason.EVICTED),
    AttemptCase(
        "the deadline on a node that goes", _stopped(143, end=301, is_disrupted=True), Reason.DEADLINE_EXCEEDED
    ),
    AttemptCase(
        "evicted while its image was pulled",
        replace(pulling("ImagePullBackOff"), phase="Failed", reason="Evicted"),
        Reason.EVICTED,
    ),
]


@pytest.mark.parametrize("case", TWO_SIGNS, ids=lambda case: case.why)
def test_of_two_signs_the_cause_is_said(case: AttemptCase) -> None:
    at_deadline = case.pod.deciding_container is not None and case.pod.deciding_container.finished_at == at(301)
    status, _ = settle(observe(case.pod, job=job(*([DEADLINE] if at_deadline else []))), 302)
    assert [attempt.reason for attempt in status.attempts] == [case.reason]


@pytest.mark.parametrize("exit_code", [41, 25])
def test_a_permanent_code_is_the_end_whatever_else_happened_to_its_pod(exit_code: int) -> None:
    for why, found in (
        ("lack of memory", _killed(exit_code)),
        ("at the deadline", _stopped(exit_code, end=301)),
        ("evicted", _stopped(exit_code, reason="Evicted", is_disrupted=True)),
    ):
        status, _ = settle(observe(found, job=job(DEADLINE)), 302)
        assert status.failure is not None
        assert status.failure.reason == ExitCode(exit_code).reason, why


@pytest.mark.parametrize(
    ("why", "pods", "reasons"),
    [
        ("a crash before", (failed(1), AT_DEADLINE), ["InternalError", "DeadlineExceeded"]),
        ("an eviction before", (failed(143, is_disrupted=True), AT_DEADLINE), ["Evicted", "DeadlineExceeded"]),
        ("deleted before it ran", (gone(pod()), AT_DEADLINE), ["Terminated", "DeadlineExceeded"]),
        ("none came after the crash", (failed(1),), ["InternalError"]),
        ("none came after the eviction", (failed(143, is_disrupted=True),), ["Evicted"]),
        ("none came after the lost node", (LOST,), ["Evicted"]),
        ("stopped before it ran", (failed(1), gone(pod(2))), ["InternalError", "DeadlineExceeded"]),
        ("its node's clock is behind", (failed(1), _stopped(143, end=245)), ["InternalError", "DeadlineExceeded"]),
        ("a crash just before", (_stopped(1, end=300),), ["InternalError"]),
    ],
)
def test_only_what_the_deadline_ended_is_over_it(why: str, pods: tuple[PodState, ...], reasons: list[str]) -> None:
    """Also when the operator was away until then."""
    status, _ = settle(observe(*pods, job=job(DEADLINE)), 302)
    assert [attempt.reason for attempt in status.attempts] == reasons, why


def test_what_an_ended_pod_says_later_is_not_believed() -> None:
    evicted = pod(phase="Failed", reason="Evicted", extract=extracted(), is_disrupted=True)
    status, _ = settle(observe(evicted, job=job()))
    second = replace(running(), name=pod(2).name, uid=pod(2).uid)
    status, _ = settle(observe(evicted, second, job=job(), status=status), 90)
    late = replace(evicted, extract=ended(25, start=3, end=4))
    after, _ = settle(observe(late, second, job=job(), status=status), 91)
    assert after == status
    assert (after.phase, after.stage, [attempt.reason for attempt in after.attempts]) == (
        Phase.PROCESSING,
        Stage.ANALYZING,
        ["Evicted"],
    )


def test_a_late_success_of_an_older_attempt_changes_nothing() -> None:
    status, _ = settle(observe(failed(71), running(2), job=job()), 60)
    late = observe(succeeded(), running(2), job=job(), status=status)
    assert decide(late, at(61)).is_empty, "the second pod works, and is paid"
    both = observe(succeeded(), succeeded(2, summary="The second's."), job=job(condition("Complete")), status=status)
    after, _ = settle(both, 75)
    assert (after.phase, after.result and after.result.summary) == (Phase.COMPLETED, "The second's.")


@pytest.mark.parametrize("ending", [condition("SuccessCriteriaMet"), condition("Complete"), BACKOFF, DEADLINE])
def test_a_late_success_counts_once_no_other_attempt_can_follow(ending: JobCondition) -> None:
    status, _ = settle(observe(failed(143, is_disrupted=True), job=job()), 60)
    after, _ = settle(observe(succeeded(), job=job(ending), status=status), 302)
    assert after.phase is Phase.COMPLETED


def test_usage_is_added_up_over_attempts_once() -> None:
    first = observe(failed(71, usage=usage(100, "0.01")), job=job())
    status, _ = settle(first)
    assert status.usage == Usage(input_tokens=100, output_tokens=10, cost_usd="0.01")
    second = observe(failed(71, usage=usage(100, "0.01")), succeeded(2), job=job(), status=status)
    status, _ = settle(second)
    assert status.phase is Phase.COMPLETED
    assert status.usage == Usage(input_tokens=1100, output_tokens=20, cost_usd="0.06")
    assert status.attempt_count == 2


def test_more_attempts_than_are_kept_are_counted_once_each() -> None:
    pods = tuple(failed(71, number, usage=usage(1, "0")) for number in range(1, 17))
    status = started(backoffLimit=10)
    for count in range(1, 17):
        status, _ = settle(observe(*pods[:count], job=job(), status=status, backoffLimit=10))
    assert status.attempt_count == 16
    assert status.usage is not None
    assert status.usage.input_tokens == 16
    assert [int(attempt.pod_name[-2:]) for attempt in status.attempts] == list(range(3, 17))
    again = decide(observe(*pods, job=job(), status=status, backoffLimit=10), at(60))
    assert again.is_empty, "pods that no longer fit are not new"


def test_all_attempts_of_the_highest_backoff_limit_are_kept_with_reason_and_duration() -> None:
    pods = tuple(failed(71, number, usage=usage(9_999_999, "9999.999999")) for number in range(1, 12))
    status, _ = settle(observe(*pods, job=job(BACKOFF), backoffLimit=10), 500)
    assert [(attempt.reason, attempt.seconds) for attempt in status.attempts] == [("EngineUnavailable", 27)] * 11
    spent = [attempt.usage is not None for attempt in status.attempts]
    assert spent == sorted(spent), "where that is too much, the oldest go without what they consumed"
    assert not spent[0]
    assert all(spent[-4:])
    assert status.usage is not None
    assert status.usage.input_tokens == 11 * 9_999_999


# What a watch has not delivered yet, or somebody else's pod.


def test_a_run_that_ended_while_the_operator_was_away_has_its_times_too() -> None:
    queued, _ = settle(Observation(analysis()), 0)
    for pods in ((succeeded(),), (failed(41),)):
        status, _ = settle(observe(*pods, job=job(), status=queued), 60)
        assert (status.job_name, status.started_at, status.finished_at) == (JOB_NAME, at(1), at(30))
        assert status.duration_seconds == 29


def test_a_success_counts_whatever_became_of_the_job() -> None:
    for why, the_job in (("deleted", None), ("over its deadline", job(DEADLINE)), ("failed", job(BACKOFF))):
        status, _ = settle(observe(gone(succeeded()), job=the_job), 302)
        assert status.phase is Phase.COMPLETED, why


@pytest.mark.parametrize(
    ("why", "observation"),
    [
        ("a Job that is not seen", observe(job=None)),
        ("a pod that is gone without a word", observe(gone(running()), job=job())),
        ("a Job that completed without a pod", observe(job=job(condition("Complete")))),
        ("a Job that failed without a pod", observe(job=job(BACKOFF))),
    ],
)
def test_absence_is_confirmed_before_it_is_judged(why: str, observation: Observation) -> None:
    assert decide(observation, at(60)).needs_fresh, why
    assert not decide(replace(observation, is_fresh=True), at(60)).needs_fresh


def test_a_failing_job_waits_for_its_last_pods_words_but_not_forever() -> None:
    observation = observe(running(), job=job(DEADLINE))
    early = decide(observation, at(302))
    assert early.is_empty
    assert early.requeue_after_seconds == 9
    status, _ = settle(observation, 311)
    assert status.failure is not None
    assert status.failure.reason == Reason.DEADLINE_EXCEEDED


# Standing still.

SETTLED = [
    *(observe(*case.pods, job=job()) for case in STAGES),
    *(case.observation for case in FAILURES),
    *(observe(case.pod, job=job()) for case in ATTEMPTS),
    observe(succeeded(), job=job()),
    observe(running(), job=job(), cancel=True),
    observe(running(), job=job(), suspend=True),
    Observation(analysis(suspend=True)),
    Observation(analysis(cancel=True)),
]


@pytest.mark.parametrize("observation", SETTLED)
def test_deciding_again_on_its_own_output_yields_nothing(observation: Observation) -> None:
    status, first = settle(observation)
    again = replace(observation, analysis=replace(observation.analysis, status=status), is_fresh=True, has_secret=True)
    for seconds in (61, 3600):
        decision = decide(again, at(seconds))
        if status.phase is not None and status.phase.is_terminal:
            assert decision.is_empty
        if seconds == 61:
            assert decision.status is None
            assert decision.events == ()
            assert decision.actions == first.actions or not decision.actions


@pytest.mark.parametrize(
    ("why", "the_job", "pods"),
    [
        ("the Job and everything of it is gone", None, ()),
        ("a late pod failed", job(), (succeeded(), failed(41, 2))),
        ("the Job is said to have failed", job(BACKOFF), (succeeded(),)),
        ("the pod is running again, as a stale cache has it", job(), (running(),)),
    ],
)
def test_a_terminal_status_never_changes_by_itself(
    why: str, the_job: JobState | None, pods: tuple[PodState, ...]
) -> None:
    for status in (completed(), settle(observe(failed(41), job=job()))[0]):
        for fresh in (False, True):
            observation = Observation(analysis(status), job=the_job, pods=pods, is_fresh=fresh)
            assert decide(observation, at(10_000)).is_empty, why


def test_a_terminal_status_follows_the_generation_and_nothing_else() -> None:
    """Else `kubectl wait` and kstatus would wait forever after a change of, say, the priority."""
    before = completed()
    status, decision = settle(Observation(analysis(before, generation=2, priority=5)))
    assert status.observed_generation == 2
    assert {condition.observed_generation for condition in status.conditions} == {2}
    assert [c.last_transition_time for c in status.conditions] == [c.last_transition_time for c in before.conditions]
    assert decision.events == ()
    unchanged = {"observed_generation", "conditions"}
    assert status.model_dump(exclude=unchanged) == before.model_dump(exclude=unchanged)


def test_transition_times_move_only_with_the_status() -> None:
    status, _ = settle(observe(running(), job=job()), 20)
    times = {condition.type: condition.last_transition_time for condition in status.conditions}
    assert times == {"Ready": at(0), "Reconciling": at(0), "Finished": at(0)}
    status, _ = settle(observe(succeeded(), job=job(), status=status), 31)
    times = {condition.type: condition.last_transition_time for condition in status.conditions}
    assert times == {"Ready": at(31), "Finished": at(31)}


def test_a_resource_that_is_being_deleted_is_left_alone() -> None:
    assert decide(Observation(replace(analysis(), is_deleting=True)), at(0)).is_empty


# Control.


def test_suspended_before_the_start_waits_without_a_job() -> None:
    status, decision = settle(Observation(analysis(suspend=True)))
    assert (status.phase, status.stage) == (Phase.PENDING, Stage.QUEUED)
    assert status.conditions[0].reason == Reason.SUSPENDED
    assert decision.actions == ()
    resumed, decision = settle(Observation(analysis(status)))
    assert resumed.conditions[0].reason == Reason.QUEUED
    assert decision.actions == (CreateJob(JOB_NAME, 1),), "there was no Job before, so its name is free"


def test_suspended_while_running_stops_and_resumes_under_a_new_name() -> None:
    status, decision = settle(observe(running(), job=job(), suspend=True))
    assert (status.phase, status.stage) == (Phase.PENDING, Stage.QUEUED)
    assert decision.actions == (DeleteJob(JOB_NAME, JOB_UID),)
    stopped = gone(replace(running(), analyze=ended(143, {"usage": usage()})))
    status, decision = settle(observe(stopped, job=job(deleting_since=at(61)), status=status, suspend=True))
    assert decision.actions == ()
    assert status.usage is not None, "what the stopped pod spent is on record"
    status, decision = settle(observe(running(), job=job(deleting_since=at(61)), status=status))
    assert decision.actions == (), "two pods of one run would both be paid: wait for the old one"
    status, decision = settle(observe(stopped, job=None, status=status))
    assert decision.actions == (CreateJob(f"{JOB_NAME}-2", 1),)
    assert (status.job_count, status.job_name, status.run) == (2, None, 1)
    status, _ = settle(observe(job=job(name=f"{JOB_NAME}-2", created_at=at(90)), status=status), 91)
    assert (status.phase, status.job_name, status.started_at) == (Phase.PROCESSING, f"{JOB_NAME}-2", at(90))


def test_cancel_before_the_start_ends_at_once() -> None:
    status, decision = settle(Observation(analysis(cancel=True)))
    assert status.phase is Phase.CANCELLED
    assert decision.actions == ()
    assert conditions_of(status) == {"Ready": "False", "Stalled": "True", "Finished": "True"}
    assert [note.reason for note in decision.events] == ["Cancelled"]


def test_cancel_while_running_is_on_record_before_the_job_is_deleted_and_names_its_cost() -> None:
    status, decision = settle(observe(running(), job=job(), cancel=True))
    assert status.phase is Phase.PROCESSING
    assert status.conditions[0].reason == Reason.CANCELLED
    assert decision.actions == (DeleteJob(JOB_NAME, JOB_UID),)
    waiting = decide(observe(running(), job=job(deleting_since=at(61)), status=status, cancel=True), at(62))
    assert waiting.is_empty
    assert waiting.requeue_after_seconds == 9
    spent = replace(running(), analyze=ended(143, {"usage": usage()}))
    status, decision = settle(observe(spent, job=job(deleting_since=at(61)), status=status, cancel=True), 63)
    assert status.phase is Phase.CANCELLED
    assert status.usage == Usage(input_tokens=1000, output_tokens=10, cost_usd="0.05")


def test_a_cancel_that_is_taken_back_while_it_stops_still_ends_the_run_and_the_next_begins() -> None:
    status, _ = settle(observe(running(), job=job(), cancel=True))
    back = {"runToken": "again"}
    status, decision = settle(observe(running(), job=job(), status=status, **back), 61)
    assert (status.phase, status.conditions[0].reason) == (Phase.PROCESSING, Reason.CANCELLED)
    assert decision.actions == (DeleteJob(JOB_NAME, JOB_UID),), "killed between the two"
    waiting = decide(observe(running(), job=job(deleting_since=at(61)), status=status, **back), at(62))
    assert (waiting.is_empty, waiting.requeue_after_seconds) == (True, 9)
    status, decision = settle(observe(job=None, status=status, **back), 63)
    assert status.phase is Phase.CANCELLED
    assert [(note.type, note.reason) for note in decision.events] == [("Normal", "Cancelled")]
    status, decision = settle(observe(job=None, status=status, **back), 64)
    assert (status.phase, status.run, status.run_token) == (Phase.PENDING, 2, "again")
    assert [(run.run, run.phase, run.reason) for run in status.runs] == [(1, Phase.CANCELLED, "Cancelled")]
    assert decision.actions == (CreateJob(names.job_name(NAME, UID, 2), 2),)


def test_cancel_does_not_wait_forever_for_a_dead_node() -> None:
    status, _ = settle(observe(running(), job=job(deleting_since=at(61)), cancel=True), 71)
    assert status.phase is Phase.CANCELLED


def test_a_result_that_came_before_the_cancel_is_kept() -> None:
    status, decision = settle(observe(succeeded(), job=job(), cancel=True))
    assert status.phase is Phase.COMPLETED, "it is paid and stored"
    assert decision.actions == ()


def test_a_new_run_token_begins_a_numbered_run_and_keeps_the_last_five() -> None:
    status = completed(runToken="t1")
    for number in range(2, 9):
        token = f"t{number}"
        observation = Observation(analysis(status, runToken=token, generation=number), job=job(), pods=(succeeded(),))
        status, decision = settle(observation, 1000 * number)
        assert (status.phase, status.run, status.run_token) == (Phase.PENDING, number, token)
        assert decision.actions == (CreateJob(names.job_name(NAME, UID, number), number),)
        assert status.result is None
        assert status.usage is None
        assert status.attempts == []
        assert (status.started_at, status.finished_at, status.job_name) == (None, None, None)
        the_job = job(name=names.job_name(NAME, UID, number), created_at=at(1000 * number + 1))
        status, _ = settle(Observation(analysis(status, runToken=token), job=the_job), 1000 * number + 2)
        status, _ = settle(Observation(analysis(status, runToken=token, cancel=True), job=None), 1000 * number + 3)
        assert status.phase is Phase.CANCELLED
    assert [run.run for run in status.runs] == [3, 4, 5, 6, 7]


def test_the_first_run_is_kept_with_its_report() -> None:
    status, _ = settle(Observation(analysis(completed(), runToken="again")))
    (run,) = status.runs
    assert (run.run, run.run_token, run.phase, run.reason) == (1, None, Phase.COMPLETED, "Completed")
    assert run.report is not None
    assert run.usage == Usage(input_tokens=1000, output_tokens=10, cost_usd="0.05")


@pytest.mark.parametrize(
    ("why", "before", "spec"),
    [
        ("the same token", "a", {"runToken": "a"}),
        ("a token taken away", "a", {}),
        ("a new token, but cancelled", "a", {"runToken": "b", "cancel": True}),
    ],
)
def test_no_other_change_runs_again(why: str, before: str, spec: dict[str, Any]) -> None:
    assert decide(Observation(analysis(completed(runToken=before), **spec)), at(60)).is_empty, why


def test_ttl_deletes_exactly_what_was_decided_on() -> None:
    spec = {"ttlSecondsAfterFinished": 100}
    status = completed(**spec)
    waiting = decide(Observation(analysis(status, **spec)), at(60))
    assert waiting.is_empty
    assert waiting.requeue_after_seconds == 70
    assert decide(Observation(analysis(status, **spec)), at(130)).needs_fresh, "its answers tell the time as well"
    due = decide(Observation(analysis(status, **spec), is_fresh=True), at(130))
    assert due.actions == (DeleteAnalysis(UID, "100"),)


@pytest.mark.parametrize(
    ("why", "ended", "expected"),
    [
        ("nothing is left to do", analysis(completed()), None),
        ("it is to be deleted", analysis(completed(), ttlSecondsAfterFinished=100), at(130)),
        ("another run is asked for", analysis(completed(), runToken="again"), datetime.min.replace(tzinfo=UTC)),
        ("its spec was changed", analysis(completed(), generation=2), datetime.min.replace(tzinfo=UTC)),
        ("it goes", replace(analysis(completed(), runToken="again", generation=2), is_deleting=True), None),
    ],
)
def test_what_has_ended_is_looked_at_when_there_is_something_to_do(
    why: str, ended: Analysis, expected: datetime | None
) -> None:
    assert look_at(ended) == expected, why
    decision = decide(Observation(ended), at(60))
    assert decision.is_empty == (expected is None or expected > at(60)), why
    wakes_after = decision.requeue_after_seconds
    if decision.is_empty:
        assert (None if wakes_after is None else at(60 + wakes_after)) == expected, why


def test_an_end_at_the_calendars_end_is_never_over() -> None:
    status = completed().model_copy(update={"finished_at": datetime(9999, 12, 31, tzinfo=UTC)})
    assert decide(Observation(analysis(status, ttlSecondsAfterFinished=315_360_000)), at(60)).is_empty


def test_ttl_zero_deletes_only_after_the_end_is_on_record() -> None:
    decision = decide(observe(succeeded(), job=job(), ttlSecondsAfterFinished=0), at(31))
    assert decision.status is not None
    assert decision.actions == ()
    assert decision.requeue_after_seconds == 0


def test_a_job_whose_secret_is_refused_is_not_left_to_wait() -> None:
    observation = replace(observe(job=job()), job_rejection="secrets is forbidden: exceeded quota")
    status, decision = settle(observation)
    assert status.failure is not None
    assert status.failure.reason == Reason.JOB_REJECTED
    assert decision.actions == (DeleteJob(JOB_NAME, JOB_UID),)


# Size.


def test_the_largest_status_stays_under_8_kb() -> None:
    big = Usage(
        input_tokens=9_999_999,
        output_tokens=9_999_999,
        cache_read_tokens=9_999_999,
        cache_write_tokens=9_999_999,
        cost_usd="9999.999999",
    )
    report = ReportReference(key=f"reports/{'n' * 63}/{UID}/999.json", sha256=SHA256)
    runs = [
        Run(
            run=999,
            run_token="t" * 64,
            phase=Phase.COMPLETED,
            reason=Reason.ENGINE_REQUEST_REJECTED,
            started_at=at(0),
            finished_at=at(1),
            report=report,
            usage=big,
        )
    ] * 5
    attempts = [
        Attempt(
            pod_name="p" * 63,
            reason=Reason.ENGINE_REQUEST_REJECTED,
            exit_code=143,
            started_at=at(0),
            seconds=3600,
            usage=big,
        )
    ] * 13
    base = started(runToken="t" * 64).model_copy(
        update={"runs": runs, "attempts": attempts, "attempt_count": 20, "usage": big, "job_name": JOB_NAME}
    )
    words = "€" * 2000
    key = names.report_key("acme", UID, 1)
    good = succeeded(
        2, summary="ä" * 800, contractType="ö" * 100, model="m" * 100, report={"key": key, "sha256": SHA256}
    )
    bad = failed(41, 2, failure={"reason": "APIKeyRejected", "message": words[:1000]}, usage=big.to_wire())
    for worst in (good, bad):
        status, _ = settle(observe(worst, job=job(), status=base, runToken="t" * 64))
        assert status.phase is not None
        assert status.phase.is_terminal
        assert len(status.attempts) == 14
        size = len(json.dumps(status.to_wire(), ensure_ascii=False).encode())
        longer_names = 57 - len(JOB_NAME)
        assert size + longer_names < 8 * 1024, f"{status.phase}: {size} bytes"


def test_conditions_fit_the_schema() -> None:
    for case in FAILURES:
        status, _ = settle(case.observation, case.seconds)
        for item in status.conditions:
            Condition.model_validate(item.to_wire())


@pytest.mark.parametrize(
    ("why", "message"),
    [
        ("a number that no status can carry", json.dumps({"usage": {"inputTokens": 10**30}})),
        ("a cost beyond belief", json.dumps({"usage": usage(cost="999999.999999")})),
        ("not JSON", "\x00\x01"),
        ("JSON, but not an object", "[1, 2]"),
        ("nested beyond the parser's depth", "[" * 2000),
        ("fields of the wrong kind", json.dumps({"usage": "much", "failure": 5})),
    ],
)
def test_a_hostile_termination_message_is_ignored_and_never_raises(why: str, message: str) -> None:
    for exit_code in (0, 1, 41, 71):
        hostile = pod(phase="Failed", extract=ended(0, message, start=3, end=4), analyze=ended(exit_code, message))
        status, _ = settle(observe(hostile, job=job()))
        assert status.usage is None, why
        assert status.document is None
