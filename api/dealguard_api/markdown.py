"""The report as Markdown (CommonMark with GFM tables), for people who read contracts.

Everything that comes from the contract or from a model is escaped: it can neither format nor link nor break a table.
"""

import re
from collections.abc import Iterable, Iterator

from dealguard_api.report import Language, Report, RiskLevel
from dealguard_api.text import one_line
from dealguard_api.view import NOTHING, FactRow, FindingView, NameList, Quote, ReportView, view

_MARKS = {
    RiskLevel.NONE_FOUND: "⚪",
    RiskLevel.LOW: "🟢",
    RiskLevel.MEDIUM: "🟡",
    RiskLevel.HIGH: "🟠",
    RiskLevel.CRITICAL: "🔴",
}


def render(
    report: Report,
    language: Language | None = None,
    *,
    document_name: str | None = None,
    with_risk_table: bool = True,
) -> str:
    """The whole report.

    Args:
        report: what to render.
        language: of the headings; by default the contract's, else English.
        document_name: the file's name, shown under the title.
        with_risk_table: False where the caller shows the list of findings in a form of its own.
    """
    seen = view(report, language)
    blocks = [
        *_head(seen, document_name),
        *_facts(seen),
        *_findings(seen, with_table=with_risk_table),
        *_clauses(seen),
        *_names(seen.absent),
        *_names(seen.not_determined),
        *_names(seen.unreadable),
        *_about(seen),
    ]
    return "\n\n".join(blocks) + "\n"


_ACTIVE = re.compile(r"([\\`*_{}\[\]<>|~#&$!])")
# What is active only at the start of a line, and what GFM turns into links by itself.
_LINE_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([-+=:])")
_LINK = re.compile(r"(?<=\w)(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)


def escape(text: str) -> str:
    """`text` as plain words within a line, whatever stands in it."""
    return _LINK.sub(lambda match: "\\" + match.group(), _ACTIVE.sub(r"\\\1", one_line(text)))


def escape_line(text: str) -> str:
    """`text` as a line of its own: neither a list nor a heading, whatever it begins with."""
    line = escape(text)
    return _LINE_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", line)


def _head(seen: ReportView, document_name: str | None) -> Iterator[str]:
    yield f"# {escape(seen.title)}"
    if document_name:
        yield f"{seen.words['document']}: {escape(document_name)}"
    yield f"{_MARKS[seen.level]} **{seen.risk}** ({seen.score}) · {seen.count}"
    for notice in seen.notices:
        yield f"**{escape(notice)}**"
    if seen.perspective:
        yield escape(seen.perspective)
    yield escape_line(seen.summary)


def _facts(seen: ReportView) -> Iterator[str]:
    if seen.facts:
        yield f"## {seen.words['facts']}"
        header = tuple(seen.words[name] for name in ("fact", "value", "where"))
        yield _table(header, (_fact_row(fact) for fact in seen.facts))


def _fact_row(fact: FactRow) -> tuple[str, ...]:
    unverified = f" **({fact.unverified})**" if fact.unverified else ""
    return fact.name, escape(fact.value) + unverified, fact.where


def _findings(seen: ReportView, *, with_table: bool) -> Iterator[str]:
    yield f"## {seen.words['risks']}"
    if not seen.findings:
        yield seen.words["noFindings"]
        return
    if with_table:
        header = ("#", *(seen.words[name] for name in ("level", "score", "risk", "hurts", "where")))
        yield _table(header, (_finding_row(finding) for finding in seen.findings))
    for finding in seen.findings:
        yield from _finding(finding)


def _finding_row(finding: FindingView) -> tuple[str, ...]:
    check = f" *({finding.check})*" if finding.check else ""
    return (
        str(finding.number),
        f"{_MARKS[finding.level]} {finding.badge}",
        str(finding.score),
        escape(finding.title) + check,
        escape(finding.hurts or NOTHING),
        finding.where,
    )


def _finding(finding: FindingView) -> Iterator[str]:
    yield f"### {finding.number}. {escape(finding.title)}"
    parts = [f"{_MARKS[finding.level]} {finding.badge}", finding.severity, escape(finding.category)]
    yield " · ".join(parts + ([f"*{finding.check}*"] if finding.check else []))
    yield escape_line(finding.explanation)
    for title, text in finding.details:
        yield f"**{title}:** {escape(text)}"
    if finding.no_quote:
        yield f"*{finding.no_quote}*"
    yield from (_quote(quote) for quote in finding.quotes)


def _quote(quote: Quote) -> str:
    unverified = f" **({quote.unverified})**" if quote.unverified else ""
    return f"> {escape(quote.text)} ({quote.where}){unverified}"


def _clauses(seen: ReportView) -> Iterator[str]:
    if seen.clauses:
        yield f"## {seen.words['clauses']}"
    for group in seen.clauses:
        yield f"### {escape(group.label)}"
        for summary, quote in group.passages:
            if summary:
                yield escape_line(summary)
            if quote:
                yield _quote(quote)


def _names(section: NameList) -> Iterator[str]:
    if section.names:
        yield f"## {section.title}"
        if section.note:
            yield section.note
        yield "\n".join(f"- {escape_line(name)}" for name in section.names)


def _about(seen: ReportView) -> Iterator[str]:
    yield f"## {seen.words['about']}"
    yield "\n".join(f"- {name}: {escape(value)}" for name, value in seen.about)
    yield f"*{seen.words['disclaimer']}*"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
