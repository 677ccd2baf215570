"""The engines: text in, report out, behind one Protocol.

What belongs here: `rules` (offline, deterministic), `claude` (Anthropic's API), and what they share. What never does:
PDF code, storage, Kubernetes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from dealguard_analyzer.document import ExtractedDocument
from dealguard_api.report import EngineName, Language, Report, Usage


def _no_progress(done: int, total: int) -> None:
    """Nobody is watching."""


def _no_accounts(usage: Usage) -> None:
    """Nobody keeps accounts."""


class CheckpointStore(Protocol):
    """Where an engine keeps what it has paid for, for the next attempt of the same run. Bytes of its own form."""

    def load(self) -> bytes | None:
        """What was saved last; None if there is nothing.

        Raises:
            PassingError: it cannot be told now, so going on might pay for the same work again.
        """
        ...

    def save(self, data: bytes) -> None:
        """Replace what is kept, as far as that is possible: the work goes on without it."""
        ...


class NoCheckpoint:
    """On a laptop: nothing is kept."""

    def load(self) -> bytes | None:
        """There is nothing."""
        return None

    def save(self, data: bytes) -> None:
        """It is not kept."""


@dataclass(frozen=True)
class EngineRequest:
    """One analysis.

    Attributes:
        language: of the contract and so of the report's own words; None if it is neither German nor English.
        perspective: the party whose interests count, as the user named it; None for every party.
        deadline: absolute time at which the caller stops waiting; None on a laptop.
        max_cost_usd: most that this analysis may cost, all attempts of its run together; None for no limit.
        on_progress: told (steps done, steps in all) now and then.
        on_usage: told everything this attempt consumed so far whenever it grows (a total, not a difference), as early
            as the engine knows it: an analysis that is terminated from outside leaves only what was said here.
        checkpoint: what earlier attempts of the run have paid for; the report's own usage includes it.
    """

    document: ExtractedDocument
    language: Language | None
    perspective: str | None = None
    deadline: datetime | None = None
    max_cost_usd: Decimal | None = None
    on_progress: Callable[[int, int], None] = field(default=_no_progress)
    on_usage: Callable[[Usage], None] = field(default=_no_accounts)
    checkpoint: CheckpointStore = field(default=NoCheckpoint())


class Engine(Protocol):
    """Turns a document's text into a report."""

    @property
    def name(self) -> EngineName:
        """How `spec.engine` names it."""
        ...

    def analyze(self, request: EngineRequest) -> Report:
        """The report on `request.document`; every citation in it is checked against the text.

        Raises:
            AnalysisError: there is no report; the error says why and what was spent.
        """
        ...
