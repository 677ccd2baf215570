"""Log lines: one JSON object each, on stdout, with the `uid` of the analysis, as the operator's lines carry it.

They say how an analysis goes, never what is in the document: numbers, and words that this program chose. No URL, no
key, no message of a library (those may quote any of it).
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime

from dealguard_api.pod import RunIdentity


def silence_libraries() -> None:
    """Switch off the logging of every library: a URL's signature or a request's body could stand in it."""
    logging.disable(logging.CRITICAL)
    os.environ.pop("ANTHROPIC_LOG", None)


_identity: dict[str, str | float] = {}


def identify(identity: RunIdentity) -> None:
    """Let every line of this process say which run it is about."""
    fields = {
        "uid": identity.analysis_uid,
        "namespace": identity.analysis_namespace,
        "name": identity.analysis_name,
        "run": identity.run,
    }
    _identity.update({name: value for name, value in fields.items() if value is not None})


def log(event: str, **fields: str | float | None) -> None:
    """Write one line.

    Args:
        event: what happened, in a few fixed words.
        fields: numbers and fixed words; None is left out.
    """
    line: dict[str, str | float] = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
    line |= _identity
    line |= {name: value for name, value in fields.items() if value is not None}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
