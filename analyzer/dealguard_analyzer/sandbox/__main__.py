"""`python -m dealguard_analyzer.sandbox`: reads the PDF on stdin and says on stdout what stands in it."""

import argparse
import base64
import json
import mmap
import os
import signal
import sys
from typing import BinaryIO, Protocol

from dealguard_analyzer.sandbox.limits import apply_limits, start_step
from dealguard_analyzer.sandbox.wire import PageContent, PageFault, Refused


class Document(Protocol):
    """A PDF that one of the readers opened."""

    def __len__(self) -> int: ...

    def read(self, number: int) -> PageContent | PageFault:
        """What stands on page `number` (from 1), or why the reader cannot say."""
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
            _read_pages(document, arguments.first_page, arguments.max_seconds_per_page, out)
        _say(out, kind="end")
    except Refused as answer:
        _say(out, kind="refused", refusal=answer.refusal)
    except BaseException:
        os._exit(1)
    os._exit(0)  # at once: the kernel frees everything, and a parser's destructors could only crash


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reader", choices=("pdfium", "pypdf"), required=True)
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
    from dealguard_analyzer.sandbox.second_reader import PypdfDocument  # noqa: PLC0415

    return PypdfDocument(file)


def _read_pages(document: Document, first_page: int, max_seconds_per_page: float, out: BinaryIO) -> None:
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
            )
        else:
            _say(out, kind="unreadable", number=number, fault=content)


def _say(out: BinaryIO, **message: object) -> None:
    out.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    out.flush()


main()
