"""Contracts analysed on this machine: one in this process, several side by side in processes of their own.

What belongs here: running the analyzer and putting its errors into words for this machine. What never does: printing.
"""

import logging
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dealguard_analyzer.errors import AnalysisError, DocumentError
from dealguard_analyzer.pipeline import OnProgress, analyze_pdf
from dealguard_api.pod import AnalyzeSettings, ExtractSettings
from dealguard_api.reasons import Reason, explain
from dealguard_api.report import Report
from dealguard_cli.document_file import check_file
from dealguard_cli.errors import AnalysisFailedError, BadInputError, CliError, CliReason, ExitStatus

# The names that Anthropic's own SDK reads.
API_KEY = "ANTHROPIC_API_KEY"
BASE_URL = "ANTHROPIC_BASE_URL"

# The reasons' own next steps speak of the cluster: these say the same for this machine.
NEXT_STEPS = {
    Reason.DOCUMENT_TOO_LARGE: "Split it, reduce its images, or raise --max-pdf-bytes.",
    Reason.DOCUMENT_ENCRYPTED: "Save a copy without the password and analyse that.",
    Reason.DOCUMENT_UNREADABLE: "Open it in a PDF viewer, print it to a new PDF and analyse that.",
    Reason.TOO_MANY_PAGES: "Split it, or raise --max-pages.",
    Reason.NO_TEXT_LAYER: "It needs OCR: make it searchable with a text-recognition tool and analyse the result.",
    Reason.API_KEY_MISSING: f"Set {API_KEY} to the key, or use --engine rules.",
    Reason.API_KEY_REJECTED: f"Correct the key in {API_KEY}, or use --engine rules.",
    Reason.SPEND_LIMIT_REACHED: "Raise the limit in the account's console, or use --engine rules.",
    Reason.COST_LIMIT_EXCEEDED: "Raise --max-cost-usd, or use --engine rules.",
    Reason.CONTRACT_TOO_LONG: "Split the document, or use --engine rules.",
    Reason.MODEL_REFUSED: "Check that it is a contract; --engine rules analyses it without the model.",
    Reason.ENGINE_REQUEST_REJECTED: "Check the name given with --model, or use --engine rules.",
    Reason.ENGINE_UNAVAILABLE: "Check the network and try again in a few minutes, or use --engine rules.",
    Reason.ENGINE_OUTPUT_INVALID: "Try it once more, or use --engine rules.",
    Reason.INTERNAL_ERROR: "Run it again with --debug and report what it shows.",
}


@dataclass(frozen=True)
class Task:
    """One contract to analyse. `api_key` is None where there is none."""

    file: Path
    extract: ExtractSettings
    analyze: AnalyzeSettings
    api_key: str | None


@dataclass(frozen=True)
class Failure:
    """Why a file has no report: what a `CliError` says, as data that travels between processes."""

    reason: str
    message: str
    exit_status: ExitStatus


@dataclass(frozen=True)
class Outcome:
    """What became of one file: a report, or why there is none."""

    file: Path
    result: Report | Failure


_Answer = str | Failure  # of a worker: the report's JSON, because pydantic's generic models cannot be pickled


def _nobody_watches(outcome: Outcome) -> None:
    """Nothing is shown."""


def analyze_file(task: Task, on_progress: OnProgress) -> Report:
    """The report on one file.

    Raises:
        CliError: there is none; the message says why and what can be done on this machine.
    """
    document = check_file(task.file, task.extract.max_pdf_bytes)
    try:
        return analyze_pdf(document.path, task.extract, task.analyze, api_key=task.api_key, on_progress=on_progress)
    except AnalysisError as error:
        raise _for_this_machine(error) from error


def analyze_files(
    tasks: Sequence[Task], jobs: int, on_done: Callable[[Outcome], None] = _nobody_watches
) -> list[Outcome]:
    """Every file, whatever becomes of the others.

    Args:
        tasks: the files.
        jobs: how many are analysed at the same time.
        on_done: told of each outcome as it comes.

    Returns:
        The outcomes in the order of `tasks`.
    """
    outcomes: dict[int, Outcome] = {}
    with _workers(min(jobs, len(tasks))) as workers:
        for future, position in _submitted(workers, tasks):
            outcomes[position] = Outcome(tasks[position].file, _result(future))
            on_done(outcomes[position])
    return [outcomes[position] for position in range(len(tasks))]


def _submitted(workers: ProcessPoolExecutor, tasks: Sequence[Task]) -> Iterator[tuple[Future[_Answer], int]]:
    """Each task's future and position, as they are done."""
    # Ctrl-C reaches every process of the terminal. This one decides what follows; the others inherit ignoring it.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        positions = {workers.submit(_answer, task): position for position, task in enumerate(tasks)}
    finally:
        signal.signal(signal.SIGINT, handler)
    for future in as_completed(positions):
        yield future, positions[future]


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes to work in, ended at once where the block is left early, as by Ctrl-C."""
    # Spawned, not forked: the progress bar has a thread, and a forked thread's locks stay locked.
    workers = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_keep_quiet)
    try:
        yield workers
    except BaseException:
        workers.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    workers.shutdown()


def _keep_quiet() -> None:
    # As in main.py: libraries report what they retry.
    logging.getLogger().addHandler(logging.NullHandler())


def _answer(task: Task) -> _Answer:
    """Runs in a worker; nothing but data leaves it."""
    try:
        return analyze_file(task, lambda progress: None).model_dump_json(by_alias=True, exclude_none=True)
    except CliError as error:
        return Failure(error.reason, error.message, error.exit_status)
    except Exception as error:  # a defect that one document shows must not cost the others their reports
        message = (
            f"dealguard has a defect ({type(error).__name__}). Analyse this file alone with --debug and report what it "
            "shows."
        )
        return Failure(CliReason.INTERNAL_ERROR, message, ExitStatus.DEFECT)


def _result(future: Future[_Answer]) -> Report | Failure:
    try:
        answer = future.result()
    except BrokenProcessPool:
        # All that was not done by then ends so: which file it was cannot be told.
        message = (
            "The analysis was ended from outside, perhaps for lack of memory. Analyse this file alone, or use --jobs 1."
        )
        return Failure(Reason.TERMINATED, message, ExitStatus.ANALYSIS_FAILED)
    return Report.model_validate_json(answer) if isinstance(answer, str) else answer


def _for_this_machine(error: AnalysisError) -> CliError:
    """The analyzer's error, with a next step that can be taken here."""
    cluster_step = explain(error.reason).next_step
    what_happened = error.message.removesuffix(cluster_step).rstrip().replace("spec.maxCostUSD", "--max-cost-usd")
    # A document that cannot be used is bad input, also where only the analyzer finds that out.
    kind = BadInputError if isinstance(error, DocumentError) else AnalysisFailedError
    return kind(error.reason, f"{what_happened} {NEXT_STEPS.get(error.reason, cluster_step)}")
