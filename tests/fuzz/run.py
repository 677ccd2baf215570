"""`make fuzz`: try changed PDFs and lines on reading until the time is up; what breaks it is kept as a file."""

import argparse
import hashlib
import itertools
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import reading

_BATCH = 20


def main() -> int:
    """0: nothing broke; 1: something did."""
    parser = argparse.ArgumentParser(description="Fuzz the reading of PDFs.")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    ends = time.monotonic() + arguments.seconds
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in itertools.count(arguments.first_seed):
            if time.monotonic() >= ends:
                break
            _batch(number, Path(folder), outcomes)
            tried = ", ".join(f"{name} {count}" for name, count in outcomes.most_common())
            print(f"{max(0, ends - time.monotonic()):4.0f} s left, seed {number}: {tried}", flush=True)
    if broken := outcomes["BROKEN"]:
        print(f"{broken} broke reading. Mend it; the files in {reading.CRASHES} are tests from now on: commit them.")
        return 1
    print("Nothing broke reading. Next: another --first-seed, or SECONDS=3600 make fuzz.")
    return 0


def _batch(number: int, folder: Path, outcomes: Counter[str]) -> None:
    def pdf(data: bytes) -> None:
        try:
            outcomes[reading.try_pdf(data, folder)] += 1
        except Exception:
            outcomes["BROKEN"] += 1
            _keep(data, ".pdf")

    def line(data: bytes) -> None:
        try:
            reading.try_line(data)
            outcomes["lines"] += 1
        except Exception:
            outcomes["BROKEN"] += 1
            _keep(data, ".line")

    for test, strategy, examples in ((pdf, reading.pdfs(), _BATCH), (line, reading.lines, 10 * _BATCH)):
        chosen = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        seed(number)(chosen(given(strategy)(test)))()


def _keep(data: bytes, suffix: str) -> None:
    reading.CRASHES.mkdir(exist_ok=True)
    path = reading.CRASHES / f"{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
    path.write_bytes(data)
    print(f"\n{path}:\n{traceback.format_exc()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
