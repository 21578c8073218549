"""A Bayesian neural network, by anchored ensembling."""

import numpy as np

from hytnas_jax.mobo.surrogates.base import Predictor
from hytnas_jax.mobo.surrogates.ensemble import Ensemble

NUM_MEMBERS = 20
HIDDEN = (32, 32)
# of the targets' variance; the prior of its logarithm is normal with deviation 1
MEDIAN_NOISE = 0.05
LEARNING_RATE = 0.1
STEPS = 300


class BayesianNetwork:
    """Members that are approximately drawn from the posterior of a network's weights.

    Weights have a unit normal prior. Each member draws an anchor from it, adds a draw of the noise to the
    targets, and settles where its loss, with the prior moved to the anchor, is least: for a model linear in
    its weights that is an exact draw of the posterior, for a network an approximate one (Pearce et al. 2020,
    arXiv 1810.05546). Members agree where there are data and keep the prior's spread elsewhere; the spread
    is theirs, without any scaling afterwards. Each member also learns the variance of an evaluation's noise,
    which is left out of the spread.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> Predictor:
        """Fit standardised features x [N, F] to standardised targets y [N]."""
        from hytnas_jax.mobo.surrogates import small_networks  # JAX is slow to import

        rng = np.random.default_rng(self.seed)
        widths = (x.shape[1], *HIDDEN, 1)
        networks, _ = small_networks.train_anchored(
            small_networks.draw_networks(widths, NUM_MEMBERS, rng),
            small_networks.draw_networks(widths, NUM_MEMBERS, rng),
            *(x, y, rng.standard_normal((NUM_MEMBERS, len(y)))),
            median_noise=MEDIAN_NOISE,
            learning_rate=LEARNING_RATE,
            steps=STEPS,
        )
        return Ensemble(lambda features: small_networks.predictions(networks, features))
