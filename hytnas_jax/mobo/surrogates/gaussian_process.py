"""Gaussian process: a linear part, Matern-5/2 with a length scale for each feature, and noise.

The linear part says that features have effects of their own, which few points are enough to see; on one-hot
features it is an additive model. Matern learns what is left.

scikit-learn gives the posterior. The hyperparameters are found here, because its own search has no
prior (60 points x 30 features, on benchmarks/search/synthetic.py's space: 66% of held-out values inside
its 90% intervals, here 89%) and its gradient is a tensor [N, N, F] (0.23 s at 300 points x 60
features, times some thirty steps); here the gradient is a few matrix products.
"""

import dataclasses
import functools

import numpy as np
from scipy.linalg import cho_solve, cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern
from threadpoolctl import threadpool_limits

from hytnas_jax.mobo.points import evenly
from hytnas_jax.mobo.surrogates.base import Function, Predictor

# Medians of the log-normal priors, all of log-deviation 1; length scales grow as sqrt(F), because
# distances between points do (Hvarfner et al. 2024, arXiv 2402.02229).
MEDIAN_SIGNAL = 1.0
MEDIAN_NOISE = 0.05
SMALLEST_NOISE = 1e-4
MAX_ITERATIONS = 50
NUM_FOURIER_FEATURES = 1000
# Covariances of points and candidates at a time: 64 MB. A space of `design.MAX_LISTED` is predicted at once
# from as many points as hyperparameters are found from.
MOST_COVARIANCES = 2**23

# These matrices are small: on a machine with other work, BLAS threads that wait for each other make a
# fit of 300 points x 60 features take 11.7 s instead of 0.8 s.
_one_thread = threadpool_limits.wrap(limits=1, user_api="blas")


class GaussianProcess:
    """Evaluations are noisy; the predicted deviation is that of the value without its noise.

    The posterior comes from all points. The hyperparameters come from at most `most_for_hyperparameters`
    points, spread evenly over the order.
    """

    most_points = 2_048
    # The time of a likelihood grows with the cube, and a fit takes some thirty.
    most_for_hyperparameters = 512

    def __init__(self, *, seed: int) -> None:
        del seed  # nothing random here

    @_one_thread
    def fit(self, x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> Predictor:
        """Fit scaled features x [N, F] to standardised targets y [N] that are unsure by `noise` at least."""
        rows = evenly(len(x), self.most_for_hyperparameters)
        lengths, signal, found = _most_probable(x[rows], y[rows], noise[rows])
        linear = ConstantKernel(1.0 / x.shape[1]) * DotProduct(0.0, "fixed")
        kernel = ConstantKernel(signal) * (Matern(lengths, nu=2.5) + linear)
        process = GaussianProcessRegressor(kernel, alpha=found + noise, optimizer=None).fit(x, y)
        return _Posterior(process, lengths, signal, found + noise)


@dataclasses.dataclass(frozen=True, eq=False)
class _Posterior:
    process: GaussianProcessRegressor
    lengths: np.ndarray
    signal: float
    noise: np.ndarray

    @_one_thread
    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [self.process.predict(part, return_std=True) for part in self._parts(features)]
        return np.concatenate([mean for mean, _ in found]), np.concatenate([std for _, std in found])

    def draw(self, rng: np.random.Generator) -> Function:
        """A sample path: one of the prior, by random Fourier features, moved to the data by Matheron's
        rule (Wilson et al. 2020, arXiv 2002.09309, eq. 9)."""
        x, y = self.process.X_train_, self.process.y_train_
        prior = self._draw_prior(rng)
        noise = np.sqrt(self.noise) * rng.standard_normal(len(y))
        weights = cho_solve((self.process.L_, True), y - prior(x) - noise)

        @_one_thread
        def path(features: np.ndarray) -> np.ndarray:
            values = [prior(part) + self.process.kernel_(part, x) @ weights for part in self._parts(features)]
            return np.concatenate(values)

        return path

    def _parts(self, features: np.ndarray) -> list[np.ndarray]:
        """features [N, F], so many rows at a time that their covariances fit in memory."""
        rows = MOST_COVARIANCES // len(self.noise)
        return [features[start : start + rows] for start in range(0, max(len(features), 1), rows)]

    def _draw_prior(self, rng: np.random.Generator) -> Function:
        """The spectral density of Matern-5/2 is Student's t with 5 degrees of freedom."""
        num_features = len(self.lengths)
        shape = (NUM_FOURIER_FEATURES, num_features)
        spread = np.sqrt(5.0 / rng.chisquare(5.0, size=(NUM_FOURIER_FEATURES, 1)))
        frequencies = rng.standard_normal(shape) * spread / self.lengths
        phases = rng.uniform(0.0, 2.0 * np.pi, NUM_FOURIER_FEATURES)
        weights = np.sqrt(2.0 * self.signal / NUM_FOURIER_FEATURES) * rng.standard_normal(len(phases))
        slopes = np.sqrt(self.signal / num_features) * rng.standard_normal(num_features)
        return lambda features: np.cos(features @ frequencies.T + phases) @ weights + features @ slopes


def _most_probable(x: np.ndarray, y: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Length scales [F], signal variance and noise variance, beyond the `given` [N], of the highest
    posterior density."""
    medians = np.append(np.full(x.shape[1], np.sqrt(x.shape[1])), (MEDIAN_SIGNAL, MEDIAN_NOISE))
    posterior = _NegativeLogPosterior(x, y, given, np.log(medians))
    bounds = [(centre - 5.0, centre + 5.0) for centre in posterior.prior]
    bounds[-1] = (np.log(SMALLEST_NOISE), 0.0)
    found = minimize(
        posterior,
        posterior.prior,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": MAX_ITERATIONS},
    )
    best = np.exp(found.x)
    return best[:-2], float(best[-2]), float(best[-1])


@dataclasses.dataclass(frozen=True, eq=False)
class _NegativeLogPosterior:
    """Of log hyperparameters [F + 2]: F length scales, signal and noise variance."""

    x: np.ndarray
    y: np.ndarray
    given: np.ndarray
    prior: np.ndarray

    @functools.cached_property
    def linear(self) -> np.ndarray:
        """The linear part of the correlations [N, N], which depends on no hyperparameter."""
        return self.x @ self.x.T / self.x.shape[1]

    def __call__(self, log_theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient [F + 2] (Rasmussen & Williams 2006, eqs. 2.30 and 5.9)."""
        signal, noise = np.exp(log_theta[-2:])
        x = self.x / np.exp(log_theta[:-2])
        correlation, slope = _matern(x)
        correlation += self.linear
        covariance = signal * correlation
        covariance[np.diag_indices_from(covariance)] += noise + self.given
        lower = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
        inverse = _inverse(lower)
        weights = inverse @ self.y
        value = 0.5 * self.y @ weights + np.log(np.diag(lower)).sum()
        outer = inverse  # d value / d K = half of this
        outer -= np.outer(weights, weights)
        # sum_ij (outer * slope)_ij (x_if - x_jf)^2, without the tensor
        pull = np.multiply(slope, outer, out=slope)
        pull *= signal
        squares = 2.0 * (pull.sum(axis=1) @ x**2 - np.einsum("nf,nf->f", x, pull @ x))
        gradient = 0.5 * np.append(squares, (signal * np.vdot(outer, correlation), noise * np.trace(outer)))
        deviation = log_theta - self.prior
        return value + 0.5 * deviation @ deviation, gradient + deviation


def _matern(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matern-5/2 correlation [N, N] of scaled points [N, F], and its change with log length scale f
    divided by (x_if - x_jf)^2, which is the same for every f."""
    # In place: a fit takes most of its time to get memory for [N, N].
    norms = 5.0 * np.sum(x**2, axis=1)
    root = x @ (-10.0 * x.T)
    root += norms[:, None]
    root += norms
    root = np.sqrt(np.maximum(root, 0.0, out=root), out=root)
    decay = np.exp(-root)
    slope = (1.0 + root) * decay
    correlation = np.square(root, out=root)
    correlation *= decay / 3.0
    correlation += slope
    slope *= 5.0 / 3.0
    return correlation, slope


def _inverse(lower: np.ndarray) -> np.ndarray:
    """Of the matrix with that Cholesky factor: a third of the work of solving for the unit matrix."""
    half, _ = dpotri(lower, lower=1)  # the upper half is still the factor's, which is 0
    return half + np.tril(half, -1).T
