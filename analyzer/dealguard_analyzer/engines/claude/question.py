"""One request's content: what is asked, and a digest that tells the same question again."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from dealguard_analyzer.engines.claude.answer import Answer
from dealguard_analyzer.engines.claude.prompt import PROMPT_VERSION

Effort = Literal["low", "medium", "high", "xhigh", "max"]


@cache
def _schema() -> str:
    return json.dumps(Answer.model_json_schema(), sort_keys=True)


@dataclass(frozen=True)
class Question:
    """What is asked. `system` is cached on the server; `contract` and `task` are not.

    Attributes:
        max_output_tokens: most that the answer may have, thinking included.
        is_divisible: whether the contract's text could be asked about in smaller windows, if this one is too much.
    """

    model: str
    effort: Effort
    max_output_tokens: int
    system: str
    contract: str
    task: str
    is_divisible: bool = False

    @cached_property
    def digest(self) -> str:
        """The same for the same question: version of the prompt, model, effort, all words, the answer's shape."""
        content = [PROMPT_VERSION, self.model, self.effort, self.system, self.contract, self.task]
        return hashlib.sha256((json.dumps(content) + _schema()).encode()).hexdigest()

    @property
    def characters(self) -> int:
        """How long it is."""
        return len(self.system) + len(self.contract) + len(self.task)
