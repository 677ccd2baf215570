"""Which sentences belong to which category, by patterns.

What belongs here: the patterns as data (`english.py`, `german.py`), their search, and joining it with what was learnt
(`recognition`). What never does: judging a clause, that is `checks`; the model's arithmetic, that is `model`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dealguard_analyzer.engines.rules.negation import is_affirmed
from dealguard_analyzer.engines.rules.text import ContractText, Sentence


@dataclass(frozen=True)
class Pattern:
    """One way to recognise a clause, against a sentence's lower-case text.

    To be linear in the sentence's length, a pattern has at most one gap (`.{0,n}`); what may stand in any order goes
    into `require`.

    Attributes:
        anchor: regular expression that is searched in the whole text; the rare part.
        require: expressions that must all match the same sentence.
        forbid: expressions that must not.
        heading: expression that the section's heading must match.
        affirmed: a sentence that denies what the anchor names ('there is no non-compete') does not count.
    """

    anchor: str
    require: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    heading: str | None = None
    affirmed: bool = False


@dataclass(frozen=True)
class _Compiled:
    anchor: re.Pattern[str]
    require: tuple[re.Pattern[str], ...]
    forbid: tuple[re.Pattern[str], ...]
    heading: re.Pattern[str] | None
    affirmed: bool

    def matches(self, sentence: Sentence) -> bool:
        """Whether everything beside the anchor fits."""
        return (
            (self.heading is None or self.heading.search(sentence.heading) is not None)
            and all(pattern.search(sentence.lower) for pattern in self.require)
            and not any(pattern.search(sentence.lower) for pattern in self.forbid)
            and (not self.affirmed or is_affirmed(self.anchor, sentence.lower))
        )


Catalogue = Mapping[str, tuple[_Compiled, ...]]


def compile_catalogue(patterns: Mapping[str, Iterable[Pattern]]) -> Catalogue:
    """The patterns of each category, ready to search."""
    return {category: tuple(_compile(pattern) for pattern in group) for category, group in patterns.items()}


def _compile(pattern: Pattern) -> _Compiled:
    return _Compiled(
        anchor=re.compile(pattern.anchor),
        require=tuple(re.compile(expression) for expression in pattern.require),
        forbid=tuple(re.compile(expression) for expression in pattern.forbid),
        heading=re.compile(pattern.heading) if pattern.heading else None,
        affirmed=pattern.affirmed,
    )


@dataclass(frozen=True)
class Clauses:
    """The sentences of each category, in the order of the document.

    Attributes:
        by_category: what a pattern matches or the model quotes.
        scores: of each category that the model decides, the sentences to quote: log odds by sentence index; none if
            the category is absent. Without a model for the language it decides nothing.
        date_odds: of every sentence, that it states the agreement date: the model's log odds; empty without a model.
    """

    by_category: Mapping[str, tuple[Sentence, ...]] = field(default_factory=dict)
    scores: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    date_odds: tuple[float, ...] = ()

    def of(self, category: str) -> tuple[Sentence, ...]:
        """The category's sentences; none if it is absent."""
        return self.by_category.get(category, ())

    def quoted(self) -> Mapping[str, tuple[Sentence, ...]]:
        """What the report quotes of each category that is present."""
        ranked = ((category, self.ranked(category)) for category in self.by_category)
        return {category: sentences for category, sentences in ranked if sentences}

    def ranked(self, category: str) -> tuple[Sentence, ...]:
        """The sentences that the model quotes, the likeliest first; all that matched where it does not decide."""
        if category not in self.scores:
            return self.of(category)
        scores = self.scores[category]
        chosen = (sentence for sentence in self.of(category) if sentence.index in scores)
        return tuple(sorted(chosen, key=lambda sentence: -scores[sentence.index]))


def find_clauses(text: ContractText, catalogues: Iterable[Catalogue]) -> Clauses:
    """The sentences that match a pattern of a category."""
    found: dict[str, dict[int, Sentence]] = defaultdict(dict)
    for catalogue in catalogues:
        for category, patterns in catalogue.items():
            for pattern in patterns:
                for sentence in text.sentences_with(pattern.anchor):
                    if pattern.matches(sentence):
                        found[category][sentence.index] = sentence
    return Clauses({category: tuple(hits[index] for index in sorted(hits)) for category, hits in found.items()})
