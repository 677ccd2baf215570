"""The report as Markdown (CommonMark with GFM tables), for people who read contracts.

Everything that comes from the contract or from a model is escaped: it can neither format nor link nor break a table.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TypeVar

from dealguard_api.labels import category_label, date_label, jurisdiction_label, level_label, unit_label
from dealguard_api.report import (
    Citation,
    Clause,
    Fact,
    Finding,
    Language,
    Money,
    Period,
    Renewal,
    Report,
    RiskLevel,
    Venue,
)

ValueT = TypeVar("ValueT")

_MARKS = {
    RiskLevel.NONE_FOUND: "⚪",
    RiskLevel.LOW: "🟢",
    RiskLevel.MEDIUM: "🟡",
    RiskLevel.HIGH: "🟠",
    RiskLevel.CRITICAL: "🔴",
}
_MAX_QUOTE_CHARACTERS = 600  # the rest is in the document, at the page named

_WORDS: dict[str, tuple[str, str]] = {  # English, German
    "analysis": ("Contract analysis", "Vertragsanalyse"),
    "risk": ("Risk", "Risiko"),
    "of25": ("of 25", "von 25"),
    "findings": ("findings", "Befunde"),
    "finding": ("finding", "Befund"),
    "perspective": ("Judged from the standpoint of", "Beurteilt aus Sicht von"),
    "facts": ("Key facts", "Eckdaten"),
    "fact": ("Fact", "Angabe"),
    "value": ("Value", "Inhalt"),
    "where": ("Where", "Fundstelle"),
    "page": ("p.", "S."),
    "pages": ("pp.", "S."),
    "risks": ("Risks", "Risiken"),
    "level": ("Level", "Stufe"),
    "score": ("Score", "Wert"),
    "hurts": ("Hurts", "Belastet"),
    "checkMark": ("to be checked", "zu prüfen"),
    "noFindings": (
        "No findings. That is no statement that there are no risks.",
        "Keine Befunde. Das heißt nicht, dass es keine Risiken gibt.",
    ),
    "likelihood": ("likelihood", "Wahrscheinlichkeit"),
    "impact": ("impact", "Auswirkung"),
    "recommendation": ("Recommendation", "Empfehlung"),
    "deviation": ("Balanced position", "Ausgewogene Regelung"),
    "statutes": ("Statutes", "Vorschriften"),
    "unverified": (
        "unverified: these words were not found in the document",
        "nicht bestätigt: dieser Wortlaut wurde im Dokument nicht gefunden",
    ),
    "absence": ("Nothing to quote: this is missing from the contract.", "Kein Zitat: die Regelung fehlt im Vertrag."),
    "clauses": ("Clauses", "Klauseln"),
    "absent": ("Looked for and not found", "Gesucht und nicht gefunden"),
    "notDetermined": ("Not determined", "Nicht geprüft oder nicht bestimmbar"),
    "unreadable": ("Pages that could not be read", "Nicht lesbare Seiten"),
    "about": ("About this report", "Zu diesem Bericht"),
    "engine": ("Engine", "Analyseverfahren"),
    "document": ("Document", "Dokument"),
    "documentPages": ("pages", "Seiten"),
    "cost": ("Cost", "Kosten"),
    "disclaimer": (
        "Made by a program. It helps reading the contract and is not legal advice.",
        "Von einem Programm erstellt. Der Bericht hilft beim Lesen und ersetzt keine Rechtsberatung.",
    ),
    "contractType": ("Type", "Vertragsart"),
    "party": ("Party", "Partei"),
    "agreementDate": ("Agreed", "Vertragsdatum"),
    "effectiveDate": ("Effective", "Beginn"),
    "expirationDate": ("Expires", "Ende"),
    "initialTerm": ("Initial term", "Laufzeit"),
    "renewal": ("Renewal", "Verlängerung"),
    "noticePeriod": ("Notice period", "Kündigungsfrist"),
    "price": ("Price", "Preis"),
    "priceAdjustment": ("Price adjustment", "Preisanpassung"),
    "governingLaw": ("Governing law", "Anwendbares Recht"),
    "venue": ("Disputes", "Streitigkeiten"),
    "automatic": ("automatic", "automatisch"),
    "notAutomatic": ("not automatic", "nicht automatisch"),
    "court": ("courts", "ordentliche Gerichte"),
    "arbitration": ("arbitration", "Schiedsgericht"),
}


def render(report: Report, language: Language | None = None, *, with_risk_table: bool = True) -> str:
    """The whole report.

    Args:
        report: what to render.
        language: of the headings; by default the contract's, else English.
        with_risk_table: False where the caller shows the list of findings in a form of its own.
    """
    writer = _Writer(language or report.document.language or "en")
    blocks = [
        *writer.head(report),
        *writer.facts(report),
        *writer.findings(report.findings, with_table=with_risk_table),
        *writer.clauses(report.clauses),
        *writer.names("absent", report.absent),
        *writer.names("notDetermined", report.not_determined),
        *writer.unreadable(report),
        *writer.about(report),
    ]
    return "\n\n".join(blocks) + "\n"


# Bidirectional overrides and other controls change what a reader sees.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_ACTIVE = re.compile(r"([\\`*_{}\[\]<>|~#&$!])")
# What is active only at the start of a line, and what GFM turns into links by itself.
_LINE_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([-+=:])")
_LINK = re.compile(r"(?<=\w)(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)


def escape(text: str) -> str:
    """`text` as plain words within a line, whatever stands in it."""
    line = " ".join(_CONTROLS.sub(" ", text).split())
    return _LINK.sub(lambda match: "\\" + match.group(), _ACTIVE.sub(r"\\\1", line))


def escape_line(text: str) -> str:
    """`text` as a line of its own: neither a list nor a heading, whatever it begins with."""
    line = escape(text)
    return _LINE_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", line)


class _Writer:
    """Renders parts of a report in one language."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language
        self._german = language == "de"

    def head(self, report: Report) -> Iterator[str]:
        title = report.contract_type.value if report.contract_type else self._word("analysis")
        yield f"# {escape(title)}"
        level = level_label(report.risk.level, self._language)
        count = len(report.findings)
        noun = self._word("finding" if count == 1 else "findings")
        yield (
            f"{_MARKS[report.risk.level]} **{self._word('risk')}: {level}**"
            f" ({report.risk.score} {self._word('of25')}) · {count} {noun}"
        )
        if report.perspective:
            yield f"{self._word('perspective')}: {escape(report.perspective)}"
        yield escape_line(report.summary)

    def facts(self, report: Report) -> Iterator[str]:
        rows = list(self._fact_rows(report))
        if rows:
            yield f"## {self._word('facts')}"
            yield _table((self._word("fact"), self._word("value"), self._word("where")), rows)

    def findings(self, findings: list[Finding], *, with_table: bool) -> Iterator[str]:
        yield f"## {self._word('risks')}"
        if not findings:
            yield self._word("noFindings")
            return
        if with_table:
            header = ("#", *(self._word(name) for name in ("level", "score", "risk", "hurts", "where")))
            yield _table(header, [self._finding_row(number, finding) for number, finding in enumerate(findings, 1)])
        for number, finding in enumerate(findings, 1):
            yield from self._finding(number, finding)

    def clauses(self, clauses: list[Clause]) -> Iterator[str]:
        if not clauses:
            return
        yield f"## {self._word('clauses')}"
        # By label: CUAD's 'Governing Law' and the topic 'applicableLaw' read alike in German.
        by_label: dict[str, list[Clause]] = {}
        for clause in clauses:
            by_label.setdefault(category_label(clause.category, self._language), []).append(clause)
        for label, group in by_label.items():
            yield f"### {escape(label)}"
            quotes: set[str] = set()
            for clause in group:
                if clause.summary:
                    yield escape_line(clause.summary)
                if (quote := self._quote(clause.citation)) not in quotes:
                    quotes.add(quote)
                    yield quote

    def names(self, title: str, categories: list[str]) -> Iterator[str]:
        if categories:
            yield f"## {self._word(title)}"
            labels = dict.fromkeys(category_label(category, self._language) for category in categories)
            yield "\n".join(f"- {escape_line(label)}" for label in labels)

    def unreadable(self, report: Report) -> Iterator[str]:
        if report.unreadable_pages:
            yield f"## {self._word('unreadable')}"
            yield "\n".join(f"- {self._word('page')} {p.page}: {escape(p.reason)}" for p in report.unreadable_pages)

    def about(self, report: Report) -> Iterator[str]:
        engine = report.engine
        model = f", {escape(engine.model)}" if engine.model else ""
        document = report.document
        lines = [
            f"- {self._word('engine')}: {engine.name} {escape(engine.version)}{model}",
            f"- {self._word('document')}: {document.pages} {self._word('documentPages')}, SHA-256 `{document.sha256}`",
        ]
        if Decimal(report.usage.cost_usd):
            lines.append(f"- {self._word('cost')}: {report.usage.cost_usd} USD")
        yield f"## {self._word('about')}"
        yield "\n".join(lines)
        yield f"*{self._word('disclaimer')}*"

    def _fact_rows(self, report: Report) -> Iterator[tuple[str, str, str]]:
        yield from self._row("contractType", report.contract_type, escape)
        for party in report.parties:
            role = f" ({escape(party.role)})" if party.role else ""
            yield self._word("party"), escape(party.name) + role, self._where([party.citation])
        yield from self._row("agreementDate", report.agreement_date, self._date)
        yield from self._row("effectiveDate", report.effective_date, self._date)
        yield from self._row("expirationDate", report.expiration_date, self._date)
        yield from self._row("initialTerm", report.initial_term, self._period)
        yield from self._row("renewal", report.renewal, self._renewal)
        yield from self._row("noticePeriod", report.notice_period, self._period)
        for price in report.prices:
            yield from self._row("price", price, self._money)
        yield from self._row("priceAdjustment", report.price_adjustment, escape)
        yield from self._row("governingLaw", report.governing_law, self._law)
        yield from self._row("venue", report.venue, self._venue)

    def _row(
        self, name: str, fact: Fact[ValueT] | None, in_words: Callable[[ValueT], str]
    ) -> Iterator[tuple[str, str, str]]:
        if fact is not None:
            yield self._word(name), in_words(fact.value), self._where([fact.citation])

    def _finding_row(self, number: int, finding: Finding) -> tuple[str, ...]:
        level = finding.severity.level
        check = f" *({self._word('checkMark')})*" if finding.assessment == "check" else ""
        return (
            str(number),
            f"{_MARKS[level]} {level_label(level, self._language)}",
            str(finding.severity.score),
            escape(finding.title) + check,
            escape(finding.perspective) if finding.perspective else "–",
            self._where(finding.citations),
        )

    def _finding(self, number: int, finding: Finding) -> Iterator[str]:
        severity = finding.severity
        yield f"### {number}. {escape(finding.title)}"
        parts = [
            f"{_MARKS[severity.level]} {level_label(severity.level, self._language)}",
            f"{self._word('likelihood')} {severity.likelihood} × {self._word('impact')} {severity.impact}",
            escape(category_label(finding.category, self._language)),
        ]
        if finding.assessment == "check":
            parts.append(f"*{self._word('checkMark')}*")
        yield " · ".join(parts)
        yield escape_line(finding.explanation)
        yield f"**{self._word('recommendation')}:** {escape(finding.recommendation)}"
        if finding.deviation:
            yield f"**{self._word('deviation')}:** {escape(finding.deviation)}"
        if finding.statutes:
            yield f"**{self._word('statutes')}:** {', '.join(escape(statute) for statute in finding.statutes)}"
        if not finding.citations:
            yield f"*{self._word('absence')}*"
        for citation in finding.citations:
            yield self._quote(citation)

    def _quote(self, citation: Citation) -> str:
        quote = escape(citation.quote)
        if len(quote) > _MAX_QUOTE_CHARACTERS:
            quote = quote[:_MAX_QUOTE_CHARACTERS].rstrip("\\ ") + " …"
        opening, closing = ("„", "“") if self._german else ("“", "”")
        unverified = "" if citation.verified else f" **({self._word('unverified')})**"
        return f"> {opening}{quote}{closing} ({self._where([citation])}){unverified}"

    def _where(self, citations: Iterable[Citation]) -> str:
        """The pages, each once: 'p. 3', 'pp. 3–4, 7'."""
        spans = dict.fromkeys((c.page, c.end_page or c.page) for c in citations)
        if not spans:
            return "–"
        names = [str(first) if first == last else f"{first}–{last}" for first, last in spans]
        several = len(names) > 1 or "–" in names[0]
        return f"{self._word('pages' if several else 'page')} {', '.join(names)}"

    def _date(self, iso: str) -> str:
        return date_label(iso, self._language)

    def _period(self, period: Period) -> str:
        number = format(period.value.normalize(), "f")
        words = f"{number} {unit_label(period.unit, period.value != 1, self._language)}"
        return words + (f" ({escape(period.reference_point)})" if period.reference_point else "")

    def _renewal(self, renewal: Renewal) -> str:
        words = self._word("automatic" if renewal.automatic else "notAutomatic")
        return words + (f", {self._period(renewal.period)}" if renewal.period else "")

    def _money(self, money: Money) -> str:
        amount = f"{money.amount:,.2f}"
        if self._german:
            amount = amount.translate(str.maketrans(",.", ".,"))
        return f"{amount} {money.currency}"

    def _law(self, jurisdictions: str) -> str:
        names = jurisdictions.split("; ")
        return escape("; ".join(jurisdiction_label(name, self._language) for name in names))

    def _venue(self, venue: Venue) -> str:
        parts = [self._word(venue.kind), *(escape(part) for part in (venue.institution, venue.place) if part)]
        return ", ".join(parts)

    def _word(self, name: str) -> str:
        return _WORDS[name][self._german]


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
