"""One contract: its stages, its failures, and what one can do with it."""

from playwright.sync_api import expect

from tests.page import scenes
from tests.page.conftest import PHONE, OpenPage, Sample, at_rest, picture, violations
from tests.page.standin import Standin


def test_stages_live_until_the_report(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    scenes.running(standin, "c", "queued", message="Waits for a place: 3 are ahead.")
    page = open_page("#/contracts/acme.c", locale="de-DE")
    now = page.locator("[aria-current=step]")
    expect(now).to_have_text("Wartet")
    expect(page.get_by_text("Waits for a place: 3 are ahead.")).to_be_visible()
    for stage, words in (("starting", "Startet"), ("extracting", "Wird gelesen"), ("analyzing", "Wird geprüft")):
        scenes.running(standin, "c", stage)
        expect(now).to_have_text(words)
    expect(page.locator(".progress-head")).to_contain_text("bisher")
    page.reload()
    expect(now).to_have_text("Wird geprüft")
    picture(page, "progress-de")
    scenes.finished(standin, "c", *english)
    expect(page.get_by_role("heading", name="Überblick")).to_be_visible()
    expect(page.locator(".badge").first).to_have_text("Risiko hoch")


def test_polling_ends_with_the_analysis(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    standin.state.events_work = False
    scenes.running(standin, "c", "queued")
    page = open_page("#/contracts/acme.c", has_clock=True)
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")
    scenes.finished(standin, "c", *english)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    at_rest(page)
    # The document still comes: only these two tell of a change.
    paths = {"GET /contracts/acme.c", "GET /contracts/acme.c/events"}
    asked = sum(each in paths for each in standin.state.requests)
    page.clock.run_for(60_000)
    at_rest(page)
    assert sum(each in paths for each in standin.state.requests) == asked


def test_failure_says_what_to_do_and_can_be_retried(standin: Standin, open_page: OpenPage) -> None:
    scenes.failed(standin, "c", "DocumentEncrypted")
    page = open_page("#/contracts/acme.c", locale="de-DE")
    expect(page.get_by_text("Das PDF ist mit einem Passwort geschützt.")).to_be_visible()
    expect(page.get_by_text("Speichern Sie eine Kopie ohne Passwort")).to_be_visible()
    # The same document would fail again, so another one is what is offered first.
    expect(page.get_by_role("link", name="Andere Datei hochladen")).to_have_attribute("href", "#/")
    picture(page, "failed-de")
    page.get_by_role("button", name="Noch einmal analysieren").click()
    expect(page.get_by_role("heading", name="Wird verarbeitet")).to_be_visible()
    assert standin.state.contracts["acme.c"].run == 2


def test_a_reason_that_the_page_does_not_know_is_told_in_the_apis_words(standin: Standin, open_page: OpenPage) -> None:
    scenes.failed(standin, "c", "ReasonOfTomorrow")
    page = open_page("#/contracts/acme.c", locale="de-DE")
    expect(page.get_by_text("Die Analyse ist fehlgeschlagen.")).to_be_visible()
    said = page.get_by_text("In English, from the API: ReasonOfTomorrow.")
    expect(said).to_be_visible()
    # So that it is not read out as if it were German.
    expect(said).to_have_attribute("lang", "en")


def test_cancelling_and_asking_again(standin: Standin, open_page: OpenPage) -> None:
    scenes.running(standin, "c", "analyzing")
    page = open_page("#/contracts/acme.c")
    page.get_by_role("button", name="Cancel analysis").click()
    expect(page.get_by_text("This analysis was cancelled")).to_be_visible()
    page.get_by_role("button", name="Analyse again").click()
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")


def test_deleting_says_what_is_erased_and_asks(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    scenes.finished(standin, "c", *english, file_name="Licence.pdf")
    page = open_page("#/contracts/acme.c")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete this contract?")
    expect(dialog).to_contain_text("the document Licence.pdf")
    expect(dialog).to_contain_text("its report and all earlier ones")
    # The harmless answer is the one that Enter gives.
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    picture(page, "delete-en")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Delete")).to_be_focused()
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Licence.pdf is deleted.")).to_be_visible()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    assert standin.state.contracts == {}


def test_what_is_left_of_a_deleted_contract_stays_to_be_read(
    standin: Standin, english: Sample, open_page: OpenPage
) -> None:
    scenes.finished(standin, "c", *english, file_name="Lizenz.pdf")
    standin.state.kept = ["The document: acme.d is an analysis of it too."]
    page = open_page("#/contracts/acme.c", locale="de-DE", has_clock=True)
    page.get_by_role("button", name="Löschen").click()
    page.get_by_role("button", name="Endgültig löschen").click()
    expect(page.get_by_text("Lizenz.pdf ist gelöscht.")).to_be_visible()
    kept = page.locator(".note", has_text="Nicht gelöscht ist:")
    expect(kept.get_by_text("acme.d is an analysis of it too")).to_have_attribute("lang", "en")
    picture(page, "kept-de")
    page.clock.fast_forward("01:00")
    expect(page.get_by_text("Lizenz.pdf ist gelöscht.")).to_have_count(0)
    expect(kept).to_be_visible()
    assert violations(page) == []
    kept.get_by_role("button", name="Schließen").click()
    expect(kept).to_have_count(0)


def test_a_problem_is_told_once_until_it_is_closed(standin: Standin, open_page: OpenPage) -> None:
    scenes.running(standin, "c", "analyzing")
    standin.state.faults["/contracts/acme.c/cancel"] = (409, 0)
    page = open_page("#/contracts/acme.c", has_clock=True)
    for _ in range(2):
        with page.expect_response("**/cancel"):
            page.get_by_role("button", name="Cancel analysis").click()
    note = page.locator(".note", has_text="That does not fit any more")
    expect(note).to_have_count(1)
    page.clock.fast_forward("01:00")
    expect(note).to_be_visible()
    note.get_by_role("button", name="Close").click()
    expect(note).to_have_count(0)


def test_one_that_is_not_there_or_goes_away(standin: Standin, open_page: OpenPage) -> None:
    page = open_page("#/contracts/acme.nothing")
    expect(page.get_by_role("heading", name="This contract is not here")).to_be_visible()
    scenes.running(standin, "c", "queued")
    page.goto(page.url.split("#")[0] + "#/contracts/acme.c")
    expect(page.locator("[aria-current=step]")).to_have_text("Waiting")
    standin.await_listener()
    standin.remove("acme.c")
    expect(page.get_by_text("This contract has just been deleted.")).to_be_visible()


def test_on_a_phone_the_steps_stand_below_each_other(standin: Standin, open_page: OpenPage) -> None:
    scenes.running(standin, "c", "extracting", file_name="Ein sehr langer Dateiname_" * 8 + ".pdf")
    page = open_page("#/contracts/acme.c", locale="de-DE", size=PHONE)
    expect(page.locator("[aria-current=step]")).to_have_text("Wird gelesen")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    picture(page, "progress-phone-de")
