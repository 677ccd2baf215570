"""A report: laid out for a terminal, as Markdown, or as its stored JSON."""

from typing import Literal

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from dealguard_api.labels import level_label
from dealguard_api.markdown import render
from dealguard_api.report import Finding, Language, Report
from dealguard_cli.presentation.terminal import RISK_STYLES, results, safe

ReportOutput = Literal["markdown", "json", "text"]

# Lines longer than this are hard to read, however wide the terminal is.
_MAX_WIDTH = 110
_HEADERS: dict[Language, tuple[str, str, str, str]] = {
    "en": ("Risk", "Score", "Finding", "Page"),
    "de": ("Risiko", "Wert", "Befund", "Seite"),
}


def print_json(content: bytes) -> None:
    """The report exactly as it is stored: its SHA-256 is that of what is printed."""
    click.echo(content, nl=False)


def print_report(report: Report, output: ReportOutput | None, title: str) -> None:
    """The report as Markdown or laid out; the default is what suits standard output."""
    console = results()
    if (output or ("text" if console.is_terminal else "markdown")) == "markdown":
        click.echo(render(report), nl=False)
        return
    console.width = min(console.width, _MAX_WIDTH)
    console.print(Text(safe(title), style="bold"))
    console.print()
    if report.findings:
        _print_risk_table(console, report)
    console.print(Markdown(safe(render(report, with_risk_table=False)), hyperlinks=False))


def _print_risk_table(console: Console, report: Report) -> None:
    """The worst first, so that a reader who stops early has seen what matters."""
    language = report.document.language or "en"
    level, score, title, page = _HEADERS[language]
    table = Table(show_edge=False, padding=(0, 1), pad_edge=False)
    table.add_column(level, no_wrap=True)
    table.add_column(score, justify="right", no_wrap=True)
    table.add_column(title)
    table.add_column(page, justify="right", no_wrap=True)
    for finding in sorted(report.findings, key=lambda each: -each.severity.score):
        style = RISK_STYLES[finding.severity.level]
        table.add_row(
            Text(level_label(finding.severity.level, language), style=style),
            Text(str(finding.severity.score), style=style),
            Text(safe(finding.title)),
            Text(_pages(finding)),
        )
    console.print(table)
    console.print()


def _pages(finding: Finding) -> str:
    """'3, 7'; a dash where the finding is that something is missing."""
    return ", ".join(dict.fromkeys(str(citation.page) for citation in finding.citations)) or "–"
