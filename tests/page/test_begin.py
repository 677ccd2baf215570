"""The page's own files: one that does not come, while the network changes or a gateway ends, leaves it not stuck."""

import pytest
from playwright.sync_api import expect

from tests.page import scenes
from tests.page.conftest import OpenPage, Sample
from tests.page.standin import Standin


@pytest.mark.parametrize("missing", ["main.js", "words/de.js"])
def test_a_page_of_which_a_part_did_not_come_says_so_and_begins_anew(
    standin: Standin, open_page: OpenPage, missing: str
) -> None:
    standin.state.faults[f"/page/{missing}"] = (503, 1)
    page = open_page()
    expect(page.get_by_text("If this takes long, load the page again.")).to_be_visible()
    standin.state.faults.clear()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    expect(page.locator(".plain-note")).to_have_count(0)


def test_a_style_sheet_that_did_not_come_is_asked_for_once_more(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    page.route("**/styles/list.css", lambda route: route.abort("failed"), times=1)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("list.css")):
        page.reload()
    page.wait_for_function("[...document.querySelectorAll('link[rel=stylesheet]')].every((link) => link.sheet)")
    expect(page.locator("link[rel=stylesheet]").nth(2)).to_have_attribute("href", "/page/styles/list.css")


@pytest.mark.parametrize("missing", ["/page/document/viewer.js", "/pdfjs/build/pdf.min.mjs"])
def test_a_viewer_that_did_not_come_is_tried_again(
    standin: Standin, open_page: OpenPage, english: Sample, missing: str
) -> None:
    scenes.finished(standin, "c", *english)
    standin.state.faults[missing] = (503, 1)
    page = open_page("#/contracts/acme.c")
    expect(page.get_by_text("The document cannot be shown at the moment.")).to_be_visible()
    standin.state.faults.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".pdf-page[data-drawn]").first).to_be_visible()
