"""Words that come from elsewhere (the analyzer, the API server, a node), made safe for a status and an Event."""

import unicodedata

# Failure, Ready, Stalled and Finished may each carry one, and the whole status has to stay under 8 KB.
MAX_MESSAGE_BYTES = 350


def safe(text: str, max_bytes: int = MAX_MESSAGE_BYTES) -> str:
    """`text` on one line, without control characters, at most `max_bytes` of UTF-8, cut at a character."""
    words = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text).split()
    line = " ".join(words)
    encoded = line.encode(errors="replace")
    if len(encoded) <= max_bytes:
        return encoded.decode()
    ellipsis = " …"
    return encoded[: max_bytes - len(ellipsis.encode())].decode(errors="ignore").rstrip() + ellipsis


def with_next_step(what_happened: str, next_step: str) -> str:
    """Both in one safe message. What happened may end with the next step already; only what precedes it is cut."""
    what_happened = what_happened.removesuffix(next_step).rstrip()
    room = MAX_MESSAGE_BYTES - len(next_step.encode()) - 1
    return f"{safe(what_happened, room)} {next_step}".strip()
