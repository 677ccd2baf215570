"""German standard terms: the topics of a clause, and whether a lawyer would call it void."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dealguard_analyzer.engines.rules.model import features
from dealguard_analyzer.engines.rules.model.linear import LinearModel, load

# The last class of the model, beside the topics.
VOID = "void"
# Features of the text, of the title, and of the checks that call the clause doubtful, by their first letter.
GROUPS = ("b", "t", "v")

# A second topic is named from this margin on, and a clause called void from these log odds on; chosen by
# cross-validation over contracts.
_SECOND_TOPIC_FROM = 0.5
_VOID_FROM = -1.0
# In a whole contract most sentences have no topic: only a clear margin counts.
_SURE_FROM = 0.3


@dataclass(frozen=True)
class ClauseJudgement:
    """What the model says of one clause.

    Attributes:
        scores: of each topic, margins: 0 for even.
        void: a lawyer should look whether it is void. No verdict.
    """

    scores: dict[str, float]
    void: bool

    @property
    def topics(self) -> tuple[str, ...]:
        """The likeliest topic, and others that are likely too."""
        best = max(self.scores, key=lambda topic: self.scores[topic])
        return tuple(topic for topic, score in self.scores.items() if topic == best or score >= _SECOND_TOPIC_FROM)


@cache
def _model() -> LinearModel:
    return load("standard_terms")


def clause_features(title: str, text: str, void_reasons: Iterable[str]) -> set[str]:
    """Features of one clause: words, and the checks that call it doubtful."""
    doubts = {f"v{reason}" for reason in void_reasons}
    return features.standard_terms_clause(title, text) | doubts | ({"v:any"} if doubts else set())


def judge(clauses: Sequence[tuple[str, str, Sequence[str]]]) -> list[ClauseJudgement]:
    """The judgement on each clause.

    Args:
        clauses: title, text, and ids of the checks that call the clause doubtful, of each.
    """
    model = _model()
    topics = [(number, name) for number, name in enumerate(model.classes) if name != VOID]
    void = model.classes.index(VOID)
    return [
        ClauseJudgement({name: float(row[number]) for number, name in topics}, void=bool(row[void] >= _VOID_FROM))
        for row in model.scores(clause_features(*clause) for clause in clauses)
    ]


def sure_topics(sentences: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The topics, if any, that are clear of each (heading, sentence) of a contract."""
    model = _model()
    scores = model.scores(clause_features(heading, sentence, ()) for heading, sentence in sentences)
    sure = (scores >= _SURE_FROM) & (np.array(model.classes) != VOID)
    return [tuple(model.classes[number] for number in np.flatnonzero(row)) for row in sure]
