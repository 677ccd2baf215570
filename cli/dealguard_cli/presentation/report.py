"""A report: laid out for a terminal, as Markdown, as a page for a browser, or as JSON."""

from collections.abc import Iterator
from typing import Literal

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from dealguard_api import html, markdown
from dealguard_api.report import Language, Report
from dealguard_api.view import FindingView, view
from dealguard_cli.presentation import machine
from dealguard_cli.presentation.terminal import RISK_STYLES, printable, results, safe, shown_name

ReportOutput = Literal["text", "markdown", "html", "json"]

# Lines longer than this are hard to read, however wide the terminal is.
MAX_WIDTH = 110
_HEADERS: dict[Language, tuple[str, str, str, str]] = {
    "en": ("Risk", "Score", "Finding", "Page"),
    "de": ("Risiko", "Wert", "Befund", "Seite"),
}


def print_json(content: bytes) -> None:
    """The report exactly as it is stored: its SHA-256 is that of what is printed."""
    with machine.one_document():
        click.echo(content, nl=False)


def in_format(report: Report, output: Literal["markdown", "html", "json"], document_name: str | None = None) -> str:
    """The report as it stands in a file. `document_name` is shown where the format is for people."""
    if output == "json":
        return report.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n"
    render = html.render if output == "html" else markdown.render
    return render(report, document_name=printable(document_name) if document_name else None)


def print_report(report: Report, output: ReportOutput | None, title: str) -> None:
    """The report in full; the default is what suits standard output."""
    console = results()
    chosen = output or ("text" if console.is_terminal else "markdown")
    if chosen != "text":
        click.echo(in_format(report, chosen), nl=False)
        return
    console.width = min(console.width, MAX_WIDTH)
    console.print(Text(shown_name(title), style="bold"))
    console.print()
    if report.findings:
        console.print(risk_table(report))
        console.print()
    console.print(Markdown(safe(markdown.render(report, with_risk_table=False)), hyperlinks=False))


def print_risks(console: Console, report: Report, title: str) -> None:
    """What is bad in a contract, on one screen: its worst findings first, and where they stand."""
    seen = view(report)
    console.print(Text(shown_name(title), style="bold"), soft_wrap=True)
    console.print(Text(safe(seen.title)))
    console.print(Text.assemble((seen.risk, RISK_STYLES[seen.level]), f" ({seen.score}) · {seen.count}"))
    for notice in seen.notices:
        console.print(Text(safe(notice), style="yellow"))
    console.print()
    console.print(risk_table(report) if report.findings else seen.words["noFindings"])


def risk_table(report: Report) -> Table:
    """The findings, the worst first, so that a reader who stops early has seen what matters."""
    seen = view(report)
    level, score, title, page = _HEADERS[seen.language]
    table = Table(show_edge=False, padding=(0, 1), pad_edge=False)
    table.add_column(level, no_wrap=True)
    table.add_column(score, justify="right", no_wrap=True)
    table.add_column(title)
    table.add_column(page, justify="right")
    for row in _rows(sorted(seen.findings, key=lambda each: -each.score)):
        table.add_row(*row)
    return table


def _rows(findings: list[FindingView]) -> Iterator[tuple[Text, ...]]:
    for finding in findings:
        style = RISK_STYLES[finding.level]
        check = f" ({finding.check})" if finding.check else ""
        yield (
            Text(finding.badge, style=style),
            Text(str(finding.score), style=style),
            Text.assemble(safe(finding.title), (check, "dim")),
            Text(", ".join(finding.pages) or "–"),
        )
