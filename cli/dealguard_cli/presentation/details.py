"""One analysis for a person: its outcome in a few lines, or all there is to say about it."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Console
from rich.text import Text

from dealguard_api.resource import Phase
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.document_file import readable_size
from dealguard_cli.presentation import words
from dealguard_cli.presentation.table import aligned
from dealguard_cli.presentation.terminal import phase_text, risk_text, safe

Row = tuple[str, Text]


def print_outcome(console: Console, analysis: Analysis) -> None:
    """How it ended (or where it stands), in a few lines."""
    heading = Text.assemble((analysis.name, "bold"), "  ", phase_text(analysis.phase))
    if analysis.status.duration_seconds is not None:
        heading.append(f" in {words.duration(analysis.status.duration_seconds)}")
    _print_block(console, heading, [*_failure_rows(analysis), *_result_rows(analysis)])


def print_details(console: Console, analysis: Analysis, now: datetime) -> None:
    """Everything about one analysis, and what to do next."""
    heading = Text.assemble((analysis.name, "bold"), f"  in namespace {analysis.namespace}")
    rows = [
        *_state_rows(analysis, now),
        *_waiting_rows(analysis),
        *_failure_rows(analysis),
        *_result_rows(analysis),
        *_document_rows(analysis),
        *_request_rows(analysis),
    ]
    _print_block(console, heading, rows)
    _print_conditions(console, analysis, now)
    _print_attempts(console, analysis)


def next_step(analysis: Analysis, program: str) -> str | None:
    """The command to try next; None where the failure's own message says it."""
    where = f"{analysis.name} -n {analysis.namespace}"
    if analysis.is_suspended:
        return resume_command(analysis)
    match analysis.phase:
        case Phase.COMPLETED:
            return f"{program} report {where}"
        case Phase.PENDING | Phase.PROCESSING:
            return f"kubectl wait --for=condition=Finished ca/{where}"
        case _:
            return None


def resume_command(analysis: Analysis) -> str:
    """The command that lets a suspended analysis go on."""
    patch = '{"spec":{"suspend":false}}'
    return f"kubectl patch ca/{analysis.name} -n {analysis.namespace} --type merge -p '{patch}'"


def _print_block(console: Console, heading: Text, rows: list[Row]) -> None:
    console.print(heading, soft_wrap=True)
    width = max((len(label) for label, _ in rows), default=0)
    for label, value in rows:
        first, *rest = value.split("\n") if value.plain else [value]
        console.print(Text(f"  {label:<{width}}  ").append_text(first), soft_wrap=True)
        for line in rest:
            console.print(Text(" " * (width + 4)).append_text(line), soft_wrap=True)


def _state_rows(analysis: Analysis, now: datetime) -> Iterator[Row]:
    status = analysis.status
    phase = phase_text(analysis.phase)
    if status.stage:
        phase.append(f" ({status.stage})")
    yield "Phase", phase
    yield "Age", Text(words.age(analysis.created_at, now))
    if status.duration_seconds is not None:
        yield "Took", Text(words.duration(status.duration_seconds))
    if status.run and status.run > 1:
        yield "Run", Text(str(status.run))
    if status.job_name:
        yield "Job", Text(status.job_name)


def _waiting_rows(analysis: Analysis) -> Iterator[Row]:
    if (reconciling := analysis.reconciling) and not analysis.status.failure:
        yield "Message", Text(safe(reconciling.message))


def _failure_rows(analysis: Analysis) -> Iterator[Row]:
    if failure := analysis.status.failure:
        yield "Reason", Text(safe(failure.reason), style="bold red")
        yield "Message", Text(safe(failure.message))
    elif analysis.phase is Phase.CANCELLED:
        ready = next((each for each in analysis.status.conditions if each.type == "Ready"), None)
        yield "Message", Text(safe(ready.message) if ready else "The analysis was cancelled.")


def _result_rows(analysis: Analysis) -> Iterator[Row]:
    result = analysis.status.result
    if not result:
        return
    yield "Risk", risk_text(result.risk_level).append(f" ({result.risk_score} of 25)")
    yield "Findings", Text(words.findings(result.findings))
    if result.contract_type:
        yield "Type", Text(safe(result.contract_type))
    yield "Summary", Text(safe(result.summary))
    yield "Engine", Text(safe(f"{result.engine} ({result.model})" if result.model else result.engine))
    if analysis.status.usage:
        yield "Cost", Text(words.cost(analysis.status.usage.cost_usd))


def _document_rows(analysis: Analysis) -> Iterator[Row]:
    if document := analysis.status.document:
        parts = [words.count(document.pages, "page"), readable_size(document.bytes)]
        parts += [words.LANGUAGES[document.language]] if document.language else []
        yield "Document", Text(", ".join(parts))
    if analysis.spec.document.key:
        yield "Key", Text(safe(analysis.spec.document.key))


def _request_rows(analysis: Analysis) -> Iterator[Row]:
    spec = analysis.spec
    yield "Asked for", Text(f"engine {spec.engine}, language {spec.language}, priority {spec.priority}")
    if spec.perspective:
        yield "Perspective", Text(safe(spec.perspective))
    if spec.max_cost_usd:
        yield "Cost limit", Text(f"{spec.max_cost_usd} USD")
    if spec.submitted_by:
        yield "Submitted by", Text(safe(spec.submitted_by))


def _print_conditions(console: Console, analysis: Analysis, now: datetime) -> None:
    if not analysis.status.conditions:
        return
    rows = [[Text(title, style="bold") for title in ("CONDITION", "STATUS", "REASON", "SINCE")]]
    rows += [
        [
            Text(safe(each.type)),
            Text(each.status),
            Text(safe(each.reason)),
            Text(words.age(each.last_transition_time, now)),
        ]
        for each in analysis.status.conditions
    ]
    console.print()
    console.print(aligned(rows), soft_wrap=True)


def _print_attempts(console: Console, analysis: Analysis) -> None:
    if not analysis.status.attempts:
        return
    rows = [[Text(title, style="bold") for title in ("ATTEMPT", "REASON", "EXIT CODE", "SECONDS")]]
    rows += [
        [
            Text(attempt.pod_name),
            Text(safe(attempt.reason)),
            Text("<none>" if attempt.exit_code is None else str(attempt.exit_code)),
            Text("<none>" if attempt.seconds is None else str(attempt.seconds)),
        ]
        for attempt in analysis.status.attempts
    ]
    console.print()
    console.print(aligned(rows), soft_wrap=True)
