"""The Markdown report: complete, in both languages, and safe whatever the contract says."""

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dealguard_api.labels import category_label
from dealguard_api.markdown import escape, render
from dealguard_api.report import Clause, Language, Usage
from tests.reports import cite, report_with

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


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
                "*No quote: this stands on no page of the document.*",
                "## Looked for and not found",
                "- Insurance",
                "## Not determined",
                "- Cost: 0.25 USD",
                "likelihood 5 × impact 5 = 25",
                "| Disputes | courts, Plain words **(unverified)** | p. 3 |",
                "**Quotes whose words were not found in the document: 2**",
                "These were looked for on every page; no passage was found.",
                "1–4 low, 5–9 medium, 10–16 high, 20–25 critical",
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


def test_the_limits_of_a_report_come_first() -> None:
    unexamined = report_with("x").model_copy(update={"is_contract": False})
    assert "does not look like a contract" in render(unexamined).split("## ")[0]
    assert "**Risk: critical**" in render(unexamined), "what was found in it counts all the same"
    assert "**Risk: not examined**" in render(unexamined.model_copy(update={"findings": []}))


@pytest.mark.parametrize(
    ("language", "notice", "section"),
    [
        (
            "en",
            "**Pages that could not be read and were not examined: 8**",
            "## Pages that could not be read\n\n- p. 8: Why",
        ),
        (
            "de",
            "**Seiten, die nicht lesbar waren und nicht geprüft wurden: 8**",
            "## Nicht lesbare Seiten\n\n- S. 8: Why",
        ),
    ],
)
def test_pages_that_were_not_read_are_named(language: Language, notice: str, section: str) -> None:
    markdown = render(report_with("Why", language, every_page_was_read=False))
    assert notice in markdown.split("## ")[0]
    assert section in markdown


def test_a_cost_that_is_not_known_is_not_nothing() -> None:
    unpriced = report_with("x").model_copy(update={"usage": Usage(input_tokens=5)})
    assert "- Cost: not known for this model" in render(unpriced)


def test_the_document_is_named_where_there_are_several() -> None:
    assert "Document: lease\\_1.pdf" in render(report_with("x"), document_name="lease_1.pdf")


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
