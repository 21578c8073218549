"""A Bayesian neural network, by anchored ensembling."""

import numpy as np

from hytnas_jax.mobo.surrogates.base import Predictor
from hytnas_jax.mobo.surrogates.ensemble import Ensemble

NUM_MEMBERS = 20
HIDDEN = (32, 32)
LEARNING_RATE = 0.1
STEPS = 300
# The log-normal prior of the noise's share of the targets' variance.
MEDIAN_NOISE = 0.05
NOISE_DEVIATION = 0.5
NOISE_GRID = np.geomspace(1e-3, 1.0, 100)


class BayesianNetwork:
    """Members that are approximately drawn from the posterior of a network's weights.

    Weights have a unit normal prior. Each member draws an anchor from it, adds a draw of the noise to the
    targets, and settles where its loss, with the prior moved to the anchor, is least: for a model linear in
    its weights that is an exact draw of the posterior, for a network an approximate one (Pearce et al. 2020,
    arXiv 1810.05546). Members agree where there are data and keep the prior's spread elsewhere; nothing
    scales it afterwards. The noise's variance is estimated before the members are trained (see
    `most_probable_noise`) and is left out of the spread.
    """

    most_points = 768

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> Predictor:
        """Fit scaled features x [N, F] to standardised targets y [N]."""
        from hytnas_jax.mobo.surrogates import small_networks  # JAX is slow to import

        rng = np.random.default_rng(self.seed)
        widths = (x.shape[1], *HIDDEN, 1)
        start, anchors = (small_networks.draw_networks(widths, NUM_MEMBERS, rng) for _ in range(2))
        basis = small_networks.hidden(anchors, x, np) * (small_networks.OUTPUT_SCALE / np.sqrt(HIDDEN[-1]))
        found = most_probable_noise(np.concatenate(basis, axis=1) / np.sqrt(NUM_MEMBERS), y)
        networks = small_networks.train_anchored(
            start,
            anchors,
            x,
            y + np.sqrt(found) * rng.standard_normal((NUM_MEMBERS, len(y))),
            noise=found,
            learning_rate=LEARNING_RATE,
            steps=STEPS,
        )
        return Ensemble(lambda features: small_networks.predictions(networks, features))


def most_probable_noise(basis: np.ndarray, y: np.ndarray) -> float:
    """The variance of the targets' noise, most probable given the prior's functions.

    Wide networks of the prior are a Gaussian process, whose covariance their hidden units give: that of
    weights of unit normal prior on `basis` [N, B], and of a bias (Neal 1996). Its evidence for targets y [N],
    times the noise's prior, is highest at the value returned, of those in `NOISE_GRID`. What the prior's
    functions do not explain counts as noise, so that few points seem noisier than they are.
    """
    values, vectors = np.linalg.eigh(basis @ basis.T + 1.0)
    variances = np.maximum(values, 0.0)[:, None] + NOISE_GRID
    log_evidence = -0.5 * np.sum((vectors.T @ y)[:, None] ** 2 / variances + np.log(variances), axis=0)
    log_prior = -0.5 * (np.log(NOISE_GRID / MEDIAN_NOISE) / NOISE_DEVIATION) ** 2
    return float(NOISE_GRID[np.argmax(log_evidence + log_prior)])
