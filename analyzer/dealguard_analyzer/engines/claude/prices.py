"""What a request costs. The prices are data: `prices.json`, and what an installation sets over it."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from importlib import resources
from typing import Final

from dealguard_api.prices import ModelTerms, PriceTable
from dealguard_api.report import Usage

_MILLION = Decimal(1_000_000)
_CENTS: Final = Decimal("0.000001")  # as fine as a report's cost

# A model that is not listed: the smallest window of the current models, so that no request is sent in vain.
_UNKNOWN = ModelTerms(context_tokens=200_000)


def listed() -> PriceTable:
    """The prices that this version knows."""
    return PriceTable.model_validate_json(resources.files(__package__).joinpath("prices.json").read_bytes())


@dataclass(frozen=True)
class Tariff:
    """One model's terms on one day.

    Args:
        model: its name, for messages.
        terms: as the price table has them.
        on: the day (UTC).
    """

    model: str
    terms: ModelTerms
    on: date

    @classmethod
    def of(cls, model: str, overrides: PriceTable | None, on: date) -> "Tariff":
        """The terms of `model` as the installation set them, else as they are listed, else none."""
        return cls(model, listed().updated(overrides).terms(model) or _UNKNOWN, on)

    @property
    def context_tokens(self) -> int:
        """How many tokens the model reads and writes in one request."""
        return self.terms.context_tokens

    @property
    def is_known(self) -> bool:
        """Whether the model has a price."""
        return self.terms.price(0, self.on) is not None

    def with_cost(self, usage: Usage) -> Usage:
        """`usage` of one request with its cost; the cost is unset if it used something and has no price."""
        price = self.terms.price(usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens, self.on)
        if price is None:
            return Usage.model_validate(usage.model_dump(exclude={"cost_usd"}))
        cost = (
            usage.input_tokens * price.input
            + usage.output_tokens * price.output
            + usage.cache_write_tokens * price.cache_write
            + usage.cache_read_tokens * price.cache_read
        ) / _MILLION
        return usage.model_copy(update={"cost_usd": format(cost.quantize(_CENTS, ROUND_UP).normalize(), "f")})

    def worst_cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        """The most in USD that a request can cost: all its input written to the cache; None without a price."""
        price = self.terms.price(input_tokens, self.on)
        if price is None:
            return None
        return (input_tokens * max(price.input, price.cache_write) + output_tokens * price.output) / _MILLION

    def affordable_output_tokens(self, input_tokens: int, budget_usd: Decimal) -> int | None:
        """How many output tokens `budget_usd` pays for after the input at its worst.

        Returns:
            The number, negative if the input alone costs more; None without a price.
        """
        price, cost_of_input = self.terms.price(input_tokens, self.on), self.worst_cost(input_tokens, 0)
        if price is None or cost_of_input is None:
            return None
        left = (budget_usd - cost_of_input) * _MILLION
        return int(left / price.output) if price.output else (10**9 if left >= 0 else -1)
