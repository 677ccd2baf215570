"""The HTML report: complete, in both languages, readable for everyone, and safe whatever the contract says."""

import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser

import pytest

from dealguard_api.html import STYLE, render
from dealguard_api.report import Clause, Language, Report
from tests.reports import cite, report_with

VOID = {"meta"}  # the only elements without an end that the page uses


class Page(HTMLParser):
    """A page's tags with their attributes, in order, its text, and whether every element is closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, *names: str) -> list[dict[str, str | None]]:
        """The attributes of each element of these names."""
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "en",
            [
                "Risk: critical 25 of 25 · 2 findings",
                "Quotes whose words were not found in the document: 2",
                "Judged from the standpoint of: Plain words",
                "Agreed 2024-03-31 p. 1",
                "Initial term 3 years p. 3",
                "Notice period 90 days (Plain words) p. 3",
                "Price 12,500.50 EUR p. 3",
                "Disputes courts, Plain words (unverified) p. 3",
                "1 critical 25 Plain words (to be checked) Plain words pp. 2, 7",
                "likelihood 5 × impact 5 = 25 · Exclusivity · to be checked",
                "Recommendation Plain words Balanced position Plain words Statutes Plain words Hurts Plain words",
                "“Plain words” p. 7 (unverified: these words were not found in the document)",
                "No quote: this stands on no page of the document.",
                "“Plain words” pp. 4–5",
                "Looked for and not found These were looked for on every page",
                "Not determined The contract may or may not contain these",
                "1–4 low, 5–9 medium, 10–16 high, 20–25 critical",
                "0.25 USD",
                "not legal advice",
            ],
        ),
        (
            "de",
            [
                "Risiko: kritisch 25 von 25 · 2 Befunde",
                "Vertragsdatum 31.03.2024 S. 1",
                "Preis 12.500,50 EUR S. 3",
                "Anwendbares Recht Deutschland",
                "„Plain words“ S. 7 (nicht bestätigt: dieser Wortlaut wurde im Dokument nicht gefunden)",
                "Abtretungsverbot",
                "keine Rechtsberatung",
            ],
        ),
    ],
)
def test_everything_is_there(language: Language, parts: list[str]) -> None:
    page = Page(render(report_with("Plain words", language)))
    for part in parts:
        assert part in page.text, part
    assert page.all("html") == [{"lang": language}]


def test_pages_that_were_not_read_are_named() -> None:
    page = Page(render(report_with("Why", every_page_was_read=False)))
    assert "Pages that could not be read and were not examined: 8" in page.text
    assert "p. 8: Why" in page.text


def test_the_language_and_the_documents_name_can_be_chosen() -> None:
    page = Page(render(report_with("x", "de"), "en", document_name='lease "1".pdf'))
    assert "Key facts" in page.text
    assert 'Document: lease "1".pdf' in page.text


def test_no_findings_is_not_no_risks() -> None:
    empty = report_with("x").model_copy(update={"findings": []})
    assert "no statement that there are no risks" in Page(render(empty)).text


HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    '<a href="javascript:alert(1)">click</a>',
    "<!-- a comment --> and --> its end",
    "<![CDATA[ x ]]> <?xml version='1.0'?>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<base href=http://evil.example>",
    "<iframe srcdoc='<b>x</b>'></iframe>",
    "&lt;b&gt; &#60;script&#62; &amp;amp;",
    "<plaintext>",
    "<textarea><xmp>",
    "{{7*7}} ${7*7} `x`",
    "url(http://evil.example/x.png); } body { display: none",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    for every_page_was_read in (True, False):
        plain, hostile = (
            Page(render(report_with(words, every_page_was_read=every_page_was_read), document_name=words))
            for words in ("Plain words", text)
        )
        assert hostile.tags == plain.tags, "the same elements with the same attributes"
        assert not hostile.open
        assert text in hostile.text, "and it reads as it was"


def test_what_changes_the_reading_is_left_out() -> None:
    html = render(report_with("pay \u202e000,1 \u200b\x00now"))
    assert not re.search("[\u202e\u200b\x00]", html)
    assert "pay 000,1 now" in Page(html).text


def test_the_page_loads_and_runs_nothing() -> None:
    html = render(report_with("words"))
    page = Page(html)
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import|//", style)
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "style")]
        assert (attributes.get("href") or "#").startswith("#")


def test_the_same_report_gives_the_same_bytes() -> None:
    again = Report.model_validate_json(report_with("words").model_dump_json(by_alias=True))
    assert render(report_with("words")) == render(again)


def test_assistive_technology_finds_its_way() -> None:
    html = render(
        report_with("words").model_copy(update={"clauses": [Clause(category="Insurance", citation=cite("x"))]})
    )
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in page.all("a"):
        assert (attributes["href"] or "").removeprefix("#") in ids, "a link that leads nowhere"
    for _, attributes in page.tags:
        assert attributes.get("aria-labelledby", ids[0]) in ids
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings)), "a level is skipped"
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    assert {"header", "main", "footer", "nav"} <= {tag for tag, _ in page.tags}


def test_a_colour_is_never_alone() -> None:
    html = render(report_with("words"))
    badges = re.findall(r'<span class="badge (\w+)">([^<]*)</span>', html)
    assert badges == [
        *(("Critical", "Risk: critical"), ("Critical", "critical"), ("Low", "low")),
        *(("Critical", "critical"), ("Low", "low")),
    ]


LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.S)[:2]
)
PAIRS = [
    *(("text", "page"), ("muted", "page"), ("link", "page"), ("text", "soft"), ("muted", "soft"), ("link", "soft")),
    *((f"on-{level}", level) for level in ("none", "low", "medium", "high", "critical")),
]


def luminance(colour: str) -> float:
    """WCAG 2.1's relative luminance of '#rrggbb'."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "background"), PAIRS)
def test_contrast_meets_wcag_aa(colours: dict[str, str], text: str, background: str) -> None:
    lighter, darker = sorted((luminance(colours[text]), luminance(colours[background])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
