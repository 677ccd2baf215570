"""`dealguard analyze`: the analyzer itself, on this machine. No cluster, and with the rules engine no network."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from dealguard_api.pod import AnalyzeSettings, ExtractSettings
from dealguard_api.reasons import Reason, explain
from dealguard_api.report import Report, RiskLevel
from dealguard_cli.errors import BadInputError, CliReason, ExitStatus, UnavailableError
from dealguard_cli.local_analysis import (
    API_KEY,
    BASE_URL,
    NEXT_STEPS,
    Failure,
    Outcome,
    Task,
    analyze_file,
    analyze_files,
)
from dealguard_cli.presentation import local_progress, outcomes, terminal
from dealguard_cli.presentation.outcomes import Output
from dealguard_cli.report_files import ReportFolder

Colour = Literal["green", "yellow", "orange", "red"]

_LEVELS: Final[dict[Colour, RiskLevel]] = {
    "green": RiskLevel.LOW,
    "yellow": RiskLevel.MEDIUM,
    "orange": RiskLevel.HIGH,
    "red": RiskLevel.CRITICAL,
}
_BY_GRAVITY = list(RiskLevel)
# Where files end differently, the first of these that occurs. A file that was not analysed weighs more than a risk that
# was found: a pipeline must not take the rest for the whole.
_PRECEDENCE = (ExitStatus.DEFECT, ExitStatus.OUTPUT_UNWRITABLE, ExitStatus.BAD_INPUT, ExitStatus.ANALYSIS_FAILED)


@dataclass(frozen=True)
class AnalyzeRequest:
    """What was asked on the command line; None keeps the analyzer's default."""

    files: Sequence[Path]
    engine: Literal["auto", "claude", "rules"]
    language: Literal["auto", "de", "en"]
    perspective: str | None
    max_cost_usd: str | None
    max_pdf_bytes: int
    max_pages: int | None
    max_seconds_per_page: float | None
    max_seconds: float | None
    max_memory_bytes: int | None
    model: str | None
    fail_on: Colour | None
    jobs: int | None
    output: Output | None
    output_dir: Path | None


def run(request: AnalyzeRequest) -> ExitStatus:
    """Analyse the files, show what was found, and say by the exit code whether it is bad."""
    if request.output == "html" and len(request.files) > 1 and request.output_dir is None:
        raise BadInputError(
            CliReason.USAGE_ERROR, "-o html writes one page a file: name a folder for them with --output-dir DIR."
        )
    tasks = _tasks(request)
    folder = ReportFolder.at(request.output_dir, request.output) if request.output_dir else None
    results = [_analyze_one(tasks[0])] if len(tasks) == 1 else _analyze_several(tasks, request.jobs)
    if folder is None:
        outcomes.print_outcomes(results, request.output)
    else:
        written = folder.write(results)
        outcomes.print_written(written, request.output)
        results = [each.outcome for each in written]
    if request.fail_on and (count := risky(results, request.fail_on)):
        outcomes.print_gate(count, len(results), request.fail_on)
    return exit_status(results, request.fail_on)


def _analyze_one(task: Task) -> Outcome:
    """In this process, with a bar by pages; an error ends the command."""
    with local_progress.analyzing(terminal.messages(), task.file.name) as on_progress:
        return Outcome(task.file, analyze_file(task, on_progress))


def _analyze_several(tasks: Sequence[Task], jobs: int | None) -> list[Outcome]:
    """Side by side, with a bar by files; an error is that file's outcome."""
    with local_progress.analyzing_several(terminal.messages(), len(tasks)) as on_done:
        return analyze_files(tasks, jobs or os.cpu_count() or 1, on_done)


def risky(results: Sequence[Outcome], colour: Colour) -> int:
    """How many contracts have a finding of `colour` or a worse one."""
    least = _BY_GRAVITY.index(_LEVELS[colour])
    reports = [outcome.result for outcome in results if isinstance(outcome.result, Report)]
    return sum(_BY_GRAVITY.index(report.risk.level) >= least for report in reports)


def exit_status(results: Sequence[Outcome], fail_on: Colour | None) -> ExitStatus:
    """How the command ends: 0 where every file has a report and none is as bad as `fail_on`."""
    failures = {outcome.result.exit_status for outcome in results if isinstance(outcome.result, Failure)}
    if failures:
        return next((status for status in _PRECEDENCE if status in failures), ExitStatus.ANALYSIS_FAILED)
    return ExitStatus.RISK_FOUND if fail_on and risky(results, fail_on) else ExitStatus.OK


def _tasks(request: AnalyzeRequest) -> list[Task]:
    """One task a file.

    Raises:
        CliError: what all of them need is missing or wrong; known before any is read, so said before.
    """
    # A key read from a file often ends with a newline, which no HTTP header takes.
    api_key = os.environ.get(API_KEY, "").strip() or None
    base_url = os.environ.get(BASE_URL, "").strip() or None
    if request.engine == "claude" and api_key is None:
        missing = Reason.API_KEY_MISSING
        raise UnavailableError(missing, f"{explain(missing).meaning} {NEXT_STEPS[missing]}")
    if api_key and base_url and request.engine != "rules":
        _check_base_url(base_url)
    extract, analyze = _extract_settings(request), _analyze_settings(request, base_url)
    return [Task(file, extract, analyze, api_key) for file in request.files]


def _extract_settings(request: AnalyzeRequest) -> ExtractSettings:
    limits = {
        "max_pdf_bytes": request.max_pdf_bytes,
        "max_pages": request.max_pages,
        "max_seconds_per_page": request.max_seconds_per_page,
        "max_seconds": request.max_seconds,
        "max_memory_bytes": request.max_memory_bytes,
    }
    return ExtractSettings.model_validate({name: limit for name, limit in limits.items() if limit is not None})


def _check_base_url(base_url: str) -> None:
    try:
        url = urlsplit(base_url)
        usable = url.scheme in ("http", "https") and bool(url.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise BadInputError(
            CliReason.USAGE_ERROR,
            f"{BASE_URL} is not an http or https URL. Set it to one such as https://claude-proxy.example.com, or "
            "unset it.",
        )


def _analyze_settings(request: AnalyzeRequest, base_url: str | None) -> AnalyzeSettings:
    settings = AnalyzeSettings(
        engine=request.engine,
        language=request.language,
        perspective=request.perspective,
        max_cost_usd=request.max_cost_usd,
        anthropic_base_url=base_url,
    )
    return settings.model_copy(update={"model": request.model}) if request.model else settings
