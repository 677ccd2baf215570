"""What is measured, and how: the definitions behind `make evaluate` (docs/evaluation.md explains them)."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

ItemT = TypeVar("ItemT")

_RESAMPLES = 1000
_SEED = 20261101


@dataclass
class Counts:
    """Right, wrong and missed decisions."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, wanted: bool, found: bool) -> None:
        """Count one decision."""
        self.right += wanted and found
        self.wrong += found and not wanted
        self.missed += wanted and not found

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where nothing is right."""
        return f1(self.right, self.wrong, self.missed)


def f1(right: int, wrong: int, missed: int) -> float:
    """2 · right / (2 · right + wrong + missed); 0 where there is nothing."""
    return 2 * right / (2 * right + wrong + missed) if right else 0.0


def share(right: int, of: int) -> float:
    """Right answers of all; 0 of none."""
    return right / of if of else 0.0


@dataclass(frozen=True)
class ContractScore:
    """One contract's decisions.

    Attributes:
        wanted: categories that lawyers marked.
        found: categories that the report has clauses of.
        page_right: of the categories in both, whether the first clause begins or ends on a marked page.
        passages: of each category, (marked passages, of these covered, quotes, of these on a marked passage).
        governing_law: whether the law is right; None where lawyers named none.
        agreement_date: whether the date is right; None where lawyers named none.
    """

    wanted: frozenset[str]
    found: frozenset[str]
    page_right: dict[str, bool]
    passages: dict[str, tuple[int, int, int, int]]
    governing_law: bool | None
    agreement_date: bool | None


@dataclass(frozen=True)
class ClauseScore:
    """One clause's decisions."""

    contract: str
    wanted: frozenset[str]
    found: frozenset[str]
    void: bool
    called_void: bool


def presence(contracts: Iterable[ContractScore], category: str) -> Counts:
    """Contracts that have the category, against those in which it was found."""
    counts = Counts()
    for contract in contracts:
        counts.add(category in contract.wanted, category in contract.found)
    return counts


def micro_f1(items: Sequence[ContractScore] | Sequence[ClauseScore]) -> float:
    """Over all pairs: (contract, category) or (clause, topic)."""
    return f1(
        sum(len(item.wanted & item.found) for item in items),
        sum(len(item.found - item.wanted) for item in items),
        sum(len(item.wanted - item.found) for item in items),
    )


def presence_macro_f1(contracts: Sequence[ContractScore]) -> float:
    """Mean of the F1 of every category that lawyers marked in at least one of the contracts."""
    marked = sorted({category for contract in contracts for category in contract.wanted})
    values = [presence(contracts, category).f1 for category in marked]
    return sum(values) / len(values) if values else 0.0


def coverage_f1(contracts: Sequence[ContractScore], category: str | None = None) -> float:
    """Harmonic mean of the share of marked passages that are covered and the share of quotes that cover one."""
    rows = [
        counts
        for contract in contracts
        for name, counts in contract.passages.items()
        if category is None or name == category
    ]
    marked, covered, quotes, hits = (sum(column) for column in zip(*rows, strict=True)) if rows else (0, 0, 0, 0)
    recall, precision = share(covered, marked), share(hits, quotes)
    return 2 * recall * precision / (recall + precision) if recall and precision else 0.0


def page_accuracy(contracts: Sequence[ContractScore]) -> float:
    """Of the categories that were rightly found, the share whose first clause stands on a marked page."""
    answers = [right for contract in contracts for right in contract.page_right.values()]
    return share(sum(answers), len(answers))


def governing_law_accuracy(contracts: Sequence[ContractScore]) -> float:
    """Of the contracts whose law lawyers named, the share with the same jurisdictions."""
    answers = [contract.governing_law for contract in contracts if contract.governing_law is not None]
    return share(sum(answers), len(answers))


def agreement_date_accuracy(contracts: Sequence[ContractScore]) -> float:
    """Of the contracts whose date lawyers named, the share with the same day."""
    answers = [contract.agreement_date for contract in contracts if contract.agreement_date is not None]
    return share(sum(answers), len(answers))


def agb_void_f1(clauses: Sequence[ClauseScore]) -> float:
    """Clauses that a lawyer judged void, against those called void."""
    counts = Counts()
    for clause in clauses:
        counts.add(clause.void, clause.called_void)
    return counts.f1


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Figure:
    """One figure of the table: its name in the JSON, and how it is computed."""

    name: str
    of: Callable[[Sequence[ContractScore]], float] = field(repr=False)


CONTRACT_FIGURES = (
    Figure("presence_micro_f1", micro_f1),
    Figure("presence_macro_f1", presence_macro_f1),
    Figure("coverage_f1", coverage_f1),
    Figure("page_accuracy", page_accuracy),
    Figure("governing_law_accuracy", governing_law_accuracy),
    Figure("agreement_date_accuracy", agreement_date_accuracy),
)


def with_interval(groups: Sequence[Sequence[ItemT]], figure: Callable[[Sequence[ItemT]], float]) -> Interval:
    """The figure over all items, and its interval from resampling the groups (contracts) with replacement.

    The generator's seed is fixed: the same input gives the same interval.
    """
    chance = random.Random(_SEED)  # noqa: S311 - a bootstrap, no secret
    values = sorted(
        figure([item for group in chance.choices(groups, k=len(groups)) for item in group]) for _ in range(_RESAMPLES)
    )
    value = figure([item for group in groups for item in group])
    return Interval(value, values[int(0.025 * _RESAMPLES)], values[int(0.975 * _RESAMPLES) - 1])
