"""Small problems with known answers, shared by the tests of the loop."""

import numpy as np

from hytnas_jax.mobo import Limit, Objective, Problem

CARDINALITIES = np.array([4] * 8)


def switched(cardinalities: np.ndarray, objectives, limits=()) -> Problem:
    """Gene 1 changes nothing where gene 0 is 0."""

    def canonical(genes: np.ndarray) -> np.ndarray:
        genes = genes.copy()
        genes[genes[:, 0] == 0, 1] = 0
        return genes

    return Problem(
        cardinalities=cardinalities,
        objectives=tuple(objectives),
        limits=tuple(limits),
        canonical=canonical,
        features=lambda genes: canonical(genes).astype(np.float64),
        sample=lambda rng, n: rng.integers(0, cardinalities, size=(n, len(cardinalities))),
    )


def cost(genes: np.ndarray) -> np.ndarray:
    """The sum of the genes, to be small."""
    return genes.sum(axis=1).astype(np.float64)


def quality(genes: np.ndarray) -> np.ndarray:
    """To be large: saturates in the first genes, and one gene has a best kind (2)."""
    steps = 1.0 - 0.5 ** genes[:, :-1]
    weights = np.linspace(3.0, 0.5, genes.shape[1] - 1)
    return 50.0 + steps @ weights + 2.0 * (genes[:, -1] == 2)


def two_objectives(limits: tuple[Limit, ...] = (), cardinalities=CARDINALITIES) -> Problem:
    """Quality has to be evaluated, cost is known."""
    objectives = (Objective("quality", "max", "%"), Objective("cost", "min", "M", known=cost))
    return switched(cardinalities, objectives, limits)


def evaluate(genes: np.ndarray) -> np.ndarray:
    """[N, 2] in the user's units."""
    return np.stack([quality(genes), cost(genes)], axis=1)
