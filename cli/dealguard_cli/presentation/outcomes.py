"""What became of the files that were analysed on this machine: tables, reports, or data."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dealguard_api.report import Report
from dealguard_api.view import risk_label
from dealguard_cli.local_analysis import Failure, Outcome
from dealguard_cli.presentation import machine
from dealguard_cli.presentation.report import MAX_WIDTH, in_format, print_json, print_report, print_risks
from dealguard_cli.presentation.terminal import RISK_STYLES, messages, print_error, printable, results, safe, shown_name

Output = Literal["table", "text", "markdown", "html", "json"]


@dataclass(frozen=True)
class Written:
    """An outcome and the file that its report is in; None where there is none."""

    outcome: Outcome
    report_file: Path | None


def print_outcomes(outcomes: Sequence[Outcome], output: Output | None) -> None:
    """Every outcome in the order given: reports on standard output, errors on standard error."""
    if output == "json":
        _print_json(outcomes)
        return
    console = _console()
    names = _distinct_names([outcome.file for outcome in outcomes])
    for position, outcome in enumerate(outcomes):
        if not isinstance(outcome.result, Report):
            print_error(_sentence(outcome.file, outcome.result))
            continue
        if position:
            click.echo()
        if output is None or output == "table":
            print_risks(console, outcome.result, names[position])
        elif output == "text":
            print_report(outcome.result, "text", title=names[position])
        else:
            # One alone needs no name to be told from others.
            click.echo(in_format(outcome.result, output, names[position] if len(names) > 1 else None), nl=False)
    if output in (None, "table"):
        _print_overview(console, outcomes)
        _say_next("The quotes and what to do about each risk: add -o text, or -o html --output-dir DIR.")


def print_written(written: Sequence[Written], output: Output | None) -> None:
    """The overview, and where the reports are; with `-o json` the same as data."""
    if output == "json":
        machine.print_data([_written_data(each) for each in written], "json")
        return
    outcomes = [each.outcome for each in written]
    for outcome in outcomes:
        if isinstance(outcome.result, Failure):
            print_error(_sentence(outcome.file, outcome.result))
    _print_overview(_console(), outcomes, least=1)
    files = [each.report_file for each in written if each.report_file]
    if files:
        more = f" and {len(files) - 1} more beside it" if len(files) > 1 else ""
        _say_next(f"Wrote {printable(files[0])}{more}.")


def print_gate(risky: int, total: int, colour: str) -> None:
    """Why `--fail-on` ends the command with its own exit code."""
    worse = "" if colour == "red" else " or worse"
    which = "The contract has" if total == 1 else f"Of {total} contracts, {risky} {'has' if risky == 1 else 'have'}"
    _say_next(f"{which} a finding that is {colour}{worse} (--fail-on {colour}).")


def _print_json(outcomes: Sequence[Outcome]) -> None:
    if len(outcomes) == 1 and isinstance(outcomes[0].result, Report):
        print_json(in_format(outcomes[0].result, "json").encode())
        return
    machine.print_data([_data(outcome) for outcome in outcomes], "json")


def _data(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome.result, Report):
        return {"file": printable(outcome.file), "report": outcome.result.to_wire()}
    return _failure_data(outcome.file, outcome.result)


def _written_data(written: Written) -> dict[str, Any]:
    result = written.outcome.result
    if isinstance(result, Report):
        return {
            "file": printable(written.outcome.file),
            "reportFile": printable(written.report_file),
            "risk": result.risk.to_wire(),
        }
    return _failure_data(written.outcome.file, result)


def _failure_data(file: Path, failure: Failure) -> dict[str, Any]:
    error = {"reason": failure.reason, "message": printable(failure.message)}
    return {"file": printable(file), "error": error}


def _print_overview(console: Console, outcomes: Sequence[Outcome], least: int = 2) -> None:
    """One line a file, where there are at least `least`."""
    if len(outcomes) < least:
        return
    table = Table(show_edge=False, padding=(0, 1), pad_edge=False)
    table.add_column("Risk", no_wrap=True)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Findings", justify="right", no_wrap=True)
    table.add_column("File", overflow="fold")
    for outcome, name in zip(outcomes, _distinct_names([each.file for each in outcomes]), strict=True):
        table.add_row(*_overview_row(outcome, Text(shown_name(name))))
    if least > 1:
        console.print()
    console.print(table)


def _overview_row(outcome: Outcome, name: Text) -> tuple[Text, ...]:
    if isinstance(outcome.result, Failure):
        return Text("failed", style="red"), Text("–"), Text("–"), name.append(f": {outcome.result.reason}")
    risk = outcome.result.risk
    style = RISK_STYLES[risk.level]
    return (
        Text(risk_label(outcome.result, "en"), style=style),
        Text(str(risk.score), style=style),
        Text(str(len(outcome.result.findings))),
        name,
    )


def _sentence(file: Path, failure: Failure) -> str:
    """The failure's words, with the file's name where they do not name it."""
    message = printable(failure.message)
    return message if printable(file) in message else f"{printable(file)}: {message}"


def _distinct_names(files: Sequence[Path]) -> list[str]:
    """The files' names; the path, as it was given, of those whose name another one has too."""
    times = Counter(file.name for file in files)
    return [str(file) if times[file.name] > 1 else file.name for file in files]


def _say_next(text: str) -> None:
    messages().print(safe(text), soft_wrap=True)


def _console() -> Console:
    console = results()
    console.width = min(console.width, MAX_WIDTH)
    return console
