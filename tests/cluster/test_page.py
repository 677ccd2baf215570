"""The whole way as a lawyer goes it: the page in Chromium, the gateway, the operator, the analyzer in pods, MinIO."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.cluster.gateway_tools import (  # noqa: F401 - fixtures
    Gateway,
    Tenants,
    User,
    gateway,
    gateway_kubeconfig,
    tenants,
)
from tests.cluster.installation import Installation
from tests.documents import picture_only_pdf, sample_contract

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

SCREENSHOTS = Path(__file__).resolve().parents[1] / "screenshots"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
# An analysis takes seconds; the machine may be busy with others.
ANALYSIS_MS = 150_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests here."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser's console complains of; nothing, at the end."""
    found: list[str] = []
    yield found
    assert not found, found


def logged_in(browser: Browser, gateway: Gateway, user: User, complaints: list[str], **context: object) -> Page:  # noqa: F811
    """The page, after a login with the user's token."""
    page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(gateway.url)
    page.locator("#token").fill(user.token)
    page.locator("form button[type=submit]").click()
    expect(page.locator(".zone")).to_be_visible(timeout=30_000)
    return page


def choose(page: Page, *paths: Path) -> None:
    """Choose files, as with the file picker."""
    page.locator("input[type=file]").set_input_files(list(paths))


@pytest.mark.parametrize(
    ("language", "size", "processing", "overview"),
    [("de", DESKTOP, "Wird verarbeitet", "Überblick"), ("en", PHONE, "Is being processed", "Overview")],
    ids=["german-desktop", "english-phone"],
)
def test_upload_live_stages_report_and_the_citation_opens_its_page(
    installation: Installation,
    gateway: Gateway,  # noqa: F811
    tenants: Tenants,  # noqa: F811
    browser: Browser,
    complaints: list[str],
    language: str,
    size: dict[str, int],
    processing: str,
    overview: str,
) -> None:
    page = logged_in(browser, gateway, tenants.own, complaints, locale=language, viewport=size)
    page.evaluate(
        """() => {
          window.stages = new Set();
          new MutationObserver(() => {
            const now = document.querySelector("[aria-current=step]");
            if (now) window.stages.add(now.textContent);
          }).observe(document.body, {subtree: true, childList: true});
        }"""
    )
    choose(page, sample_contract(language))
    expect(page.get_by_role("heading", name=processing)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", name=overview)).to_be_visible(timeout=ANALYSIS_MS)
    assert len(page.evaluate("[...window.stages]")) >= 2, "the stages were shown as they came"
    quote = page.locator(".quote").first
    quote.click()
    highlight = page.locator(".pdf-page[data-drawn] .highlight").first
    expect(highlight).to_be_in_viewport(timeout=30_000)
    covered = page.evaluate(
        """() => {
          const {left, right, top, bottom} = document.querySelector(".highlight").getBoundingClientRect();
          const spans = [...document.querySelectorAll(".textLayer span")];
          return spans.filter((span) => {
            const box = span.getBoundingClientRect();
            const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
            return left <= x && x <= right && top <= y && y <= bottom;
          }).map((span) => span.textContent).join(" ");
        }"""
    )
    beginning = " ".join(quote.inner_text().split()).lstrip("„“")[:20]
    assert beginning in " ".join(covered.split()), "the highlight lies on the line where the quote begins"
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"cluster-{language}.png")

    # In the list it is there, for a colleague too; for somebody of another organisation it is not.
    page.goto(f"{gateway.url}/#/")
    expect(page.locator(".row").first).to_contain_text(sample_contract(language).name)
    page.context.close()
    stranger = logged_in(browser, gateway, tenants.other, complaints, locale=language, viewport=size)
    expect(stranger.locator(".list-foot .empty")).to_be_visible()
    stranger.context.close()


def test_a_scan_fails_with_what_to_do_and_can_be_deleted(
    installation: Installation,
    gateway: Gateway,  # noqa: F811
    tenants: Tenants,  # noqa: F811
    browser: Browser,
    complaints: list[str],
    tmp_path: Path,
) -> None:
    scan = tmp_path / "Scan.pdf"
    scan.write_bytes(picture_only_pdf())
    page = logged_in(browser, gateway, tenants.own, complaints, locale="de-DE", viewport=DESKTOP)
    choose(page, scan)
    expect(page.get_by_text("Die Seiten des PDFs sind Bilder ohne Text")).to_be_visible(timeout=ANALYSIS_MS)
    expect(page.get_by_text("Texterkennung")).to_be_visible()
    page.get_by_role("button", name="Löschen").click()
    page.get_by_role("button", name="Endgültig löschen").click()
    expect(page.get_by_text("Scan.pdf ist gelöscht.")).to_be_visible(timeout=30_000)
    expect(page.locator(".row", has_text="Scan.pdf")).to_have_count(0)
    page.context.close()
