"""The page in a real Chromium, against the stand-in of the API."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dealguard_analyzer.pipeline import analyze_pdf
from dealguard_api.pod import AnalyzeSettings, ExtractSettings
from dealguard_api.report import Report
from tests.browser import chromium
from tests.page.standin import Standin

REPOSITORY = Path(__file__).resolve().parents[2]
SCREENSHOTS = REPOSITORY / "tests/screenshots"
SAMPLES = REPOSITORY / "samples"
DESKTOP, PHONE = (1440, 900), (360, 740)
# Counts what the page has asked for and has no answer to yet.
_UNDER_WAY = """{
  const {fetch} = window;
  window.underWay = 0;
  window.fetch = async (...asked) => {
    window.underWay += 1;
    try {
      const answer = await fetch(...asked);
      await answer.clone().arrayBuffer().catch(() => null);
      return answer;
    } finally {
      window.underWay -= 1;
    }
  };
}"""
# A few turns of the page's event loop, which no clock of a test holds up.
_TURNS = """async () => {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((done) => {
      const {port1, port2} = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage(null);
    });
  }
  return window.underWay === 0;
}"""
# The machine may be busy: this is how long the page may take, not how long it takes.
expect.set_options(timeout=20_000)

Sample = tuple[Report, bytes]
OpenPage = Callable[..., Page]


# Not longer: Playwright's own event loop runs as long as it lives, and asynchronous tests have theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module."""
    with chromium() as browser:
        yield browser


def _sample(name: str) -> Sample:
    path = SAMPLES / name
    report = analyze_pdf(path, ExtractSettings(), AnalyzeSettings(engine="rules"))
    return report, path.read_bytes()


@pytest.fixture(scope="session")
def english() -> Sample:
    """The English sample: its report, made now, and its bytes."""
    return _sample("license-agreement.en.pdf")


@pytest.fixture(scope="session")
def german() -> Sample:
    """The German one."""
    return _sample("saas-vertrag.de.pdf")


@pytest.fixture
def standin() -> Standin:
    """The API, not yet serving."""
    return Standin()


@pytest.fixture
def url(standin: Standin) -> Iterator[str]:
    """The API, serving."""
    with standin.serving() as url:
        yield url


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[OpenPage]:
    """Opens the page: `open_page("#/", locale="de-DE", size=PHONE, dark=True)`; `has_clock`: the test moves its time.

    No error may stand in the console at the end, nor a violation of the security policy: except for requests that
    failed, which some tests want.
    """
    contexts = []
    wrong: list[str] = []

    def open_(
        where: str = "#/",
        *,
        locale: str = "en-GB",
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        has_clock: bool = False,
        **options: Any,
    ) -> Page:
        context = browser.new_context(
            locale=locale,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            timezone_id="Europe/Berlin",
            **options,
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)) if _is_wrong(str(error)) else None)
        page.on(
            "console",
            lambda message: wrong.append(message.text) if message.type == "error" and _is_wrong(message.text) else None,
        )
        # Shown with a test that fails: a page whose scripts did not come is empty, and does not say why.
        page.on("requestfailed", lambda request: print(f"failed: {request.method} {request.url}: {request.failure}"))
        if has_clock:
            page.add_init_script(_UNDER_WAY)
            page.clock.install()
        page.goto(f"{url}/{where}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not wrong, wrong


def _is_wrong(text: str) -> bool:
    # With the stack of an error in the page.
    is_of_a_request = re.search(r"^Failed to load resource|Failed to fetch dynamically imported module|net::ERR", text)
    return is_of_a_request is None


def at_rest(page: Page) -> Page:
    """The page when it has understood all answers, and only its timers or a stream can make it go on.

    For pages that were opened with `has_clock`.
    """
    while not page.evaluate(_TURNS):
        page.wait_for_timeout(20)
    return page


def picture(page: Page, name: str) -> None:
    """A screenshot to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.1 AA, and its best practices."""
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for each in found for node in each["nodes"]
    ]
