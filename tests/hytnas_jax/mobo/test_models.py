"""Known objectives are exact, unknown ones are predicted, everything is minimised."""

import numpy as np

from hytnas_jax.mobo import Objective
from hytnas_jax.mobo.models import fit_models
from hytnas_jax.mobo.surrogates import fit_surrogate
from hytnas_jax.mobo.surrogates.boosted_trees import BoostedTrees

from .problems import CARDINALITIES, cost, evaluate, quality, switched, two_objectives

GENES = np.random.default_rng(0).integers(0, 4, size=(20, 8))


def fitted(problem, values):
    return fit_models(problem, GENES, problem.minimised(values), surrogate="xgboost", seed=3, bent=True)


def test_known_objectives_are_exact_and_unknown_ones_predicted():
    problem = two_objectives()
    mean, std = fitted(problem, evaluate(GENES)).predict(GENES)
    alone = fit_surrogate(BoostedTrees(seed=3), problem.features(GENES), -quality(GENES), name="quality")
    np.testing.assert_array_equal(np.stack([mean[:, 0], std[:, 0]]), alone.predict(problem.features(GENES)))
    np.testing.assert_array_equal(mean[:, 1], cost(GENES))
    np.testing.assert_array_equal(std[:, 1], 0.0)


def test_scores_are_the_negative_acquisitions_and_the_known_values():
    asked = []

    def minus_mean(predictor, *, best, evaluations, rng):
        asked.append((best, evaluations))
        return lambda features: -predictor.predict(features)[0]

    problem = switched(
        CARDINALITIES,
        [Objective("q", "max"), Objective("gain", "max", known=cost), Objective("cost", "min")],
    )
    models = fitted(problem, np.stack([quality(GENES), cost(GENES), cost(GENES)], axis=1))
    best = np.array([-60.0, -20.0, 2.0])
    scores = models.scores(minus_mean, best=best, evaluations=20, rng=np.random.default_rng(0))
    assert asked == [(-60.0, 20), (2.0, 20)]
    np.testing.assert_array_equal(scores(GENES), models.predict(GENES)[0])
    np.testing.assert_array_equal(scores(GENES)[:, 1], -cost(GENES))
    assert len(asked) == 2
