"""What the command line checks before anything leaves the machine, and the names it derives."""

import hashlib
import os
import re
import unicodedata
from pathlib import Path

import pytest

from dealguard_api import names
from dealguard_api.pod import ExtractSettings
from dealguard_cli.document_file import check_file, check_files, readable_size, slug
from dealguard_cli.errors import BadInputError
from dealguard_cli.main import cli

MAX_PDF_BYTES = 1000
PDF = b"%PDF-1.7\n" + b"x" * 100


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("Lease", "lease", "names are lower case"),
        ("Müller & Söhne: Wartungsvertrag (2024)", "mueller-soehne-wartungsvertrag-2024", "umlauts are written out"),
        (unicodedata.normalize("NFD", "Größe"), "groesse", "also where the file system takes them apart"),
        ("café-São_Paulo", "cafe-sao-paulo", "other accents are dropped"),
        ("契約書", "contract", "nothing is left"),
        ("---", "contract", "nothing is left"),
        ("", "contract", "nothing is left"),
        ("a" * 39 + " bc", "a" * 39, "cut at 40, and no hyphen stays at the end"),
        ("../../etc/passwd", "etc-passwd", "no path comes through"),
    ],
)
def test_slug(text: str, expected: str, why: str) -> None:
    assert slug(text) == expected, why


def test_a_slug_is_always_a_dns_label() -> None:
    for text in ("ẞ", "İstanbul", "x" * 500, "\0\n", "🙂 ok", "1.2.3", "-a-"):
        assert re.fullmatch("[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", slug(text)), text


@pytest.mark.parametrize(
    ("content", "reason", "next_step"),
    [
        (None, "DocumentNotFound", "Check the path"),
        (b"", "DocumentEmpty", "download it again"),
        (b"<html>" * 20, "NotAPDF", "Export the contract as PDF"),
        (b"x" * 1024 + PDF[:100], "DocumentTooLarge", "Split it"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes | None, reason: str, next_step: str) -> None:
    path = tmp_path / "contract.pdf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError) as caught:
        check_file(path, MAX_PDF_BYTES)
    assert caught.value.reason == reason
    assert str(path) in caught.value.message
    assert next_step in caught.value.message


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is not a file"):
        check_file(tmp_path, MAX_PDF_BYTES)


def test_a_pipe_does_not_hang_the_check(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.pdf"
    os.mkfifo(fifo)
    with pytest.raises(BadInputError, match="is not a file"):
        check_file(fifo, MAX_PDF_BYTES)


def test_a_good_file_is_digested_and_named(tmp_path: Path) -> None:
    path = tmp_path / "Kauf­vertrag Süd.pdf"
    path.write_bytes(b"junk before the header is common\n" + PDF)
    document = check_file(path, MAX_PDF_BYTES)
    assert document.size_bytes == path.stat().st_size
    assert document.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    key = document.key("acme")
    assert key == f"documents/acme/{document.sha256[:16]}-{document.slug}.pdf"
    assert names.document_key_violation(key, "acme") is None


def test_all_bad_files_are_named_at_once(tmp_path: Path) -> None:
    good, empty = tmp_path / "good.pdf", tmp_path / "empty.pdf"
    good.write_bytes(PDF)
    empty.touch()
    with pytest.raises(BadInputError) as caught:
        check_files([good, empty, tmp_path / "missing.pdf"], MAX_PDF_BYTES)
    assert "empty.pdf is empty" in caught.value.message
    assert "missing.pdf: there is no such file" in caught.value.message
    assert "good.pdf" not in caught.value.message


def test_sizes_are_written_for_people() -> None:
    assert [readable_size(size) for size in (1, 2048, 3 * 1000 * 1000)] == ["1 kB", "2 kB", "3.0 MB"]


@pytest.mark.parametrize("command", ["submit", "analyze"])
def test_the_default_limit_is_the_analyzers(command: str) -> None:
    (option,) = [each for each in cli.commands[command].params if each.name == "max_pdf_bytes"]
    assert option.default == ExtractSettings().max_pdf_bytes
