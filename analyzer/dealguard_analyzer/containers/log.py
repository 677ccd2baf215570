"""Log lines: one JSON object each, on stdout.

They say how an analysis goes, never what is in the document: numbers, and words that this program chose. No URL, no
key, no message of a library (those may quote any of it).
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime


def silence_libraries() -> None:
    """Switch off the logging of every library: a URL's signature or a request's body could stand in it."""
    logging.disable(logging.CRITICAL)
    os.environ.pop("ANTHROPIC_LOG", None)


def log(event: str, **fields: str | float | None) -> None:
    """Write one line.

    Args:
        event: what happened, in a few fixed words.
        fields: numbers and fixed words; None is left out.
    """
    line: dict[str, str | float] = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
    line |= {name: value for name, value in fields.items() if value is not None}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
