"""The engine itself: the contract in one request or in windows, and the report made of the answers."""

from collections import deque
from datetime import UTC, datetime

from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.claude.account import Account
from dealguard_analyzer.engines.claude.answer import Answer
from dealguard_analyzer.engines.claude.assembly import Assembler
from dealguard_analyzer.engines.claude.call import (
    FIRST_WAIT_SECONDS,
    Connection,
    Conversation,
    TooMuchError,
    conversation,
)
from dealguard_analyzer.engines.claude.checkpoint import Checkpoint
from dealguard_analyzer.engines.claude.planning import Planner, Step
from dealguard_analyzer.engines.claude.prices import Tariff
from dealguard_analyzer.engines.claude.progress import Progress
from dealguard_analyzer.engines.claude.prompt import PROMPT_VERSION
from dealguard_analyzer.engines.integrity import integrity_findings
from dealguard_analyzer.errors import PassingError
from dealguard_api.pod import AnalyzeSettings
from dealguard_api.report import EngineInfo, EngineName, Report, Usage


class ClaudeEngine:
    """Asks Claude; see the package. Implements `Engine`.

    Args:
        settings: model, effort, limits, the API's address, and the name of the Secret that holds the key.
        api_key: the key itself; it goes into the request's header and nowhere else.
        first_wait_seconds: before the first retry where the server does not say how long; twice as long each time.
    """

    def __init__(self, settings: AnalyzeSettings, api_key: str, first_wait_seconds: float = FIRST_WAIT_SECONDS) -> None:
        self._settings = settings
        self._connection = Connection(
            api_key=api_key,
            base_url=settings.anthropic_base_url,
            secret=settings.api_key_secret,
            first_wait_seconds=first_wait_seconds,
        )

    @property
    def name(self) -> EngineName:
        """How `spec.engine` names it."""
        return "claude"

    def analyze(self, request: EngineRequest) -> Report:
        """The report; raises AnalysisError with what this attempt spent."""
        tariff = Tariff.of(self._settings.model, self._settings.prices, datetime.now(UTC).date())
        account = Account(tariff, request.max_cost_usd, request.on_usage)
        account.check_price()
        checkpoint = Checkpoint(request.checkpoint, account)
        checkpoint.load()
        planner = Planner(
            request.document, self._settings, tariff.context_tokens, request.language, request.perspective
        )
        progress = Progress(request.on_progress)
        with conversation(self._connection, request.deadline, account, progress.on_characters) as talk:
            try:
                answers = _answers(planner, talk, account, checkpoint, progress)
            except PassingError:
                if account.own != Usage():
                    checkpoint.save()  # the next attempt has to know what this one cost
                raise
        report = self._report(request, answers, account.total)
        progress.end()
        return report

    def _report(self, request: EngineRequest, answers: list[Answer], usage: Usage) -> Report:
        assembler = Assembler(request.document, request.language, answers)
        attacks = integrity_findings(request.document, request.language, assembler.cite_instructions())
        engine = EngineInfo(name="claude", version=PROMPT_VERSION, model=self._settings.model)
        return assembler.report(engine, request.perspective, attacks, usage)


def _answers(
    planner: Planner, talk: Conversation, account: Account, checkpoint: Checkpoint, progress: Progress
) -> list[Answer]:
    """The answers of all windows, in order; a window that turns out to be too much is divided.

    They are asked one after the other, so that all but the first read the instructions from the cache.
    """
    waiting = deque(planner.steps(talk, account.has_limit))
    answers: list[Answer] = []
    while waiting:
        step = waiting.popleft()
        progress.begin(len(answers), len(waiting) + 1)
        answer = _answer(step, list(waiting), talk, checkpoint)
        if answer is None:
            waiting.extendleft(reversed(planner.divided(step, talk, account.has_limit)))
        else:
            answers.append(answer)
    return answers


def _answer(step: Step, later: list[Step], talk: Conversation, checkpoint: Checkpoint) -> Answer | None:
    """The answer on one window: an earlier attempt's, or a new one. None: the window is too much for one request."""
    if not checkpoint.has(step.question):
        to_be_paid = [other.input_tokens for other in later if not checkpoint.has(other.question)]
        try:
            checkpoint.keep(step.question, talk.ask(step.question, step.input_tokens, to_be_paid))
        except TooMuchError:
            checkpoint.keep(step.question, None)
    return checkpoint.answer(step.question)
