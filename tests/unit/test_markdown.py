"""The Markdown report: complete, in both languages, and safe whatever the contract says."""

from decimal import Decimal

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dealguard_api.labels import category_label
from dealguard_api.markdown import escape, render
from dealguard_api.report import (
    Citation,
    Clause,
    DocumentInfo,
    EngineInfo,
    Fact,
    Finding,
    Language,
    Money,
    Party,
    Period,
    Renewal,
    Report,
    Severity,
    UnreadablePage,
    Usage,
    Venue,
)

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


def cite(quote: str, page: int = 3, verified: bool = True, end_page: int | None = None) -> Citation:
    return Citation(quote=quote, page=page, end_page=end_page, verified=verified)


def report_with(text: str, language: Language = "en") -> Report:
    """A report in which `text` stands wherever the contract or a model puts words."""
    return Report(
        document=DocumentInfo(sha256="a" * 64, bytes=10, pages=9, language=language),
        engine=EngineInfo(name="claude", version="1.0", model="claude-sonnet-5-5"),
        perspective=text,
        contract_type=Fact(value=text, citation=cite(text, 1)),
        parties=[Party(name=text, role=text[:100], citation=cite(text, 1))],
        agreement_date=Fact(value="2024-03-31", citation=cite(text, 1)),
        initial_term=Fact(value=Period(value=Decimal(3), unit="year"), citation=cite(text)),
        renewal=Fact(value=Renewal(automatic=True, period=Period(value=Decimal(1), unit="year")), citation=cite(text)),
        notice_period=Fact(value=Period(value=Decimal(90), unit="day", reference_point=text), citation=cite(text)),
        prices=[Fact(value=Money(amount=Decimal("12500.5"), currency="EUR"), citation=cite(text))],
        governing_law=Fact(value="Germany", citation=cite(text)),
        venue=Fact(value=Venue(kind="court", place=text), citation=cite(text)),
        clauses=[Clause(category="Anti-Assignment", citation=cite(text, 4, end_page=5), summary=text)],
        findings=[
            Finding(
                id="a",
                category="Exclusivity",
                title=text,
                severity=Severity(likelihood=5, impact=5),
                assessment="check",
                explanation=text,
                recommendation=text,
                deviation=text,
                perspective=text,
                statutes=[text],
                citations=[cite(text, 2), cite(text, 7, verified=False)],
            ),
            Finding(
                id="b",
                category=text[:100],
                title="Something is missing",
                severity=Severity(likelihood=1, impact=1),
                assessment="risk",
                explanation="It is not there.",
                recommendation="Add it.",
            ),
        ],
        absent=["Insurance", text],
        not_determined=["Source Code Escrow"],
        unreadable_pages=[UnreadablePage(page=8, reason=text)],
        summary=text,
        usage=Usage(cost_usd="0.25"),
    )


def tokens_of(markdown: str) -> list[Token]:
    """All tokens, those within lines included."""
    return [inner for token in PARSER.parse(markdown) for inner in (token, *(token.children or []))]


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "en",
            [
                "🔴 **Risk: critical** (25 of 25) · 2 findings",
                "| Agreed | 2024-03-31 | p. 1 |",
                "| Initial term | 3 years | p. 3 |",
                "| Renewal | automatic, 1 year | p. 3 |",
                "| Notice period | 90 days (Plain words) | p. 3 |",
                "| Price | 12,500.50 EUR | p. 3 |",
                "| Governing law | Germany | p. 3 |",
                "| 1 | 🔴 critical | 25 | Plain words *(to be checked)* | Plain words | pp. 2, 7 |",
                "| 2 | 🟢 low | 1 | Something is missing | – | – |",
                "> “Plain words” (p. 7) **(unverified: these words were not found in the document)**",
                "> “Plain words” (pp. 4–5)",
                "*Nothing to quote: this is missing from the contract.*",
                "## Looked for and not found",
                "- Insurance",
                "## Not determined",
                "## Pages that could not be read",
                "- p. 8: Plain words",
                "- Cost: 0.25 USD",
                "not legal advice",
            ],
        ),
        (
            "de",
            [
                "🔴 **Risiko: kritisch** (25 von 25) · 2 Befunde",
                "| Vertragsdatum | 31.03.2024 | S. 1 |",
                "| Laufzeit | 3 Jahre | S. 3 |",
                "| Verlängerung | automatisch, 1 Jahr | S. 3 |",
                "| Preis | 12.500,50 EUR | S. 3 |",
                "| Anwendbares Recht | Deutschland | S. 3 |",
                "> „Plain words“ (S. 7) **(nicht bestätigt: dieser Wortlaut wurde im Dokument nicht gefunden)**",
                "### Abtretungsverbot",
                "- Versicherung",
                "## Nicht lesbare Seiten",
                "keine Rechtsberatung",
            ],
        ),
    ],
)
def test_everything_is_there(language: Language, parts: list[str]) -> None:
    markdown = render(report_with("Plain words", language))
    for part in parts:
        assert part in markdown, part


def test_the_language_can_be_chosen() -> None:
    assert "## Risks" in render(report_with("x", "de"), "en")


def test_no_findings_is_not_no_risks() -> None:
    empty = report_with("x").model_copy(update={"findings": []})
    assert "no statement that there are no risks" in render(empty)


HOSTILE = [
    "# not a heading",
    "- not a list",
    "1. not a list",
    "+ not a list",
    "> not a quote",
    "a | b | c",
    "|---|---|",
    "[a link](http://evil.example)",
    "![an image](http://evil.example/x.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "*not* __bold__ ~~struck~~ `code`",
    "```\nnot a block\n```",
    "two\n\nparagraphs",
    "a line\n===",
    "a line\n---",
    "\\*escaped\\*",
    "backslash at the end\\",
    "&lt;b&gt; &#42;x&#42;",
    "<http://evil.example>",
    "https://evil.example and www.evil.example",
    "[ref]: http://evil.example",
    "invisible \u202e override \u200b and \x00 control",
    "\tindented code",
    "$x$ math",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    plain, hostile = tokens_of(render(report_with("Plain words"))), tokens_of(render(report_with(text)))
    assert [token.type for token in structure(hostile)] == [token.type for token in structure(plain)]


def structure(tokens: list[Token]) -> list[Token]:
    """The tokens that are structure, not text."""
    return [token for token in tokens if token.type not in ("text", "softbreak", "inline", "text_special")]


@pytest.mark.parametrize(
    "text", [text for text in HOSTILE if "\n" not in text and "\x00" not in text and "\t" not in text]
)
def test_escaped_text_reads_as_it_was(text: str) -> None:
    (paragraph,) = [token for token in PARSER.parse("| " + escape(text)) if token.type == "inline"]
    words = "".join(child.content for child in paragraph.children or [])
    assert words.removeprefix("| ") == " ".join(text.replace("\u202e", "").replace("\u200b", "").split())


def test_links_are_not_made_by_themselves() -> None:
    """GitHub makes links of bare addresses: the escape keeps their beginnings apart."""
    escaped = escape("https://evil.example www.evil.example")
    assert escaped == r"https\://evil.example www\.evil.example"


def test_long_quotes_are_shortened() -> None:
    clause = Clause(category="Insurance", citation=cite("word " * 700))
    markdown = render(report_with("x").model_copy(update={"clauses": [clause]}))
    assert max(len(line) for line in markdown.split("\n") if line.startswith(">")) < 800


def test_categories_have_german_names() -> None:
    assert category_label("Anti-Assignment", "de") == "Abtretungsverbot"
    assert category_label("placeOfJurisdiction", "en") == "Place of jurisdiction"
    assert category_label("Something new", "de") == "Something new"


def test_english_names_are_no_abbreviations() -> None:
    assert category_label("Rofr/Rofo/Rofn", "en") == "Right of First Refusal, Offer or Negotiation"
    assert category_label("Ip Ownership Assignment", "en") == "IP Ownership Assignment"


def test_categories_that_read_alike_share_a_heading() -> None:
    report = report_with("x", "de")
    names = ("Governing Law", "applicableLaw")
    clauses = [Clause(category=name, citation=cite(name)) for name in names]
    rendered = render(report.model_copy(update={"clauses": clauses}))
    assert rendered.count("### Anwendbares Recht") == 1 and all(f"„{name}“" in rendered for name in names)
