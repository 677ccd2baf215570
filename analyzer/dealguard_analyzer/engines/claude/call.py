"""The conversation with the API: each request streamed, bounded by the deadline and the budget, retried, and paid for.

The SDK's own retries are off: they know no deadline and honour any `retry-after`.
"""

import contextlib
import functools
import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from dealguard_analyzer.engines.claude.account import Account
from dealguard_analyzer.engines.claude.answer import Answer
from dealguard_analyzer.engines.claude.question import Question
from dealguard_analyzer.errors import AnalysisError, EngineRefusedError, PassingError
from dealguard_api.exit_codes import ExitCode

# ANTHROPIC_LOG=debug writes request bodies, so contracts, to the log.
os.environ.pop("ANTHROPIC_LOG", None)
import anthropic
import httpx2

from dealguard_analyzer.engines.claude.failures import MAX_RETRY_AFTER_SECONDS, classify, retry_after_seconds
from dealguard_analyzer.engines.claude.stream import Meter, cut_at_deadline

for _name in ("anthropic", "httpx2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

ResultT = TypeVar("ResultT")

# The API pings while it works; silence for this long means that the connection is dead.
_READ_TIMEOUT_SECONDS = 120.0
_CONNECT_TIMEOUT_SECONDS = 10.0
_MAX_UNAVAILABLE_RETRIES = 4
# A bad answer is paid for: one more try here, then the Job decides.
_MAX_INVALID_RETRIES = 1
FIRST_WAIT_SECONDS = 1.0


class TooMuchError(EngineRefusedError):
    """One request cannot hold this much contract, or its answer; smaller windows may."""


@dataclass(frozen=True)
class Connection:
    """Where and as whom, and how patiently.

    Attributes:
        api_key: goes into the request's header and nowhere else.
        base_url: of the API; None: the SDK's default.
        secret: "<namespace>/<name>" of the Secret with the key, for messages.
        first_wait_seconds: before the first retry where the server does not say; twice as long each time.
    """

    api_key: str
    base_url: str | None
    secret: str | None
    first_wait_seconds: float = FIRST_WAIT_SECONDS


@contextlib.contextmanager
def conversation(
    connection: Connection, deadline: datetime | None, account: Account, on_characters: Callable[[int], None]
) -> Iterator["Conversation"]:
    """A connection to the API for one analysis; see `Conversation`."""
    with anthropic.Anthropic(
        api_key=connection.api_key, base_url=connection.base_url, max_retries=0, open_telemetry=False
    ) as client:
        yield Conversation(client, connection, deadline, account, on_characters)


class Conversation:
    """Questions and answers of one analysis.

    Args:
        client: the SDK's client.
        connection: for messages.
        deadline: absolute time at which everything ends; None: no limit.
        account: pays.
        on_characters: told the number of characters of the present answer that have arrived.
    """

    def __init__(
        self,
        client: anthropic.Anthropic,
        connection: Connection,
        deadline: datetime | None,
        account: Account,
        on_characters: Callable[[int], None],
    ) -> None:
        self._client = client
        self._connection = connection
        self._deadline = deadline
        self._account = account
        self._on_characters = on_characters

    def count(self, question: Question) -> int:
        """The input tokens of `question`, as the API counts them; free of charge.

        Raises:
            AnalysisError: the API does not say within the deadline.
        """

        def count_once() -> int:
            return self._client.messages.count_tokens(
                model=question.model, timeout=self._timeout(), **_input(question)
            ).input_tokens

        return self._persist(question.model, count_once)

    def ask(self, question: Question, input_tokens: int, later_inputs: list[int]) -> Answer:
        """The model's answer.

        Args:
            question: what is asked.
            input_tokens: how many it has; looked at only where there is a budget.
            later_inputs: those of the questions that will follow, which the budget has to pay for as well.

        Raises:
            TooMuchError: the question, or its answer, is too long, and the question is divisible.
            AnalysisError: no valid answer within the deadline and the budget; carries the usage of this attempt.
        """

        def ask_once() -> Answer:
            # Before each try: one that failed has been paid for too.
            max_tokens = self._account.output_tokens(input_tokens, question.max_output_tokens, later_inputs)
            return self._ask_once(question, max_tokens)

        try:
            return self._persist(question.model, ask_once)
        except EngineRefusedError as error:
            if error.exit_code == ExitCode.CONTRACT_TOO_LONG and question.is_divisible:
                raise TooMuchError(error.exit_code, None, error.usage) from None
            raise

    def _persist(self, model: str, try_once: Callable[[], ResultT]) -> ResultT:
        """Retries what passes; gives up on what is permanent, at the deadline, or after the last retry."""
        unavailable = invalid = 0
        while True:
            self._check_deadline()
            try:
                return try_once()
            except AnalysisError as error:
                failure, retry_after = error, None
            except (anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError, ValueError, RuntimeError) as error:
                failure = classify(error, model, self._connection.secret, self._account.own)
                retry_after = retry_after_seconds(error)
            self._check_deadline()  # what broke because time was up is no fault of the API
            if failure.exit_code == ExitCode.ENGINE_UNAVAILABLE and unavailable < _MAX_UNAVAILABLE_RETRIES:
                unavailable += 1
            elif failure.exit_code == ExitCode.ENGINE_OUTPUT_INVALID and invalid < _MAX_INVALID_RETRIES:
                invalid += 1
            else:
                raise failure from None  # the cause may quote the request or the answer
            self._wait(retry_after, unavailable + invalid, failure)

    def _wait(self, retry_after: float | None, attempt: int, failure: AnalysisError) -> None:
        """Waits as long as the server asks, else twice as long each time; not beyond the deadline."""
        if retry_after is not None and retry_after > MAX_RETRY_AFTER_SECONDS:
            raise failure
        seconds = retry_after if retry_after is not None else self._connection.first_wait_seconds * 2 ** (attempt - 1)
        seconds += random.uniform(0, 0.25) * seconds  # noqa: S311 - jitter, so that analyses do not return together
        if seconds >= self._seconds_left():
            raise failure
        time.sleep(seconds)

    def _seconds_left(self) -> float:
        return float("inf") if self._deadline is None else (self._deadline - datetime.now(UTC)).total_seconds()

    def _check_deadline(self) -> None:
        if self._seconds_left() <= 0:
            raise PassingError(ExitCode.DEADLINE_EXCEEDED, None, self._account.own)

    def _timeout(self) -> httpx2.Timeout:
        left = max(0.1, self._seconds_left())
        return httpx2.Timeout(min(_READ_TIMEOUT_SECONDS, left), connect=min(_CONNECT_TIMEOUT_SECONDS, left))

    def _ask_once(self, question: Question, max_tokens: int) -> Answer:
        """One request. What it used is booked, however it ends."""
        meter = Meter()
        try:
            with (
                self._client.messages.stream(
                    model=question.model, max_tokens=max_tokens, timeout=self._timeout(), **_input(question)
                ) as stream,
                cut_at_deadline(stream.response, self._seconds_left()),
            ):
                for event in stream:
                    meter.read(event)
                    self._tell(event.type, meter)
                message = stream.get_final_message()
        finally:
            self._account.book(meter.usage())
        self._check_stop(message.stop_reason, question, max_tokens)
        text = "".join(block.text for block in message.content if block.type == "text")
        try:
            return Answer.model_validate_json(text)
        except ValidationError:
            raise self._bad_answer("The model's answer did not have the agreed form.") from None

    def _tell(self, event_type: str, meter: Meter) -> None:
        """Passes on what an event brought."""
        if event_type == "text":
            self._on_characters(meter.characters)
        elif event_type == "message_start":  # from here on the input is billed, whatever happens
            self._account.preview(meter.usage())

    def _check_stop(self, reason: str | None, question: Question, max_tokens: int) -> None:
        """Raises unless the model finished what it had to say."""
        if reason == "end_turn":
            return
        if reason == "refusal":
            raise EngineRefusedError(ExitCode.MODEL_REFUSED, None, self._account.own)
        if reason == "model_context_window_exceeded":
            raise EngineRefusedError(ExitCode.CONTRACT_TOO_LONG, None, self._account.own)
        if reason == "max_tokens":
            raise self._answer_too_long(question, max_tokens)
        cut = reason is None
        raise self._bad_answer(
            "The answer was cut off before its end." if cut else "The model stopped before its answer was complete."
        )

    def _answer_too_long(self, question: Question, max_tokens: int) -> AnalysisError:
        """What to do depends on who set the limit: the budget, or the installation."""
        if max_tokens < question.max_output_tokens:
            return EngineRefusedError(
                ExitCode.COST_LIMIT_EXCEEDED,
                f"The answer needs more than the {max_tokens} output tokens that spec.maxCostUSD leaves for it.",
                self._account.own,
            )
        if question.is_divisible:
            return TooMuchError(ExitCode.CONTRACT_TOO_LONG, None, self._account.own)
        return self._bad_answer("The model's answer was longer than the limit on output tokens.")

    def _bad_answer(self, detail: str) -> PassingError:
        return PassingError(ExitCode.ENGINE_OUTPUT_INVALID, detail, self._account.own)


@functools.cache
def _schema() -> dict[str, Any]:
    """The answer's shape as structured output takes it: closed objects, no bounds."""
    return anthropic.transform_schema(Answer)


def _input(question: Question) -> dict[str, Any]:
    """The parts of a request that are input. No tools: the model can do nothing but answer."""
    return {
        "system": [{"type": "text", "text": question.system, "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": question.contract}, {"type": "text", "text": question.task}],
            }
        ],
        "output_config": {
            "effort": question.effort,
            "format": {"type": "json_schema", "schema": _schema()},
        },
    }
