"""The page's words: both languages have the same, all that are used are there, and every failure is explained."""

import re
from pathlib import Path

from dealguard_api.exit_codes import ExitCode
from dealguard_api.reasons import Reason
from tests.page.standin import PAGE

_KEY = re.compile(r'^  (?:"([^"]+)"|(\w+)):', re.MULTILINE)
_USED = re.compile(r'\b(?:t|count)\("([\w.-]+)"')
_MAX_LINES = 300
# Not failures, or none that a page can meet.
_NO_FAILURE = {"Queued", "Suspended", "Starting", "Extracting", "Analyzing", "Completed", "Cached", "Cancelled"}


def words(language: str) -> set[str]:
    """The names of the words of a language."""
    return {quoted or plain for quoted, plain in _KEY.findall((PAGE / f"words/{language}.js").read_text())}


def modules() -> list[Path]:
    """All modules that were written by hand."""
    return [path for path in PAGE.rglob("*.js") if path.name != "labels.js"]


def test_german_and_english_have_the_same_words() -> None:
    assert words("de") == words("en")


def test_all_words_that_are_used_are_there() -> None:
    used = {name for path in modules() for name in _USED.findall(path.read_text())}
    assert len(used) > 100
    missing = {name for name in used if name not in words("en") and f"{name}.one" not in words("en")}
    assert missing == set()


def test_every_failure_is_explained_in_both_languages() -> None:
    explained = set(re.findall(r"^  (\w+): \[", (PAGE / "words/reasons.js").read_text(), re.MULTILINE))
    assert {reason.value for reason in Reason} - _NO_FAILURE == explained
    assert {code.reason.value for code in ExitCode} - _NO_FAILURE <= explained


def test_another_upload_is_offered_for_reasons_that_there_are() -> None:
    source = (PAGE / "words/reasons.js").read_text()
    offered = set(re.findall(r'"(\w+)"', source[source.index("ANOTHER_UPLOAD") :].split("]", 1)[0]))
    assert offered and offered <= {reason.value for reason in Reason}


def test_nothing_is_ever_written_as_markup() -> None:
    """Text reaches the document as text; the browser's tests try it, this keeps the doors shut."""
    doors = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser")
    assert {path.name: doors.findall(path.read_text()) for path in modules() if doors.search(path.read_text())} == {}
    assert not re.search(r"\sstyle=|\son\w+=|https?://", (PAGE / "index.html").read_text())


def test_modules_stay_small() -> None:
    assert {path.name: size for path in modules() if (size := len(path.read_text().splitlines())) > _MAX_LINES} == {}
