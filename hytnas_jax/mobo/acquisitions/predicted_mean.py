"""Nothing but the predicted mean."""

import numpy as np

from hytnas_jax.mobo.surrogates.base import Function, Predictor


class PredictedMean:
    """How good an objective is expected to be: `-mean`. It explores nothing."""

    def __call__(
        self, predictor: Predictor, *, best: float, evaluations: int, rng: np.random.Generator
    ) -> Function:
        """See `Acquisition`; only the predictor matters."""
        return lambda features: -predictor.predict(features)[0]
