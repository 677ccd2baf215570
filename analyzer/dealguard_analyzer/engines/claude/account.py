"""What an analysis has spent and may still spend, over all its windows and all attempts of its run."""

from collections.abc import Callable
from decimal import Decimal

from dealguard_analyzer.engines.claude.prices import Tariff
from dealguard_analyzer.errors import EngineRefusedError
from dealguard_api.exit_codes import ExitCode
from dealguard_api.report import Usage

# Fewer output tokens than this do not hold a report.
LEAST_OUTPUT_TOKENS = 4_000


class Account:
    """The books.

    Args:
        tariff: what tokens cost.
        max_cost_usd: most that the run may cost; None: no limit.
        on_usage: told what this attempt used so far, whenever it grows.
    """

    def __init__(self, tariff: Tariff, max_cost_usd: Decimal | None, on_usage: Callable[[Usage], None]) -> None:
        self._tariff = tariff
        self._max_cost_usd = max_cost_usd
        self._on_usage = on_usage
        self._earlier = Usage()
        self.own = Usage()

    @property
    def total(self) -> Usage:
        """What all attempts of the run used, as far as this one knows."""
        return self._earlier + self.own

    @property
    def has_limit(self) -> bool:
        """Whether requests have to be counted before they are made."""
        return self._max_cost_usd is not None

    def carry_over(self, usage: Usage) -> None:
        """Takes over what earlier attempts used."""
        self._earlier = usage

    def preview(self, usage: Usage) -> None:
        """Tells of what a request under way is billed already."""
        self._on_usage(self.own + self._tariff.with_cost(usage))

    def book(self, usage: Usage) -> None:
        """Adds what a request used in the end."""
        self.own += self._tariff.with_cost(usage)
        self._on_usage(self.own)

    def check_price(self) -> None:
        """Raises EngineRefusedError where there is a limit and no price to keep it by."""
        if self._max_cost_usd is not None and not self._tariff.is_known:
            raise EngineRefusedError(
                ExitCode.COST_LIMIT_EXCEEDED,
                f"The price of {self._tariff.model} is not known, so spec.maxCostUSD cannot be kept: the price"
                " table needs it, see docs/claude.md.",
                self.own,
            )

    def output_tokens(self, input_tokens: int, wanted: int, later_inputs: list[int]) -> int:
        """How many output tokens the next request may use: `wanted`, or what the limit leaves.

        Args:
            input_tokens: of the next request.
            wanted: most that it needs.
            later_inputs: input tokens of the requests after it; the least for them is kept back, so that no window is
                paid for whose report is never finished.

        Raises:
            EngineRefusedError: the limit does not pay for an answer.
        """
        if self._max_cost_usd is None:
            return wanted
        left = self._max_cost_usd - (self.total.cost or Decimal())
        for later in later_inputs:
            left -= self._tariff.worst_cost(later, LEAST_OUTPUT_TOKENS) or Decimal()
        affordable = self._tariff.affordable_output_tokens(input_tokens, left)
        if affordable is None or affordable < min(LEAST_OUTPUT_TOKENS, wanted):
            raise EngineRefusedError(
                ExitCode.COST_LIMIT_EXCEEDED, self._too_little(input_tokens, later_inputs), self.own
            )
        return min(wanted, affordable)

    def _too_little(self, input_tokens: int, later_inputs: list[int]) -> str:
        spent = f" after {self.total.cost_usd} USD for what was asked before" if self.total.cost else ""
        parts = f" in {len(later_inputs) + 1} requests" if later_inputs else ""
        tokens = input_tokens + sum(later_inputs)
        return (
            f"spec.maxCostUSD ({self._max_cost_usd}) does not pay for {tokens} input tokens{parts} and a report{spent}."
        )
