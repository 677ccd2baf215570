"""Labelled data: one JSON object a line, plain or, where the file's name ends in `.gz`, gzipped."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class MalformedError(ValueError):
    """The file is not of that form; the message names it and the line."""


def read(path: Path) -> Iterator[tuple[int, Any]]:
    """(line, its JSON), lines counted from 1; empty lines are passed over.

    Raises:
        MalformedError: the file is damaged, is no text, or a line is no JSON.
    """
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, json.loads(line)
    except json.JSONDecodeError as error:
        raise MalformedError(f"line {number} of {path.name} is no JSON ({error})") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise MalformedError(f"{path.name} cannot be read after line {number}: {error}") from None
