"""What an upload must be to be taken: a PDF by its first bytes, not empty, and within the installation's limit.

The analyzer looks again, and harder, where a hostile file can do no harm.
"""

from collections.abc import AsyncIterator

from dealguard_gateway.problems import InvalidProblem

# Viewers and the analyzer accept junk before the header, within the first kilobyte.
_HEADER_WINDOW_BYTES = 1024
_HEADER = b"%PDF-"


async def checked_pdf(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """`chunks` as they come, from the moment on when their beginning looks like a PDF.

    Raises:
        InvalidProblem: `document-empty`, `not-a-pdf`, or, as soon as it is exceeded, `document-too-large`.
    """
    head = bytearray()
    is_pdf = False
    size_bytes = 0
    async for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise too_large(max_bytes)
        if is_pdf:
            yield chunk
            continue
        head += chunk
        if len(head) >= _HEADER_WINDOW_BYTES or _HEADER in head:
            is_pdf = _require_header(head)
            yield bytes(head)
            head.clear()
    if not size_bytes:
        raise InvalidProblem(
            "document-empty", "The file is empty (0 bytes). Save or download it again, then upload it."
        )
    if not is_pdf:
        _require_header(head)
        yield bytes(head)


def _require_header(head: bytearray) -> bool:
    if _HEADER not in head[:_HEADER_WINDOW_BYTES]:
        raise InvalidProblem(
            "not-a-pdf", "The file is not a PDF (it has no %PDF header). Export the contract as PDF and upload that."
        )
    return True


def too_large(max_bytes: int) -> InvalidProblem:
    """What is said of a document beyond the limit."""
    limit = f"{max_bytes / 1e6:,.1f} MB" if max_bytes >= 1e6 else f"{max_bytes / 1e3:,.0f} kB"
    return InvalidProblem(
        "document-too-large",
        f"The file is larger than the limit of {limit}. Split it, reduce its images, or ask the installation's "
        "administrator to raise the limit.",
        status=413,
    )
