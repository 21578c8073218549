"""A small feed-forward network, as an ensemble trained by early stopping."""

import numpy as np

from hytnas_jax.mobo.surrogates.base import Predictor
from hytnas_jax.mobo.surrogates.ensemble import Ensemble, widening

NUM_MEMBERS = 10
HIDDEN = (64,)
HELD_OUT = 0.2
LEARNING_RATE = 0.03
WEIGHT_DECAY = 0.3
STEPS = 300


class FeedForward:
    """Mean and spread of networks with one hidden layer (deep ensembles, Lakshminarayanan et al. 2017).

    Each member starts from its own weights and holds out its own fifth of the points: they say when to
    stop, and by what the members' disagreement has to be widened to be as large as their errors. Early
    stopping and weight decay keep the networks from fitting an evaluation's noise; it is among those errors,
    so where it is large the spread does not shrink to 0. There is no prior and no posterior here: that is
    `BayesianNetwork`.
    """

    most_points = 2_048

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> Predictor:
        """Fit scaled features x [N, F] to standardised targets y [N]."""
        from hytnas_jax.mobo.surrogates import small_networks  # JAX is slow to import

        rng = np.random.default_rng(self.seed)
        order = rng.permuted(np.tile(np.arange(len(y)), (NUM_MEMBERS, 1)), axis=1)
        held_out = order < max(1, round(HELD_OUT * len(y)))
        networks = small_networks.train_early_stopped(
            small_networks.draw_networks((x.shape[1], *HIDDEN, 1), NUM_MEMBERS, rng),
            *(x, y, held_out),
            learning_rate=LEARNING_RATE,
            weight_decay=WEIGHT_DECAY,
            steps=STEPS,
        )

        def members(features: np.ndarray) -> np.ndarray:
            return small_networks.predictions(networks, features)

        return Ensemble(members, widening(members(x), y, held_out))
