"""WCAG 2.1 AA, as far as axe can tell, in light and dark; and the whole way by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.page import scenes
from tests.page.conftest import DESKTOP, PHONE, OpenPage, Sample, picture, violations
from tests.page.standin import Standin
from tests.page.test_upload import drop


def settled(page: Page) -> Page:
    """Without anything that still fades: half a colour has half a contrast."""
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function(
        "document.getAnimations().every((each) => each.playState !== 'running' || !(each instanceof CSSTransition))"
    )
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_violations(standin: Standin, english: Sample, german: Sample, open_page: OpenPage, dark: bool) -> None:
    scenes.several(standin, english, german)
    page = open_page(dark=dark)
    expect(page.locator(".row")).to_have_count(10)
    page.get_by_text("Options").click()
    assert violations(settled(page)) == []

    page.goto(page.url.split("#")[0] + "#/contracts/acme.running")
    expect(page.locator(".steps")).to_be_visible()
    assert violations(settled(page)) == []

    page.goto(page.url.split("#")[0] + "#/contracts/acme.scan")
    expect(page.get_by_text("What to do next")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(settled(page)) == []
    page.keyboard.press("Escape")
    assert violations(settled(page)) == []

    page.goto(page.url.split("#")[0] + "#/contracts/acme.licence")
    page.locator(".quote").first.click()
    expect(page.locator(".highlight").first).to_be_in_viewport()
    page.get_by_role("button", name="Open all").click()
    assert violations(settled(page)) == []
    picture(page, f"report-{'dark' if dark else 'light'}-en")

    standin.state.user = None
    page.reload()
    expect(page.get_by_label("Access token")).to_be_visible()
    assert violations(settled(page)) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_violations_while_uploads_are_under_way_and_when_they_failed(
    standin: Standin, english: Sample, open_page: OpenPage, dark: bool
) -> None:
    standin.state.upload_gate.clear()
    page = open_page(dark=dark)
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    drop(page, {f"{name}.pdf": english[1] + name.encode() for name in "abcd"} | {"photo.pdf": b"\xff\xd8\xff" * 9})
    row = page.locator(".upload-row")
    expect(row.filter(has_text="Being stored")).to_have_count(2)
    expect(row.filter(has_text="Waits for its turn")).to_have_count(2)
    page.get_by_role("button", name="Cancel upload: d.pdf").click()
    expect(row.filter(has_text="Cancelled")).to_have_count(1)
    expect(row.filter(has_text="Not a PDF")).to_have_count(1)
    assert violations(settled(page)) == []
    standin.state.upload_gate.set()
    expect(row.filter(has_text="Is being processed")).to_have_count(3)
    assert violations(settled(page)) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_violations_when_the_session_has_ended(
    standin: Standin, english: Sample, open_page: OpenPage, size: tuple[int, int], dark: bool
) -> None:
    scenes.finished(standin, "c", *english)
    page = open_page("#/contracts/acme.c", dark=dark, size=size)
    expect(page.locator(".finding").first).to_be_visible()
    standin.state.user = None
    # Not with the mouse: the document, still being read, may have asked for the login before.
    page.get_by_role("button", name="Analyse again").dispatch_event("click")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    assert violations(settled(page)) == []
    dialog.get_by_label("Access token").fill("wrong")
    dialog.get_by_role("button", name="Log in", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("This token is not accepted.")
    assert violations(settled(page)) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_violations_on_a_phone(
    standin: Standin, english: Sample, german: Sample, open_page: OpenPage, dark: bool
) -> None:
    scenes.several(standin, english, german)
    scenes.finished(standin, "c", *german)
    page = open_page(locale="de-DE", size=PHONE, dark=dark)
    expect(page.locator(".row")).to_have_count(11)
    assert violations(settled(page)) == []
    page.goto(page.url.split("#")[0] + "#/contracts/acme.running")
    expect(page.locator(".steps")).to_be_visible()
    assert violations(settled(page)) == []
    page.goto(page.url.split("#")[0] + "#/contracts/acme.c")
    expect(page.locator(".finding").first).to_be_visible()
    assert violations(settled(page)) == []
    page.locator(".quote").first.click()
    expect(page.locator(".highlight").first).to_be_in_viewport()
    assert violations(settled(page)) == []


def test_by_keyboard_alone(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    scenes.finished(standin, "c", *english, file_name="Licence.pdf")
    page = open_page()
    expect(page.locator(".row")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "Choose PDFs")
    tab_to(page, "Licence.pdf")
    page.keyboard.press("Enter")
    expect(page.locator(".finding").first).to_be_visible()
    tab_to(page, "Export")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Print or save as PDF")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Print or save as PDF")).to_be_hidden()
    tab_to(page, "Risks")
    page.keyboard.press("Enter")
    expect(page.locator("#title-risks")).to_be_focused()
    tab_to(page, "5.2 During the Term")
    page.keyboard.press("Enter")
    expect(page.locator('.pdf-page[data-page="2"] .highlight').first).to_be_in_viewport()
    expect(page.get_by_role("status").filter(has_text="Page 2, the quote is highlighted.")).to_have_count(1)


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has these words has the focus, visibly."""
    for _ in range(60):
        page.keyboard.press("Tab")
        text, outline = page.evaluate(
            """() => {
              const element = document.activeElement;
              const after = getComputedStyle(element, "::after").outlineStyle;
              return [element.textContent, getComputedStyle(element).outlineStyle + after];
            }"""
        )
        assert "solid" in outline, f"the focus on {text[:40]!r} cannot be seen"
        if words in text:
            return
    raise AssertionError(f"{words} is not reached with Tab")
