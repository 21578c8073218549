"""Upper confidence bound."""

import numpy as np

from hytnas_jax.mobo.surrogates.base import Function, Predictor

# Standard deviations, the same from first to last. The schedules of theory grow (Srinivas et al. 2010,
# arXiv 0912.3995); on the space of benchmarks/search/synthetic.py widths of 0, 0.5, 1 and 2 ended
# within the spread between seeds of each other, so there was nothing for a schedule to win.
WIDTH = 0.5


class UpperConfidenceBound:
    """How good an objective may well be: `WIDTH * std - mean`."""

    def __call__(
        self, predictor: Predictor, *, best: float, evaluations: int, rng: np.random.Generator
    ) -> Function:
        """See `Acquisition`; `best`, `evaluations` and `rng` do not matter."""

        def bound(features: np.ndarray) -> np.ndarray:
            mean, std = predictor.predict(features)
            return WIDTH * std - mean

        return bound
