"""The engine itself: one request with the whole contract, and the report made of the answer."""

from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.claude.assembly import Assembler
from dealguard_analyzer.engines.claude.call import Connection, Limits, Listeners, Question, ask
from dealguard_analyzer.engines.claude.prompt import PROMPT_VERSION, contract_text, system_text, task_text
from dealguard_analyzer.engines.instructions import instruction_finding
from dealguard_api.pod import AnalyzeSettings
from dealguard_api.report import EngineInfo, EngineName, Report

# A report of a long contract has some 40,000 characters; used only to show progress.
_EXPECTED_CHARACTERS = 40_000


class ClaudeEngine:
    """Asks Claude; see the package. Implements `Engine`.

    Args:
        settings: model, effort, limits, the API's address, and the name of the Secret that holds the key.
        api_key: the key itself; it goes into the request's header and nowhere else.
    """

    def __init__(self, settings: AnalyzeSettings, api_key: str) -> None:
        self._settings = settings
        self._connection = Connection(
            api_key=api_key, base_url=settings.anthropic_base_url, secret=settings.api_key_secret
        )

    @property
    def name(self) -> EngineName:
        """How `spec.engine` names it."""
        return "claude"

    def analyze(self, request: EngineRequest) -> Report:
        """The report; raises AnalysisError with what was spent."""
        document = request.document
        question = Question(
            model=self._settings.model,
            effort=self._settings.effort,
            max_output_tokens=self._settings.max_output_tokens,
            system=system_text(),
            contract=contract_text(document),
            task=task_text(document, request.language, request.perspective),
        )

        def on_characters(characters: int) -> None:
            request.on_progress(min(characters, _EXPECTED_CHARACTERS - 1), _EXPECTED_CHARACTERS)

        limits = Limits(deadline=request.deadline, max_cost_usd=request.max_cost_usd)
        answer, usage = ask(question, self._connection, limits, Listeners(on_characters, request.on_usage))
        assembler = Assembler(document, request.language)
        attempt = instruction_finding(document, request.language, assembler.cite_instructions(answer))
        engine = EngineInfo(name="claude", version=PROMPT_VERSION, model=self._settings.model)
        report = assembler.report(answer, engine, request.perspective, [attempt] if attempt else [], usage)
        request.on_progress(_EXPECTED_CHARACTERS, _EXPECTED_CHARACTERS)
        return report
