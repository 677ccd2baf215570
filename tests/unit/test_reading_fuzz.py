"""A short form of `make fuzz`, the same every time, and all files that ever broke reading."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import reading

_SAME_EVERY_TIME = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=8, **_SAME_EVERY_TIME)
@given(reading.pdfs())
def test_changed_pdfs_end_in_a_document_or_a_reason(folder: Path, pdf: bytes) -> None:
    reading.try_pdf(pdf, folder)


@settings(max_examples=60, **_SAME_EVERY_TIME)
@given(reading.lines)
def test_lines_are_messages_or_no_messages(line: bytes) -> None:
    reading.try_line(line)


@pytest.mark.parametrize("seed", reading.SEEDS, ids=range(len(reading.SEEDS)))
def test_unchanged_pdfs(seed: bytes, folder: Path) -> None:
    reading.try_pdf(seed, folder)


def test_what_broke_reading_once(folder: Path) -> None:
    """The files that `make fuzz` kept; without any it has nothing to show."""
    for path in sorted(reading.CRASHES.glob("*.pdf")):
        reading.try_pdf(path.read_bytes(), folder)
    for path in sorted(reading.CRASHES.glob("*.line")):
        reading.try_line(path.read_bytes())
