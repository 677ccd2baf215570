"""What may hurt a party: one file a theme, each a tuple of `Check`s.

What belongs here: the question a lawyer asks of a contract, as data, with a small function that finds the answer in
the text. What never does: finding clauses (`clauses`) or facts (`facts`), and words outside `Words`.

The severity rubric (likelihood × impact, each 1 to 5):

    likelihood  1  needs an unusual course of events
                2  possible, seldom seen
                3  happens in an ordinary contract of this kind now and then
                4  to be expected during the term
                5  certain, or has effect from the first day
    impact      1  inconvenience
                2  costs within the ordinary course of business
                3  noticeable loss, or a limit on what the party may do
                4  a multiple of the contract's value, or a lasting restriction
                5  threatens the party's business, or makes essential parts of the contract void

A finding is a 'risk' if it stands in the text as described, a 'check' if what it means depends on what the text does
not say (whether the clause is a standard term, whether the other side is a consumer).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from dealguard_analyzer.engines.rules.clauses import Clauses
from dealguard_analyzer.engines.rules.facts.all import Facts
from dealguard_analyzer.engines.rules.text import ContractText, Sentence
from dealguard_api.report import Language


@dataclass(frozen=True)
class Words:
    """The same words in both languages."""

    en: str
    de: str

    def in_language(self, language: Language) -> str:
        """The words in `language`."""
        return self.de if language == "de" else self.en


@dataclass(frozen=True)
class Case:
    """One contract, as the checks see it.

    Attributes:
        german: the text is German.
        english: the text is English. Both are true where the language is unknown.
        german_law: the contract chooses German law, or is German and chooses none.
        consumer: it addresses consumers; None if nothing says so or otherwise.
    """

    text: ContractText
    clauses: Clauses
    facts: Facts
    german: bool
    english: bool
    german_law: bool
    consumer: bool | None


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Attributes:
        sentences: where it stands; empty if the finding is an absence.
        likelihood, impact: instead of the check's own, where the case is graver or milder than usual.
        assessment: likewise.
    """

    sentences: tuple[Sentence, ...] = ()
    likelihood: int | None = None
    impact: int | None = None
    assessment: Literal["risk", "check"] | None = None


@dataclass(frozen=True)
class Check:
    """One question. `find` returns None where there is nothing to say.

    Attributes:
        id: stable; part of the finding's id.
        category: CUAD's category, a German topic, or a theme of ours.
        statutes: cited where German law applies.
        hurts: who is hurt by a sentence that binds one party: the one who is bound, the other, or everyone.
    """

    id: str
    category: str
    title: Words
    explanation: Words
    recommendation: Words
    deviation: Words
    likelihood: int
    impact: int
    find: Callable[[Case], Outcome | None]
    assessment: Literal["risk", "check"] = "risk"
    statutes: tuple[str, ...] = field(default=())
    hurts: Literal["bound", "other", "all"] = "all"


# A report quotes the first few places; more of the same tells nothing new.
MAX_CITATIONS = 3


def outcome(sentences: tuple[Sentence, ...] | list[Sentence], **overrides: int) -> Outcome | None:
    """An outcome that quotes the first of `sentences`, or none if there are none."""
    if not sentences:
        return None
    distinct = tuple(dict.fromkeys(sentences))
    return Outcome(distinct[:MAX_CITATIONS], overrides.get("likelihood"), overrides.get("impact"))


def having(
    sentences: tuple[Sentence, ...], wanted: re.Pattern[str], unwanted: re.Pattern[str] | None = None
) -> list[Sentence]:
    """The sentences that match `wanted` and not `unwanted`."""
    return [
        sentence
        for sentence in sentences
        if wanted.search(sentence.lower) and (unwanted is None or not unwanted.search(sentence.lower))
    ]


def matching(case: Case, wanted: re.Pattern[str], unwanted: re.Pattern[str] | None = None) -> list[Sentence]:
    """The sentences of the whole contract that match `wanted` and not `unwanted`."""
    return [
        sentence
        for sentence in case.text.sentences_with(wanted)
        if unwanted is None or not unwanted.search(sentence.lower)
    ]
