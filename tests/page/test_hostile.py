"""Names, quotes and words of a model are shown, never executed, and do not deceive by their direction."""

import io

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from reportlab.pdfgen.canvas import Canvas

from dealguard_api.report import Report
from tests.page import scenes
from tests.page.conftest import OpenPage
from tests.page.standin import Standin, contract_of
from tests.reports import report_with

HOSTILE = {
    "an image with a handler": '<img src=x onerror="window.hacked = 1">',
    "the end of a script": "</script><script>window.hacked = 1</script>",
    "a URL that runs": '<a href="javascript:window.hacked = 1">click</a> javascript:window.hacked=1',
    "out of an attribute": '" onmouseover="window.hacked = 1" autofocus onfocus="window.hacked = 1" x="',
    "a template": "${window.hacked = 1} {{constructor.constructor('window.hacked = 1')()}}",
    "an SVG": "<svg onload='window.hacked = 1'><animate onbegin='window.hacked = 1'></svg>",
}


def is_unharmed(page: Page) -> bool:
    """Whether nothing ran and no element of theirs is there."""
    harmless: bool = page.evaluate(
        """() => window.hacked === undefined
          && !document.querySelector("[onerror], [onload], [onmouseover], [onfocus], [onbegin]")
          && !document.querySelector("img, iframe, object, embed, [href^='javascript' i]")
          && document.scripts.length === 1"""
    )
    return harmless


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_words_are_words(standin: Standin, open_page: OpenPage, text: str) -> None:
    report: Report = report_with(text)
    scenes.finished(standin, "c", report, file_name=text, submitted_by=text[:200])
    standin.put(contract_of("failed", status="failed", file_name=text, failure={"reason": text, "message": text}))
    standin.put(contract_of("running", status="pending", stage="queued", file_name=text, message=text))
    page = open_page()
    expect(page.locator(".row")).to_have_count(3)
    expect(page.locator(".row").filter(has_text=text)).to_have_count(3)
    assert is_unharmed(page)
    for name in ("c", "failed", "running"):
        page.goto(page.url.split("#")[0] + f"#/contracts/acme.{name}")
        expect(page.get_by_role("heading", level=1)).to_have_text(text)
        assert is_unharmed(page)
    page.goto(page.url.split("#")[0] + "#/contracts/acme.c")
    expect(page.locator(".finding-title").first).to_have_text(text)
    expect(page.locator(".quote-text").first).to_contain_text(text)
    page.locator(".quote").first.click()
    page.mouse.move(300, 300)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text(text)
    assert is_unharmed(page)


def hostile_pdf() -> bytes:
    """A document with these words on its page, and what some viewers run: scripts, and links that are some."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    for line, text in enumerate(HOSTILE.values()):
        canvas.drawString(40, 780 - 30 * line, text)
    canvas.linkURL("javascript:window.hacked = 1", (0, 0, 600, 800), relative=0)
    canvas.showPage()
    canvas.save()
    writer = PdfWriter(clone_from=PdfReader(buffer))
    script = TextStringObject("app.alert('hacked'); window.hacked = 1;")
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): script}
    )
    document = io.BytesIO()
    writer.write(document)
    return document.getvalue()


def test_a_hostile_document_is_shown_and_nothing_of_it_runs(standin: Standin, open_page: OpenPage) -> None:
    scenes.finished(standin, "c", report_with("A lease."), hostile_pdf())
    page = open_page("#/contracts/acme.c")
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    shown = page.locator(".pdf-page[data-drawn] .textLayer")
    for text in HOSTILE.values():
        expect(shown).to_contain_text(text)
    page.locator(".pdf-page").first.click(position={"x": 200, "y": 200})
    assert is_unharmed(page)
    assert said == []


def test_an_address_cannot_carry_a_script(standin: Standin, open_page: OpenPage) -> None:
    page = open_page(
        "#/contracts/%3Cimg%20src=x%20onerror=window.hacked=1%3E?cite=%22%3E%3Cscript%3Ewindow.hacked=1%3C/script%3E"
    )
    expect(page.get_by_role("heading", name="This contract is not here")).to_be_visible()
    page.goto(page.url.split("#")[0] + "#/?q=%3Cimg%20src=x%20onerror=window.hacked=1%3E&status=x&order=x")
    expect(page.get_by_label("Search")).to_have_value("<img src=x onerror=window.hacked=1>")
    assert is_unharmed(page)


def test_names_that_change_direction_are_shown_as_they_are(standin: Standin, open_page: OpenPage) -> None:
    standin.put(contract_of("c", file_name="rechnung\u202efdp.exe"))
    standin.put(contract_of("d", file_name="عقد الإيجار.pdf"))
    page = open_page()
    expect(page.locator(".row-link").filter(has_text="rechnungfdp.exe")).to_have_count(1)
    expect(page.locator(".row-link").filter(has_text="عقد الإيجار.pdf")).to_have_count(1)


def test_the_policy_forbids_scripts_styles_and_other_hosts(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy and "style-src 'self'" in policy
    assert "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
    hosts = page.evaluate("performance.getEntriesByType('resource').map((each) => new URL(each.name).origin)")
    assert set(hosts) == {page.evaluate("location.origin")}
