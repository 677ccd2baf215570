"""What people see: the table, the details, safe text."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from dealguard_api.report import FindingCounts
from dealguard_cli.adapters.analyses import Analysis, parse
from dealguard_cli.commands.report import reference as report_reference
from dealguard_cli.errors import AnalysisFailedError, UnavailableError
from dealguard_cli.presentation import details, machine, progress, table, words
from dealguard_cli.presentation.terminal import safe

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

RESULT: dict[str, Any] = {
    "contractType": "Software license",
    "riskLevel": "High",
    "riskScore": 16,
    "findings": {"critical": 0, "high": 2, "medium": 1, "low": 0, "total": 3},
    "summary": "Five years, renews by itself.",
    "report": {"key": "reports/acme/u1/1.json", "sha256": "a" * 64},
    "engine": "rules",
}
COMPLETED: dict[str, Any] = {
    "phase": "Completed",
    "observedGeneration": 1,
    "result": RESULT,
    "attemptCount": 1,
    "durationSeconds": 7,
    "usage": {"costUSD": "0.0123"},
    "document": {"sha256": "b" * 64, "bytes": 12345, "pages": 5, "language": "en"},
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-03-01T11:59:00Z",
            "reason": "Completed",
            "message": "The report is stored.",
        }
    ],
    "attempts": [{"podName": "lease-1-abc", "reason": "Completed", "exitCode": 0, "seconds": 6}],
}
FAILED: dict[str, Any] = {
    "phase": "Failed",
    "observedGeneration": 1,
    "failure": {"reason": "NoTextLayer", "message": "The PDF has no text layer. It needs OCR."},
    "attemptCount": 1,
}


def analysis(name: str = "lease", **status: Any) -> Analysis:
    """An analysis as the API server would return it."""
    return parse(
        {
            "apiVersion": "dealguard.io/v1alpha1",
            "kind": "ContractAnalysis",
            "metadata": {
                "name": name,
                "namespace": "acme",
                "uid": f"uid-{name}",
                "generation": 1,
                "creationTimestamp": (NOW - timedelta(minutes=5)).isoformat(),
                "managedFields": [{"manager": "x"}],
            },
            "spec": {"document": {"key": f"documents/acme/{name}.pdf"}},
            "status": status,
        }
    )


def rendered(draw: Any, width: int = 200) -> str:
    """What `draw(console)` prints where no colours are possible."""
    stream = io.StringIO()
    draw(Console(file=stream, width=width, highlight=False, markup=False, emoji=False))
    return stream.getvalue()


def test_the_table_has_kubectls_columns() -> None:
    text = table.render(
        [analysis("a", **COMPLETED), analysis("longer-name", phase="Processing", stage="Analyzing")],
        NOW,
        wide=False,
        with_namespace=False,
    ).plain
    assert text.splitlines() == [
        "NAME          PHASE        STAGE       RISK     FINDINGS   AGE",
        "a             Completed    <none>      High     3          5m",
        "longer-name   Processing   Analyzing   <none>   <none>     5m",
    ]


def test_the_wide_table_adds_columns_and_the_namespace() -> None:
    text = table.render([analysis("scan", **FAILED)], NOW, wide=True, with_namespace=True).plain
    header, row = (line.split() for line in text.splitlines())
    assert " ".join(header) == ("NAMESPACE NAME PHASE STAGE RISK FINDINGS AGE REASON ENGINE COST ATTEMPTS SECONDS")
    assert dict(zip(header, row, strict=True))["REASON"] == "NoTextLayer"


def test_a_new_analysis_is_pending() -> None:
    assert analysis().phase == "Pending"
    assert not analysis().is_finished


@pytest.mark.parametrize(
    ("status", "finished", "why"),
    [
        (COMPLETED, True, "terminal and about this generation"),
        ({**COMPLETED, "observedGeneration": 0}, False, "it speaks of an older spec: a new run was asked for"),
        ({"phase": "Processing", "observedGeneration": 1}, False, "it goes on"),
    ],
)
def test_finished_means_finished_for_this_spec(status: dict[str, Any], finished: bool, why: str) -> None:
    assert analysis(**status).is_finished is finished, why


def test_the_details_of_a_completed_analysis() -> None:
    text = rendered(lambda console: details.print_details(console, analysis(**COMPLETED), NOW))
    for expected in (
        "High (16 of 25)",
        "3 (2 high, 1 medium)",
        "Five years, renews by itself.",
        "5 pages, 12 kB, English",
        "0.0123 USD",
        "Ready",
        "lease-1-abc",
    ):
        assert expected in text


def test_the_outcome_of_a_failure_says_why_and_what_to_do() -> None:
    text = rendered(lambda console: details.print_outcome(console, analysis(**FAILED)))
    assert "NoTextLayer" in text
    assert "It needs OCR." in text


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (COMPLETED, "dealguard report lease -n acme"),
        ({"phase": "Processing"}, "kubectl wait --for=condition=Finished ca/lease -n acme"),
        (FAILED, None),
    ],
)
def test_the_next_command(status: dict[str, Any], expected: str | None) -> None:
    assert details.next_step(analysis(**status), "dealguard") == expected


def test_progress_in_words() -> None:
    document = {"sha256": "b" * 64, "bytes": 1, "pages": 12}
    going_on = analysis(phase="Processing", stage="Analyzing", document=document, attemptCount=2)
    assert progress.describe(going_on) == "Processing: analysing the contract, 12 pages, attempt 2"
    assert progress.describe(analysis()) == "Pending"
    assert progress.describe(analysis(**FAILED)) == "Failed: NoTextLayer"


def waiting(reason: str, message: str, **status: Any) -> Analysis:
    """An analysis that goes on or waits, for the reason its condition carries."""
    condition = {
        "type": "Reconciling",
        "status": "True",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-03-01T11:59:00Z",
        "reason": reason,
        "message": message,
    }
    return analysis(phase="Pending", conditions=[condition], **status)


@pytest.mark.parametrize(
    ("reason", "stage", "message", "expected"),
    [
        ("Starting", "Starting", "The pod is starting.", "Pending: pod is starting"),
        (
            "ImagePullFailed",
            "Starting",
            "The node cannot get the image.",
            "Pending: pod is starting. The node cannot get the image.",
        ),
        ("Suspended", None, "The analysis is\nsuspended.", "Pending: The analysis is suspended."),
        ("Queued", "Queued", "The quota is full.", "Pending: waits for a free place. The quota is full."),
        ("FromTheFuture", None, "Waits for Mars.", "Pending: Waits for Mars."),
    ],
)
def test_why_it_waits_is_shown(reason: str, stage: str | None, message: str, expected: str) -> None:
    going_on = waiting(reason, message, **({"stage": stage} if stage else {}))
    assert progress.describe(going_on) == expected
    details_text = rendered(lambda console: details.print_details(console, going_on, NOW))
    assert f"Message    {message.splitlines()[0]}\n" in details_text


def test_a_suspended_analysis_is_resumed_not_waited_for() -> None:
    suspended = analysis(phase="Pending")
    suspended = parse({**suspended.raw, "spec": {**suspended.raw["spec"], "suspend": True}})
    command = """kubectl patch ca/lease -n acme --type merge -p '{"spec":{"suspend":false}}'"""
    assert details.next_step(suspended, "dealguard") == command
    with pytest.raises(AnalysisFailedError, match=r"Set spec\.suspend to false") as caught:
        report_reference(suspended)
    assert command in caught.value.message


def test_on_a_narrow_terminal_the_name_stays_whole() -> None:
    name = "a-rather-long-name-of-a-contract"
    going_on = parse(
        {
            **(made := waiting("Unschedulable", "No node has room. " * 5)).raw,
            "metadata": {**made.raw["metadata"], "name": name},
        }
    )
    stream = io.StringIO()
    with progress.following(Console(file=stream, force_terminal=True, width=60), [going_on]) as observer:
        observer.changed(going_on)
    assert name in stream.getvalue()


def test_a_contract_cannot_drive_the_terminal() -> None:
    hostile = "ok\x1b]0;owned\x07 \x9b31m \u202egnp.exe [red]not markup[/red] :boom:"
    shown = rendered(
        lambda console: details.print_outcome(
            console, analysis(**{**COMPLETED, "result": {**RESULT, "summary": hostile}})
        )
    )
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    assert "[red]not markup[/red] :boom:" in shown
    assert safe("a\r\nb\tc") == "a\nb\tc"


def test_colours_say_the_phase_where_there_is_a_terminal() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system="standard", width=120)
    console.print(table.render([analysis(**FAILED)], NOW, wide=False, with_namespace=False))
    assert "\x1b[1;31mFailed\x1b[0m" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (7200, "2h"), (47 * 3600, "47h"), (48 * 3600, "2d")],
)
def test_ages_are_kubectls(seconds: int, expected: str) -> None:
    assert words.age(NOW - timedelta(seconds=seconds), NOW) == expected


def test_counts_costs_and_durations() -> None:
    assert words.findings(FindingCounts()) == "0"
    assert words.cost("0") == words.cost("0.000") == "nothing"
    assert (words.duration(59), words.duration(125)) == ("59 s", "2 min 5 s")
    assert (words.count(1, "page"), words.count(0, "page")) == ("1 page", "0 pages")


def test_programs_get_the_servers_object_without_managed_fields(capsys: pytest.CaptureFixture[str]) -> None:
    machine.print_analyses([analysis(**COMPLETED)], "json", as_list=False)
    printed = json.loads(capsys.readouterr().out)
    assert printed["status"]["result"] == RESULT
    assert "managedFields" not in printed["metadata"]


def test_a_shape_from_the_future_is_a_sentence() -> None:
    with pytest.raises(UnavailableError, match="Install the dealguard that belongs to the cluster's operator"):
        analysis(phase="Hibernating")
