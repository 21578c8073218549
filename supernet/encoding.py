"""Codes as feature vectors in [0, 1], and back: what surrogates and tables of features work on.

A numeric gene is one column, its index divided by the largest (the choices are ordered, so the order is
kept); a categorical gene (the kind of block) is one column a choice, 1 for the one taken. Letters: N codes,
G genes, F features.
"""

import numpy as np
from numpy.typing import NDArray

from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.stage_space import Gene


def feature_names(space: SearchSpace) -> tuple[str, ...]:
    """The names of the F columns: "stage2.width", "stage2.block=conv".

    Examples:
      >>> from supernet import built_in_space, feature_names
      >>> feature_names(built_in_space("hybrid-small"))[:3]
      ('resolution', 'stage2.block=conv', 'stage2.block=attention')
    """
    names: list[str] = []
    for gene in space.genes:
        names += [f"{gene.name}={c}" for c in gene.choices] if _is_categorical(gene) else [gene.name]
    return tuple(names)


def to_features(space: SearchSpace, genes: np.ndarray) -> NDArray[np.float64]:
    """Features float64 [N, F] of codes [N, G]; codes of equal networks have equal features.

    Raises:
      UserError: an index out of a gene's range, or a wrong number of genes.

    Examples:
      >>> import numpy as np
      >>> from supernet import built_in_space, to_features
      >>> space = built_in_space("hybrid-small")
      >>> to_features(space, space.sample(np.random.default_rng(0), 5)).shape
      (5, 25)
    """
    genes = space.canonical(genes)
    columns: list[np.ndarray] = []
    for gene, index in zip(space.genes, genes.T, strict=True):
        if _is_categorical(gene):
            columns += [index == choice for choice in range(len(gene.choices))]
        else:
            columns.append(index / (len(gene.choices) - 1))
    return np.array(columns, np.float64).reshape(len(columns), len(genes)).T


def from_features(space: SearchSpace, features: np.ndarray) -> NDArray[np.int64]:
    """The canonical codes int64 [N, G] nearest to features [N, F]; exact for those of `to_features`.

    Raises:
      UserError: a wrong number of columns, or a value that is not finite.

    Examples:
      >>> import numpy as np
      >>> from supernet import built_in_space, from_features, to_features
      >>> space = built_in_space("hybrid-small")
      >>> genes = space.sample(np.random.default_rng(0), 5)
      >>> np.array_equal(from_features(space, to_features(space, genes)), genes)
      True
    """
    features = np.asarray(features, np.float64)
    expected = len(feature_names(space))
    if features.ndim != 2 or features.shape[1] != expected:
        raise UserError(f"features of shape {features.shape}: expected [N, {expected}]")
    if not np.isfinite(features).all():
        n, f = np.argwhere(~np.isfinite(features))[0]
        raise UserError(f"{feature_names(space)[f]}={features[n, f]}: must be a finite number")
    columns, start = [], 0
    for gene in space.genes:
        count = len(gene.choices)
        if _is_categorical(gene):
            columns.append(np.argmax(features[:, start : start + count], axis=1))
            start += count
        else:
            columns.append(np.rint(np.clip(features[:, start], 0, 1) * (count - 1)))
            start += 1
    return space.canonical(np.array(columns, np.int64).reshape(len(columns), len(features)).T)


def _is_categorical(gene: Gene) -> bool:
    return isinstance(gene.choices[0], str)
