"""How long the offline engine takes for a long contract: CPU seconds of one core, side by side.

    .venv/bin/python -m benchmarks.analysis.measure [FILE.pdf…] [--pages 100] [--repeats 5]

Always measured: a German and an English contract of `--pages` pages of 3,000 characters, made of this repository's own
samples, and one of half as many pages. PDFs that are named are measured too, with their own number of pages.

Reading and analysis take turns on the same documents, so that what else runs on the machine slows both alike: the
ratios, analysis : reading and whole : half, say more than the seconds. The median of the repeats counts. Reading is
left out of the analysis, and is measured (children included) only for a PDF.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dealguard_analyzer.document import ExtractedDocument, Page
from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.rules.engine import RulesEngine
from dealguard_analyzer.reading import read_pdf
from dealguard_api.pod import ExtractSettings

_SAMPLES = Path(__file__).parents[2] / "samples"
_CHARACTERS_PER_PAGE = 3000


@dataclass(frozen=True)
class Contract:
    """One row: `read` is None where the document was not read from a file."""

    name: str
    document: ExtractedDocument
    read: Callable[[], object] | None = None


def main() -> None:
    arguments = _parse_arguments()
    print("| contract | pages | CPU s | per 100 pages | half the pages | whole : half | analysis : reading |")
    print("|---|---|---|---|---|---|---|")
    for contract in _contracts(arguments.files, arguments.pages):
        print(_row(contract, arguments.repeats), flush=True)
    print("\nThe promise is below 3 s per 100 pages on one core; a ratio whole : half near 2 says that work is linear.")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the offline engine.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def _contracts(files: list[Path], pages: int) -> Iterator[Contract]:
    for sample in sorted(_SAMPLES.glob("*.pdf")):
        document = read_pdf(sample, ExtractSettings())
        yield Contract(f"{document.info.language}, {sample.stem} repeated", _repeated(document, pages))
    for file in files:

        def read(path: Path = file) -> ExtractedDocument:
            return read_pdf(path, ExtractSettings())

        yield Contract(file.name[:60], read(), read)


def _repeated(document: ExtractedDocument, pages: int) -> ExtractedDocument:
    """The document's text over and over, on so many full pages."""
    text = "\n\n".join(page.text for page in document.pages)
    size = _CHARACTERS_PER_PAGE
    text = (text * (pages * size // len(text) + 1))[: pages * size]
    return replace(
        document,
        info=document.info.model_copy(update={"pages": pages}),
        pages=tuple(Page(number + 1, text[number * size : (number + 1) * size]) for number in range(pages)),
    )


def _row(contract: Contract, repeats: int) -> str:
    half = replace(contract.document, pages=contract.document.pages[: max(1, len(contract.document.pages) // 2)])
    _analyse(half)  # loads the weights
    rounds = [
        (
            _cpu_seconds(lambda: _analyse(contract.document)),
            _cpu_seconds(lambda: _analyse(half)),
            _cpu_seconds(contract.read) if contract.read else None,
        )
        for _ in range(repeats)
    ]
    whole, halved = (statistics.median(column) for column in list(zip(*rounds, strict=True))[:2])
    reading = [seconds for *_, seconds in rounds if seconds is not None]
    pages = len(contract.document.pages)
    against = f"{whole / statistics.median(reading):.2f}" if reading else "–"
    cells = (contract.name, pages, f"{whole:.2f}", f"{whole * 100 / pages:.2f}", f"{halved:.2f}")
    return f"| {' | '.join(map(str, cells))} | {whole / halved:.2f} | {against} |"


def _analyse(document: ExtractedDocument) -> None:
    RulesEngine().analyze(EngineRequest(document=document, language=document.info.language))


def _cpu_seconds(work: Callable[[], object]) -> float:
    """Of this process and of the children that it waited for."""
    before = _cpu()
    work()
    return _cpu() - before


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
