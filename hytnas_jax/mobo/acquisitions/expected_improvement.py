"""Expected improvement, in logarithms."""

import numpy as np
from scipy.special import erfcx, log_ndtr

from hytnas_jax.mobo.surrogates.base import Function, Predictor

SMALLEST_STD = 1e-12


class LogExpectedImprovement:
    """log E[max(best - y, 0)] for y ~ N(mean, std^2).

    The logarithm keeps an order among architectures whose expected improvement underflows (Ament et al.
    2023, arXiv 2310.20708, eq. 9); the order is that of the expected improvement itself.
    """

    def __call__(
        self, predictor: Predictor, *, best: float, evaluations: int, rng: np.random.Generator
    ) -> Function:
        """See `Acquisition`; `evaluations` and `rng` do not matter."""

        def log_improvement(features: np.ndarray) -> np.ndarray:
            mean, std = predictor.predict(features)
            std = np.maximum(std, SMALLEST_STD)
            return np.log(std) + _log_h((best - mean) / std)

        return log_improvement


def _log_h(z: np.ndarray) -> np.ndarray:
    """log(phi(z) + z Phi(z)) for any finite z."""
    log_phi = -0.5 * z**2 - 0.5 * np.log(2.0 * np.pi)
    near = np.maximum(z, -1.0)
    direct = np.exp(-0.5 * near**2) / np.sqrt(2.0 * np.pi) + near * np.exp(log_ndtr(near))
    # 1 - |z| Phi(z) / phi(z), by the scaled complementary error function
    tail = np.clip(z, -1e5, -1.0)
    ratio = 1.0 + tail * np.sqrt(np.pi / 2.0) * erfcx(-tail / np.sqrt(2.0))
    far = np.minimum(z, -1e5)
    log_tail = np.where(z > -1e5, np.log(np.maximum(ratio, 1e-300)), -2.0 * np.log(-far))
    return np.where(z > -1.0, np.log(direct), log_phi + log_tail)
