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

German standard terms (§§ 305 to 310 BGB): §§ 308 and 309 bind towards consumers; between businesses they only indicate
what § 307 forbids (§ 310 (1)). `as_standard_term` draws that line for every check that is marked `standard_term`.
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
        focus: what the finding rests on; of a long sentence, only the part around it is quoted.
    """

    sentences: tuple[Sentence, ...] = ()
    likelihood: int | None = None
    impact: int | None = None
    assessment: Literal["risk", "check"] | None = None
    focus: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Check:
    """One question. `find` returns None where there is nothing to say.

    Attributes:
        id: stable; part of the finding's id.
        category: CUAD's category, a German topic, or a theme of ours.
        statutes: cited where German law applies.
        hurts: who is hurt by a sentence that binds one party: the one who is bound, the other, or everyone.
        standard_term: judges a clause under §§ 305 to 310 BGB; the finding says what that means for this contract.
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
    standard_term: bool = False


# A report quotes the first few places; more of the same tells nothing new.
MAX_CITATIONS = 3

# What binds nobody: definitions, recitals, lines of a contents page.
_DEFINITION = re.compile(
    r"^\W*(?:[\divx]+[.)]?(?:\d+\.?)* )?(?:the term )?[\"“”„'‘][^\"“”'’]{2,80}[\"“”'’],?(?: \([^)]{0,60}\))?"
    r" (?:shall |will )?(?:mean|refer|include|has the meaning|have the meaning|bezeichnet|bedeutet|ist |sind )"
)
_RECITAL = re.compile(r"^\W*(?:\(?[a-z]\)?\.? )?(?:whereas|in erwägung)\b")
_CONTENTS = re.compile(r"\.{5,}|(?:\. ){5,}|(?:\b(?:section|article|§)? ?\d{1,2}\.\d{1,2}\.? [^.;:]{3,60} ){4}")


def is_operative(sentence: Sentence) -> bool:
    """Whether the sentence may bind somebody: not a definition, a recital or a line of a contents page."""
    return not (
        _DEFINITION.search(sentence.lower) or _RECITAL.search(sentence.lower) or _CONTENTS.search(sentence.lower)
    )


def outcome(
    sentences: tuple[Sentence, ...] | list[Sentence],
    *,
    likelihood: int | None = None,
    impact: int | None = None,
    assessment: Literal["risk", "check"] | None = None,
    focus: re.Pattern[str] | None = None,
) -> Outcome | None:
    """An outcome that quotes the first of `sentences`, or none if there are none."""
    if not sentences:
        return None
    distinct = tuple(dict.fromkeys(sentences))
    return Outcome(distinct[:MAX_CITATIONS], likelihood, impact, assessment, focus)


def as_standard_term(
    case: Case,
    sentences: tuple[Sentence, ...] | list[Sentence],
    *,
    businesses: bool = True,
    focus: re.Pattern[str] | None = None,
) -> Outcome | None:
    """An outcome under §§ 305 to 310 BGB: a risk towards consumers, a question where that is not said.

    Args:
        businesses: whether the same is doubtful between businesses too (§§ 307, 310 (1) BGB); then it is a question.
    """
    if not (case.german_law and case.german) or (case.consumer is False and not businesses):
        return None
    if not businesses:
        sentences = [sentence for sentence in sentences if not _is_for_businesses(case, sentence)]
    return outcome(sentences, assessment="risk" if case.consumer else "check", focus=focus)


# How far back a paragraph may have said whom it addresses.
_ADDRESSEE_SENTENCES = 6
_ADDRESSEE = re.compile(
    r"\b(?:(?P<business>unternehmern?|kaufmann|kaufleuten?|handelsgeschäft|gewerblich\w*|öffentlich-rechtlich\w*)"
    r"|verbrauchern?)\b"
)


def _is_for_businesses(case: Case, sentence: Sentence) -> bool:
    """Whether the clause addresses businesses: the last who is addressed, in the sentence or shortly before it."""
    first = max(0, sentence.index - _ADDRESSEE_SENTENCES)
    for near in reversed(case.text.sentences[first : sentence.index + 1]):
        if near.heading != sentence.heading:
            break
        found = {match["business"] is not None for match in _ADDRESSEE.finditer(near.lower)}
        if found:
            return found == {True}
    return _ADDRESSEE.search(sentence.heading) is not None and "verbraucher" not in sentence.heading


def having(
    sentences: tuple[Sentence, ...] | list[Sentence], wanted: re.Pattern[str], unwanted: re.Pattern[str] | None = None
) -> list[Sentence]:
    """The operative sentences that match `wanted` and not `unwanted`."""
    return [
        sentence
        for sentence in sentences
        if wanted.search(sentence.lower)
        and (unwanted is None or not unwanted.search(sentence.lower))
        and is_operative(sentence)
    ]


def matching(case: Case, wanted: re.Pattern[str], unwanted: re.Pattern[str] | None = None) -> list[Sentence]:
    """The operative sentences of the whole contract that match `wanted` and not `unwanted`."""
    return [
        sentence
        for sentence in case.text.sentences_with(wanted)
        if (unwanted is None or not unwanted.search(sentence.lower)) and is_operative(sentence)
    ]


def without_near(
    case: Case, sentences: list[Sentence], wanted: re.Pattern[str], *, before: int = 1, after: int = 2
) -> list[Sentence]:
    """Those of `sentences` in whose neighbourhood, themselves included, `wanted` does not match."""
    return [
        sentence
        for sentence in sentences
        if not any(
            wanted.search(near.lower)
            for near in case.text.sentences[max(0, sentence.index - before) : sentence.index + 1 + after]
        )
    ]
