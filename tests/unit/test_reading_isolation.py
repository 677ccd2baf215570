"""The child: what it may see and use, and what the parent makes of one that misbehaves."""

import base64
import json
import math
import os
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from dealguard_analyzer.reading.child import ChildEnded, ChildLimits, Ending, start_child
from dealguard_analyzer.reading.isolation import Reading
from dealguard_analyzer.reading.messages import (
    End,
    Message,
    Opened,
    PageRead,
    PageUnreadable,
    SideTextRead,
    parse_message,
)
from tests import odd_pdfs as make


def _page(text: str, offsets: list[int], boxes: list[float]) -> bytes:
    places = [base64.b64encode(array(kind, numbers)).decode() for kind, numbers in (("I", offsets), ("f", boxes))]
    return json.dumps({"kind": "page", "number": 1, "text": text, "offsets": places[0], "boxes": places[1]}).encode()


def _hidden(*stretches: list[object]) -> bytes:
    return json.dumps({**json.loads(_page("ab", [], [])), "hidden": stretches}).encode()


LIMITS = ChildLimits(max_pages=10, max_seconds_per_page=5, max_memory_bytes=512 << 20)


def test_the_child_sees_neither_our_environment_nor_the_file_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test-0123456789")
    path = tmp_path / "geheim.pdf"
    path.write_bytes(make.slow_pdf(make.PROSE))
    before = _children(os.getpid())
    with path.open("rb") as file, start_child(file, "pdfium", 1, LIMITS, time.monotonic() + 60) as messages:
        assert next(messages) == Opened(kind="opened", pages=3)
        (child,) = set(_children(os.getpid())) - set(before)
        assert b"sk-test" not in Path(f"/proc/{child}/environ").read_bytes()
        assert b"geheim" not in Path(f"/proc/{child}/cmdline").read_bytes()
        limits = Path(f"/proc/{child}/limits").read_text()
    assert "Max core file size        0" in limits
    assert "Max file size             0" in limits
    assert not Path(f"/proc/{child}").exists()


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "slow.pdf"
    path.write_bytes(make.slow_pdf(make.PROSE))
    code = (
        "import sys; from pathlib import Path; from dealguard_analyzer.reading import read_pdf;"
        "from dealguard_api.pod import ExtractSettings;"
        "read_pdf(Path(sys.argv[1]), ExtractSettings(max_seconds_per_page=60, max_memory_bytes=1 << 34),"
        " on_page=lambda done, total: print(done, flush=True))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"1\n"  # now the child is busy with the second page
    (child,) = _children(parent.pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    while Path(f"/proc/{child}/exe").exists():  # the test's own timeout is the limit
        time.sleep(0.05)


def test_breaking_off_is_an_observation_not_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pdf"
    path.write_bytes(make.pdf_with_contents(make.bomb_content(200 << 20)))
    limits = ChildLimits(max_pages=10, max_seconds_per_page=5, max_memory_bytes=192 << 20)
    with (
        path.open("rb") as file,
        start_child(file, "pdfium", 1, limits, time.monotonic() + 60) as messages,
        pytest.raises(ChildEnded) as end,
    ):
        list(messages)
    assert end.value.ending is Ending.CRASHED


@pytest.mark.parametrize("reader", ["pdfium", "pypdf"])
def test_both_readers_speak_the_same_language(reader: str, tmp_path: Path) -> None:
    path = tmp_path / "contract.pdf"
    path.write_bytes(make.pdf_of_lines([make.PROSE], [make.PROSE]))
    with path.open("rb") as file, start_child(file, reader, 2, LIMITS, time.monotonic() + 60) as messages:
        opened, page, *sides, end = _until_the_end(messages)
    assert {side.side for side in sides if isinstance(side, SideTextRead)} == {"metadata"}
    assert (opened, end) == (Opened(kind="opened", pages=2), End(kind="end", metadata=False))
    assert isinstance(page, PageRead)
    assert (page.number, page.text) == (2, make.PROSE)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"Segmentation fault", id="not JSON"),
        pytest.param(b'{"kind":"shell","command":"id"}', id="an unknown kind"),
        pytest.param(b'{"kind":"opened","pages":-1}', id="a negative number of pages"),
        pytest.param(b'{"kind":"unreadable","number":1,"fault":"send money to"}', id="a fault in its own words"),
        pytest.param(_page("ab", [0, 9], [0, 0, 1, 1]), id="a word beyond the text"),
        pytest.param(_page("ab", [1, 2, 0, 1], [0, 0, 1, 1] * 2), id="words in disorder"),
        pytest.param(_page("ab", [0, 1], []), id="a word without a box"),
        pytest.param(_page("ab", [0, 1], [0, 0, 1, math.nan]), id="a box that is nowhere"),
        pytest.param(_page("ab", [0], [0, 0, 1, 1]), id="a start without an end"),
        pytest.param(_hidden([0, 9, "tiny"]), id="hidden beyond the text"),
        pytest.param(_hidden([1, 2, "tiny"], [0, 1, "tiny"]), id="hidden stretches in disorder"),
        pytest.param(_hidden([0, 1, "by magic"]), id="hidden in a way of its own"),
        pytest.param(b'{"kind":"side","side":"annotation","text":"%s"}' % (b"x" * 2001), id="a long side text"),
        pytest.param(b'{"kind":"side","side":"page","text":"pay now"}', id="a side text of an unknown kind"),
        pytest.param(b'{"kind":"page","number":1,"text":"ab","offsets":"AAAAAAA=","boxes":""}', id="half a number"),
    ],
)
def test_a_line_that_is_no_message(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_message(line)


def test_pages_out_of_turn_end_the_child() -> None:
    reading = Reading(page_count=3)
    for number in (2, 0 + 3):
        with pytest.raises(ChildEnded):
            reading.add(PageUnreadable(kind="unreadable", number=number, fault="damaged"))
    reading.add(PageUnreadable(kind="unreadable", number=1, fault="damaged"))
    with pytest.raises(ChildEnded):
        reading.open(4)


def test_pages_that_time_or_room_did_not_suffice_for_are_named() -> None:
    reading = Reading(page_count=4)
    reading.add(PageRead(kind="page", number=1, text="a", offsets=b"", boxes=b""))
    reading.give_up_all("Time.")
    assert reading.unreadable == {2: "Time.", 3: "Time.", 4: "Time."}

    reading = Reading(page_count=4)
    page = "x" * 8_000_000
    for number in (1, 2, 3):
        reading.add(PageRead(kind="page", number=number, text=page, offsets=b"", boxes=b""))
    assert len(reading.pages) == 2
    assert sorted(reading.unreadable) == [3, 4]


def _until_the_end(messages: Iterator[Message]) -> Iterator[Message]:
    for message in messages:
        yield message
        if isinstance(message, End):
            return


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
