"""What tokens cost, on which day, and how an installation says otherwise."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from dealguard_analyzer.engines.claude.prices import Tariff, listed
from dealguard_api.pod import AnalyzeSettings
from dealguard_api.prices import PriceTable
from dealguard_api.report import Usage

TODAY = date(2026, 12, 1)


def tariff(model: str = "claude-sonnet-5-5", overrides: PriceTable | None = None, on: date = TODAY) -> Tariff:
    return Tariff.of(model, overrides, on)


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        ("claude-sonnet-5-5", Usage(input_tokens=1_000_000), "2"),
        ("claude-sonnet-5-5", Usage(output_tokens=1_000_000), "10"),
        ("claude-sonnet-5-5", Usage(cache_write_tokens=1_000_000), "2.5"),
        ("claude-sonnet-5-5", Usage(cache_read_tokens=1_000_000), "0.2"),
        ("claude-haiku-5-5", Usage(input_tokens=100_000, output_tokens=1_000), "0.0105"),  # lower tier, just
        ("claude-haiku-5-5", Usage(input_tokens=100_001), "0.050001"),  # upper tier, the whole request
        ("claude-haiku-5-5", Usage(input_tokens=60_000, cache_read_tokens=60_000), "0.033"),  # cached tokens count
        ("claude-sonnet-5-5", Usage(), "0"),
        ("a-model-without-a-price", Usage(input_tokens=5), None),  # not "0": it was not free
        ("a-model-without-a-price", Usage(), "0"),
    ],
)
def test_cost(model: str, usage: Usage, cost: str | None) -> None:
    assert tariff(model).with_cost(usage).cost_usd == cost


def test_costs_add_up() -> None:
    one = tariff().with_cost(Usage(input_tokens=1234, output_tokens=567))
    assert Decimal((one + one).cost_usd or 0) == 2 * Decimal(one.cost_usd or 0)


def test_what_a_budget_buys() -> None:
    # 1,000 input tokens written to the cache cost 0.0025 USD; 0.0975 USD buy 9,750 output tokens.
    assert tariff().worst_cost(1_000, 9_750) == Decimal("0.1")
    assert tariff().affordable_output_tokens(1_000, Decimal("0.10")) == 9_750
    short = tariff().affordable_output_tokens(1_000_000, Decimal("0.10"))
    assert short is not None and short < 0
    assert tariff("a-model-without-a-price").affordable_output_tokens(1_000, Decimal(1)) is None
    assert tariff("a-model-without-a-price").worst_cost(1_000, 0) is None


def test_the_default_model_has_a_price() -> None:
    assert tariff(AnalyzeSettings().model).is_known
    assert set(listed().root) == {"claude-sonnet-5-5", "claude-haiku-5-5"}
    assert not tariff("a-model-without-a-price").is_known
    assert tariff("a-model-without-a-price").context_tokens == 200_000


def price(since: str, usd: str, max_input_tokens: int | None = None) -> dict[str, Any]:
    tier = {"maxInputTokens": max_input_tokens} if max_input_tokens else {}
    return {"since": since, **tier, "input": usd, "output": usd, "cacheWrite": usd, "cacheRead": usd}


def table(*prices: dict[str, Any], model: str = "m") -> PriceTable:
    return PriceTable.model_validate({model: {"contextTokens": 1_000, "prices": list(prices)}})


DATED = table(price("2026-01-01", "1"), price("2026-06-01", "2", 100), price("2026-06-01", "3"))


@pytest.mark.parametrize(
    ("why", "on", "tokens", "usd"),
    [
        ("before the first price", date(2025, 12, 31), 5, None),
        ("on its first day", date(2026, 1, 1), 5, "1"),
        ("on its last day", date(2026, 5, 31), 500, "1"),
        ("a later price replaces all tiers", date(2026, 6, 1), 100, "2"),
        ("the upper tier", date(2026, 6, 1), 101, "3"),
    ],
)
def test_a_price_holds_from_its_day_on(why: str, on: date, tokens: int, usd: str | None) -> None:
    found = DATED.root["m"].price(tokens, on)
    assert (found and str(found.input)) == usd, why


def test_an_installation_replaces_models_and_keeps_the_others() -> None:
    overrides = table(price("2026-01-01", "7"), model="claude-sonnet-5-5")
    assert tariff(overrides=overrides).with_cost(Usage(input_tokens=1_000_000)).cost_usd == "7"
    assert tariff(overrides=overrides).context_tokens == 1_000
    assert tariff("claude-haiku-5-5", overrides).is_known


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("not JSON", "{"),
        ("not a table", "[1]"),
        ("a misspelled field", '{"m": {"contextTokens": 1, "price": []}}'),
        ("a model without a name", '{" ": {"contextTokens": 1}}'),
        ("a window of no tokens", '{"m": {"contextTokens": 0}}'),
    ],
)
def test_a_table_that_is_none_is_refused(why: str, text: str) -> None:
    with pytest.raises(ValidationError):
        PriceTable.model_validate(text)


@pytest.mark.parametrize(
    ("why", "prices"),
    [
        ("no tier for long requests", [price("2026-01-01", "1", 100)]),
        ("two prices for the same size", [price("2026-01-01", "1"), price("2026-01-01", "2")]),
        ("the same limit twice", [price("2026-01-01", "1", 9), price("2026-01-01", "2", 9), price("2026-01-01", "3")]),
        ("less than nothing", [price("2026-01-01", "-1")]),
        ("no day", [price("soon", "1")]),
    ],
)
def test_prices_that_leave_a_doubt_are_refused(why: str, prices: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        table(*prices)


def test_a_table_travels_through_the_environment() -> None:
    sent = AnalyzeSettings(prices=DATED, max_input_tokens=50_000, effort="high")
    assert AnalyzeSettings.from_environment(sent.to_environment()) == sent
