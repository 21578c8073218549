"""Shares are learnt as log-odds, whichever direction is better."""

import numpy as np
import pytest

from hytnas_jax.mobo import Objective
from hytnas_jax.mobo.models import fit_models
from hytnas_jax.mobo.surrogates import fit_share

from .problems import CARDINALITIES, cost, switched

GENES = np.random.default_rng(0).integers(0, 4, size=(20, 8))
UNSEEN = np.random.default_rng(1).integers(0, 4, size=(500, 8))
ERRORS = 0.2 * (cost(GENES) - cost(GENES).min()) / np.ptp(cost(GENES))


class ByHeart:
    """A surrogate that joins its points by lines and has no doubts."""

    def fit(self, x, y, noise):
        self.x, self.y, self.noise = x[:, 0], y, noise
        return self

    def predict(self, x):
        return np.interp(x[:, 0], self.x, self.y), np.zeros(len(x))


def test_it_gives_back_what_it_was_given_but_for_the_ends():
    shares, x = np.array([0.0, 0.02, 0.5, 1.0]), np.arange(4.0)[:, None]
    for sign in (1.0, -1.0):
        fitted = fit_share(ByHeart(), x, sign * shares, sign=sign, name="error", bent=False)
        np.testing.assert_allclose(fitted.predict(x)[0], sign * np.array([0.001, 0.02, 0.5, 0.999]))
    # half way between 2% and 50%, in log-odds: the odds are the geometric mean of 2 / 98 and 1
    odds = np.sqrt(0.02 / 0.98)
    np.testing.assert_allclose(fitted.predict(np.array([[1.5]]))[0], [-odds / (1.0 + odds)])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_how_unsure_shares_are_is_told_in_log_odds(sign):
    shares, std = np.array([0.1, 0.5, 0.8]), np.array([0.0, 0.02, 0.02])
    model = ByHeart()
    fit_share(model, np.arange(3.0)[:, None], sign * shares, std=std, sign=sign, name="error", bent=False)
    odds = np.log(shares / (1.0 - shares))
    slopes = 1.0 / (shares * (1.0 - shares))
    np.testing.assert_allclose(np.sqrt(model.noise), std * slopes / odds.std())


@pytest.mark.parametrize("direction", ["min", "max"])
def test_nothing_is_expected_beyond_0_and_1(direction):
    """Error rates of 0 to 20%, or as accuracies, by a model that errs on both sides."""
    values = np.stack([ERRORS if direction == "min" else 1.0 - ERRORS, cost(GENES)], axis=1)
    quantiles = {}
    for is_share in (False, True):
        objectives = [Objective("s", direction, is_share=is_share), Objective("cost", "min", known=cost)]
        problem = switched(CARDINALITIES, objectives)
        targets = problem.minimised(values)
        models = fit_models(problem, GENES, targets, surrogate="gp", seed=0, bent=False)
        quantiles[is_share] = problem.signs[0] * models.quantiles(UNSEEN)[:, 0]
    assert np.any((quantiles[False] < 0.0) | (quantiles[False] > 1.0))
    assert np.all((quantiles[True] > 0.0) & (quantiles[True] < 1.0))
    assert np.all(problem.signs[0] * np.diff(quantiles[True], axis=1) >= 0.0)  # rising where minimised
    function = models.predictors[0].draw(np.random.default_rng(0))
    drawn = problem.signs[0] * function(problem.features(UNSEEN))
    assert np.all((drawn > 0.0) & (drawn < 1.0))
    assert np.corrcoef(drawn, quantiles[True].mean(axis=1))[0, 1] > 0.5
