"""Uploading: dropping, choosing, progress, cancelling, and what cannot be sent."""

import base64
from typing import Any

from playwright.sync_api import Page, expect

from tests.page.conftest import OpenPage, Sample, picture
from tests.page.standin import Standin

DROP = """([files]) => {
  const data = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], name, {type: "application/pdf"}));
  }
  for (const type of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
  }
}"""


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Drop files onto the page."""
    page.evaluate(DROP, [[[name, base64.b64encode(content).decode()] for name, content in files.items()]])


def payload(name: str, content: bytes) -> Any:
    """A file for the file picker."""
    return {"name": name, "mimeType": "application/pdf", "buffer": content}


def test_one_dropped_contract_is_followed_at_once(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    page = open_page(locale="de-DE")
    expect(page.get_by_text("PDFs hier ablegen")).to_be_visible()
    drop(page, {"Lizenzvertrag.pdf": english[1]})
    expect(page.get_by_role("heading", name="Wird verarbeitet")).to_be_visible()
    expect(page.get_by_role("heading", name="Lizenzvertrag.pdf")).to_be_visible()
    assert standin.state.uploads == [
        {"engine": "auto", "language": "auto", "organization": "acme", "file": "Lizenzvertrag.pdf"}
    ]


def test_several_with_options_by_the_file_picker(
    standin: Standin, english: Sample, german: Sample, open_page: OpenPage
) -> None:
    page = open_page()
    page.get_by_text("Options").click()
    page.get_by_label("Analysis").select_option("rules")
    page.get_by_label("Language of the contract").select_option("de")
    page.get_by_label("Which party are we?").fill("  Käufer ")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose PDFs").click()
    chooser.value.set_files([payload("a.pdf", english[1]), payload("b.pdf", german[1])])
    expect(page.locator(".upload-row", has_text="Is being processed")).to_have_count(2)
    expect(page.locator(".row")).to_have_count(2)
    assert all(each["engine"] == "rules" and each["perspective"] == "Käufer" for each in standin.state.uploads)
    # The same bytes with the same options again: the one that is there.
    drop(page, {"c.pdf": english[1], "d.pdf": german[1]})
    expect(page.locator(".upload-row", has_text="Was here already")).to_have_count(2)
    page.locator(".upload-row").first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Is being processed")).to_be_visible()


def test_what_cannot_be_sent_is_said_before_anything_is_sent(
    standin: Standin, english: Sample, open_page: OpenPage
) -> None:
    standin.state.max_pdf_bytes = 1_000_000
    page = open_page(locale="de-DE")
    expect(page.get_by_text("PDFs hier ablegen")).to_be_visible()
    drop(page, {"Foto.jpg": b"\xff\xd8\xff" * 9, "leer.pdf": b"", "groß.pdf": b"%PDF-1.7" + b"x" * 1_000_000})
    expect(page.locator(".upload-row", has_text="Foto.jpg")).to_contain_text(
        "Kein PDF. Speichern Sie den Vertrag als PDF"
    )
    expect(page.locator(".upload-row", has_text="leer.pdf")).to_contain_text("Die Datei ist leer")
    expect(page.locator(".upload-row", has_text="groß.pdf")).to_contain_text("größer als die")
    assert standin.state.uploads == []
    page.get_by_role("button", name="Aus dieser Liste entfernen: leer.pdf").click()
    expect(page.locator(".upload-row")).to_have_count(2)


def test_progress_cancelling_and_trying_again(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    standin.state.upload_gate.clear()
    page = open_page()
    expect(page.get_by_text("Drop PDFs here")).to_be_visible()
    drop(page, {"a.pdf": english[1], "b.pdf": english[1] + b"\n", "c.pdf": english[1] + b"\n\n"})
    expect(page.get_by_role("progressbar")).to_have_count(3)
    # Two at a time.
    expect(page.locator(".upload-row", has_text="Waits for its turn")).to_have_count(1)
    expect(page.locator(".upload-row", has_text="Being stored")).to_have_count(2)
    picture(page, "uploads-en")
    page.get_by_role("button", name="Cancel upload: a.pdf").click()
    row = page.locator(".upload-row", has_text="a.pdf")
    expect(row).to_contain_text("Cancelled")
    standin.state.upload_gate.set()
    expect(page.locator(".upload-row", has_text="Is being processed")).to_have_count(2)
    row.get_by_role("button", name="Upload again").click()
    # The stand-in does not notice who went away, and has it already; the gateway keeps nothing of such an upload.
    expect(row).to_contain_text("Was here already")


def test_how_far_an_upload_is(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_text("Drop PDFs here")).to_be_visible()
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => {
            const row = document.querySelector(".upload-row");
            const words = row?.querySelector(".upload-words").textContent;
            if (words) window.seen.push([words, row.querySelector("progress")?.value]);
          }).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )
    drop(page, {"a.pdf": english[1] + bytes(600_000)})
    expect(page.get_by_role("heading", name="Is being processed")).to_be_visible()
    seen = [(words, bar) for words, bar in page.evaluate("window.seen") if words.startswith("Uploading")]
    assert any(0 < bar < 100 for _, bar in seen), seen
    assert all(words == f"Uploading, {bar} %" for words, bar in seen), seen


def test_a_busy_service_is_tried_again_by_itself(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    standin.state.faults["/contracts"] = (429, 3)
    drop(page, {"a.pdf": english[1], "b.pdf": english[1] + b"\n"})
    expect(page.locator(".upload-row", has_text="Goes on by itself in 3 s")).to_have_count(2)
    standin.state.faults.clear()
    expect(page.locator(".upload-row", has_text="Is being processed")).to_have_count(2)


def test_an_upload_outlives_an_expired_session(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    standin.state.user = None
    drop(page, {"a.pdf": english[1], "b.pdf": english[1] + b"\n"})
    page.get_by_label("Access token").fill("valid")
    page.get_by_role("dialog").get_by_role("button", name="Log in").click()
    expect(page.locator(".upload-row", has_text="Is being processed")).to_have_count(2)


def test_uploads_of_the_former_person_end_with_their_session(
    standin: Standin, english: Sample, open_page: OpenPage
) -> None:
    page = open_page()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    standin.state.user, standin.state.logs_in = None, "system:serviceaccount:acme:ben"
    drop(page, {"a.pdf": english[1], "b.pdf": english[1] + b"\n"})
    page.get_by_label("Access token").fill("valid")
    page.get_by_role("dialog").get_by_role("button", name="Log in").click()
    expect(page.locator(".user")).to_contain_text("ben")
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    expect(page.locator(".upload-row")).to_have_count(0)
    assert standin.state.uploads == []


def test_logging_out_ends_the_uploads(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    standin.state.upload_gate.clear()
    page = open_page()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    drop(page, {"a.pdf": english[1], "b.pdf": english[1] + b"\n", "c.pdf": english[1] + b"\n\n"})
    expect(page.locator(".upload-row", has_text="Being stored")).to_have_count(2)
    with page.expect_event("requestfailed", lambda request: request.method == "POST"):
        page.get_by_role("button", name="Log out").click()
    standin.state.upload_gate.set()
    page.get_by_label("Access token").fill("valid")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator(".zone")).to_be_visible()
    expect(page.locator(".upload-row")).to_have_count(0)
    assert standin.state.asked("POST /contracts") == 2


def test_nothing_is_sent_that_was_not_looked_at(standin: Standin, english: Sample, open_page: OpenPage) -> None:
    standin.state.upload_gate.clear()
    page = open_page()
    expect(page.get_by_text("No contracts yet")).to_be_visible()
    drop(page, {"a.pdf": english[1], "b.pdf": english[1] + b"\n"})
    expect(page.locator(".upload-row", has_text="Being stored")).to_have_count(2)
    # A slow disk: others are sent to the end before this one can be looked at.
    page.evaluate(
        """() => {
          const read = Blob.prototype.arrayBuffer;
          const disk = new Promise((spin) => { window.spin = spin; });
          Blob.prototype.arrayBuffer = function () { return disk.then(() => read.call(this)); };
        }"""
    )
    drop(page, {"photo.pdf": b"\xff\xd8\xff" * 9})
    standin.state.upload_gate.set()
    expect(page.locator(".upload-row", has_text="Is being processed")).to_have_count(2)
    row = page.locator(".upload-row", has_text="photo.pdf")
    expect(row).to_contain_text("Being checked")
    page.evaluate("window.spin()")
    expect(row).to_contain_text("Not a PDF")
    assert sorted(each["file"] for each in standin.state.uploads) == ["a.pdf", "b.pdf"]
