"""German standard terms: the topics of a clause, and whether a lawyer would call it void."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dealguard_analyzer.engines.rules.model import features, legal_terms
from dealguard_analyzer.engines.rules.model.linear import LinearModel, load

# The last class of the model, beside the topics.
VOID = "void"
# Features by their first letter: of the text, of the title, checks that call the clause doubtful, phrases that courts
# have objected to, the whole title (web shops share their templates), stems of the topics, and topics of the title with
# topics of the text.
GROUPS = ("b", "t", "v", "o", "w", "s", "x")

# How many stems of a topic tell more than that there is one.
_STEM_COUNTS = (1, 2, 3, 4, 6)
_MANY_STEMS = 3

# A second topic is named from this margin on, and a clause called void from these log odds on; chosen by
# cross-validation over contracts.
_SECOND_TOPIC_FROM = 0.5
_VOID_FROM = -0.9
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


def topic_features(title: str, text: str) -> set[str]:
    """Features of one clause that tell its topic: words, and what is known of words."""
    in_title, in_text = legal_terms.stems_in(title), legal_terms.stems_in(text)
    found = features.standard_terms_clause(title, text)
    found.add("w" + legal_terms.fold(title))
    for topic, stems in in_text.items():
        found.update(f"s{stem}" for stem in stems)
        found.update(f"s{topic}:{count}" for count in _STEM_COUNTS if len(stems) >= count)
        found.update(f"x{other}:{topic}" for other in in_title)
        if len(stems) >= _MANY_STEMS:
            found.update(f"x{other}:{topic}:many" for other in in_title)
    return found


def clause_features(title: str, text: str, void_reasons: Iterable[str]) -> set[str]:
    """Features of one clause: of its topic, and the checks and phrases that call it doubtful."""
    doubts = {f"v{reason}" for reason in void_reasons}
    objections = {f"o{name}" for name in legal_terms.objections_in(text)}
    return topic_features(title, text) | doubts | ({"v:any"} if doubts else set()) | objections


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
    scores = model.scores(topic_features(heading, sentence) for heading, sentence in sentences)
    sure = (scores >= _SURE_FROM) & (np.array(model.classes) != VOID)
    return [tuple(model.classes[number] for number in np.flatnonzero(row)) for row in sure]
