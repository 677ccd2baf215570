"""The report in words: everything a reader sees, in one language, in order, before any markup.

`markdown.py` and `html.py` lay this out, each in its own syntax. What belongs here: choosing words, writing values,
grouping. What never does: escaping and markup. The strings hold what a contract or a model wrote, so a renderer must
escape every one of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
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

_MAX_QUOTE_CHARACTERS = 600  # the rest is in the document, at the page named
_MAX_PAGES_IN_NOTICE = 20  # all of them are in the section on them
NOTHING = "–"  # in a cell that has nothing to say

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
    "check": ("to be checked", "zu prüfen"),
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
    "unverifiedShort": ("unverified", "nicht bestätigt"),
    "noQuote": (
        "No quote: this stands on no page of the document.",
        "Kein Zitat: dies steht auf keiner Seite des Dokuments.",
    ),
    "clauses": ("Clauses", "Klauseln"),
    "absent": ("Looked for and not found", "Gesucht und nicht gefunden"),
    "notDetermined": ("Not determined", "Nicht geprüft oder nicht bestimmbar"),
    "unreadable": ("Pages that could not be read", "Nicht lesbare Seiten"),
    "contents": ("Contents", "Inhalt"),
    "about": ("About this report", "Zu diesem Bericht"),
    "engine": ("Engine", "Analyseverfahren"),
    "document": ("Document", "Dokument"),
    "documentPages": ("pages", "Seiten"),
    "documentPage": ("page", "Seite"),
    "cost": ("Cost", "Kosten"),
    "costUnknown": ("not known for this model", "für dieses Modell nicht bekannt"),
    "scale": ("Scale", "Skala"),
    "disclaimer": (
        "Made by a program. It helps reading the contract and is not legal advice.",
        "Von einem Programm erstellt. Der Bericht hilft beim Lesen und ersetzt keine Rechtsberatung.",
    ),
    "notExamined": ("not examined", "nicht geprüft"),
    "noContract": (
        "This document does not look like a contract. It was not examined as one.",
        "Dieses Dokument sieht nicht wie ein Vertrag aus. Es wurde nicht als Vertrag geprüft.",
    ),
    "unverifiedNotice": (
        "Quotes whose words were not found in the document",
        "Zitate, deren Wortlaut im Dokument nicht gefunden wurde",
    ),
    "unreadableNotice": (
        "Pages that could not be read and were not examined",
        "Seiten, die nicht lesbar waren und nicht geprüft wurden",
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
# The two lists are easily confused: the first says something about the contract, the second about the analysis.
_LIST_NOTES: dict[str, tuple[str, str]] = {
    "absent": (
        "These were looked for on every page; no passage was found.",
        "Danach wurde auf jeder Seite gesucht; es wurde keine Stelle gefunden.",
    ),
    "notDetermined": (
        "The contract may or may not contain these: this analysis does not say.",
        "Ob der Vertrag dies enthält, sagt diese Analyse nicht.",
    ),
}
_SCORES = {RiskLevel.LOW: "1–4", RiskLevel.MEDIUM: "5–9", RiskLevel.HIGH: "10–16", RiskLevel.CRITICAL: "20–25"}


@dataclass(frozen=True)
class Quote:
    """A passage: its words (the first 600 characters) in the language's quotation marks, and where it stands."""

    text: str
    where: str
    unverified: str | None


@dataclass(frozen=True)
class FactRow:
    """One line of the key facts."""

    name: str
    value: str
    where: str
    unverified: str | None


@dataclass(frozen=True)
class FindingView:
    """One finding. `badge` is the level in words; `details` are titled sentences."""

    number: int
    title: str
    level: RiskLevel
    badge: str
    score: int
    severity: str
    category: str
    check: str | None
    hurts: str | None
    where: str
    pages: tuple[str, ...]
    explanation: str
    details: tuple[tuple[str, str], ...]
    quotes: tuple[Quote, ...]
    no_quote: str | None


@dataclass(frozen=True)
class ClauseGroup:
    """The passages of one category, each with what it says in short, if known."""

    label: str
    passages: tuple[tuple[str | None, Quote | None], ...]


@dataclass(frozen=True)
class NameList:
    """A section that lists names under a sentence on what the list means."""

    title: str
    note: str | None
    names: tuple[str, ...]


@dataclass(frozen=True)
class ReportView:
    """The whole report. `words` holds the headings by their names."""

    language: Language
    words: dict[str, str]
    title: str
    level: RiskLevel
    risk: str
    score: str
    count: str
    notices: tuple[str, ...]
    perspective: str | None
    summary: str
    facts: tuple[FactRow, ...]
    findings: tuple[FindingView, ...]
    clauses: tuple[ClauseGroup, ...]
    absent: NameList
    not_determined: NameList
    unreadable: NameList
    about: tuple[tuple[str, str], ...]


def view(report: Report, language: Language | None = None) -> ReportView:
    """The report in words.

    Args:
        report: what to show.
        language: of the headings; by default the contract's, else English.
    """
    return _Speaker(language or report.document.language or "en").view(report)


def risk_label(report: Report, language: Language) -> str:
    """The report's level in words; that nothing was found in what was not examined is no level."""
    if not report.is_contract and not report.findings:
        return _WORDS["notExamined"][language == "de"]
    return level_label(report.risk.level, language)


def word_tables(language: Language) -> dict[str, dict[str, str]]:
    """The report's own words in one language: `words` by their names, and `notes` on what a list means."""
    german = language == "de"
    return {
        "words": {name: words[german] for name, words in _WORDS.items()},
        "notes": {name: words[german] for name, words in _LIST_NOTES.items()},
    }


class _Speaker:
    """Puts a report's parts into words of one language."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language
        self._german = language == "de"

    def view(self, report: Report) -> ReportView:
        risk, count = report.risk, len(report.findings)
        perspective = f"{self._word('perspective')}: {report.perspective}" if report.perspective else None
        return ReportView(
            language=self._language,
            words={name: self._word(name) for name in _WORDS},
            title=report.contract_type.value if report.contract_type else self._word("analysis"),
            level=risk.level,
            risk=f"{self._word('risk')}: {risk_label(report, self._language)}",
            score=f"{risk.score} {self._word('of25')}",
            count=f"{count} {self._word('finding' if count == 1 else 'findings')}",
            notices=tuple(self._notices(report)),
            perspective=perspective,
            summary=report.summary,
            facts=tuple(self._facts(report)),
            findings=tuple(self._finding(number, each) for number, each in enumerate(report.findings, 1)),
            clauses=tuple(self._clauses(report.clauses)),
            absent=self._categories("absent", report.absent),
            not_determined=self._categories("notDetermined", report.not_determined),
            unreadable=self._unreadable(report),
            about=tuple(self._about(report)),
        )

    def _notices(self, report: Report) -> Iterator[str]:
        """What limits the whole report, said before anything else."""
        if not report.is_contract:
            yield self._word("noContract")
        if report.unreadable_pages:
            pages = ", ".join(str(unreadable.page) for unreadable in report.unreadable_pages[:_MAX_PAGES_IN_NOTICE])
            more = ", …" if len(report.unreadable_pages) > _MAX_PAGES_IN_NOTICE else ""
            yield f"{self._word('unreadableNotice')}: {pages}{more}"
        if report.unverified_citations:
            yield f"{self._word('unverifiedNotice')}: {report.unverified_citations}"

    def _facts(self, report: Report) -> Iterator[FactRow]:
        yield from self._fact("contractType", report.contract_type, str)
        for party in report.parties:
            role = f" ({party.role})" if party.role else ""
            yield self._fact_row("party", party.name + role, party.citation)
        yield from self._fact("agreementDate", report.agreement_date, self._date)
        yield from self._fact("effectiveDate", report.effective_date, self._date)
        yield from self._fact("expirationDate", report.expiration_date, self._date)
        yield from self._fact("initialTerm", report.initial_term, self._period)
        yield from self._fact("renewal", report.renewal, self._renewal)
        yield from self._fact("noticePeriod", report.notice_period, self._period)
        for price in report.prices:
            yield from self._fact("price", price, self._money)
        yield from self._fact("priceAdjustment", report.price_adjustment, str)
        yield from self._fact("governingLaw", report.governing_law, self._law)
        yield from self._fact("venue", report.venue, self._venue)

    def _fact(self, name: str, fact: Fact[ValueT] | None, in_words: Callable[[ValueT], str]) -> Iterator[FactRow]:
        if fact is not None:
            yield self._fact_row(name, in_words(fact.value), fact.citation)

    def _fact_row(self, name: str, value: str, citation: Citation) -> FactRow:
        unverified = None if citation.verified else self._word("unverifiedShort")
        return FactRow(self._word(name), value, self._where([citation]), unverified)

    def _finding(self, number: int, finding: Finding) -> FindingView:
        severity = finding.severity
        details = (
            ("recommendation", finding.recommendation),
            ("deviation", finding.deviation),
            ("statutes", ", ".join(finding.statutes)),
        )
        return FindingView(
            number=number,
            title=finding.title,
            level=severity.level,
            badge=level_label(severity.level, self._language),
            score=severity.score,
            severity=(
                f"{self._word('likelihood')} {severity.likelihood} × {self._word('impact')} {severity.impact}"
                f" = {severity.score}"
            ),
            category=category_label(finding.category, self._language),
            check=self._word("check") if finding.assessment == "check" else None,
            hurts=finding.perspective,
            where=self._where(finding.citations),
            pages=tuple(_pages(finding.citations)),
            explanation=finding.explanation,
            details=tuple((self._word(name), text) for name, text in details if text),
            quotes=tuple(self._quote(citation) for citation in finding.citations),
            no_quote=None if finding.citations else self._word("noQuote"),
        )

    def _clauses(self, clauses: Sequence[Clause]) -> Iterator[ClauseGroup]:
        # By label: CUAD's 'Governing Law' and the topic 'applicableLaw' read alike in German.
        by_label: dict[str, list[Clause]] = {}
        for clause in clauses:
            by_label.setdefault(category_label(clause.category, self._language), []).append(clause)
        for label, group in by_label.items():
            yield ClauseGroup(label, tuple(self._passages(group)))

    def _passages(self, clauses: Iterable[Clause]) -> Iterator[tuple[str | None, Quote | None]]:
        """Each passage once, though several clauses may quote it."""
        quotes: set[Quote] = set()
        for clause in clauses:
            quote = self._quote(clause.citation)
            new = quote not in quotes
            quotes.add(quote)
            if new or clause.summary:
                yield clause.summary, quote if new else None

    def _categories(self, title: str, categories: Iterable[str]) -> NameList:
        labels = dict.fromkeys(category_label(category, self._language) for category in categories)
        return NameList(self._word(title), _LIST_NOTES[title][self._german], tuple(labels))

    def _unreadable(self, report: Report) -> NameList:
        pages = (f"{self._word('page')} {each.page}: {each.reason}" for each in report.unreadable_pages)
        return NameList(self._word("unreadable"), None, tuple(pages))

    def _about(self, report: Report) -> Iterator[tuple[str, str]]:
        engine, document = report.engine, report.document
        model = f", {engine.model}" if engine.model else ""
        pages = self._word("documentPage" if document.pages == 1 else "documentPages")
        yield self._word("engine"), f"{engine.name} {engine.version}{model}"
        yield self._word("document"), f"{document.pages} {pages}, SHA-256 {document.sha256}"
        scale = ", ".join(f"{scores} {level_label(level, self._language)}" for level, scores in _SCORES.items())
        yield self._word("scale"), f"{self._word('likelihood')} × {self._word('impact')}: {scale}"
        if report.usage.cost is None:
            yield self._word("cost"), self._word("costUnknown")
        elif report.usage.cost:
            yield self._word("cost"), f"{report.usage.cost_usd} USD"

    def _quote(self, citation: Citation) -> Quote:
        text = " ".join(citation.quote.split())
        if len(text) > _MAX_QUOTE_CHARACTERS:
            text = text[:_MAX_QUOTE_CHARACTERS].rstrip() + " …"
        opening, closing = ("„", "“") if self._german else ("“", "”")
        unverified = None if citation.verified else self._word("unverified")
        return Quote(f"{opening}{text}{closing}", self._where([citation]), unverified)

    def _where(self, citations: Iterable[Citation]) -> str:
        """The pages, each once: 'p. 3', 'pp. 3–4, 7'."""
        names = _pages(citations)
        if not names:
            return NOTHING
        several = len(names) > 1 or "–" in names[0]
        return f"{self._word('pages' if several else 'page')} {', '.join(names)}"

    def _date(self, iso: str) -> str:
        return date_label(iso, self._language)

    def _period(self, period: Period) -> str:
        number = format(period.value.normalize(), "f")
        words = f"{number} {unit_label(period.unit, period.value != 1, self._language)}"
        return words + (f" ({period.reference_point})" if period.reference_point else "")

    def _renewal(self, renewal: Renewal) -> str:
        words = self._word("automatic" if renewal.automatic else "notAutomatic")
        return words + (f", {self._period(renewal.period)}" if renewal.period else "")

    def _money(self, money: Money) -> str:
        amount = f"{money.amount:,.2f}"
        if self._german:
            amount = amount.translate(str.maketrans(",.", ".,"))
        return f"{amount} {money.currency}"

    def _law(self, jurisdictions: str) -> str:
        return "; ".join(jurisdiction_label(name, self._language) for name in jurisdictions.split("; "))

    def _venue(self, venue: Venue) -> str:
        return ", ".join([self._word(venue.kind), *(part for part in (venue.institution, venue.place) if part)])

    def _word(self, name: str) -> str:
        return _WORDS[name][self._german]


def _pages(citations: Iterable[Citation]) -> list[str]:
    """Each page or span of pages once: '3–4', '7'."""
    spans = dict.fromkeys((citation.page, citation.last_page) for citation in citations)
    return [str(first) if first == last else f"{first}–{last}" for first, last in spans]
