"""Shortening text to a number of bytes: statuses and termination messages are bounded in UTF-8, not in characters."""

_ELLIPSIS = "…"


def shorten_utf8(text: str, max_bytes: int) -> str:
    """`text`, or its beginning and an ellipsis, in at most `max_bytes` of UTF-8; cut between words if possible."""
    if len(text.encode()) <= max_bytes:
        return text
    room = max_bytes - len(_ELLIPSIS.encode())
    if room < 0:
        return ""
    start = text.encode()[:room].decode(errors="ignore")
    words, space, _ = start.rpartition(" ")
    # A long word at the end is cut rather than half of the text given up for it.
    return (words if space and len(words) > len(start) // 2 else start).rstrip() + _ELLIPSIS
