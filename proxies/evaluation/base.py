"""What subnets are evaluated on, and how outputs become an error and a loss.

Letters: N batches, B batch, R resolution, C channels, M images.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from numpy.typing import NDArray

from supernet.architecture import Architecture
from supernet.supernet import Control
from supernet.tasks.base import Targets


class EvaluationImages(NamedTuple):
    """What subnets of one resolution are evaluated on.

    calibration: float32 [N, B, R, R, C], training images for the BatchNorm statistics.
    images: float32 [N', B, R, R, C]; targets: a pytree of arrays [N', B, ...].
    real: bool [N', B], False where a batch was filled up.

    Examples:
      >>> import numpy as np
      >>> from proxies import EvaluationImages
      >>> pixels, targets = np.zeros((1, 4, 8, 8, 3), np.float32), {"label": np.array([[0, 1, 0, 0]])}
      >>> real = np.array([[True, True, True, False]])
      >>> EvaluationImages(calibration=pixels, images=pixels, targets=targets, real=real).real.sum()
      np.int64(3)
    """

    calibration: Any
    images: Any
    targets: Targets
    real: Any


class Scoring(NamedTuple):
    """How a task is evaluated.

    Attributes:
      summarise: (outputs [N, B, ...], targets, real [N, B]) -> a pytree of SUMS, traced; those of parts of
        the images may be added up.
      score: those sums -> error rate in 0..1 and loss in nats, float64 [2], on the host.
    """

    summarise: Callable[[jax.Array, Targets, jax.Array], Any]
    score: Callable[[Any], NDArray[np.float64]]


class Evaluator(Protocol):
    """Evaluates the subnets of one resolution."""

    def __call__(
        self, architectures: Sequence[Architecture], batch: Control, on_evaluated: Callable[[], None]
    ) -> NDArray[np.float64]:
        """Error rates and losses in nats, float64 [A, 2], of `architectures`, whose controls are `batch` [A].

        `on_evaluated` is called after each.
        """


def in_batches(images: np.ndarray, targets: Targets, batch: int) -> tuple[np.ndarray, Targets, np.ndarray]:
    """Images [M, ...] and targets as [N, batch, ...], and which are real, [N, batch]: the last is filled
    up."""

    def batched(array: np.ndarray) -> np.ndarray:
        missing = np.zeros((-len(array) % batch, *array.shape[1:]), array.dtype)
        return np.concatenate([array, missing]).reshape(-1, batch, *array.shape[1:])

    return batched(images), jax.tree.map(batched, targets), batched(np.ones(len(images), bool))


def mean_of_known(values: NDArray[np.float64]) -> float:
    """The mean of those that are not NaN, as of a class that does not occur; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan
