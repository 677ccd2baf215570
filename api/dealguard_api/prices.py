"""What a model's tokens cost: the shape of a price table, and how a price is found in it.

What belongs here: the rules of a table, which operator and analyzer both check. What never does: prices; those are data
(`engines/claude/prices.json` of the analyzer, and what an installation sets over it).
"""

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, RootModel, field_validator, model_validator

from dealguard_api.base import WireModel

UsdPerMillionTokens = Annotated[Decimal, Field(ge=0, le=10_000, max_digits=12)]


class Price(WireModel):
    """USD per million tokens, from a day on, for requests up to a size."""

    # A misspelled field would leave a price out; what a person wrote is refused instead.
    model_config = ConfigDict(extra="forbid")

    since: Annotated[date, Field(description="The first day of this price (UTC).")]
    max_input_tokens: Annotated[
        int | None, Field(gt=0, description="Largest input of a request, cached tokens included; unset: any.")
    ] = None
    input: UsdPerMillionTokens
    output: UsdPerMillionTokens
    cache_write: UsdPerMillionTokens
    cache_read: UsdPerMillionTokens


class ModelTerms(WireModel):
    """What one model reads, and for how much."""

    model_config = ConfigDict(extra="forbid")

    context_tokens: Annotated[int, Field(gt=0, description="Tokens of input and output together in one request.")]
    prices: Annotated[list[Price], Field(description="One a tier; a later day's tiers replace all earlier ones.")] = []

    @model_validator(mode="after")
    def _every_size_has_one_price(self) -> Self:
        for day in {price.since for price in self.prices}:
            tiers = [price.max_input_tokens for price in self.prices if price.since == day]
            if len(set(tiers)) != len(tiers) or tiers.count(None) != 1:
                raise ValueError(f"the prices since {day} need exactly one without maxInputTokens, and no size twice")
        return self

    def price(self, input_tokens: int, on: date) -> Price | None:
        """The price on a day of a request with so much input; None if there was none yet."""
        day = max((price.since for price in self.prices if price.since <= on), default=None)
        tiers = [price for price in self.prices if price.since == day]
        fitting = [price for price in tiers if price.max_input_tokens is None or input_tokens <= price.max_input_tokens]
        return min(fitting, key=lambda price: price.max_input_tokens or float("inf"), default=None)


class PriceTable(RootModel[dict[str, ModelTerms]]):
    """Terms by the model's name, as the API spells it. Also read from a JSON text, which an environment variable is."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _parse_json(cls, value: Any) -> Any:
        try:
            return json.loads(value) if isinstance(value, str | bytes) else value
        except ValueError:
            raise ValueError("must be JSON, as docs/claude.md shows") from None

    @field_validator("root")
    @classmethod
    def _names_are_names(cls, value: dict[str, ModelTerms]) -> dict[str, ModelTerms]:
        if any(not name.strip() for name in value):
            raise ValueError("a model needs a name")
        return value

    def terms(self, model: str) -> ModelTerms | None:
        """What is known of a model; None if it is not listed."""
        return self.root.get(model)

    def updated(self, other: "PriceTable | None") -> "PriceTable":
        """This table with the models of `other` in place of its own."""
        return self if other is None else PriceTable({**self.root, **other.root})
