"""The `claude` engine against the stand-in, for several test modules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.claude.engine import ClaudeEngine
from dealguard_analyzer.errors import AnalysisError
from dealguard_api.pod import AnalyzeSettings
from dealguard_api.report import Report
from tests.contract_texts import ENGLISH, document_of
from tests.standins.claude_server import ClaudeStandin

SECRET = "team-a/claude-api-key"
DOCUMENT = document_of(ENGLISH)
# The smallest windows that the settings allow.
SMALL_WINDOWS = AnalyzeSettings(max_input_tokens=10_000)


def analyse(standin: ClaudeStandin, scenario: str, settings: AnalyzeSettings | None = None, **request: Any) -> Report:
    """The report on the English sample; `request` overrides fields of the EngineRequest."""
    settings = settings or AnalyzeSettings()
    settings = settings.model_copy(update={"anthropic_base_url": standin.url, "api_key_secret": SECRET})
    engine = ClaudeEngine(settings, f"standin:{scenario}", first_wait_seconds=0.01)
    fields = {"document": DOCUMENT, "language": "en", "deadline": datetime.now(UTC) + timedelta(seconds=60), **request}
    return engine.analyze(EngineRequest(**fields))


def failure(
    standin: ClaudeStandin, scenario: str, settings: AnalyzeSettings | None = None, **request: Any
) -> AnalysisError:
    """The error that the analysis ends with."""
    with pytest.raises(AnalysisError) as caught:
        analyse(standin, scenario, settings, **request)
    return caught.value


def long_contract(pages: int = 30) -> ExtractedDocument:
    """A contract of some 3,000 characters a page: one clause a page that the stand-in recognises, between others."""
    return document_of(*(_page(number) for number in range(1, pages + 1)))


def _page(number: int) -> str:
    filler = " ".join(
        f"{number}.{part} The parties shall keep the records described in schedule {number}-{part} for seven years."
        for part in range(1, 30)
    )
    clause = f"{number}.30 The total liability under chapter {number} is limited to {number},000 Euro."
    law = "This agreement is governed by the laws of Delaware.\n" if number == 2 else ""
    return f"Chapter {number}\n{law}{filler}\n\n{clause}\n"
