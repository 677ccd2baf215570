"""What the page survives: lost events, a restarted gateway, no network, an expired session, a hidden tab, a reload."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from reportlab.pdfgen.canvas import Canvas

from dealguard_gateway.model import Contract
from tests.page import scenes
from tests.page.conftest import OpenPage, Sample, at_rest, picture
from tests.page.standin import Standin, contract_of

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def notice(page: Page) -> object:
    """The line that tells that the gateway does not answer."""
    return page.locator(".connection.shown")


def paused(page: Page) -> Page:
    """The page with its clock at rest, and nothing under way."""
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=20))
    return at_rest(page)


def readings(standin: Standin) -> int:
    """How often the list or the contract was read."""
    return sum(each in ("GET /contracts", "GET /contracts/acme.c") for each in standin.state.requests)


def reads_again_after(page: Page, standin: Standin, seconds: float) -> bool:
    """Whether the next reading comes when the page's clock has gone on so far, and not before; once it is done."""
    before = readings(standin)
    page.clock.run_for(seconds * 1000 - 100)
    at_rest(page)
    is_early = readings(standin) > before
    page.clock.run_for(100)
    at_rest(page)
    return not is_early and readings(standin) == before + 1


def lose_streams(page: Page, standin: Standin) -> None:
    """Break all streams of events, until the page knows."""
    with page.expect_event("requestfinished", lambda request: request.url.split("?")[0].endswith("/events")):
        standin.drop_streams()
    at_rest(page)


def test_without_events_it_asks_every_three_seconds_and_every_thirty_where_nobody_looks(
    standin: Standin, open_page: OpenPage
) -> None:
    standin.state.events_work = False
    scenes.running(standin, "c", "queued")
    page = open_page("#/contracts/acme.c", has_clock=True)
    step = page.locator("[aria-current=step]")
    expect(step).to_have_text("Waiting")
    paused(page)
    scenes.running(standin, "c", "starting")
    assert all(reads_again_after(page, standin, 3) for _ in range(3))
    expect(step).to_have_text("Starting")
    expect(notice(page)).to_have_count(0)
    page.evaluate(HIDE, True)
    assert reads_again_after(page, standin, 30)
    scenes.running(standin, "c", "analyzing")
    page.evaluate(HIDE, False)
    expect(step).to_have_text("Analysing")


def test_beside_events_that_never_come_it_asks_every_three_seconds(standin: Standin, open_page: OpenPage) -> None:
    standin.state.events_speak = False
    scenes.running(standin, "c", "queued")
    page = open_page("#/contracts/acme.c", has_clock=True)
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")
    standin.await_listener()
    paused(page)
    assert reads_again_after(page, standin, 3)
    # A stream that ends between two readings puts neither off.
    page.clock.run_for(1500)
    lose_streams(page, standin)
    assert reads_again_after(page, standin, 1.5)


@pytest.mark.parametrize("nothing_comes", ["events_speak", "events_work"])
@pytest.mark.parametrize("is_empty", [True, False], ids=["empty", "all finished"])
def test_where_no_event_comes_a_list_at_rest_is_read_every_fifteen_seconds(
    standin: Standin, open_page: OpenPage, nothing_comes: str, is_empty: bool
) -> None:
    setattr(standin.state, nothing_comes, False)
    if not is_empty:
        standin.put(contract_of("a"))
    page = open_page(has_clock=True)
    expect(page.get_by_text("No contracts yet" if is_empty else "a.pdf")).to_be_visible()
    paused(page)
    assert reads_again_after(page, standin, 15)
    scenes.running(standin, "b", "queued", file_name="Colleague.pdf", submitted_by="oidc:ben@acme.example")
    assert reads_again_after(page, standin, 15)
    expect(page.locator(".row", has_text="Colleague.pdf")).to_contain_text("by ben@acme.example")


def test_a_stream_that_never_spoke_and_is_opened_again_puts_no_reading_of_the_list_off(
    standin: Standin, open_page: OpenPage
) -> None:
    standin.state.events_speak = False
    page = open_page(has_clock=True)
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    standin.await_listener()
    paused(page)
    assert reads_again_after(page, standin, 15)
    page.clock.run_for(5000)
    lose_streams(page, standin)
    with page.expect_request("**/events?*"):
        page.clock.run_for(5000)
    standin.await_listener()
    assert reads_again_after(page, standin, 5)


def test_beside_events_that_come_a_list_at_rest_is_not_read(standin: Standin, open_page: OpenPage) -> None:
    page = open_page(has_clock=True)
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    # The one at the beginning, and the one that the stream's first word asks for.
    while readings(standin) < 2:
        page.wait_for_timeout(50)
    at_rest(page)
    page.clock.run_for(60_000)
    at_rest(page)
    assert readings(standin) == 2


def test_the_words_of_one_stream_put_no_reading_off_that_another_one_needs(
    standin: Standin, open_page: OpenPage
) -> None:
    standin.state.organizations = (("acme", True), ("brandmoor", False))
    standin.state.mute.add("brandmoor")
    scenes.running(standin, "a", "queued")
    page = open_page(has_clock=True)
    expect(page.locator(".row")).to_contain_text("Waiting")
    standin.await_listener(2)
    paused(page)
    assert reads_again_after(page, standin, 3)
    page.clock.run_for(2000)
    scenes.running(standin, "a", "analyzing")
    expect(page.locator(".row")).to_contain_text("Analysing")
    assert reads_again_after(page, standin, 1)


def test_an_answer_that_breaks_off_is_asked_for_again(standin: Standin, open_page: OpenPage) -> None:
    standin.state.events_speak = False
    scenes.running(standin, "c", "queued")
    page = open_page("#/contracts/acme.c")
    step = page.locator("[aria-current=step]")
    expect(step).to_have_text("Waiting")
    standin.state.broken.add("/contracts/acme.c")
    scenes.running(standin, "c", "analyzing")
    expect(step).to_have_text("Analysing")
    assert not standin.state.broken
    expect(notice(page)).to_have_count(0)


def test_an_answer_that_never_comes_is_given_up_and_asked_for_again(standin: Standin, open_page: OpenPage) -> None:
    standin.state.events_speak = False
    scenes.running(standin, "c", "queued")
    page = open_page("#/contracts/acme.c")
    step = page.locator("[aria-current=step]")
    expect(step).to_have_text("Waiting")
    # The page's own limit, five times as fast.
    page.evaluate(
        "{ const limit = AbortSignal.timeout; AbortSignal.timeout = (ms) => limit.call(AbortSignal, ms / 5); }"
    )
    standin.state.silent.add("/contracts/acme.c")
    scenes.running(standin, "c", "analyzing")
    expect(notice(page)).to_have_text("Connection interrupted. Trying again …")
    standin.state.silent.clear()
    expect(step).to_have_text("Analysing")
    expect(notice(page)).to_have_count(0)


def test_a_laptop_that_was_closed_catches_up_and_listens_again(standin: Standin, open_page: OpenPage) -> None:
    contract = scenes.running(standin, "c", "queued")
    page = open_page("#/contracts/acme.c", has_clock=True)
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")
    standin.await_listener()
    # Its connection is dead, and nothing tells the browser so.
    standin.state.contracts[contract.id] = Contract.model_validate(
        {**contract.model_dump(), "status": "processing", "stage": "analyzing"}
    )
    with page.expect_request("**/contracts/acme.c/events"):
        page.clock.fast_forward("01:00:00")
    expect(page.locator("[aria-current=step]")).to_have_text("Analysing")


def test_events_that_break_off_are_taken_up_again(standin: Standin, open_page: OpenPage) -> None:
    scenes.running(standin, "c", "queued")
    page = open_page("#/contracts/acme.c")
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")
    with page.expect_request("**/contracts/acme.c/events"):
        standin.drop_streams()
    scenes.running(standin, "c", "extracting")
    expect(page.locator("[aria-current=step]")).to_have_text("Reading")
    expect(notice(page)).to_have_count(0)


def test_a_gateway_that_restarts(standin: Standin, open_page: OpenPage, english: Sample) -> None:
    scenes.running(standin, "c", "queued")
    page = open_page("#/contracts/acme.c", locale="de-DE")
    expect(page.locator("[aria-current=step]")).to_have_text("Wartet")
    standin.await_listener()
    standin.state.faults["/contracts"] = (503, 1)
    standin.drop_streams()
    expect(notice(page)).to_have_text("Verbindung unterbrochen – versuche es wieder …")
    expect(page.locator("[aria-current=step]")).to_have_text("Wartet")
    picture(page, "interrupted-de")
    scenes.finished(standin, "c", *english)
    standin.state.faults.clear()
    expect(page.get_by_role("heading", name="Überblick")).to_be_visible()
    expect(notice(page)).to_have_count(0)


def test_offline_and_back(standin: Standin, open_page: OpenPage) -> None:
    scenes.running(standin, "c", "queued")
    page = open_page()
    expect(page.locator(".row")).to_contain_text("Waiting")
    page.context.set_offline(True)
    expect(notice(page)).to_have_text("You are offline. Going on as soon as the network is back.")
    scenes.running(standin, "c", "analyzing")
    page.context.set_offline(False)
    expect(page.locator(".row")).to_contain_text("Analysing")
    expect(notice(page)).to_have_count(0)


def test_an_expired_session_is_renewed_where_one_is(standin: Standin, open_page: OpenPage, english: Sample) -> None:
    scenes.finished(standin, "c", *english)
    page = open_page("#/contracts/acme.c")
    expect(page.locator(".finding").first).to_be_visible()
    expect(page.locator(".pdf-page[data-drawn]").first).to_be_visible()
    page.get_by_label("Order").select_option("page")
    standin.state.user = None
    page.get_by_role("button", name="Analyse again").click()
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    # The report is still there, and Escape does not lead around the login.
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    expect(page.locator(".finding").first).to_be_attached()
    picture(page, "session-ended-en")
    dialog.get_by_label("Access token").fill("wrong")
    dialog.get_by_role("button", name="Log in", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("This token is not accepted.")
    dialog.get_by_label("Access token").fill("valid")
    dialog.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")
    assert standin.state.contracts["acme.c"].run == 2


def test_somebody_else_who_logs_in_sends_nothing_of_the_former_persons(
    standin: Standin, open_page: OpenPage, english: Sample
) -> None:
    scenes.finished(standin, "c", *english)
    page = open_page("#/contracts/acme.c")
    expect(page.locator(".finding").first).to_be_visible()
    expect(page.locator(".pdf-page[data-drawn]").first).to_be_visible()
    standin.state.user, standin.state.logs_in = None, "system:serviceaccount:acme:ben"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    dialog = page.get_by_role("dialog", name="Your session has ended")
    dialog.get_by_label("Access token").fill("valid")
    dialog.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator(".user")).to_contain_text("ben")
    expect(page.locator(".finding").first).to_be_visible()
    assert standin.state.asked("DELETE /contracts") == 1
    assert "acme.c" in standin.state.contracts


def test_login_and_logout(standin: Standin, open_page: OpenPage) -> None:
    standin.state.user = None
    page = open_page("#/contracts/acme.c", locale="de-DE")
    expect(page.get_by_role("link", name="Anmelden mit dem Firmenkonto")).to_have_attribute(
        "href", "/session/oidc/start?next=%2F%23%2Fcontracts%2Facme.c"
    )
    picture(page, "login-de")
    page.get_by_label("Zugangstoken").fill("valid")
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.get_by_role("heading", name="Dieser Vertrag ist nicht da")).to_be_visible()
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_label("Zugangstoken")).to_be_visible()


@pytest.mark.parametrize(
    ("token", "user", "is_offered", "shown"),
    [
        ("valid", None, True, "No contracts yet"),
        ("too-old", None, True, "Access token"),
        ("somebody-elses", "system:serviceaccount:acme:anna", True, "No contracts yet"),
        ("valid", None, False, "Access token"),
    ],
    ids=["it logs in", "it is too old", "somebody is logged in", "not on one's own machine"],
)
def test_a_link_with_a_token(
    standin: Standin, open_page: OpenPage, token: str, user: str | None, is_offered: bool, shown: str
) -> None:
    standin.state.user, standin.state.login_by_link = user, is_offered
    page = open_page(f"#token={token}")
    expect(page.get_by_text(shown).first).to_be_visible()
    assert token not in page.url
    assert standin.state.asked("POST /session") == (1 if is_offered and not user else 0)


def test_a_gateway_that_is_not_there_at_first(standin: Standin, open_page: OpenPage) -> None:
    standin.state.faults["/session"] = (503, 1)
    page = open_page()
    expect(page.get_by_role("alert")).to_have_text("The service is not available at the moment. Try again in a minute.")
    standin.state.faults.clear()
    expect(page.get_by_text("No contracts yet")).to_be_visible()


def test_a_document_that_a_session_ended_for_is_there_after_the_login(
    standin: Standin, open_page: OpenPage, english: Sample
) -> None:
    scenes.finished(standin, "c", *english)
    standin.state.faults["/contracts/acme.c/document"] = (401, 0)
    page = open_page("#/contracts/acme.c")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    dialog.get_by_label("Access token").fill("valid")
    standin.state.faults.clear()
    dialog.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator(".pdf-page[data-drawn]").first).to_be_visible()


def test_a_long_document_comes_as_it_is_read_also_after_the_session_has_ended(
    standin: Standin, open_page: OpenPage, english: Sample
) -> None:
    long = long_pdf(pages=60)
    scenes.finished(standin, "c", english[0], long)
    page = open_page("#/contracts/acme.c")
    expect(page.locator(".pdf-page[data-drawn]").first).to_be_visible()
    assert standin.state.document_bytes_sent < len(long) / 2
    standin.state.faults["/contracts/acme.c/document"] = (401, 0)
    document = page.get_by_role("document", name="Document")
    document.press("End")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    dialog.get_by_label("Access token").fill("valid")
    standin.state.faults.clear()
    dialog.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator('.pdf-page[data-page="60"][data-drawn]')).to_be_in_viewport()


def long_pdf(pages: int) -> bytes:
    """A document of many pages of 20 KB each."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=0, invariant=1)
    for number in range(1, pages + 1):
        for line in range(100):
            canvas.drawString(72, 800 - 7 * line, f"{number}.{line} " + "whereas " * 20)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()
