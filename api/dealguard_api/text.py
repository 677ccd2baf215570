"""Text within bounds: shortened to a number of bytes, and brought onto one harmless line."""

import re

_ELLIPSIS = "…"

# Controls, marks of direction and characters without width change what a reader sees, or hide words from him.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def one_line(text: str) -> str:
    """`text` in one line of visible characters: what a document or a model wrote, made fit to stand in a report."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def shorten_utf8(text: str, max_bytes: int) -> str:
    """`text`, or its beginning and an ellipsis, in at most `max_bytes` of UTF-8; cut between words if possible.

    Statuses and termination messages are bounded in UTF-8, not in characters.
    """
    if len(text.encode()) <= max_bytes:
        return text
    room = max_bytes - len(_ELLIPSIS.encode())
    if room < 0:
        return ""
    start = text.encode()[:room].decode(errors="ignore")
    words, space, _ = start.rpartition(" ")
    # A long word at the end is cut rather than half of the text given up for it.
    return (words if space and len(words) > len(start) // 2 else start).rstrip() + _ELLIPSIS
