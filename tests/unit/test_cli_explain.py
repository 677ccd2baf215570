"""`dealguard explain`: the story of one analysis, from what an API server says about it."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dealguard_api import names
from dealguard_api.exit_codes import ExitCode
from dealguard_cli import main
from dealguard_cli.adapters.cluster import connect
from dealguard_cli.adapters.evidence import Question, gather
from dealguard_cli.adapters.workloads import ContainerSeen
from dealguard_cli.errors import ExitStatus
from dealguard_cli.timeline import logs as timeline_logs
from dealguard_cli.timeline.model import Entry, Rank, Source, SourceKind, Story
from dealguard_cli.timeline.order import Chain, ordered
from dealguard_cli.timeline.story import tell
from dealguard_cli.timeline.wording import container_end
from tests.unit import explain_cases as case
from tests.unit.explain_cases import CREATED, JOB, POD, UID, Cluster, served

NOW = CREATED + timedelta(minutes=5)
Explain = Callable[..., Story]


@pytest.fixture
def explain(tmp_path: Path) -> Explain:
    """The story that is told of what a cluster holds."""

    def told(
        cluster: Cluster,
        *,
        run: int | None = None,
        with_logs: bool = True,
        with_all_logs: bool = False,
        operator_namespace: str | None = None,
        now: datetime = NOW,
    ) -> Story:
        with served(cluster, tmp_path) as kubeconfig:
            question = Question("acme", "lease", run, with_logs, operator_namespace)
            evidence, absence = gather(connect(str(kubeconfig), None), question)
        return tell(
            evidence,
            now,
            lambda analysis: f"look at {analysis.name}",
            with_all_logs=with_all_logs,
            absence=absence.message if absence else None,
        )

    return told


def completed() -> Cluster:
    """An analysis that went well, with everything that there is about it."""
    return Cluster(
        analysis=case.analysis(**case.completed()),
        jobs=[case.job(ends={"SuccessCriteriaMet": (9, "CompletionsReached"), "Complete": (10, "CompletionsReached")})],
        pods=[case.pod(extract=case.ended(2, 4), analyze=case.ended(5, 7), phase="Succeeded")],
        events=[
            case.event(names.KIND, "lease", "Started", f"Job {JOB} runs the analysis.", seconds=0),
            case.event(names.KIND, "lease", "Completed", "Risk High, 3 findings.", seconds=8),
            case.event("Job", JOB, "SuccessfulCreate", f"Created pod: {POD}", seconds=0),
            case.event("Pod", POD, "Scheduled", "Successfully assigned", seconds=1),
            case.event("Pod", POD, "Pulled", "Container image is present", seconds=1),
            case.event("Pod", POD, "Started", "Started container extract", seconds=2),
            case.event("Pod", "lease-of-somebody-else", "Killing", "not ours", seconds=3),
        ],
        logs={
            (POD, "extract"): case.log(
                (2.9, {"event": "fetched", "bytes": 4711}),
                (3.8, {"event": "read", "pages": 3}),
                (4.2, {"event": "ended"}),
            ),
            (POD, "analyze"): case.log((5.4, {"event": "analysed", "findings": 3}), (7.3, {"event": "stored"})),
        },
        operators=[
            case.log(
                (-60, {"message": "Serving all namespaces.", "severity": "info"}),
                (0.2, {"message": "Run 1 is Pending/Queued (Queued).", "severity": "info", "uid": UID, "run": 1}),
                (3.0, {"message": "Run 1 is Completed.", "severity": "info", "uid": "another", "run": 1}),
                (7.9, {"message": "Run 1 is Completed (Completed).", "severity": "info", "uid": UID, "run": 1}),
            )
        ],
    )


def shown(story: Story) -> list[str]:
    """'source: text' of each entry."""
    return [f"{entry.source}: {entry.text}" for entry in story.entries]


def stage_seconds(story: Story) -> dict[str, float | None]:
    """The stages' durations."""
    return {stage.name: stage.seconds for stage in story.stages}


def test_one_timeline_from_resource_job_pod_events_and_logs(explain: Explain) -> None:
    story = explain(completed())
    assert shown(story) == [
        "resource: created by alice: engine rules, deadline 300 s, priority 0",
        "resource: run 1 begins",
        "log operator: Run 1 is Pending/Queued (Queued).",
        f"job: Job {JOB} was created",
        f"pod x7k2p: pod {POD} was created",
        "pod x7k2p: scheduled to node node-1",
        "event pod x7k2p: Pulled: Container image is present",
        "extract x7k2p: extract started",
        "log extract x7k2p: fetched bytes=4711",
        "log extract x7k2p: read pages=3",
        "extract x7k2p: extract ended well",
        "analyze x7k2p: analyze started",
        "log analyze x7k2p: analysed findings=3",
        "log analyze x7k2p: stored",
        "analyze x7k2p: analyze ended well",
        "resource: run 1 is Completed: risk High, 3 findings",
        "log operator: Run 1 is Completed (Completed).",
        "resource: the resource says so (condition Finished, Completed)",
        "job: the Job is complete",
    ]
    assert stage_seconds(story) == {"queue": 0, "start": 2, "extract": 2, "analyze": 2, "total": 7}
    assert (story.uid, story.attempts, story.cost_usd) == (UID, 1, "0")
    assert (story.headline.state, story.headline.since) == ("Completed", CREATED + timedelta(seconds=7))
    assert story.headline.next_step == "look at lease"
    assert story.gaps == ()
    assert not any(entry.is_out_of_step for entry in story.entries)


def queued() -> Cluster:
    """It waits for a place."""
    conditions = case.conditions("Queued", "The analysis waits for a free place. Nothing to do.", seconds=0)
    return Cluster(analysis=case.analysis(phase="Pending", stage="Queued", conditions=conditions))


def suspended() -> Cluster:
    """It ran, and was suspended: its Job is deleted."""
    said = "The analysis is suspended. Set spec.suspend to false to go on."
    conditions = case.conditions("Suspended", said, seconds=0)
    attempts = [{"podName": POD, "reason": "Terminated", "exitCode": 143, "startedAt": case.at(2), "seconds": 9}]
    status = {"jobName": JOB, "attempts": attempts, "attemptCount": 1}
    return Cluster(
        analysis=case.analysis(spec={"suspend": True}, phase="Pending", stage="Queued", conditions=conditions, **status)
    )


def image_pull_failure() -> Cluster:
    """The node cannot get the image."""
    said = (
        "The node cannot get the analyzer image. Ask the installation's administrator to check the image's name and "
        "the registry's access."
    )
    stuck = case.waiting("ImagePullBackOff", 'Back-off pulling image "analyzer:1"')
    back_off = 'Back-off pulling image "analyzer:1"'
    return Cluster(
        analysis=case.analysis(
            phase="Processing",
            stage="Starting",
            conditions=case.conditions("ImagePullFailed", said, seconds=0),
            jobName=JOB,
            startedAt=case.at(0),
            attemptCount=1,
        ),
        jobs=[case.job()],
        pods=[case.pod(extract=stuck)],
        events=[
            case.event("Pod", POD, "Failed", "Failed to pull image", seconds=3, type="Warning"),
            case.event("Pod", POD, "BackOff", back_off, seconds=4, type="Warning", count=3, lastTimestamp=case.at(40)),
            case.event("Pod", POD, "BackOff", back_off, seconds=55, type="Warning", count=2, lastTimestamp=case.at(60)),
        ],
    )


def unschedulable() -> Cluster:
    """No node has room."""
    said = "No node has room for the pod. (0/1 nodes) Wait for other work to finish, or add nodes."
    return Cluster(
        analysis=case.analysis(
            phase="Processing",
            stage="Starting",
            conditions=case.conditions("Unschedulable", said, seconds=0),
            jobName=JOB,
            startedAt=case.at(0),
        ),
        jobs=[case.job()],
        pods=[case.pod(created=1, scheduled=None)],
    )


def out_of_memory_then_completed() -> Cluster:
    """The first attempt ran out of memory, the second one ended well."""
    second = f"{JOB}-q9w8e"
    attempts = [
        {"podName": POD, "reason": "OutOfMemory", "exitCode": 137, "startedAt": case.at(2), "seconds": 8},
        {"podName": second, "reason": "Completed", "exitCode": 0, "startedAt": case.at(22), "seconds": 5},
    ]
    return Cluster(
        analysis=case.analysis(**case.completed(end=27, attempts=attempts, attemptCount=2, usage={"costUSD": "0.04"})),
        jobs=[case.job()],
        pods=[
            case.pod(extract=case.ended(2, 4), analyze=case.ended(5, 10, 137, "OOMKilled"), phase="Failed"),
            case.pod(
                second,
                created=20,
                scheduled=21,
                extract=case.ended(22, 23),
                analyze=case.ended(24, 27),
                phase="Succeeded",
            ),
        ],
        events=[
            case.event(names.KIND, "lease", "Retrying", "Attempt 1 failed (OutOfMemory).", seconds=11, type="Warning")
        ],
    )


def over_deadline() -> Cluster:
    """It took too long: the Job's controller ended it, and the pod wrote its last words afterwards."""
    said = (
        "The analysis did not finish within 20 s (spec.deadlineSeconds). Look at the attempts for what took the time, "
        "then set spec.runToken to a new value to run again, or create it with a longer deadline."
    )
    return Cluster(
        analysis=case.analysis(**case.failed("DeadlineExceeded", said, end=20)),
        jobs=[case.job(ends={"FailureTarget": (20, "DeadlineExceeded"), "Failed": (24, "DeadlineExceeded")})],
        pods=[case.pod(extract=case.ended(2, 4), analyze=case.ended(5, 23, 143), phase="Failed")],
        logs={
            (POD, "extract"): "",
            (POD, "analyze"): case.log((23.1, {"event": "ended", "reason": "Terminated", "exit_code": 143})),
        },
    )


def cancelled() -> Cluster:
    """Somebody cancelled it: its Job went with its pod."""
    said = "The analysis was cancelled. To run it after all, set spec.cancel to false and spec.runToken to a new value."
    attempts = [{"podName": POD, "reason": "Terminated", "exitCode": 143, "startedAt": case.at(2), "seconds": 6}]
    return Cluster(
        analysis=case.analysis(
            spec={"cancel": True},
            generation=2,
            phase="Cancelled",
            conditions=case.conditions("Cancelled", said, seconds=9, finished=True),
            jobName=JOB,
            startedAt=case.at(0),
            finishedAt=case.at(9),
            attempts=attempts,
            attemptCount=1,
        ),
        events=[case.event(names.KIND, "lease", "Cancelled", said, seconds=9)],
    )


def permanent_failure() -> Cluster:
    """The document has no text: no attempt follows."""
    said = (
        "The PDF has no text layer: its pages are pictures. It needs OCR: make it searchable with a text-recognition "
        "tool and upload the result."
    )
    return Cluster(
        analysis=case.analysis(**case.failed("NoTextLayer", said, end=4)),
        jobs=[case.job()],
        pods=[case.pod(extract=case.ended(2, 4, 28), phase="Failed")],
        logs={(POD, "extract"): case.log((4.6, {"event": "ended", "reason": "NoTextLayer", "exit_code": 28}))},
    )


def pod_gone() -> Cluster:
    """Nothing is left but the resource, as a day after its end."""
    return Cluster(analysis=case.analysis(**case.completed()))


@pytest.mark.parametrize(
    ("cluster", "state", "reason", "next_step", "told", "gap"),
    [
        (queued(), "Pending / Queued", "Queued", "look at lease", "run 1 begins", None),
        (
            suspended(),
            "Pending / Queued",
            "Suspended",
            "look at lease",
            "attempt 1 failed (Terminated): The pod was stopped from outside.",
            "suspending deletes it",
        ),
        (
            image_pull_failure(),
            "Processing / Starting",
            "ImagePullFailed",
            "Ask the installation's administrator to check the image's name and the registry's access.",
            "now: extract waits: ImagePullBackOff: Back-off pulling image",
            None,
        ),
        (
            unschedulable(),
            "Processing / Starting",
            "Unschedulable",
            "Wait for other work to finish, or add nodes.",
            "no node takes it (Unschedulable): 0/1 nodes are available: 1 Insufficient cpu.",
            None,
        ),
        (
            out_of_memory_then_completed(),
            "Completed",
            "Completed",
            "look at lease",
            "analyze was killed: OOMKilled, exit code 137: The analysis needed more memory than its limit.",
            "The log of extract in pod lease-0a1b2c3d-1-x7k2p is gone with the pod.",
        ),
        (
            over_deadline(),
            "Failed",
            "DeadlineExceeded",
            "Look at the attempts for what took the time",
            "the Job failed (DeadlineExceeded): It ended.",
            None,
        ),
        (
            cancelled(),
            "Cancelled",
            "Cancelled",
            "set spec.cancel to false",
            "run 1 is Cancelled",
            "cancelling deletes it",
        ),
        (
            permanent_failure(),
            "Failed",
            "NoTextLayer",
            "It needs OCR",
            "extract failed: NoTextLayer, exit code 28, not tried again: The PDF has no text layer",
            None,
        ),
        (pod_gone(), "Completed", "Completed", "look at lease", "attempt 1 ended well", "DEALGUARD_JOB_TTL_SECONDS"),
    ],
    ids=lambda value: value.analysis["status"]["phase"] if isinstance(value, Cluster) else "",
)
def test_each_state_says_where_it_is_why_and_what_to_do(
    explain: Explain, cluster: Cluster, state: str, reason: str, next_step: str, told: str, gap: str | None
) -> None:
    cluster.operators = [""]
    story = explain(cluster)
    assert (story.headline.state, story.headline.reason) == (state, reason)
    assert next_step in story.headline.next_step
    assert story.headline.why
    assert story.headline.next_step not in story.headline.why, "the next step is said once"
    assert any(told in text for text in shown(story)), shown(story)
    assert any(gap in each for each in story.gaps) if gap else not story.gaps, story.gaps
    assert not any(entry.is_out_of_step for entry in story.entries)


@pytest.mark.parametrize(
    ("cluster", "since_seconds", "why"),
    [
        (queued(), 0, "when it was asked for"),
        (suspended(), None, "nothing records when it was suspended"),
        (image_pull_failure(), 3, "the first Event about it"),
        (unschedulable(), 1, "the pod's condition"),
        (over_deadline(), 20, "when the run ended"),
    ],
)
def test_since_when_comes_from_what_recorded_it(
    explain: Explain, cluster: Cluster, since_seconds: int | None, why: str
) -> None:
    expected = None if since_seconds is None else CREATED + timedelta(seconds=since_seconds)
    assert explain(cluster).headline.since == expected, why


def test_equal_events_are_told_once_with_their_number(explain: Explain) -> None:
    entries = [entry for entry in explain(image_pull_failure()).entries if entry.text.startswith("BackOff")]
    assert [(entry.count, entry.until) for entry in entries] == [(5, CREATED + timedelta(seconds=60))]


def test_attempts_are_told_in_turn_and_add_up(explain: Explain) -> None:
    story = explain(out_of_memory_then_completed())
    texts = shown(story)
    order = [
        "analyze x7k2p: analyze started",
        "pod x7k2p: attempt 1 failed (OutOfMemory): The analysis needed more memory than its limit.",
        f"pod q9w8e: pod {JOB}-q9w8e was created",
    ]
    assert [text for text in texts if text in order] == order
    assert "event resource: Retrying: Attempt 1 failed (OutOfMemory)." in texts
    assert stage_seconds(story) == {"queue": 0, "start": 2, "extract": 3, "analyze": 8, "total": 27}
    assert (story.attempts, story.cost_usd) == (2, "0.04")


def test_what_a_pod_says_after_its_deadline_stands_after_it(explain: Explain) -> None:
    texts = shown(explain(over_deadline()))
    order = [
        "job: the Job failed (DeadlineExceeded): It ended.",
        "log analyze x7k2p: ended reason=Terminated exit_code=143",
        "analyze x7k2p: analyze failed: Terminated, exit code 143: The pod was stopped from outside.",
    ]
    assert [text for text in texts if text in order] == order


def test_a_report_that_was_there_already_needed_no_job(explain: Explain) -> None:
    conditions = case.conditions("Cached", "An earlier report was taken.", seconds=1, finished=True, ready=True)
    status = case.completed(end=1, conditions=conditions, attempts=[], attemptCount=0)
    del status["jobName"], status["startedAt"]
    story = explain(Cluster(analysis=case.analysis(**status), operators=[""]))
    assert shown(story)[-1] == "resource: run 1 is Completed (Cached): risk High, 3 findings"
    assert (story.headline.reason, story.headline.next_step) == ("Cached", "look at lease")
    assert [stage.note for stage in story.stages[:4]] == ["it ended without a Job"] * 2 + ["it did not run"] * 2
    assert story.gaps == ()


def second_run() -> Cluster:
    """The first run failed, the second one goes on."""
    first = {
        "run": 1,
        "phase": "Failed",
        "reason": "StorageUnavailable",
        "startedAt": case.at(0),
        "finishedAt": case.at(60),
        "usage": {"costUSD": "0"},
    }
    second = names.job_name("lease", UID, 2)
    new_pod = f"{second}-aaaaa"
    return Cluster(
        analysis=case.analysis(
            spec={"runToken": "again"},
            generation=2,
            phase="Processing",
            stage="Analyzing",
            conditions=case.conditions("Analyzing", "The contract is being analysed.", seconds=0),
            run=2,
            runToken="again",
            runs=[first],
            queuedAt=case.at(120),
            startedAt=case.at(121),
            jobName=second,
            attemptCount=1,
        ),
        jobs=[case.job(), case.job(second, run=2, created=121)],
        pods=[
            case.pod(extract=case.ended(2, 60, 70), phase="Failed"),
            case.pod(
                new_pod,
                job_name=second,
                run=2,
                created=121,
                scheduled=122,
                extract=case.ended(123, 124),
                analyze=case.running(125),
                phase="Running",
            ),
        ],
        events=[
            case.event(names.KIND, "lease", "Retrying", "Attempt 1 failed.", seconds=30, type="Warning"),
            case.event(names.KIND, "lease", "Retrying", "Attempt 2 failed.", seconds=130, type="Warning"),
        ],
        logs={(POD, "extract"): "", (new_pod, "extract"): "", (new_pod, "analyze"): ""},
        operators=[""],
    )


def test_the_present_run_is_told_and_the_earlier_ones_in_a_line(explain: Explain) -> None:
    story = explain(second_run())
    texts = shown(story)
    assert texts[1].startswith("resource: run 1 is Failed (StorageUnavailable)")
    assert "see it with --run 1" in texts[1]
    assert texts[2] == "resource: run 2 begins, asked for by runToken again"
    assert not any("x7k2p" in text or "Attempt 1 failed" in text for text in texts)
    assert any("Attempt 2 failed" in text for text in texts)
    assert stage_seconds(story) == {"queue": 1, "start": 2, "extract": 1, "analyze": 175, "total": 180}
    assert {stage.name: stage.note for stage in story.stages}["analyze"] == "so far"
    assert story.headline.since == CREATED + timedelta(seconds=125)


def test_an_earlier_run_is_told_when_asked_for(explain: Explain) -> None:
    story = explain(second_run(), run=1)
    texts = shown(story)
    assert (story.headline.state, story.headline.reason) == ("Failed", "StorageUnavailable")
    assert "the present run is 2" in story.headline.next_step
    assert any("extract failed: StorageUnavailable, exit code 70, may be tried again" in text for text in texts)
    assert not any("aaaaa" in text or "run 2" in text or "Attempt 2 failed" in text for text in texts)
    assert stage_seconds(story) == {"queue": None, "start": 2, "extract": 58, "analyze": None, "total": 60}
    assert any("the status keeps its start" in gap for gap in story.gaps)


@pytest.mark.parametrize(
    ("forbidden", "kept", "lost"),
    [
        ({"events"}, "extract ended well", "you may not list events in namespace acme"),
        ({"log"}, "extract ended well", "you may not get pods/log in namespace acme"),
        ({"pods"}, "attempt 1 ended well", "you may not list pods in namespace acme"),
        ({"jobs"}, "extract ended well", "you may not list jobs.batch in namespace acme"),
        (
            {"operators"},
            "extract ended well",
            "The operator's log may not be read by you. Who may read it: kubectl logs",
        ),
        ({names.PLURAL}, "extract ended well", None),
        ({"jobs", "pods", "events", "log", "operators"}, "run 1 is Completed", "you may not list pods"),
    ],
)
def test_what_one_may_not_see_is_a_sentence_and_the_rest_is_told(
    explain: Explain, forbidden: set[str], kept: str, lost: str | None
) -> None:
    cluster = completed()
    cluster.forbidden = forbidden
    story = explain(cluster)
    assert any(kept in text for text in shown(story)), shown(story)
    assert lost is None or sum(lost in gap for gap in story.gaps) == 1, story.gaps
    assert not any("gone" in gap for gap in story.gaps), "what may not be seen is not said to be gone"
    if names.PLURAL in forbidden:
        assert "does not permit it" in story.headline.why


def test_one_refusal_of_logs_is_not_repeated_by_every_container(explain: Explain) -> None:
    cluster = completed()
    cluster.forbidden = {"log"}
    explain(cluster)
    assert sum(path.endswith("/log") and "acme" in path for path in cluster.requests) == 1


def test_without_logs_none_is_read(explain: Explain) -> None:
    cluster = completed()
    story = explain(cluster, with_logs=False)
    assert not any(path.endswith("/log") for path in cluster.requests)
    assert not any(entry.source.kind is SourceKind.LOG for entry in story.entries)
    assert story.gaps == ()


def test_the_operators_namespace_can_be_given(explain: Explain) -> None:
    cluster = completed()
    explain(cluster, operator_namespace="dealguard-system")
    assert "/api/v1/namespaces/dealguard-system/pods" in cluster.requests
    assert "/api/v1/pods" not in cluster.requests
    nobody = Cluster(analysis=case.analysis(**case.completed()))
    assert any("none runs, or it runs elsewhere" in gap for gap in explain(nobody).gaps)


def _of_others(begin: float, number: int) -> str:
    """Lines about other analyses, a tenth of a second apart."""
    line = {"message": "Run 1 is Completed (Completed).", "severity": "info", "uid": "another", "about": "x" * 200}
    return case.log(*((begin + place / 10, line) for place in range(number)))


def _operator_lines(story: Story) -> list[str]:
    return [entry.text for entry in story.entries if entry.source.name == "operator"]


@pytest.fixture(scope="module")
def busy_hour() -> str:
    """More than is read at once."""
    return _of_others(10, 30_000)


def test_the_operators_lines_are_found_however_much_it_wrote_since(explain: Explain, busy_hour: str) -> None:
    cluster = completed()
    (log,) = cluster.operators
    assert log is not None
    cluster.operators = [log + busy_hour]
    story = explain(cluster)
    assert len(_operator_lines(story)) == 2
    assert story.gaps == (), "what was not read is of a time when the run was over"


def test_a_long_log_of_a_run_that_goes_on_is_said_to_be_read_in_part(explain: Explain, busy_hour: str) -> None:
    cluster = Cluster(analysis=case.analysis(), operators=[_of_others(-60, 1) + busy_hour])
    (gap,) = [gap for gap in explain(cluster).gaps if "operator" in gap]
    assert gap.startswith("The operator's log in pod operator-0 is long: only its first part was searched, until 2026-")


@pytest.mark.parametrize(
    ("why", "operators", "missing"),
    [
        ("rotated away since", [_of_others(3600, 5)], ["operator-0 at 2026-03-01 11:00:00 UTC"]),
        ("in the middle of the run", [_of_others(3, 5)], ["operator-0 at 2026-03-01 10:00:03 UTC"]),
        ("one of two", [_of_others(-60, 5), _of_others(3600, 5)], ["operator-1 at"]),
        ("both", [_of_others(3600, 5), _of_others(7200, 5)], ["operator-0 at", "operator-1 at"]),
        ("neither", [_of_others(-60, 5), _of_others(-5, 5)], []),
    ],
)
def test_a_log_that_begins_after_the_run_is_said_to(
    explain: Explain, why: str, operators: list[str | None], missing: list[str]
) -> None:
    cluster = completed()
    cluster.operators = operators
    gaps = [gap for gap in explain(cluster).gaps if "Lines of the operator may be missing" in gap]
    assert len(gaps) == bool(missing), why
    assert all(where in gaps[0] for where in missing), why
    assert sum(gap.count(" in pod operator-") for gap in gaps) == len(missing), why


def test_the_log_before_a_restart_is_read_too(explain: Explain) -> None:
    cluster = completed()
    (log,) = cluster.operators
    assert log is not None
    cluster.before_restart, cluster.operators = {0: log}, [_of_others(3600, 5)]
    story = explain(cluster)
    assert len(_operator_lines(story)) == 2
    assert story.gaps == ()


def test_a_node_that_has_lost_the_log_before_a_restart_is_no_beginning(explain: Explain) -> None:
    cluster = completed()
    cluster.before_restart = {0: "unable to retrieve container logs for containerd://0123"}
    cluster.operators = [_of_others(3600, 5)]
    (gap,) = explain(cluster).gaps
    assert "its log begins after the run did: in pod operator-0 at 2026-03-01 11:00:00 UTC" in gap


def test_an_operator_that_cannot_be_asked_takes_nothing_from_the_others(explain: Explain) -> None:
    cluster = completed()
    cluster.operators.insert(0, None)
    story = explain(cluster)
    assert len(_operator_lines(story)) == 2
    assert story.gaps == ("The operator's log in pod operator-0 cannot be read now. Try again later.",)


def test_more_operators_than_are_asked_are_said_to_be(explain: Explain) -> None:
    cluster = completed()
    cluster.operators += [_of_others(-60, 1)] * 5
    (gap,) = explain(cluster).gaps
    assert gap.startswith("The operator has more pods than 5: the logs of the others were not read. kubectl logs -n ")


def test_events_outlive_their_pods(explain: Explain) -> None:
    cluster = completed()
    cluster.jobs, cluster.pods = [], []
    texts = shown(explain(cluster))
    assert "event pod x7k2p: Started: Started container extract" in texts
    assert f"event job: SuccessfulCreate: Created pod: {POD}" in texts
    assert not any("not ours" in text for text in texts)


def test_an_analysis_that_nobody_looks_at_says_so(explain: Explain) -> None:
    new = Cluster(analysis=case.analysis(), operators=[""])
    assert "just now" in explain(new, now=CREATED + timedelta(seconds=2)).headline.why
    later = explain(new).headline
    assert (later.state, later.since) == ("Pending", CREATED)
    assert "No operator has taken note of it" in later.next_step


def test_a_pod_that_only_bears_the_label_is_not_ours(explain: Explain) -> None:
    cluster = completed()
    cluster.pods.append(case.pod("intruder", job_name="", extract=case.ended(2, 3, 1)))
    cluster.pods[-1]["metadata"]["ownerReferences"] = []
    assert not any("intruder" in text for text in shown(explain(cluster)))


def test_malformed_objects_are_told_as_far_as_they_go(explain: Explain) -> None:
    cluster = completed()
    labels = {names.LABEL_UID: UID, names.LABEL_RUN: "1"}
    cluster.jobs.append({"metadata": {"labels": labels, "name": 5}, "status": {"conditions": "none"}})
    cluster.pods.append(
        {
            "metadata": {
                "labels": labels,
                "ownerReferences": [{"kind": "Job", "name": JOB}],
                "deletionTimestamp": "soon",
            },
            "status": {"initContainerStatuses": [{"name": "extract", "state": {"terminated": {"exitCode": "x"}}}]},
        }
    )
    cluster.events.append({"involvedObject": {"name": "lease"}, "count": -1, "eventTime": "never"})
    assert [text for text in shown(explain(cluster)) if "extract ended well" in text]


CONTRACT = "The Licensee shall pay 5,000 EUR"


def test_a_line_that_is_not_the_analyzers_own_is_counted_and_never_shown(explain: Explain) -> None:
    cluster = completed()
    cluster.logs[POD, "analyze"] = case.log(
        (5.4, f"MemoryError: {CONTRACT}"), (5.5, f'"{CONTRACT}"'), (5.6, {"event": "stored"})
    )
    for with_all_logs in (False, True):
        story = explain(cluster, with_all_logs=with_all_logs)
        assert CONTRACT not in str(story)
        assert any(gap.startswith("2 lines in the log of analyze") for gap in story.gaps)
        assert any(text.endswith(": stored") for text in shown(story))


@pytest.mark.parametrize(
    ("fields", "by_default", "why"),
    [
        ({"event": "read", "pages": 3}, True, "a stage"),
        ({"event": "found the report of an earlier attempt"}, True, "a stage"),
        ({"event": "the checkpoint could not be stored"}, True, "a warning by its words"),
        ({"event": "unexpected error", "type": "KeyError"}, True, "an error"),
        ({"event": "ended", "exit_code": 28}, True, "an end that is none"),
        ({"event": "ended", "exit_code": 0}, False, "the container says so"),
        ({"event": "window", "number": 3}, False, "a detail"),
        ({"event": "window", "level": "warning"}, True, "a warning by its level"),
    ],
)
def test_log_lines_by_default_are_warnings_errors_and_stages(
    fields: dict[str, Any], by_default: bool, why: str
) -> None:
    log = timeline_logs.ContainerLog(POD, "analyze", tuple(case.log((5, fields)).splitlines()))
    assert bool(timeline_logs.of_container(log, everything=False).entries) is by_default, why
    assert timeline_logs.of_container(log, everything=True).entries


def test_a_plain_operator_log_is_read_too() -> None:
    line = f"{case.at(3)} [2026-03-01 10:00:03] dealguard_operator [INFO    ] [acme/lease] Run 1 is Failed (NotAPDF)."
    (told,) = timeline_logs.of_operator([line, "no time at all"], run=1)
    assert told.time == CREATED + timedelta(seconds=3)
    assert "Run 1 is Failed" in told.text


def test_the_operators_lines_are_those_of_the_run() -> None:
    lines = [
        json.dumps({"time": case.at(3), "message": f"Run {run}.", "severity": "warning", "run": run}) for run in (1, 2)
    ]
    (told,) = timeline_logs.of_operator(lines, run=2)
    assert (told.text, told.level) == ("Run 2.", "warning")


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (0, "Completed", "ended well"),
        (int(ExitCode.NOT_A_PDF), "OOMKilled", "failed: NotAPDF, exit code 24, not tried again"),
        (int(ExitCode.ENGINE_UNAVAILABLE), "Error", "may be tried again: Claude's API was overloaded"),
        (1, "OOMKilled", "was killed: OOMKilled, exit code 1"),
        (1, "Error", "failed: InternalError, exit code 1"),
        (137, "Error", "was killed: exit code 137 (SIGKILL)"),
        (200, "Error", "was killed: exit code 200"),
        (99, "Error", "exit code 99, which is none of the analyzer's"),
        (None, "", "failed: exit code None"),
    ],
)
def test_an_exit_code_is_told_by_its_meaning(code: int | None, reason: str, words: str) -> None:
    assert words in container_end(ContainerSeen("extract", CREATED, CREATED, code, reason))


def entry(seconds: float, text: str, rank: Rank = Rank.LOG) -> Entry:
    """An entry at that time."""
    return Entry(CREATED + timedelta(seconds=seconds), Source(SourceKind.LOG), text, rank)


@pytest.mark.parametrize(
    ("chains", "texts", "out_of_step", "why"),
    [
        ([[(5, "b")], [(1, "a")]], "ab", "", "by time"),
        ([[(1, "a"), (5, "c")], [(3, "b")]], "abc", "", "chains are merged"),
        ([[(5.8, "a"), (5, "b")]], "ab", "", "a whole second is no earlier than what it was cut from"),
        ([[(60, "a"), (10, "b"), (11, "c")]], "abc", "bc", "a node's clock that is behind"),
        ([[(60, "a"), (10, "c")], [(30, "b")]], "bac", "c", "others keep their own time"),
    ],
)
def test_the_order_follows_causes_before_clocks(
    chains: list[list[tuple[float, str]]], texts: str, out_of_step: str, why: str
) -> None:
    told = ordered([Chain([entry(*each) for each in chain]) for chain in chains])
    assert "".join(each.text for each in told) == texts, why
    assert "".join(each.text for each in told if each.is_out_of_step) == out_of_step, why


def test_equal_times_are_told_in_the_order_of_causes() -> None:
    first, second = entry(1, "job", Rank.JOB), entry(1, "created", Rank.CREATED)
    assert [each.text for each in ordered([Chain([first]), Chain([second])])] == ["created", "job"]
    follower = Chain([entry(1, "before its cause", Rank.CREATED)], after=first)
    assert [each.text for each in ordered([Chain([first]), follower])] == ["job", "before its cause"]


def test_a_node_whose_clock_is_behind_is_named(explain: Explain) -> None:
    cluster = completed()
    cluster.pods = [case.pod(extract=case.ended(-58, -56), analyze=case.ended(-55, -53), phase="Succeeded")]
    cluster.logs = {(POD, "extract"): "", (POD, "analyze"): ""}
    story = explain(cluster)
    texts = shown(story)
    assert texts.index("extract x7k2p: extract started") > texts.index("pod x7k2p: scheduled to node node-1")
    assert any("clocks of the API server and of the node disagree" in gap for gap in story.gaps)
    assert stage_seconds(story)["extract"] == 2
    assert stage_seconds(story)["start"] == 0, "never less than nothing"


def run_program(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The program, as a shell runs it."""
    code = main.run(["explain", "lease", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_program_prints_four_blocks(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with served(completed(), tmp_path) as kubeconfig:
        code, out, _ = run_program(capsys, "--kubeconfig", str(kubeconfig))
    assert code == ExitStatus.OK
    lines = out.splitlines()
    assert lines[0] == f"lease  in namespace acme, run 1, uid {UID}"
    assert lines[1].startswith("  State  Completed, since 2026-03-01 10:00:07 UTC (")
    assert "10:00:03     +3s     log extract x7k2p   read pages=3" in lines
    assert "extract    2 s" in lines
    assert "NOT SHOWN" in lines
    assert any(line.startswith("- Events older than an hour are missing") for line in lines)


def test_the_program_prints_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with served(over_deadline(), tmp_path) as kubeconfig:
        code, out, _ = run_program(capsys, "--kubeconfig", str(kubeconfig), "-o", "json", "--logs")
    assert code == ExitStatus.OK
    data = json.loads(out)
    assert data["analysis"] == {"namespace": "acme", "name": "lease", "uid": UID, "run": 1}
    assert data["headline"]["reason"] == "DeadlineExceeded"
    (line,) = (each for each in data["timeline"] if each["source"]["kind"] == "log")
    assert line == {
        "time": "2026-03-01T10:00:23.100000Z",
        "secondsAfterCreation": 23.1,
        "source": {"kind": "log", "container": "analyze", "pod": POD},
        "level": "error",
        "text": "ended reason=Terminated exit_code=143",
        "count": 1,
        "outOfStep": False,
    }
    assert {each["stage"]: each.get("seconds") for each in data["stages"]}["analyze"] == 18


def test_an_analysis_that_is_gone_leaves_its_last_traces(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    left = Cluster(events=completed().events, operators=[""])
    with served(left, tmp_path) as kubeconfig:
        code, out, _ = run_program(capsys, "--kubeconfig", str(kubeconfig))
        assert code == ExitStatus.NOT_FOUND
        assert "There is no analysis lease in namespace acme" in out
        assert "Completed: Risk High, 3 findings." in out
        left.events = []
        code, out, err = run_program(capsys, "--kubeconfig", str(kubeconfig))
    assert (code, out) == (ExitStatus.NOT_FOUND, "")
    assert "There is no analysis lease in namespace acme" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--run", "2"), "lease has no run 2. It has run 1 alone: correct --run."),
        (("--run", "0"), "0 is not in the range"),
        (("--operator-namespace", "a.b"), "is not a name"),
    ],
)
def test_wrong_usage_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    with served(completed(), tmp_path) as kubeconfig:
        code, _, err = run_program(capsys, "--kubeconfig", str(kubeconfig), *arguments)
    assert code == ExitStatus.BAD_INPUT
    assert words in err


def test_nothing_that_drives_a_terminal_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cluster = completed()
    cluster.events.append(case.event("Pod", POD, "Killing", "\x1b[2J\u202ethe end\nof it " + "x" * 5000, seconds=6))
    with served(cluster, tmp_path) as kubeconfig:
        _, out, _ = run_program(capsys, "--kubeconfig", str(kubeconfig))
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "the end of it x" in out
    assert max(map(len, out.splitlines())) < 400
