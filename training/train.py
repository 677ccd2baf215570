"""Make the weights of the offline engine: `python -m training.train cuad CONTRACTS` or `agb CLAUSES`.

Contracts are fitted on the split `train` alone; `dev` is for thresholds and scores. Everything is deterministic: the
same data and the same versions of the libraries give the same weights.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.optimize
import scipy.sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from dealguard_analyzer.engines.categories import CUAD_CATEGORIES, GERMAN_TOPICS
from dealguard_analyzer.engines.rules.checks.single_clause import void_reasons
from dealguard_analyzer.engines.rules.clauses import english, find_clauses
from dealguard_analyzer.engines.rules.facts import agreement_date
from dealguard_analyzer.engines.rules.model import contracts, features, standard_terms
from dealguard_analyzer.engines.rules.model.linear import FeatureSpace
from dealguard_analyzer.engines.rules.text import ContractText
from training import agb_de, cuad

WEIGHTS = Path(contracts.__file__).parent / "weights"

_JOBS = 2
_FOLDS = 4  # of contracts: the second stage must see scores of sentences that the first was not fitted on
_SENTENCE_STRENGTH = 30.0  # C of scikit-learn: the inverse of the regularisation
_PRESENCE_STRENGTH = 1.0
_DATE_STRENGTH = 0.1
_SLOPE_SHARE = 0.3  # how freely a category may depart from the pooled weights
_LEAST_CONTRACTS = 5  # sentences that a feature must stand in
# By group of `standard_terms.GROUPS`. A whole title counts from one clause on: more clauses stand under it, and shops
# share their templates.
_LEAST_CLAUSES = (3, 3, 3, 3, 1, 3, 3)
_CLAUSE_LENGTHS = (1.0, 0.5, 1.0, 1.0, 0.4, 0.5, 0.5)
_TOPIC_STRENGTH = 0.5
_VOID_STRENGTH = 3.0
_VOID_WEIGHT = 8.0  # one clause in twenty is void
_LARGEST_WEIGHT = 127
_AGREEMENT_DATE = CUAD_CATEGORIES.index("Agreement Date")


def feature_space(
    sets: Sequence[set[str]],
    least: Sequence[int],
    groups: Sequence[str] = ("",),
    lengths: Sequence[float] = (1.0,),
) -> FeatureSpace:
    """The space of the features that enough sets have, in the order of their names.

    Args:
        sets: features of each example.
        least: examples that must have a feature, by group.
        groups: first letters of the features that make a group.
        lengths: of a vector within each group.
    """
    counts = Counter(feature for features_ in sets for feature in features_)
    group_of = {
        name: next(number for number, mark in enumerate(groups) if name.startswith(mark)) for name in sorted(counts)
    }
    names = [name for name, group in group_of.items() if counts[name] >= least[group]]
    idf = np.log((1 + len(sets)) / (1 + np.array([counts[name] for name in names]))) + 1
    group = [group_of[name] for name in names]
    return FeatureSpace(
        vocabulary={name: number for number, name in enumerate(names)},
        idf=idf.astype(np.float32),
        groups=np.array(group, np.uint8),
        lengths=np.array(lengths, np.float32),
    )


def vectors_of(space: FeatureSpace, sets: Iterable[set[str]]) -> scipy.sparse.csr_matrix:
    """The sets as vectors; (sets, features)."""
    columns, values = zip(*(space.vector(features_) for features_ in sets), strict=True)
    ends = np.concatenate([[0], np.cumsum([len(known) for known in columns])])
    return scipy.sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(columns), ends), shape=(len(columns), len(space.vocabulary))
    )


@dataclass(frozen=True)
class Linear:
    """Fitted classifiers: weights (features, classes) and bias (classes)."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def scores(self, vectors: scipy.sparse.csr_matrix) -> NDArray[np.float32]:
        """Log odds, (vectors, classes)."""
        return np.asarray(vectors @ self.weights + self.bias, np.float32)


def fit(
    vectors: scipy.sparse.csr_matrix,
    labels: NDArray[np.int8],
    strength: float,
    weight: float = 1,
    *,
    margin: bool = False,
) -> Linear:
    """One logistic regression a class, (features, classes); a class without an example is never predicted.

    Args:
        vectors: (n, features).
        labels: (n, classes), 0 or 1.
        strength: C of scikit-learn, the inverse of the regularisation.
        weight: of a positive example, against 1 of a negative one.
        margin: support vector machines instead, whose scores are margins, not log odds.
    """
    with ThreadPoolExecutor(_JOBS) as pool:  # threads: the solver runs outside the interpreter's lock
        fitted = list(pool.map(lambda column: _fit_one(vectors, column, strength, weight, margin), labels.T))
    return Linear(np.stack([weights for weights, _ in fitted], axis=1), np.array([bias for _, bias in fitted]))


def _fit_one(
    vectors: scipy.sparse.csr_matrix, labels: NDArray[np.int8], strength: float, weight: float, margin: bool
) -> tuple[NDArray[np.float64], float]:
    if not labels.any():
        return np.zeros(vectors.shape[1]), -10.0
    balance = {0: 1, 1: weight}
    if margin:
        model = LinearSVC(C=strength, class_weight=balance, tol=1e-3, random_state=0)
    else:
        model = LogisticRegression(C=strength, class_weight=balance, solver="liblinear", tol=1e-3, random_state=0)
    model.fit(vectors, labels)
    return model.coef_[0], float(model.intercept_[0])


def save(name: str, classes: Sequence[str], space: FeatureSpace, linear: Linear, **parameters: object) -> Path:
    """Write `weights/<name>.npz`: eight bits a weight, features that matter to no class left out."""
    scales = np.abs(linear.weights).max(axis=0) / _LARGEST_WEIGHT
    scales[scales == 0] = 1
    weights = np.rint(linear.weights / scales).astype(np.int8)
    kept = weights.any(axis=1)
    path = WEIGHTS / f"{name}.npz"
    np.savez_compressed(
        path,
        classes=_text(classes),
        vocabulary=_text([feature for feature, keep in zip(space.vocabulary, kept, strict=True) if keep]),
        idf=space.idf[kept].astype(np.float16),
        groups=space.groups[kept],
        lengths=space.lengths,
        weights=weights[kept],
        scales=scales.astype(np.float32),
        bias=linear.bias.astype(np.float32),
        **{key: np.asarray(value) for key, value in parameters.items()},
    )
    return path


def _text(lines: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


@dataclass(frozen=True)
class PreparedContract:
    """What training needs of one contract."""

    features: list[set[str]]
    labels: NDArray[np.int8]
    hits: NDArray[np.float32]
    present: NDArray[np.bool_]


def prepare_contract(contract: cuad.Contract) -> PreparedContract:
    """Sentences as features with their labels, the patterns' hits, and which categories are present."""
    text = ContractText(contract.document)
    found = find_clauses(text, [english.CATALOGUE])
    hits = {category: [s.index for s in sentences] for category, sentences in found.by_category.items()}
    return PreparedContract(
        features=[features.contract_sentence(s.lower, s.heading, s.is_heading) for s in text.sentences],
        labels=cuad.label_sentences(contract, text, CUAD_CATEGORIES),
        hits=contracts.hit_matrix(len(text.sentences), CUAD_CATEGORIES, hits),
        present=np.array([category in contract.categories for category in CUAD_CATEGORIES]),
    )


def prepare_contracts(labelled: Sequence[cuad.Contract]) -> list[PreparedContract]:
    """All contracts, in their order."""
    with ProcessPoolExecutor(_JOBS) as pool:
        return list(pool.map(prepare_contract, labelled, chunksize=8))


def fit_sentences(
    prepared: Sequence[PreparedContract], categories: Sequence[int] = tuple(range(len(CUAD_CATEGORIES)))
) -> tuple[FeatureSpace, Linear]:
    """The first stage: sentences → `categories`, by their number in CUAD's list."""
    sets = [features_ for contract in prepared for features_ in contract.features]
    space = feature_space(sets, (_LEAST_CONTRACTS,))
    labels = np.concatenate([contract.labels[:, list(categories)] for contract in prepared])
    return space, fit(vectors_of(space, sets), labels, _SENTENCE_STRENGTH)


def fit_presence(evidence: NDArray[np.float64], present: NDArray[np.bool_]) -> Linear:
    """The second stage: pooled over all (contract, category) pairs, with a bias and slopes of each category.

    Args:
        evidence: (contracts, categories, evidence).
        present: (contracts, categories).

    Returns:
        Weights (categories, evidence) and bias (categories), ready for evidence as it is.
    """
    count, classes, kinds = evidence.shape
    flat = evidence.reshape(-1, kinds)
    mean, deviation = flat.mean(axis=0), flat.std(axis=0) + 1e-9
    scaled = (flat - mean) / deviation
    own = np.tile(np.eye(classes), (count, 1))
    sloped = [contracts.EVIDENCE.index(name) for name in ("best", "expected number", "pattern hits")]
    columns = [scaled, own, *(own * scaled[:, [number]] * _SLOPE_SHARE for number in sloped)]
    model = LogisticRegression(C=_PRESENCE_STRENGTH, max_iter=1000).fit(np.hstack(columns), present.ravel())
    pooled, bias, *slopes = np.split(model.coef_[0], [kinds, *(kinds + classes * n for n in range(1, len(sloped) + 1))])
    weights = np.tile(pooled, (classes, 1))
    for number, slope in zip(sloped, slopes, strict=True):
        weights[:, number] += slope * _SLOPE_SHARE
    return Linear(weights / deviation, bias + model.intercept_[0] - (weights * mean / deviation).sum(axis=1))


DateChoice = tuple[NDArray[np.float64], NDArray[np.bool_]]


def date_choice(contract: cuad.Contract, odds: Sequence[float]) -> DateChoice | None:
    """The evidence of each date of a contract, (dates, evidence), and which are the lawyers'; None if none is.

    Args:
        contract: labelled.
        odds: of each sentence, that it states the agreement date; of a model that has not seen the contract.
    """
    wanted = cuad.iso_date(contract.answers.get("Agreement Date", ""))
    found = agreement_date.candidates(ContractText(contract.document), odds)
    right = np.array([candidate.hit.iso == wanted for candidate in found], np.bool_)
    return (np.array([candidate.evidence for candidate in found]), right) if right.any() else None


def fit_date_weights(choices: Sequence[DateChoice]) -> NDArray[np.float64]:
    """The weights, (evidence,), under which the lawyers' dates are chosen: a conditional logistic regression."""
    everything = np.vstack([evidence for evidence, _ in choices])
    mean, deviation = everything.mean(axis=0), everything.std(axis=0) + 1e-9
    scaled = [((evidence - mean) / deviation, right) for evidence, right in choices]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = weights @ weights / (2 * _DATE_STRENGTH), weights / _DATE_STRENGTH
        for evidence, right in scaled:
            odds = evidence @ weights
            likely = np.exp(odds - odds.max())
            value += np.log(likely.sum() / likely[right].sum())
            slope = slope + evidence.T @ (likely / likely.sum() - right * likely / likely[right].sum())
        return float(value), slope

    fitted = scipy.optimize.minimize(loss, np.zeros(len(mean)), jac=True, method="L-BFGS-B")
    return np.asarray(fitted.x / deviation, np.float64)


def save_date_weights(choices: Sequence[DateChoice]) -> Path:
    """Write `facts/agreement_date.json`: each kind of evidence and its weight."""
    weights = fit_date_weights(choices)
    stored = {name: round(float(weight), 3) for name, weight in zip(agreement_date.EVIDENCE, weights, strict=True)}
    path = Path(agreement_date.__file__).with_name(agreement_date.WEIGHTS_FILE)
    path.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    return path


def train_contracts(path: Path) -> Path:
    """Both stages, and the choice of the agreement date, on the split `train` of CUAD."""
    training = [contract for contract in cuad.read_contracts(path) if contract.split == "train"]
    print(f"train: preparing {len(training)} contracts")
    prepared = prepare_contracts(training)
    evidence = np.zeros((len(prepared), len(CUAD_CATEGORIES), len(contracts.EVIDENCE)))
    dates = []
    for fold in range(_FOLDS):
        print(f"train: sentences, fold {fold + 1} of {_FOLDS}")
        space, linear = fit_sentences([c for n, c in enumerate(prepared) if n % _FOLDS != fold])
        for number in range(fold, len(prepared), _FOLDS):
            scores = linear.scores(vectors_of(space, prepared[number].features))
            evidence[number] = contracts.evidence(scores, prepared[number].hits)
            dates.append(date_choice(training[number], scores[:, _AGREEMENT_DATE].tolist()))
    print(f"train: wrote {save_date_weights([choice for choice in dates if choice is not None])}")
    print("train: sentences, all")
    presence = fit_presence(evidence, np.stack([contract.present for contract in prepared]))
    space, linear = fit_sentences(prepared)
    return save(
        "contracts",
        CUAD_CATEGORIES,
        space,
        linear,
        presence_weights=presence.weights,
        presence_bias=presence.bias,
    )


def fit_clauses(clauses: Sequence[agb_de.LabelledClause]) -> tuple[FeatureSpace, Linear]:
    """Topics, and as the last class whether a lawyer calls the clause void."""
    with ProcessPoolExecutor(_JOBS) as pool:
        reasons = list(pool.map(void_reasons, (clause.text for clause in clauses), chunksize=50))
    sets = [
        standard_terms.clause_features(clause.title, clause.text, doubts)
        for clause, doubts in zip(clauses, reasons, strict=True)
    ]
    space = feature_space(sets, _LEAST_CLAUSES, standard_terms.GROUPS, _CLAUSE_LENGTHS)
    vectors = vectors_of(space, sets)
    labels = np.array([[topic in clause.topics for topic in GERMAN_TOPICS] for clause in clauses], np.int8)
    of_topic = scipy.sparse.diags((space.groups != standard_terms.GROUPS.index("o")).astype(float))
    topics = fit((vectors @ of_topic).tocsr(), labels, _TOPIC_STRENGTH, margin=True)
    void = fit(vectors, np.array([[clause.void] for clause in clauses], np.int8), _VOID_STRENGTH, _VOID_WEIGHT)
    return space, Linear(np.hstack([topics.weights, void.weights]), np.append(topics.bias, void.bias))


def train_clauses(path: Path) -> Path:
    """Both models of German standard terms, on all of AGB-DE's clauses in the file."""
    clauses = list(agb_de.read_clauses(path))
    print(f"train: {len(clauses)} clauses")
    return save("standard_terms", (*GERMAN_TOPICS, standard_terms.VOID), *fit_clauses(clauses))


COMMANDS = {"cuad": train_contracts, "agb": train_clauses}


def main(arguments: Sequence[str]) -> int:
    """Train one model; 0 if its weights were written."""
    if len(arguments) != 2 or arguments[0] not in COMMANDS or not Path(arguments[1]).is_file():
        print("usage: python -m training.train (cuad CONTRACTS.jsonl.gz | agb CLAUSES.jsonl)", file=sys.stderr)
        return 2
    path = COMMANDS[arguments[0]](Path(arguments[1]))
    print(f"train: wrote {path} ({path.stat().st_size / 1e6:.1f} MB)\nNext: make evaluate")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
