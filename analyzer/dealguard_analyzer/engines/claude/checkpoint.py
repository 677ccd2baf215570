"""What a run has paid for so far, kept between its attempts: the answer to each finished question, and the bill."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from dealguard_analyzer.engines import CheckpointStore
from dealguard_analyzer.engines.claude.account import Account
from dealguard_analyzer.engines.claude.answer import Answer
from dealguard_analyzer.engines.claude.question import Question
from dealguard_api.report import Usage


class _Stored(BaseModel):
    """The stored form. `answers` is by the question's digest; None: its answer is too long, it has to be divided."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    version: Literal[1] = 1
    usage: Usage = Usage()
    answers: dict[str, Answer | None] = {}


class Checkpoint:
    """The finished questions of a run.

    What is stored is used only for the very same question (the digest covers the prompt's version, the model and every
    word), and is validated like an answer of the API.
    """

    def __init__(self, store: CheckpointStore, account: Account) -> None:
        self._store = store
        self._account = account
        self._answers: dict[str, Answer | None] = {}

    def load(self) -> None:
        """Takes over what earlier attempts left; what cannot be read counts as nothing."""
        data = self._store.load()
        try:
            stored = _Stored.model_validate_json(data) if data is not None else _Stored()
        except ValidationError:
            return
        self._answers = stored.answers
        self._account.carry_over(stored.usage)

    def has(self, question: Question) -> bool:
        """Whether it was asked before."""
        return question.digest in self._answers

    def answer(self, question: Question) -> Answer | None:
        """Its answer; None if it is known to be too much for one request."""
        return self._answers[question.digest]

    def keep(self, question: Question, answer: Answer | None) -> None:
        """Adds an answer, or that there is none, and stores everything."""
        self._answers[question.digest] = answer
        self.save()

    def save(self) -> None:
        """Stores the answers and the bill."""
        stored = _Stored(usage=self._account.total, answers=self._answers)
        self._store.save(stored.model_dump_json(by_alias=True).encode(errors="replace"))
