"""What tokens cost, as data: list prices in USD per million tokens, from a date on, by the request's input size."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from typing import Final

from dealguard_api.report import Usage

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Price:
    """USD per million tokens.

    Attributes:
        since: first day of this price.
        max_input_tokens: largest request input, cached tokens included, that this price holds for; None: any.
    """

    since: date
    max_input_tokens: int | None
    input: Decimal
    output: Decimal
    cache_write: Decimal
    cache_read: Decimal


@dataclass(frozen=True)
class ModelTerms:
    """A model's context window in tokens and its prices, tiers in ascending size."""

    context_tokens: int
    prices: tuple[Price, ...]


def _price(since: date, max_input_tokens: int | None, *usd: str) -> Price:
    return Price(since, max_input_tokens, *map(Decimal, usd))


_LISTED = date(2026, 11, 1)  # when these were taken from the provider's price list

MODELS: Final = {
    "claude-sonnet-5-5": ModelTerms(1_000_000, (_price(_LISTED, None, "2", "10", "2.50", "0.20"),)),
    "claude-haiku-5-5": ModelTerms(
        1_000_000,
        (
            _price(_LISTED, 100_000, "0.10", "0.50", "0.125", "0.01"),
            _price(_LISTED, None, "0.50", "2.50", "0.625", "0.05"),
        ),
    ),
}
# A model that is not listed: the smallest window of the current models, so that no request is sent in vain.
UNKNOWN_CONTEXT_TOKENS: Final = 200_000


def context_tokens(model: str) -> int:
    """How many tokens the model reads and writes in one request."""
    return MODELS[model].context_tokens if model in MODELS else UNKNOWN_CONTEXT_TOKENS


def price_of(model: str, input_tokens: int) -> Price | None:
    """The price for a request with `input_tokens` of input; None if the model is not listed."""
    if model not in MODELS:
        return None
    return next(
        price
        for price in MODELS[model].prices
        if price.max_input_tokens is None or input_tokens <= price.max_input_tokens
    )


def with_cost(model: str, usage: Usage) -> Usage:
    """`usage` of one request with its cost; unchanged if the model's price is unknown."""
    price = price_of(model, usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens)
    if price is None:
        return usage
    cost = (
        usage.input_tokens * price.input
        + usage.output_tokens * price.output
        + usage.cache_write_tokens * price.cache_write
        + usage.cache_read_tokens * price.cache_read
    ) / _MILLION
    return usage.model_copy(update={"cost_usd": format(cost.quantize(Decimal("0.000001"), ROUND_UP).normalize(), "f")})


def affordable_output_tokens(model: str, input_tokens: int, budget_usd: Decimal) -> int | None:
    """How many output tokens `budget_usd` pays for after the input, all of it written to the cache.

    Returns:
        The number, negative if the input alone costs more; None if the model's price is unknown.
    """
    price = price_of(model, input_tokens)
    if price is None:
        return None
    left = budget_usd - input_tokens * max(price.input, price.cache_write) / _MILLION
    return int(left * _MILLION / price.output)
