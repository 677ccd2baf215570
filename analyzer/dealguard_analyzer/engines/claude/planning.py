"""How many requests a contract needs, and of what: by the API's own token count where an estimate is not enough."""

from dataclasses import dataclass

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.engines.claude.call import Conversation
from dealguard_analyzer.engines.claude.prompt import contract_text, system_text, task_text
from dealguard_analyzer.engines.claude.question import Question
from dealguard_analyzer.engines.claude.windows import LEAST_CHARACTERS, ContractPages, Window
from dealguard_analyzer.errors import EngineRefusedError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.pod import ClaudeSettings
from dealguard_api.report import Language

# Characters per token, so few that an estimate errs on the long side.
_LEAST_CHARACTERS_PER_TOKEN = 2.0
# Pages differ in characters per token, and a window has marks around its pages.
_SAFETY = 0.93
# Each round brings the largest window to its measure; the second fits as a rule.
_MAX_ROUNDS = 6


@dataclass(frozen=True)
class Step:
    """One request: a window, the question about it, and its input tokens (0: not counted, as nothing depends on it)."""

    window: Window
    question: Question
    input_tokens: int


class Planner:
    """Divides one contract into requests.

    Args:
        document: the contract.
        settings: model, effort, limits.
        context_tokens: what the model reads and writes in one request.
        language: of the report.
        perspective: the party whose interests count.
    """

    def __init__(
        self,
        document: ExtractedDocument,
        settings: ClaudeSettings,
        context_tokens: int,
        language: Language | None,
        perspective: str | None,
    ) -> None:
        self._document = document
        self._settings = settings
        self._language = language
        self._perspective = perspective
        self._pages = ContractPages(document)
        room = context_tokens - settings.max_output_tokens
        self._max_input_tokens = min(room, settings.max_input_tokens or room)

    def steps(self, conversation: Conversation, is_counted: bool) -> list[Step]:
        """The requests that cover the contract: one where it fits.

        Args:
            conversation: counts tokens.
            is_counted: count in any case, because a budget depends on it.

        Raises:
            AnalysisError: the API does not count, or the limits leave no room for a contract.
        """
        whole = self._question(self._pages.whole)
        estimate = int(whole.characters / _LEAST_CHARACTERS_PER_TOKEN)
        if estimate <= self._max_input_tokens and not is_counted:
            return [Step(self._pages.whole, whole, 0)]
        tokens = conversation.count(whole)
        if tokens <= self._max_input_tokens:
            return [Step(self._pages.whole, whole, tokens)]
        fixed = conversation.count(self._question(Window(0, 0, (), is_whole=False)))
        return self._windows(conversation, len(whole.contract) / max(1, tokens - fixed), fixed)

    def divided(self, step: Step, conversation: Conversation, is_counted: bool) -> list[Step]:
        """Smaller steps in place of one that was too much; empty if it cannot be divided."""
        questions = [(window, self._question(window)) for window in self._pages.halves(step.window)]
        return [
            Step(window, question, conversation.count(question) if is_counted else 0) for window, question in questions
        ]

    def _windows(self, conversation: Conversation, characters_per_token: float, fixed_tokens: int) -> list[Step]:
        """Windows by estimate, counted, and made smaller until each of them fits."""
        room = self._max_input_tokens - fixed_tokens
        size = int(room * characters_per_token * _SAFETY)
        for _ in range(_MAX_ROUNDS):
            if size < LEAST_CHARACTERS:
                break
            steps = []
            for window in self._pages.cut(size):
                question = self._question(window)
                steps.append(Step(window, question, conversation.count(question)))
            largest = max(step.input_tokens for step in steps)
            if largest <= self._max_input_tokens:
                return steps
            size = int(size * _SAFETY * room / (largest - fixed_tokens))
        raise EngineRefusedError(
            ExitCode.CONTRACT_TOO_LONG,
            f"{self._settings.model} may read {self._max_input_tokens} tokens in one request, of which the instructions"
            f" take {fixed_tokens}: too few are left for a part of the contract.",
        )

    def _question(self, window: Window) -> Question:
        return Question(
            model=self._settings.model,
            effort=self._settings.effort,
            max_output_tokens=self._settings.max_output_tokens,
            system=system_text(),
            contract=contract_text(self._document, window),
            task=task_text(self._document, window, self._language, self._perspective),
            is_divisible=bool(self._pages.halves(window)),
        )
