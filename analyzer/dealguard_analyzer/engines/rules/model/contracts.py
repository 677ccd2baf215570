"""English contracts: which of CUAD's categories are present, and in which sentences.

A sentence's score is the linear model's. Whether a category is present at all is decided once for the contract, from
its best sentences' scores and the patterns' hits together: a pooled logistic regression whose weights are per category.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dealguard_analyzer.engines.rules.model import features
from dealguard_analyzer.engines.rules.model.linear import Floats, LinearModel, load
from dealguard_analyzer.engines.rules.text import Sentence

# A category is present from this probability on; chosen on CUAD's `dev` split for micro and macro F1 alike.
PRESENT_FROM = 0.40
# A sentence that a pattern of the category matches counts as this much more likely (log odds).
PATTERN_BONUS = 1.5
# Of a category that is present, every sentence with even odds is quoted, and the best one in any case.
QUOTED_FROM = 0.0

_LOWEST_SCORE = -8.0
_BEST = 3  # sentences a category whose scores count each for itself
EVIDENCE = (
    "best",
    "second",
    "third",
    "expected number",
    "pattern hits",
    "any pattern hit",
    "best with pattern",
    "sentences",
    "any",
)


@cache
def _model() -> LinearModel:
    return load("contracts")


def sentence_scores(sentences: Sequence[Sentence]) -> Floats:
    """The score of each sentence for each of `categories()`, (sentences, categories): log odds."""
    return _model().scores(features.contract_sentence(s.lower, s.heading, s.is_heading) for s in sentences)


def rank(scores: Floats, pattern_hits: Mapping[str, Sequence[int]]) -> dict[str, dict[int, float]]:
    """The categories that are present, each with the sentences to quote: log odds by sentence index.

    Args:
        scores: of the whole contract's sentences, as `sentence_scores` gives them.
        pattern_hits: indexes of the sentences that a pattern of the category matches.
    """
    if not len(scores):
        return {}
    model = _model()
    hits = hit_matrix(len(scores), model.classes, pattern_hits)
    probabilities = _probabilities(model, evidence(scores, hits))
    ranked = scores + PATTERN_BONUS * hits
    found = {}
    for number, category in enumerate(model.classes):
        if probabilities[number] >= PRESENT_FROM:
            column = ranked[:, number]
            quoted = set(np.flatnonzero(column >= QUOTED_FROM).tolist()) | {int(column.argmax())}
            found[category] = {index: float(column[index]) for index in sorted(quoted)}
    return found


def categories() -> tuple[str, ...]:
    """The categories that the model knows."""
    return _model().classes


def hit_matrix(count: int, classes: Sequence[str], pattern_hits: Mapping[str, Sequence[int]]) -> Floats:
    """1 where a pattern of the class matches the sentence, else 0; (sentences, classes)."""
    hits = np.zeros((count, len(classes)), np.float32)
    for number, category in enumerate(classes):
        hits[list(pattern_hits.get(category, ())), number] = 1
    return hits


def evidence(scores: Floats, hits: Floats) -> NDArray[np.float64]:
    """What speaks for each category in a contract, (categories, evidence), in the order of `EVIDENCE`.

    Args:
        scores: of each sentence for each category, log odds.
        hits: of the patterns, as `hit_matrix` gives them.
    """
    count, classes = scores.shape
    best = np.full((_BEST, classes), _LOWEST_SCORE)
    highest = np.sort(scores, axis=0)[::-1][:_BEST]
    best[: len(highest)] = highest
    likely = 1 / (1 + np.exp(-scores.astype(np.float64)))
    with_pattern = np.where(hits > 0, scores, _LOWEST_SCORE).max(axis=0).clip(_LOWEST_SCORE)
    none = np.log1p(-likely.clip(0, 1 - 1e-6)).sum(axis=0)
    return np.stack(
        [
            *best,
            np.log(1e-3 + likely.sum(axis=0)),
            np.log1p(hits.sum(axis=0)),
            hits.max(axis=0),
            with_pattern,
            np.full(classes, np.log(count)),
            1 - np.exp(none),
        ],
        axis=1,
    )


def _probabilities(model: LinearModel, found: NDArray[np.float64]) -> NDArray[np.float64]:
    weights, bias = model.parameters["presence_weights"], model.parameters["presence_bias"]
    odds: NDArray[np.float64] = (found * weights).sum(axis=1) + bias
    return 1 / (1 + np.exp(-odds))
