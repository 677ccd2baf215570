"""A linear model over sets of features: its file, and its arithmetic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Sets scored at once: the rows of weights gathered for them stay below some 30 MB.
_BATCH = 1024


@dataclass(frozen=True)
class FeatureSpace:
    """What turns a set of features into a vector: their `idf`, scaled in each group of features to the group's length.

    Attributes:
        vocabulary: number of each known feature, F.
        idf: inverse document frequencies, (F,).
        groups: group of each feature, (F,).
        lengths: to which a vector is scaled within each group, (groups,).
    """

    vocabulary: dict[str, int]
    idf: Floats
    groups: NDArray[np.uint8]
    lengths: Floats

    def vector(self, features: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The known features' numbers, in order, and their values."""
        vocabulary = self.vocabulary
        numbers = np.array(sorted(vocabulary[name] for name in features if name in vocabulary), np.int64)
        values = self.idf[numbers].astype(np.float64)
        groups = self.groups[numbers]
        lengths = np.sqrt(np.bincount(groups, values * values, minlength=len(self.lengths)))
        return numbers, values * self.lengths[groups] / lengths[groups]


@dataclass(frozen=True)
class LinearModel:
    """One-vs-rest linear classifiers that share their features.

    A class's score is the product of a set's vector with the class's weights, plus the bias.

    Attributes:
        classes: names of the classes, K.
        space: of the features, F.
        weights: (F, K), eight bits each; a weight is its number times its class's scale.
        scales: (K,).
        bias: (K,).
        parameters: further arrays that belong to the model's use, by name.
    """

    classes: tuple[str, ...]
    space: FeatureSpace
    weights: NDArray[np.int8]
    scales: Floats
    bias: Floats
    parameters: dict[str, Floats]

    def scores(self, feature_sets: Iterable[Iterable[str]]) -> Floats:
        """The scores of each set of features, (n, K): log odds, 0 for even."""
        vectors = [self._vector(features) for features in feature_sets]
        scores = np.empty((len(vectors), len(self.classes)), np.float32)
        for start in range(0, len(vectors), _BATCH):
            batch = vectors[start : start + _BATCH]
            scores[start : start + len(batch)] = self._products(batch) * self.scales + self.bias
        return scores

    def _vector(self, features: Iterable[str]) -> tuple[NDArray[np.int64], Floats]:
        numbers, values = self.space.vector(features)
        return numbers, values.astype(np.float32)

    def _products(self, vectors: Sequence[tuple[NDArray[np.int64], Floats]]) -> Floats:
        sizes = np.array([len(numbers) for numbers, _ in vectors])
        products = np.zeros((len(vectors), len(self.classes)), np.float32)
        if not sizes.any():
            return products
        numbers = np.concatenate([numbers for numbers, _ in vectors])
        values = np.concatenate([values for _, values in vectors])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        filled = sizes > 0  # reduceat would take the next vector's first row for an empty one
        products[filled] = np.add.reduceat(self.weights[numbers] * values[:, None], starts[filled], axis=0)
        return products


def load(name: str) -> LinearModel:
    """The model in `weights/<name>.npz`."""
    content = files(__package__).joinpath("weights", f"{name}.npz").read_bytes()
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        own = {"classes", "vocabulary", "idf", "weights", "scales", "bias", "groups", "lengths"}
        return LinearModel(
            classes=tuple(_lines(arrays["classes"])),
            space=FeatureSpace(
                vocabulary={feature: number for number, feature in enumerate(_lines(arrays["vocabulary"]))},
                idf=arrays["idf"].astype(np.float32),
                groups=arrays["groups"],
                lengths=arrays["lengths"],
            ),
            weights=arrays["weights"],
            scales=arrays["scales"],
            bias=arrays["bias"],
            parameters={key: arrays[key].astype(np.float32) for key in arrays.files if key not in own},
        )


def _lines(text: NDArray[np.uint8]) -> list[str]:
    return text.tobytes().decode().split("\n")
