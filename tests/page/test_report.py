"""The report: every part of it, and each citation opening its page with the words highlighted."""

import json
import re

import pytest
from playwright.sync_api import Page, expect
from pydantic.alias_generators import to_camel

from dealguard_api import markdown
from dealguard_api.report import Citation, Report, UnreadablePage
from tests.page import scenes
from tests.page.conftest import PHONE, OpenPage, Sample, picture
from tests.page.standin import Standin

# Whether the highlights cover the words of the text layer that they should, and none far away: PDF.js places both.
COVERED = """(words) => {
  const boxes = [...document.querySelectorAll(".highlight")].map((each) => each.getBoundingClientRect());
  const inside = ({left, right, top, bottom}) => {
    const x = (left + right) / 2, y = (top + bottom) / 2;
    return boxes.some((box) => box.left - 3 <= x && x <= box.right + 3 && box.top - 3 <= y && y <= box.bottom + 3);
  };
  const spans = [...document.querySelectorAll(".textLayer span")].filter((span) => span.textContent.trim());
  const covered = spans.filter((span) => inside(span.getBoundingClientRect())).map((span) => span.textContent);
  return words.every((word) => covered.join(" ").includes(word));
}"""


# Each citation's name, and where its button says the page.
STATED = """(all) => all.map((each) => [each.dataset.cite, (each.querySelector(".quote-page") ?? each).textContent])"""
# Whether a citation is open: on its page so many highlights, the first one in view, over the words where it begins.
OPENED = r"""([key, page, count, beginning]) => {
  const place = (element) => element.getBoundingClientRect();
  const here = document.querySelector(`.pdf-page[data-page="${page}"][data-drawn]`);
  const boxes = [...(here?.querySelectorAll(".highlight") ?? [])].map(place);
  if (!document.querySelector(`[data-cite="${key}"][aria-current="true"]`) || boxes.length !== count) return false;
  const pane = place(document.querySelector(".pdf-pages"));
  if (boxes[0].bottom < pane.top || boxes[0].top > pane.bottom) return false;
  const isUnder = ({left, right, top, bottom}) => boxes.some(
    (box) => box.top <= (top + bottom) / 2 && (top + bottom) / 2 <= box.bottom && box.left < right && left < box.right,
  );
  const words = [...here.querySelectorAll(".textLayer span")].filter((span) => isUnder(place(span)));
  return words.map((span) => span.textContent).join("").replace(/[\s\u00ad-]/g, "").includes(beginning);
}"""


def open_report(open_page: OpenPage, standin: Standin, sample: Sample, **options: object) -> Page:
    """The page with the report of a sample."""
    scenes.finished(standin, "c", *sample, file_name="Vertrag.pdf")
    page = open_page("#/contracts/acme.c", **options)
    expect(page.locator("#title-overview")).to_be_visible()
    return page


def test_every_part_in_german(standin: Standin, german: Sample, open_page: OpenPage) -> None:
    report = german[0]
    page = open_report(open_page, standin, german, locale="de-DE")
    expect(page.locator(".verdict .summary")).to_have_text(report.summary)
    expect(page.locator(".finding")).to_have_count(len(report.findings))
    scores = [each.severity.score for each in report.findings]
    titles = page.locator(".finding-title").all_inner_texts()
    assert report.findings[scores.index(max(scores))].title == titles[0], "the worst comes first"
    facts = page.locator(".section.facts")
    for words in ("Quittenbaum Softwarewerke AG", "36 Monate", "automatisch, 12 Monate", "2.480,00", "Deutschland"):
        expect(facts).to_contain_text(words)
    dates = page.locator(".date-list")
    # Begins on 1 April 2025, 36 months, notice of six months to the end.
    expect(dates).to_contain_text("Ende der Laufzeit31. März 2028berechnet, bitte prüfen")
    expect(dates).to_contain_text("Letzter Tag für die Kündigung30. September 2027")
    expect(page.locator("svg.timeline circle")).to_have_count(4)
    expect(page.locator(".section.absent")).to_contain_text("Eigentumsvorbehalt")
    expect(page.locator(".section.notDetermined")).to_contain_text("Mengenbegrenzung")
    expect(page.locator(".section.clauses .clause")).not_to_have_count(0)
    expect(page.locator(".pdf-page[data-drawn]").first).to_be_visible()
    picture(page, "report-de")


def test_a_citation_opens_its_page_with_the_quote_highlighted(
    standin: Standin, english: Sample, open_page: OpenPage
) -> None:
    page = open_report(open_page, standin, english)
    quote = page.locator(".quote", has_text="5.2 During the Term").first
    quote.click()
    expect(page.locator('.pdf-page[data-page="2"] .highlight')).to_have_count(3)
    expect(page.locator('.pdf-page[data-page="2"] .highlight').first).to_be_in_viewport()
    expect(page.get_by_role("textbox", name="Page", exact=True)).to_have_value("2")
    page.wait_for_function(COVERED, arg=["5.2 During the Term", "directly or", "in the world."])
    expect(quote).to_have_attribute("aria-current", "true")
    picture(page, "citation-en")
    # Larger: the words stay where the highlights are.
    page.get_by_role("button", name="Larger").click()
    page.wait_for_function(COVERED, arg=["5.2 During the Term", "in the world."])
    # The address knows it: another person opens the same place.
    page.reload()
    expect(page.locator('.pdf-page[data-page="2"] .highlight').first).to_be_in_viewport()
    # Back is the report as it was.
    page.locator(".chip").first.click()
    expect(page.locator('.pdf-page[data-page="1"] .highlight').first).to_be_in_viewport()
    page.go_back()
    expect(page.locator('.pdf-page[data-page="2"] .highlight').first).to_be_in_viewport()


def cited(report: Report) -> dict[str, Citation]:
    """Every citation by its name in the page's addresses: `venue`, `party.0`, `clause.3`, `finding.2.0`."""
    found = {}
    for name, value in report:
        key = to_camel(name)
        if name in ("parties", "prices", "clauses"):
            one = {"parties": "party", "prices": "price", "clauses": "clause"}[name]
            found |= {f"{one}.{place}": each.citation for place, each in enumerate(value)}
        elif name == "findings":
            for place, finding in enumerate(value):
                found |= {f"finding.{place}.{number}": each for number, each in enumerate(finding.citations)}
        elif isinstance(getattr(value, "citation", None), Citation):
            found[key] = value.citation
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", ["german", "english"])
def test_every_verified_citation_opens_its_page_with_its_words_highlighted(
    standin: Standin, language: str, request: pytest.FixtureRequest, open_page: OpenPage
) -> None:
    sample: Sample = request.getfixturevalue(language)
    page = open_report(open_page, standin, sample)
    page.evaluate("document.querySelectorAll('.report details').forEach((each) => { each.open = true; })")
    citations = {key: each for key, each in cited(sample[0]).items() if each.verified}
    stated: dict[str, str] = dict(page.locator("[data-cite]").evaluate_all(STATED))
    # A passage that several clauses share is shown once.
    passages = {(each.page, each.quote) for each in citations.values()}
    assert {(citations[key].page, citations[key].quote) for key in stated if key in citations} == passages
    assert len(passages) > 20
    # By page, which spares the drawing of most.
    for key in sorted(stated.keys() & citations.keys(), key=lambda each: (citations[each].page, each)):
        citation = citations[key]
        assert re.findall(r"\d+", stated[key])[0] == str(citation.page)
        boxes = sum(each.page == citation.page for each in citation.rectangles)
        assert boxes, f"{key} has no place on its page"
        beginning = re.sub(r"[\s\u00ad-]", "", citation.quote)[:12]
        print(f"opening {key}: page {citation.page}, {beginning}")
        page.locator(f"[data-cite='{key}']").first.click()
        page.wait_for_function(OPENED, arg=[key, citation.page, boxes, beginning])


def test_pages_and_zoom_by_keyboard(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    page = open_report(open_page, standin, english)
    expect(page.locator(".pdf-page[data-drawn]").first).to_be_visible()
    number = page.get_by_role("textbox", name="Page", exact=True)
    page.get_by_role("document", name="Document").focus()
    page.keyboard.press("PageDown")
    expect(number).to_have_value("2")
    page.keyboard.press("End")
    expect(number).to_have_value("5")
    page.keyboard.press("Home")
    expect(number).to_have_value("1")
    before = page.locator(".pdf-percent").inner_text()
    page.keyboard.press("+")
    expect(page.locator(".pdf-percent")).not_to_have_text(before)
    page.keyboard.press("0")
    expect(page.locator(".pdf-percent")).to_have_text(before)
    number.fill("3")
    number.press("Enter")
    expect(page.locator('.pdf-page[data-page="3"]')).to_be_in_viewport()
    page.get_by_role("button", name="Hide document").click()
    expect(page.locator(".pdf")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("button", name="Show document")).to_be_visible()


def test_on_a_phone_the_document_covers_the_report_and_goes_back(
    standin: Standin, german: Sample, open_page: OpenPage
) -> None:
    page = open_report(open_page, standin, german, locale="de-DE", size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    picture(page, "report-phone-de")
    quote = page.locator(".quote").first
    quote.click()
    expect(page.locator('.pdf-page[data-page="3"] .highlight').first).to_be_in_viewport()
    picture(page, "citation-phone-de")
    page.get_by_role("button", name="Zurück zum Bericht").click()
    expect(page.locator(".pdf")).to_be_hidden()
    expect(quote).to_be_in_viewport()
    quote.click()
    expect(page.locator(".pdf")).to_be_visible()
    page.go_back()
    expect(page.locator(".pdf")).to_be_hidden()


def test_findings_are_filtered_and_sorted(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    page = open_report(open_page, standin, english)
    shown = page.locator(".finding")
    page.get_by_role("group", name="Levels").get_by_role("button", name="High").click()
    expect(shown).to_have_count(english[0].finding_counts.high)
    page.reload()
    expect(shown).to_have_count(english[0].finding_counts.high)
    page.get_by_role("group", name="Levels").get_by_role("button", name="High").click()
    page.get_by_label("Order").select_option("page")
    pages = [
        int(re.findall(r"\d+", text)[0])
        for text in page.locator(".finding .quotation:first-of-type .quote-page").all_text_contents()
    ]
    assert pages == sorted(pages)
    page.get_by_label("Risk for").select_option("Licensee")
    expect(shown).to_have_count(sum(each.perspective == "Licensee" for each in english[0].findings))
    page.get_by_role("button", name="Open all").click()
    expect(page.locator(".finding:not([open])")).to_have_count(0)


def unverified(report: Report) -> Report:
    """The report with a quote that is not in the document, and a page that could not be read."""
    data = report.to_wire()
    first = data["findings"][0]["citations"][0]  # type: ignore[index]
    first.update(quote="These words are in no document.", verified=False, rectangles=[])
    first.pop("start"), first.pop("end")
    data["notDetermined"] = [*data["notDetermined"], *data["absent"]]  # type: ignore[misc]
    data["absent"] = []
    data["unreadablePages"] = [UnreadablePage(page=4, reason="no text").to_wire()]
    return Report.model_validate(data)


def test_what_limits_the_report_is_said_first(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    page = open_report(open_page, standin, (unverified(english[0]), english[1]))
    expect(page.locator(".verdict")).to_contain_text("Pages that could not be read and were not examined: 4")
    expect(page.locator(".verdict")).to_contain_text("Quotes whose words were not found in the document: 1")
    expect(page.locator(".section.unreadable")).to_contain_text("Page 4: no text")
    quotation = page.locator(".quotation", has_text="These words are in no document.").first
    expect(quotation).to_contain_text("Unverified")
    quotation.locator("button").click()
    expect(page.locator(".pdf-note")).to_contain_text("these words were not found in the document")
    expect(page.locator(".highlight")).to_have_count(0)


def test_export(standin: Standin, german: Sample, open_page: OpenPage) -> None:
    page = open_report(open_page, standin, german, locale="de-DE")
    page.get_by_text("Exportieren").click()
    links = page.locator(".menu a")
    expect(links).to_have_text(["Markdown (.md)", "Webseite (HTML)", "Daten (JSON)", "Original-PDF"])
    expect(links.first).to_have_attribute("download", "Vertrag.md")
    expect(links.first).to_have_attribute("href", "/contracts/acme.c/report?format=markdown&language=de")
    text = exported(page, "Vertrag.md")
    assert text.startswith("# ") and text == markdown.render(german[0], "de", document_name="Vertrag.pdf")
    assert exported(page, "Vertrag.html").startswith("<!doctype html>")
    assert json.loads(exported(page, "Vertrag.json")) == german[0].to_wire()


def exported(page: Page, name: str) -> str:
    """The file of this name, by its link in the menu."""
    if not page.locator("details.menu[open]").count():
        page.get_by_text("Exportieren").click()
    with page.expect_download() as download:
        page.locator(f".menu a[download='{name}']").click()
    assert download.value.suggested_filename == name
    return download.value.path().read_text()


def test_print(standin: Standin, german: Sample, open_page: OpenPage) -> None:
    page = open_report(open_page, standin, german, locale="de-DE")
    page.evaluate("() => { window.printed = 0; window.print = () => { window.printed += 1; }; }")
    page.get_by_text("Exportieren").click()
    page.get_by_role("button", name="Drucken oder als PDF sichern").click()
    assert page.evaluate("window.printed") == 1
    expect(page.locator("details.menu[open]")).to_have_count(0)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".header")).to_be_hidden()
    expect(page.locator(".side")).to_be_hidden()
    expect(page.locator("details:not([open]):not(.menu)")).to_have_count(0)
    picture(page, "print-de")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("report", "The report cannot be read at the moment"),
        ("document", "The document cannot be shown at the moment."),
    ],
)
def test_storage_that_is_away_is_said_and_tried_again(
    standin: Standin, english: Sample, open_page: OpenPage, broken: str, said: str
) -> None:
    scenes.finished(standin, "c", *english)
    standin.state.faults[f"/contracts/acme.c/{broken}"] = (503, 5)
    page = open_page("#/contracts/acme.c")
    expect(page.get_by_text(said)).to_be_visible()
    standin.state.faults.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".pdf-page[data-drawn]").first).to_be_visible()
    expect(page.locator(".finding").first).to_be_visible()
