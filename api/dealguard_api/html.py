"""The report as one self-contained HTML page, for people who read contracts in a browser or on paper.

The page loads nothing and runs nothing: its Content-Security-Policy allows its own style sheet, by digest, and nothing
else. Everything that comes from the contract or from a model is escaped. Colours are never alone: each stands beside
its level in words, with a contrast that WCAG 2.1 AA asks for, on light and dark screens; on paper the words suffice.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape as escape_html
from typing import Final

from dealguard_api.report import Language, Report
from dealguard_api.text import one_line
from dealguard_api.view import NOTHING, ClauseGroup, FactRow, FindingView, NameList, Quote, ReportView, view

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --muted: #57606a; --line: #d0d7de; --soft: #f4f6f8; --link: #0550ae;
  --none: #57606a; --on-none: #ffffff;
  --low: #1a7f37; --on-low: #ffffff;
  --medium: #ffd33d; --on-medium: #1b1f24;
  --high: #ff9f43; --on-high: #1b1f24;
  --critical: #b3121d; --on-critical: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15191e; --text: #e6e9ec; --muted: #a5afb9; --line: #3d454e; --soft: #1f252b; --link: #79b8ff;
    --none: #a5afb9; --on-none: #15191e;
    --low: #4cc268; --on-low: #15191e;
    --medium: #ffd33d; --on-medium: #15191e;
    --high: #ff9f43; --on-high: #15191e;
    --critical: #ff7b80; --on-critical: #15191e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 52rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; }
p { margin: .5rem 0; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
.muted { color: var(--muted); }
.badge {
  display: inline-block; padding: .05rem .6rem; border-radius: 1rem; border: 1px solid transparent;
  font-weight: 600; overflow-wrap: normal; white-space: nowrap;
}
.badge.NoneFound { background: var(--none); color: var(--on-none); }
.badge.Low { background: var(--low); color: var(--on-low); }
.badge.Medium { background: var(--medium); color: var(--on-medium); }
.badge.High { background: var(--high); color: var(--on-high); }
.badge.Critical { background: var(--critical); color: var(--on-critical); }
.verdict { font-size: 1.1rem; }
.notice { border-left: .3rem solid var(--high); background: var(--soft); padding: .5rem .75rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .45rem .6rem .45rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th, .number, .where { white-space: nowrap; overflow-wrap: normal; }
thead th { color: var(--muted); font-weight: 600; }
tbody th { font-weight: 400; color: var(--muted); }
.number { text-align: right; }
.hurts { min-width: 7.5rem; }
.finding { margin: 1.25rem 0; padding: 1rem; background: var(--soft); border-left: .3rem solid var(--none); }
.finding.Low { border-color: var(--low); }
.finding.Medium { border-color: var(--medium); }
.finding.High { border-color: var(--high); }
.finding.Critical { border-color: var(--critical); }
.clause { margin: 1.25rem 0; }
dl { margin: .5rem 0; }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0; }
figure { margin: .75rem 0; padding-left: .9rem; border-left: 2px solid var(--muted); }
blockquote { margin: 0; }
figcaption { color: var(--muted); font-size: .9rem; }
.unverified { font-weight: 600; color: var(--text); text-decoration: underline wavy; }
.names { padding-left: 1.2rem; columns: 17rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); }
@media (max-width: 36rem) {
  .wide { display: none; }
  thead { display: none; }
  tr { display: flex; flex-wrap: wrap; gap: .1rem .6rem; padding: .4rem 0; border-bottom: 1px solid var(--line); }
  th, td { padding: 0; border: 0; }
  tbody th { flex-basis: 100%; }
  .words { flex: 1 1 8rem; hyphens: auto; }
}
@media print {
  :root {
    --page: #ffffff; --text: #000000; --muted: #333333; --line: #999999; --soft: #ffffff; --link: #000000;
  }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  a { text-decoration: none; }
  h2, h3 { break-after: avoid; }
  .finding, figure, tr { break-inside: avoid; }
  .badge[class] { background: none; color: #000000; border-color: #000000; }
}
@page { margin: 2cm; }
"""

_STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'"
)


def render(report: Report, language: Language | None = None, *, document_name: str | None = None) -> str:
    """The whole report as an HTML5 document.

    Args:
        report: what to render.
        language: of the headings; by default the contract's, else English.
        document_name: the file's name, shown above the title.
    """
    seen = view(report, language)
    body = [
        *_header(seen, document_name),
        "<main>",
        *_facts(seen),
        *_findings(seen),
        *_clauses(seen),
        *_names("absent", seen.absent),
        *_names("not-determined", seen.not_determined),
        *_names("unreadable", seen.unreadable),
        "</main>",
        *_footer(seen),
    ]
    return "\n".join([*_head(seen, document_name), "<body>", *body, "</body>", "</html>", ""])


def escape(text: str) -> str:
    """`text` as plain words of an element or of an attribute in double quotes, whatever stands in it."""
    return escape_html(one_line(text))


def _head(seen: ReportView, document_name: str | None) -> Iterator[str]:
    title = f"{document_name}: {seen.title}" if document_name else seen.title
    yield "<!doctype html>"
    yield f'<html lang="{seen.language}">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="robots" content="noindex">'
    yield f"<title>{escape(title)}</title>"
    yield f"<style>{STYLE}</style>"
    yield "</head>"


def _header(seen: ReportView, document_name: str | None) -> Iterator[str]:
    yield "<header>"
    if document_name:
        yield f'<p class="muted">{seen.words["document"]}: {escape(document_name)}</p>'
    yield f"<h1>{escape(seen.title)}</h1>"
    yield f'<p class="verdict">{_badge(seen.level, seen.risk)} {seen.score} · {seen.count}</p>'
    yield from (f'<p class="notice">{escape(notice)}</p>' for notice in seen.notices)
    if seen.perspective:
        yield f"<p>{escape(seen.perspective)}</p>"
    yield f"<p>{escape(seen.summary)}</p>"
    yield from _contents(seen)
    yield "</header>"


def _contents(seen: ReportView) -> Iterator[str]:
    sections = {
        "facts": seen.facts and seen.words["facts"],
        "risks": seen.words["risks"],
        "clauses": seen.clauses and seen.words["clauses"],
        "absent": seen.absent.names and seen.absent.title,
        "not-determined": seen.not_determined.names and seen.not_determined.title,
        "unreadable": seen.unreadable.names and seen.unreadable.title,
        "about": seen.words["about"],
    }
    items = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in sections.items() if title)
    yield f'<nav aria-label="{seen.words["contents"]}"><ul>{items}</ul></nav>'


def _facts(seen: ReportView) -> Iterator[str]:
    if not seen.facts:
        return
    yield from _open("facts", seen.words["facts"])
    header = "".join(f'<th scope="col">{seen.words[name]}</th>' for name in ("fact", "value", "where"))
    yield f'<table aria-labelledby="facts-title"><thead><tr>{header}</tr></thead><tbody>'
    yield from (_fact_row(fact) for fact in seen.facts)
    yield "</tbody></table></section>"


def _fact_row(fact: FactRow) -> str:
    value = escape(fact.value) + _unverified(fact.unverified)
    return f'<tr><th scope="row">{fact.name}</th><td class="words">{value}</td><td class="where">{fact.where}</td></tr>'


def _findings(seen: ReportView) -> Iterator[str]:
    yield from _open("risks", seen.words["risks"])
    if not seen.findings:
        yield f"<p>{seen.words['noFindings']}</p></section>"
        return
    yield '<table aria-labelledby="risks-title"><thead><tr>'
    yield f'<th scope="col" class="number wide">#</th><th scope="col">{seen.words["level"]}</th>'
    yield f'<th scope="col" class="number wide">{seen.words["score"]}</th><th scope="col">{seen.words["risk"]}</th>'
    yield f'<th scope="col" class="wide">{seen.words["hurts"]}</th><th scope="col">{seen.words["where"]}</th>'
    yield "</tr></thead><tbody>"
    yield from (_finding_row(finding) for finding in seen.findings)
    yield "</tbody></table>"
    for finding in seen.findings:
        yield from _finding(finding, seen)
    yield "</section>"


def _finding_row(finding: FindingView) -> str:
    check = f' <span class="muted">({finding.check})</span>' if finding.check else ""
    return (
        f'<tr><td class="number wide">{finding.number}</td><td>{_badge(finding.level, finding.badge)}</td>'
        f'<td class="number wide">{finding.score}</td>'
        f'<td class="words"><a href="#finding-{finding.number}">{escape(finding.title)}</a>{check}</td>'
        f'<td class="wide hurts">{escape(finding.hurts or NOTHING)}</td><td>{finding.where}</td></tr>'
    )


def _finding(finding: FindingView, seen: ReportView) -> Iterator[str]:
    name = f"finding-{finding.number}"
    yield f'<article class="finding {finding.level}" id="{name}" aria-labelledby="{name}-title">'
    yield f'<h3 id="{name}-title">{finding.number}. {escape(finding.title)}</h3>'
    check = f" · <em>{finding.check}</em>" if finding.check else ""
    yield (
        f'<p>{_badge(finding.level, finding.badge)} <span class="muted">{finding.severity} ·'
        f" {escape(finding.category)}{check}</span></p>"
    )
    yield f"<p>{escape(finding.explanation)}</p>"
    details = (*finding.details, (seen.words["hurts"], finding.hurts or ""))
    yield "<dl>" + "".join(f"<dt>{title}</dt><dd>{escape(text)}</dd>" for title, text in details if text) + "</dl>"
    if finding.no_quote:
        yield f"<p><em>{finding.no_quote}</em></p>"
    yield from (_quote(quote) for quote in finding.quotes)
    yield "</article>"


def _clauses(seen: ReportView) -> Iterator[str]:
    if not seen.clauses:
        return
    yield from _open("clauses", seen.words["clauses"])
    for group in seen.clauses:
        yield from _clause(group)
    yield "</section>"


def _clause(group: ClauseGroup) -> Iterator[str]:
    yield f'<div class="clause"><h3>{escape(group.label)}</h3>'
    for summary, quote in group.passages:
        if summary:
            yield f"<p>{escape(summary)}</p>"
        if quote:
            yield _quote(quote)
    yield "</div>"


def _names(section_id: str, section: NameList) -> Iterator[str]:
    if not section.names:
        return
    yield from _open(section_id, section.title)
    if section.note:
        yield f"<p>{section.note}</p>"
    yield f'<ul class="names">{_items(section.names)}</ul></section>'


def _footer(seen: ReportView) -> Iterator[str]:
    yield f'<footer id="about"><p><strong>{seen.words["about"]}</strong></p><dl>'
    yield from (f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in seen.about)
    yield f"</dl><p><em>{seen.words['disclaimer']}</em></p></footer>"


def _open(section_id: str, title: str) -> Iterator[str]:
    yield f'<section id="{section_id}" aria-labelledby="{section_id}-title">'
    yield f'<h2 id="{section_id}-title">{title}</h2>'


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<li>{escape(text)}</li>" for text in texts)


def _badge(level: str, words: str) -> str:
    return f'<span class="badge {level}">{words}</span>'


def _quote(quote: Quote) -> str:
    caption = quote.where + _unverified(quote.unverified)
    return f"<figure><blockquote>{escape(quote.text)}</blockquote><figcaption>{caption}</figcaption></figure>"


def _unverified(words: str | None) -> str:
    return f' <strong class="unverified">({words})</strong>' if words else ""
