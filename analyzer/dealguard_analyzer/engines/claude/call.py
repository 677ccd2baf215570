"""One question to the API: streamed, bounded by the deadline and the budget, retried, and paid for.

The SDK's own retries are off: they know no deadline and honour any `retry-after`.
"""

import contextlib
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import ValidationError

from dealguard_analyzer.engines.claude.answer import Answer
from dealguard_analyzer.engines.claude.prices import affordable_output_tokens, context_tokens, with_cost
from dealguard_analyzer.errors import AnalysisError, EngineRefusedError, PassingError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.report import Usage

# ANTHROPIC_LOG=debug writes request bodies, so contracts, to the log.
os.environ.pop("ANTHROPIC_LOG", None)
import anthropic
import httpx2

from dealguard_analyzer.engines.claude.failures import classify, retry_after_seconds

for _name in ("anthropic", "httpx2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

Effort = Literal["low", "medium", "high", "xhigh", "max"]

# The API pings while it works; silence for this long means that the connection is dead.
_READ_TIMEOUT_SECONDS = 120.0
_CONNECT_TIMEOUT_SECONDS = 10.0
_MAX_UNAVAILABLE_RETRIES = 4
# A bad answer is paid for: one more try here, then the Job decides.
_MAX_INVALID_RETRIES = 1
_FIRST_WAIT_SECONDS = 1.0
# Fewer output tokens than this do not hold a report.
_LEAST_OUTPUT_TOKENS = 4_000
# Characters of contract per token, so low that a guess errs on the long side.
_LEAST_CHARACTERS_PER_TOKEN = 2.0
# Characters of answer per token, where a cut stream left no count.
_ANSWER_CHARACTERS_PER_TOKEN = 3


@dataclass(frozen=True)
class Question:
    """What is asked. `system` is cached on the server; `contract` and `task` are not."""

    model: str
    effort: Effort
    max_output_tokens: int
    system: str
    contract: str
    task: str


@dataclass(frozen=True)
class Limits:
    """What the call may use up. `deadline` is absolute; None: no limit."""

    deadline: datetime | None
    max_cost_usd: Decimal | None

    def seconds_left(self) -> float:
        """Until the deadline; infinite without one."""
        return float("inf") if self.deadline is None else (self.deadline - datetime.now(UTC)).total_seconds()


@dataclass(frozen=True)
class Connection:
    """Where and as whom. `secret` names the Secret with the key, for messages."""

    api_key: str
    base_url: str | None
    secret: str | None


@dataclass(frozen=True)
class Listeners:
    """Who is told what while the answer arrives.

    Attributes:
        on_characters: the number of characters received in this attempt.
        on_usage: what all attempts used so far.
    """

    on_characters: Callable[[int], None]
    on_usage: Callable[[Usage], None]


def ask(question: Question, connection: Connection, limits: Limits, listeners: Listeners) -> tuple[Answer, Usage]:
    """The model's answer, and what all attempts together used.

    Raises:
        AnalysisError: no valid answer within the deadline and the budget; carries the usage of all attempts.
    """
    with anthropic.Anthropic(
        api_key=connection.api_key, base_url=connection.base_url, max_retries=0, open_telemetry=False
    ) as client:
        return _Caller(client, question, connection, limits, listeners).ask()


class _Caller:
    """The attempts of one question."""

    def __init__(
        self,
        client: anthropic.Anthropic,
        question: Question,
        connection: Connection,
        limits: Limits,
        listeners: Listeners,
    ) -> None:
        self._client = client
        self._question = question
        self._connection = connection
        self._limits = limits
        self._listeners = listeners
        self._spent = Usage()

    def ask(self) -> tuple[Answer, Usage]:
        """Retries what passes; gives up on what is permanent, at the deadline, or after the last retry."""
        unavailable = invalid = 0
        input_tokens: int | None = None
        while True:
            self._check_deadline()
            try:
                input_tokens = self._count_input() if input_tokens is None else input_tokens
                return self._attempt(self._within_budget(input_tokens)), self._spent
            except AnalysisError as error:
                failure, wait = error, None
            except (anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError, ValueError, RuntimeError) as error:
                failure = classify(error, self._question.model, self._connection.secret, self._spent)
                wait = retry_after_seconds(error)
            self._check_deadline()  # what broke because time was up is no fault of the API
            if failure.exit_code == ExitCode.ENGINE_UNAVAILABLE and unavailable < _MAX_UNAVAILABLE_RETRIES:
                unavailable += 1
            elif failure.exit_code == ExitCode.ENGINE_OUTPUT_INVALID and invalid < _MAX_INVALID_RETRIES:
                invalid += 1
            else:
                raise failure from None  # the cause may quote the request or the answer
            self._wait(wait, unavailable + invalid, failure)

    def _check_deadline(self) -> None:
        if self._limits.seconds_left() <= 0:
            raise PassingError(ExitCode.DEADLINE_EXCEEDED, None, self._spent)

    def _wait(self, retry_after: float | None, attempt: int, failure: AnalysisError) -> None:
        """Waits as long as the server asks, else twice as long each time; not beyond the deadline."""
        seconds = retry_after if retry_after is not None else _FIRST_WAIT_SECONDS * 2 ** (attempt - 1)
        seconds += random.uniform(0, 0.25) * seconds  # noqa: S311 - jitter, so that analyses do not return together
        if seconds >= self._limits.seconds_left():
            raise failure
        time.sleep(seconds)

    def _count_input(self) -> int:
        """Input tokens: the API's count where a limit depends on it, else an upper estimate.

        Raises:
            EngineRefusedError: the contract does not fit into the model's context window. (Contracts in windows would
                begin here.)
        """
        question = self._question
        room = context_tokens(question.model) - question.max_output_tokens
        characters = len(question.system) + len(question.contract) + len(question.task)
        tokens = int(characters / _LEAST_CHARACTERS_PER_TOKEN)
        if tokens > room or self._limits.max_cost_usd is not None:
            tokens = self._client.messages.count_tokens(
                model=question.model, timeout=self._timeout(), **self._input()
            ).input_tokens
        if tokens > room:
            raise EngineRefusedError(
                ExitCode.CONTRACT_TOO_LONG,
                f"The contract has {tokens} tokens; {question.model} reads {room} in one request.",
                self._spent,
            )
        return tokens

    def _within_budget(self, input_tokens: int) -> Question:
        """The question with as much room for the answer as the budget leaves.

        Raises:
            EngineRefusedError: the budget does not pay for an answer.
        """
        if self._limits.max_cost_usd is None:
            return self._question
        left = self._limits.max_cost_usd - Decimal(self._spent.cost_usd)
        affordable = affordable_output_tokens(self._question.model, input_tokens, left)
        if affordable is None:
            raise EngineRefusedError(
                ExitCode.COST_LIMIT_EXCEEDED,
                f"The price of {self._question.model} is not known to this version, so spec.maxCostUSD cannot be kept.",
                self._spent,
            )
        if affordable < _LEAST_OUTPUT_TOKENS:
            spent = f" after {self._spent.cost_usd} USD for failed attempts" if Decimal(self._spent.cost_usd) else ""
            raise EngineRefusedError(
                ExitCode.COST_LIMIT_EXCEEDED,
                f"spec.maxCostUSD ({self._limits.max_cost_usd}) does not pay for {input_tokens} input tokens"
                f" and a report{spent}.",
                self._spent,
            )
        return replace(self._question, max_output_tokens=min(self._question.max_output_tokens, affordable))

    def _input(self) -> dict[str, Any]:
        """The parts of the request that are input."""
        question = self._question
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
                "format": {"type": "json_schema", "schema": anthropic.transform_schema(Answer)},
            },
        }

    def _timeout(self) -> httpx2.Timeout:
        left = max(0.1, self._limits.seconds_left())
        return httpx2.Timeout(min(_READ_TIMEOUT_SECONDS, left), connect=min(_CONNECT_TIMEOUT_SECONDS, left))

    def _attempt(self, question: Question) -> Answer:
        """One request. What it used is added to what was spent, however it ends."""
        meter = _Meter()
        try:
            with (
                self._client.messages.stream(
                    model=question.model,
                    max_tokens=question.max_output_tokens,
                    timeout=self._timeout(),
                    **self._input(),
                ) as stream,
                _cut_at_deadline(stream.response, self._limits.seconds_left()),
            ):
                for event in stream:
                    meter.read(event)
                    self._tell(event.type, meter)
                message = stream.get_final_message()
        finally:
            self._spent += with_cost(question.model, meter.usage())
            self._listeners.on_usage(self._spent)
        self._check_stop(message.stop_reason)
        text = "".join(block.text for block in message.content if block.type == "text")
        try:
            return Answer.model_validate_json(text)
        except ValidationError:
            raise PassingError(
                ExitCode.ENGINE_OUTPUT_INVALID, "The model's answer did not have the agreed form.", self._spent
            ) from None

    def _tell(self, event_type: str, meter: "_Meter") -> None:
        """Passes on what an event brought."""
        if event_type == "text":
            self._listeners.on_characters(meter.characters)
        elif event_type == "message_start":  # from here on the input is billed, whatever happens
            self._listeners.on_usage(self._spent + with_cost(self._question.model, meter.usage()))

    def _check_stop(self, reason: str | None) -> None:
        """Raises unless the model finished what it had to say."""
        if reason == "end_turn":
            return
        if reason == "refusal":
            raise EngineRefusedError(ExitCode.MODEL_REFUSED, None, self._spent)
        if reason == "model_context_window_exceeded":
            raise EngineRefusedError(ExitCode.CONTRACT_TOO_LONG, None, self._spent)
        detail = {
            "max_tokens": "The model's answer was longer than the limit on output tokens.",
            None: "The answer was cut off before its end.",
        }.get(reason, "The model stopped before its answer was complete.")
        raise PassingError(ExitCode.ENGINE_OUTPUT_INVALID, detail, self._spent)


class _Meter:
    """Counts what one request uses, from the stream's own events."""

    def __init__(self) -> None:
        self.characters = 0
        self._counts: dict[str, int] = {}
        self._finished = False

    def read(self, event: Any) -> None:  # the SDK's events are a union of some twenty types
        """Takes note of an event."""
        if event.type == "text":
            self.characters += len(event.text)
        elif event.type == "message_start":
            self._update(event.message.usage)
        elif event.type == "message_delta":
            self._update(event.usage)
            self._finished = True

    def _update(self, usage: Any) -> None:
        """Counts are cumulative; a later one replaces an earlier one."""
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
            if (value := getattr(usage, name, None)) is not None:
                self._counts[name] = value

    def usage(self) -> Usage:
        """What the API counted; where the stream broke off, the output is estimated by what arrived."""
        output_tokens = self._counts.get("output_tokens", 0)
        if not self._finished:
            output_tokens = max(output_tokens, self.characters // _ANSWER_CHARACTERS_PER_TOKEN)
        return Usage(
            input_tokens=self._counts.get("input_tokens", 0),
            output_tokens=output_tokens,
            cache_read_tokens=self._counts.get("cache_read_input_tokens", 0),
            cache_write_tokens=self._counts.get("cache_creation_input_tokens", 0),
        )


@contextlib.contextmanager
def _cut_at_deadline(response: httpx2.Response, seconds: float) -> Iterator[None]:
    """Shuts the response's connection down when time is up: read timeouts do not end a stream that drips."""
    stream = response.extensions.get("network_stream")
    if seconds == float("inf") or stream is None:
        yield
        return
    timer = threading.Timer(max(0.0, seconds), _shut_down, [stream.get_extra_info("socket")])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(connection: socket.socket | None) -> None:
    with contextlib.suppress(OSError):
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
