"""The whole analysis: read → choose the engine → report. The pod and the command line both come through here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.engines import CheckpointStore, EngineRequest, NoCheckpoint
from dealguard_analyzer.engines.selection import select_engine
from dealguard_analyzer.reading import read_pdf
from dealguard_api.pod import AnalyzeSettings, ExtractSettings
from dealguard_api.report import Report, Usage
from dealguard_api.resource import Stage


@dataclass(frozen=True)
class Progress:
    """How far an analysis is: `done` of `total` pages while extracting, of the engine's own steps while analysing."""

    stage: Stage
    done: int
    total: int


OnProgress = Callable[[Progress], None]


def _nobody_watches(progress: Progress) -> None:
    """No progress is shown."""


def _nobody_counts(usage: Usage) -> None:
    """No account is kept."""


def analyze_pdf(
    path: Path,
    extract_settings: ExtractSettings,
    analyze_settings: AnalyzeSettings,
    api_key: str | None = None,
    on_progress: OnProgress = _nobody_watches,
) -> Report:
    """The report on a PDF file.

    Args:
        path: the file.
        extract_settings: limits of reading.
        analyze_settings: engine, language, perspective, cost limit.
        api_key: of Claude's API, if there is one.
        on_progress: told of each page, and of the engine's steps.

    Raises:
        AnalysisError: there is no report; `message` says why and what to do next.
    """

    def on_page(done: int, total: int) -> None:
        on_progress(Progress(Stage.EXTRACTING, done, total))

    document = read_pdf(path, extract_settings, on_page=on_page)
    return analyze_document(document, analyze_settings, api_key, on_progress=on_progress)


def analyze_document(
    document: ExtractedDocument,
    settings: AnalyzeSettings,
    api_key: str | None = None,
    *,
    deadline: datetime | None = None,
    on_progress: OnProgress = _nobody_watches,
    on_usage: Callable[[Usage], None] = _nobody_counts,
    checkpoint: CheckpointStore | None = None,
) -> Report:
    """The report on a document that was read already.

    Args:
        document: its text.
        settings: engine, language, perspective, cost limit.
        api_key: of Claude's API, if there is one.
        deadline: when the caller stops waiting; None for never.
        on_progress: told of the engine's steps.
        on_usage: told everything consumed so far whenever it grows.
        checkpoint: what earlier attempts have paid for; None: there are none.

    Raises:
        AnalysisError: there is no report.
    """
    engine = select_engine(settings, api_key)
    on_progress(Progress(Stage.ANALYZING, 0, 1))

    def on_step(done: int, total: int) -> None:
        on_progress(Progress(Stage.ANALYZING, done, total))

    return engine.analyze(
        EngineRequest(
            document=document,
            language=document.info.language if settings.language == "auto" else settings.language,
            perspective=settings.perspective,
            deadline=deadline,
            max_cost_usd=None if settings.max_cost_usd is None else Decimal(settings.max_cost_usd),
            on_progress=on_step,
            on_usage=on_usage,
            checkpoint=checkpoint or NoCheckpoint(),
        )
    )
