"""Thompson sampling."""

import numpy as np

from hytnas_jax.mobo.surrogates.base import Function, Predictor


class ThompsonSampling:
    """How good an objective is if it is one function drawn from the posterior (Thompson 1933).

    One draw serves a whole search for candidates, so that an architecture is worth the same whenever it
    is met: as multi-objective Bayesian optimisation uses it (Bradford et al. 2018, TSEMO).
    """

    def __call__(
        self, predictor: Predictor, *, best: float, evaluations: int, rng: np.random.Generator
    ) -> Function:
        """See `Acquisition`; neither `best` nor `evaluations` matters."""
        function = predictor.draw(rng)
        return lambda features: -function(features)
