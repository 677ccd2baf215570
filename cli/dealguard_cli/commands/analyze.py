"""`dealguard analyze`: the analyzer itself, on this machine. No cluster, and with the rules engine no network."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dealguard_analyzer.errors import AnalysisError, DocumentError
from dealguard_analyzer.pipeline import analyze_pdf
from dealguard_api.pod import AnalyzeSettings, ExtractSettings
from dealguard_api.reasons import Reason, explain
from dealguard_cli.document_file import check_file
from dealguard_cli.errors import (
    AnalysisFailedError,
    BadInputError,
    CliError,
    CliReason,
    ExitStatus,
    UnavailableError,
)
from dealguard_cli.presentation import local_progress, terminal
from dealguard_cli.presentation import report as presentation

# The names that Anthropic's own SDK reads.
API_KEY = "ANTHROPIC_API_KEY"
BASE_URL = "ANTHROPIC_BASE_URL"

# The reasons' own next steps speak of the cluster: these say the same for this machine.
_NEXT_STEPS = {
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


_WORDS = {"spec.maxCostUSD": "--max-cost-usd", "this installation allows": "the limit is"}


@dataclass(frozen=True)
class AnalyzeRequest:
    """What was asked on the command line; None keeps the analyzer's default."""

    file: Path
    engine: Literal["auto", "claude", "rules"]
    language: Literal["auto", "de", "en"]
    perspective: str | None
    max_cost_usd: str | None
    max_pdf_bytes: int
    max_pages: int | None
    max_seconds_per_page: float | None
    max_memory_bytes: int | None
    model: str | None


def run(request: AnalyzeRequest, output: presentation.ReportOutput | None) -> ExitStatus:
    """Analyse the file and show its report."""
    document = check_file(request.file, request.max_pdf_bytes)
    # A key read from a file often ends with a newline, which no HTTP header takes.
    api_key = os.environ.get(API_KEY, "").strip() or None
    base_url = os.environ.get(BASE_URL, "").strip() or None
    if request.engine == "claude" and api_key is None:
        # Known before the document is read, so said before.
        missing = Reason.API_KEY_MISSING
        raise UnavailableError(missing, f"{explain(missing).meaning} {_NEXT_STEPS[missing]}")
    if api_key and base_url and request.engine != "rules":
        _check_base_url(base_url)
    try:
        with local_progress.analyzing(terminal.messages(), document.path.name) as on_progress:
            report = analyze_pdf(
                document.path,
                _extract_settings(request),
                _analyze_settings(request, base_url),
                api_key=api_key,
                on_progress=on_progress,
            )
    except AnalysisError as error:
        raise _for_this_machine(error) from error
    if output == "json":
        presentation.print_json(report.model_dump_json(by_alias=True, exclude_none=True, indent=2).encode() + b"\n")
    else:
        presentation.print_report(report, output, title=document.path.name)
    return ExitStatus.OK


def _extract_settings(request: AnalyzeRequest) -> ExtractSettings:
    limits = {
        "max_pdf_bytes": request.max_pdf_bytes,
        "max_pages": request.max_pages,
        "max_seconds_per_page": request.max_seconds_per_page,
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


def _for_this_machine(error: AnalysisError) -> CliError:
    """The analyzer's error, with a next step that can be taken here."""
    cluster_step = explain(error.reason).next_step
    what_happened = error.message.removesuffix(cluster_step).rstrip()
    for in_the_cluster, here in _WORDS.items():
        what_happened = what_happened.replace(in_the_cluster, here)
    # A document that cannot be used is bad input, also where only the analyzer finds that out.
    kind = BadInputError if isinstance(error, DocumentError) else AnalysisFailedError
    return kind(error.reason, f"{what_happened} {_NEXT_STEPS.get(error.reason, cluster_step)}")
