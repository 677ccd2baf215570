"""The list of contracts: what it shows, finds, filters and keeps up to date."""

import pytest
from playwright.sync_api import expect

from dealguard_api.report import RiskLevel
from tests.page import scenes
from tests.page.conftest import DESKTOP, PHONE, OpenPage, Sample, picture
from tests.page.standin import Standin, contract_of


def test_states_risks_and_people(standin: Standin, english: Sample, german: Sample, open_page: OpenPage) -> None:
    scenes.several(standin, english, german)
    page = open_page(locale="de-DE")
    row = page.locator(".row")
    expect(row).to_have_count(10)
    expect(page.locator(".list-count")).to_have_text("10 Verträge")
    expect(row.nth(1)).to_contain_text("Wird geprüft")
    expect(row.nth(1)).to_contain_text("von m.lenz@acme.example")
    expect(row.nth(2)).to_contain_text("Risiko hoch")
    expect(row.nth(2)).to_contain_text("17 mittel")
    # A reason in words, in the reader's language.
    expect(row.nth(4)).to_contain_text("Die Seiten des PDFs sind Bilder ohne Text")
    before = row.nth(1).locator(".elapsed").inner_text()
    expect(row.nth(1).locator(".elapsed")).not_to_have_text(before)
    picture(page, "list-de")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    picture(page, "list-phone-de")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.emulate_media(color_scheme="dark")
    picture(page, "list-dark-de")


def test_the_language_is_the_browsers_and_can_be_switched(
    standin: Standin, english: Sample, german: Sample, open_page: OpenPage
) -> None:
    scenes.several(standin, english, german)
    page = open_page(locale="en-US")
    expect(page.get_by_role("heading", name="Contracts", level=2)).to_be_visible()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Verträge", level=2)).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "de"
    page.reload()
    expect(page.get_by_role("heading", name="Verträge", level=2)).to_be_visible()


def test_search_and_filters_live_in_the_address(
    standin: Standin, english: Sample, german: Sample, open_page: OpenPage
) -> None:
    scenes.several(standin, english, german)
    page = open_page()
    row = page.locator(".row")
    page.get_by_label("Search").fill("vertrag")
    expect(row).to_have_count(4)
    page.get_by_label("Risk").select_option("Critical")
    expect(row).to_have_count(1)
    assert "q=vertrag" in page.url and "risk=Critical" in page.url
    page.reload()
    expect(row).to_have_count(1)
    expect(page.get_by_label("Search")).to_have_value("vertrag")
    page.get_by_label("Risk").select_option("Low")
    expect(page.get_by_text("No contract matches.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(row).to_have_count(10)
    page.get_by_label("Status").select_option("running")
    expect(row).to_have_count(2)
    page.get_by_label("Status").select_option("")
    page.get_by_label("Order").select_option("-riskScore")
    expect(row.first).to_contain_text("Liefervertrag Ziegenhals")


def test_others_changes_appear_by_themselves(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    scenes.running(standin, "first", "queued")
    page = open_page()
    row = page.locator(".row")
    expect(row).to_have_count(1)
    expect(row.first).to_contain_text("Waiting")
    scenes.running(standin, "first", "extracting")
    expect(row.first).to_contain_text("Reading")
    scenes.running(standin, "second", "queued", created_at=scenes.ago(seconds=1))
    expect(row).to_have_count(2)
    expect(row.first).to_contain_text("second.pdf")
    scenes.finished(standin, "first", english[0], created_at=scenes.ago(seconds=12))
    expect(row.nth(1)).to_contain_text("Risk high")
    expect(page.get_by_role("status").filter(has_text="The report of first.pdf is there.")).to_have_count(1)
    standin.remove("acme.second")
    expect(row).to_have_count(1)
    expect(page.locator(".list-count")).to_have_text("1 contract")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_each_level_of_risk_has_a_colour_of_its_own(standin: Standin, open_page: OpenPage, dark: bool) -> None:
    for level in RiskLevel:
        standin.put(contract_of(level.lower(), summary=scenes.summary_at(level)))
    page = open_page(dark=dark)
    badges = page.locator(".row .badge")
    expect(badges).to_have_count(len(RiskLevel))
    colours = badges.evaluate_all("(all) => all.map((each) => getComputedStyle(each).backgroundColor)")
    assert len(set(colours)) == len(RiskLevel), colours
    # Transparent is none.
    assert all(colour.startswith("rgb(") for colour in colours), colours


def test_500_contracts_come_page_by_page(standin: Standin, open_page: OpenPage) -> None:
    for number in range(500):
        standin.put(
            contract_of(f"c{number:03}", created_at=scenes.ago(minutes=number), file_name="x" * 150 + f" {number}.pdf")
        )
    page = open_page(size=PHONE)
    row = page.locator(".row")
    expect(row).to_have_count(50)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0], "a long name must not widen the page"
    for shown in (100, 150, 200, 400):
        page.get_by_role("button", name="Load more").click()
        expect(row).to_have_count(shown)
    expect(page.get_by_text("400 of 500 shown")).to_be_visible()
    # A change far down is shown there, and nothing else is made anew.
    row.nth(250).evaluate("element => element.dataset.kept = 'yes'")
    standin.put(contract_of("c250", status="processing", stage="analyzing", created_at=scenes.ago(minutes=250)))
    expect(row.nth(250)).to_contain_text("Analysing")
    assert row.nth(250).get_attribute("data-kept") == "yes"


def test_nobodys_list_says_what_to_do(standin: Standin, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    expect(page.get_by_role("button", name="Choose PDFs")).to_be_visible()
    standin.state.organizations = (("acme", False),)
    page.reload()
    expect(page.get_by_text("As soon as somebody of your organisation uploads one")).to_be_visible()
    expect(page.get_by_role("button", name="Choose PDFs")).to_have_count(0)
    standin.state.organizations = ()
    page.reload()
    expect(page.get_by_text("Ask your administrator to give anna access.")).to_be_visible()


def test_several_organizations(standin: Standin, open_page: OpenPage) -> None:
    standin.state.organizations = (("acme", True), ("brandmoor", False))
    standin.put(contract_of("a"))
    standin.put(contract_of("b", organization="brandmoor"))
    page = open_page()
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".row", has_text="brandmoor")).to_have_count(1)
    # Each has a stream of its own.
    standin.put(contract_of("b", organization="brandmoor", status="processing", stage="starting"))
    expect(page.locator(".row", has_text="Starting")).to_have_count(1)
    page.get_by_label("Organisation").select_option("acme")
    expect(page.locator(".row")).to_have_count(1)
