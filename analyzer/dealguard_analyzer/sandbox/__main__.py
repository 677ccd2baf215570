"""`python -m dealguard_analyzer.sandbox`: reads the PDF on stdin and says on stdout what stands in it."""

import argparse
import base64
import json
import mmap
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

from dealguard_analyzer.sandbox.limits import apply_limits, start_step
from dealguard_analyzer.sandbox.wire import (
    MAX_SIDE_TEXT_CHARACTERS,
    MAX_SIDE_TEXTS_PER_KIND,
    PageContent,
    PageFault,
    Refused,
    SideContent,
    SideTextKind,
)


class Document(Protocol):
    """A PDF that one of the readers opened."""

    def __len__(self) -> int: ...

    @property
    def has_metadata(self) -> bool:
        """Whether there is metadata that `side_texts` does not have and the metadata reader does."""
        ...

    def read(self, number: int) -> PageContent | PageFault:
        """What stands on page `number` (from 1), or why the reader cannot say."""
        ...

    def annotations(self) -> Iterator[SideContent]:
        """What the annotations of the page read last say."""
        ...

    def side_texts(self) -> Iterator[SideContent]:
        """What the document says beside its pages."""
        ...


def main() -> None:
    """Read from page `--first-page` to the last one."""
    arguments = _parse_arguments()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the parent may wait for signals that it blocks; we do not
    apply_limits(arguments.max_memory_bytes, arguments.max_cpu_seconds)
    out = _claim_stdout()
    try:
        start_step(arguments.max_seconds_per_page)
        document = _open(arguments.reader, mmap.mmap(sys.stdin.fileno(), 0, access=mmap.ACCESS_COPY))
        _say(out, kind="opened", pages=len(document))
        if len(document) <= arguments.max_pages:
            counts: Counter[SideTextKind] = Counter()
            _read_pages(document, arguments.first_page, arguments.max_seconds_per_page, counts, out)
            start_step(arguments.max_seconds_per_page)
            _say_sides(document.side_texts(), counts, out)
        _say(out, kind="end", metadata=document.has_metadata)
    except Refused as answer:
        _say(out, kind="refused", refusal=answer.refusal)
    except BaseException:
        os._exit(1)
    os._exit(0)  # at once: the kernel frees everything, and a parser's destructors could only crash


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reader", choices=("pdfium", "pypdf", "metadata"), required=True)
    parser.add_argument("--first-page", type=int, required=True)
    parser.add_argument("--max-pages", type=int, required=True)
    parser.add_argument("--max-seconds-per-page", type=float, required=True)
    parser.add_argument("--max-cpu-seconds", type=float, required=True)
    parser.add_argument("--max-memory-bytes", type=int, required=True)
    return parser.parse_args()


def _claim_stdout() -> BinaryIO:
    """Keep stdout for the answers: what a parser prints goes nowhere."""
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return out


def _open(reader: str, file: mmap.mmap) -> Document:
    # Each child loads the one parser that it needs.
    if reader == "pdfium":
        from dealguard_analyzer.sandbox.pdfium import PdfiumDocument  # noqa: PLC0415

        return PdfiumDocument(file)
    if reader == "metadata":
        from dealguard_analyzer.sandbox.metadata import MetadataDocument  # noqa: PLC0415

        return MetadataDocument(file)
    from dealguard_analyzer.sandbox.second_reader import PypdfDocument  # noqa: PLC0415

    return PypdfDocument(file)


def _read_pages(
    document: Document, first_page: int, max_seconds_per_page: float, counts: "Counter[SideTextKind]", out: BinaryIO
) -> None:
    for number in range(first_page, len(document) + 1):
        start_step(max_seconds_per_page)
        content = document.read(number)
        if isinstance(content, PageContent):
            _say(
                out,
                kind="page",
                number=number,
                text=content.text,
                offsets=base64.b64encode(content.offsets).decode(),
                boxes=base64.b64encode(content.boxes).decode(),
                hidden=content.hidden,
            )
        else:
            _say(out, kind="unreadable", number=number, fault=content)
        _say_sides(document.annotations(), counts, out)


def _say_sides(texts: Iterable[SideContent], counts: "Counter[SideTextKind]", out: BinaryIO) -> None:
    """The texts, cut to length, blank ones left out, and not more of a kind than allowed."""
    for side in texts:
        # Half a surrogate pair is no character, and could not be handed on.
        text = side.text.encode("utf-8", "replace").decode().strip()[:MAX_SIDE_TEXT_CHARACTERS]
        if text and counts[side.kind] < MAX_SIDE_TEXTS_PER_KIND:
            counts[side.kind] += 1
            _say(out, kind="side", side=side.kind, text=text, page=side.page)


def _say(out: BinaryIO, **message: object) -> None:
    out.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    out.flush()


main()
