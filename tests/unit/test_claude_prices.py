"""What tokens cost."""

from decimal import Decimal

import pytest

from dealguard_analyzer.engines.claude.prices import MODELS, affordable_output_tokens, price_of, with_cost
from dealguard_api.pod import AnalyzeSettings
from dealguard_api.report import Usage


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
        ("a-model-without-a-price", Usage(input_tokens=5), "0"),
    ],
)
def test_cost(model: str, usage: Usage, cost: str) -> None:
    assert with_cost(model, usage).cost_usd == cost


def test_costs_add_up() -> None:
    one = with_cost("claude-sonnet-5-5", Usage(input_tokens=1234, output_tokens=567))
    assert Decimal((one + one).cost_usd) == 2 * Decimal(one.cost_usd)


def test_what_a_budget_buys() -> None:
    # 1,000 input tokens written to the cache cost 0.0025 USD; 0.0975 USD buy 9,750 output tokens.
    assert affordable_output_tokens("claude-sonnet-5-5", 1_000, Decimal("0.10")) == 9_750
    short = affordable_output_tokens("claude-sonnet-5-5", 1_000_000, Decimal("0.10"))
    assert short is not None and short < 0
    assert affordable_output_tokens("a-model-without-a-price", 1_000, Decimal(1)) is None


def test_the_default_model_has_a_price() -> None:
    assert AnalyzeSettings().model in MODELS
    assert price_of(AnalyzeSettings().model, 0) is not None


def test_tiers_ascend_and_end_without_a_limit() -> None:
    for terms in MODELS.values():
        limits = [price.max_input_tokens for price in terms.prices]
        assert limits[-1] is None
        assert limits[:-1] == sorted(limit for limit in limits[:-1] if limit is not None)
