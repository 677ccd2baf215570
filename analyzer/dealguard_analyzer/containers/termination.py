"""The termination message: the one thing that leaves the pod beside the report and the exit code."""

import json
from pathlib import Path

from dealguard_api.pod import MAX_TERMINATION_MESSAGE_BYTES, AnalyzeOutcome, ExtractOutcome
from dealguard_api.text import shorten_utf8

Outcome = ExtractOutcome | AnalyzeOutcome


def encode(outcome: Outcome, max_bytes: int = MAX_TERMINATION_MESSAGE_BYTES) -> bytes:
    """`outcome` as JSON of at most `max_bytes`: what does not fit is taken from its words, never from the JSON."""
    data = _dump(outcome)
    while len(data) > max_bytes:
        shorter = _shorten(outcome, len(data) - max_bytes)
        if shorter == outcome:
            break
        outcome = shorter
        data = _dump(outcome)
    return data


def write(path: Path, outcome: Outcome) -> None:
    """Write the message. Where it cannot be written the exit code alone has to say it."""
    try:
        path.write_bytes(encode(outcome))
    except OSError:
        return


def _dump(outcome: Outcome) -> bytes:
    return json.dumps(outcome.to_wire(), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _shorten(outcome: Outcome, excess_bytes: int) -> Outcome:
    """The outcome with its text shorter by at least `excess_bytes` (escapes in the JSON may leave a rest)."""
    if outcome.failure is not None:
        message = _cut(outcome.failure.message, excess_bytes)
        return outcome.model_copy(update={"failure": outcome.failure.model_copy(update={"message": message})})
    if isinstance(outcome, AnalyzeOutcome) and outcome.result is not None:
        summary = _cut(outcome.result.summary, excess_bytes)
        return outcome.model_copy(update={"result": outcome.result.model_copy(update={"summary": summary})})
    return outcome


def _cut(text: str, excess_bytes: int) -> str:
    return shorten_utf8(text, max(0, len(text.encode()) - excess_bytes))
