"""How long reading takes, and what it needs: every PDF below the folders that are named, one at a time, as a table.

    .venv/bin/python benchmarks/reading/measure.py FOLDER… [--memory-mb 256] [--against-pypdf]

Each file is read in a process of its own, by `read_pdf` as the analyzer calls it: with all its children and limits.
Seconds are on the clock; CPU seconds and peak resident memory are those of the children, where the file is parsed.
`--against-pypdf` has the second reader read the same pages and prints how many times longer it took in CPU seconds.
Exit code 1: a file took longer than 5 seconds, or ended in anything but a document or a reason.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from dealguard_analyzer.errors import DocumentError
from dealguard_analyzer.reading import read_pdf
from dealguard_analyzer.reading.child import ChildEnded, ChildLimits, start_child
from dealguard_analyzer.reading.messages import PageRead
from dealguard_api.pod import ExtractSettings

_MAX_SECONDS = 5.0


def main() -> int:
    arguments = _parse_arguments()
    if arguments.one:
        print(json.dumps(_measure_one(arguments.one, arguments.memory_mb, arguments.reader)))
        return 0
    files = sorted(path for folder in arguments.folders for path in folder.rglob("*") if path.suffix.lower() == ".pdf")
    if not files:
        print("There is no PDF below these folders. Name others.", file=sys.stderr)
        return 2
    print("| file | outcome | pages | unreadable | with hidden text | side texts | s | CPU s | peak MB | pypdf |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    rows = [_row(path, arguments) for path in files]
    slowest, largest = max(row["seconds"] for row in rows), max(row["peak_mb"] for row in rows)
    failed = sum(row["failed"] or row["seconds"] > _MAX_SECONDS for row in rows)
    print(
        f"\n{len(rows)} files, {sum(row['pages'] for row in rows)} pages, {sum(row['seconds'] for row in rows):.1f} s."
    )
    print(f"Slowest {slowest} s, most memory {largest} MB; beyond {_MAX_SECONDS:.0f} s or without a reason: {failed}.")
    if arguments.against_pypdf:
        theirs, ours = sum(row["pypdf_cpu"] for row in rows), sum(row["cpu"] for row in rows)
        print(f"CPU seconds: {ours:.1f}; pypdf {theirs:.1f}, {theirs / ours:.1f} times as many.")
    return 1 if failed else 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure reading.")
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--memory-mb", type=int, default=256)
    parser.add_argument("--against-pypdf", action="store_true")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--reader", default="read_pdf", help=argparse.SUPPRESS)
    return parser.parse_args()


def _row(path: Path, arguments: argparse.Namespace) -> dict[str, float]:
    row = _in_own_process(path, arguments.memory_mb, "read_pdf")
    ratio = ""
    if arguments.against_pypdf:
        row["pypdf_cpu"] = _in_own_process(path, arguments.memory_mb, "pypdf")["cpu"]
        ratio = f"{row['pypdf_cpu'] / row['cpu']:.1f}×"
    cells = ("outcome", "pages", "unreadable", "hidden", "side", "seconds", "cpu", "peak_mb")
    print("|", " | ".join([path.name[:60], *(str(row[cell]) for cell in cells), ratio]), "|", flush=True)
    return row


def _in_own_process(path: Path, memory_mb: int, reader: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", str(path), "--memory-mb", str(memory_mb), "--reader", reader]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        zero: dict[str, float] = dict.fromkeys(
            ("pages", "unreadable", "hidden", "side", "seconds", "cpu", "peak_mb"), 0
        )
        return {**zero, "outcome": "TRACEBACK", "failed": 1}  # type: ignore[dict-item]
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _measure_one(path: Path, memory_mb: int, reader: str) -> dict[str, object]:
    started = time.monotonic()
    facts = _read(path, memory_mb) if reader == "read_pdf" else _read_with_pypdf(path, memory_mb)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        **facts,
        "failed": 0,
        "seconds": round(time.monotonic() - started, 2),
        "cpu": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": usage.ru_maxrss // 1024,
    }


def _read(path: Path, memory_mb: int) -> dict[str, object]:
    try:
        document = read_pdf(path, ExtractSettings(max_memory_bytes=memory_mb << 20))
    except DocumentError as refusal:
        return {"outcome": refusal.reason.value, "pages": 0, "unreadable": 0, "hidden": 0, "side": 0}
    return {
        "outcome": "read",
        "pages": document.info.pages,
        "unreadable": len(document.unreadable_pages),
        "hidden": sum(bool(page.hidden) for page in document.pages),
        "side": len(document.side_texts),
    }


def _read_with_pypdf(path: Path, memory_mb: int) -> dict[str, object]:
    pages = 0
    limits = ChildLimits(max_pages=10_000, max_seconds_per_page=60, max_memory_bytes=memory_mb << 20)
    try:
        with path.open("rb") as file, start_child(file, "pypdf", 1, limits, time.monotonic() + 600) as messages:
            pages = sum(isinstance(message, PageRead) for message in messages)
    except ChildEnded as end:
        return {"outcome": end.ending.name, "pages": pages}
    return {"outcome": "read", "pages": pages}


if __name__ == "__main__":
    sys.exit(main())
