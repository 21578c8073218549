"""What subnets are evaluated by, and how logits become an error and a loss.

Letters: N batches, B batch, R resolution, C channels, K classes, M images.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from supernet.architecture import Architecture
from supernet.model import Model, Tree
from supernet.supernet import Control


class EvaluationImages(NamedTuple):
    """What subnets of one resolution are evaluated by.

    calibration: float32 [N, B, R, R, C], training images for the BatchNorm statistics.
    images: float32 [N', B, R, R, C] and labels: int32 [N', B], -1 where a batch was filled up.

    Examples:
      >>> import numpy as np
      >>> from proxies import EvaluationImages
      >>> pixels, labels = np.zeros((1, 4, 8, 8, 3), np.float32), np.array([[0, 1, 0, -1]], np.int32)
      >>> EvaluationImages(calibration=pixels, images=pixels, labels=labels).labels.shape
      (1, 4)
    """

    calibration: Any
    images: Any
    labels: Any


class Evaluator(Protocol):
    """Evaluates the subnets of one resolution."""

    def __call__(
        self, architectures: Sequence[Architecture], batch: Control, on_evaluated: Callable[[], None]
    ) -> NDArray[np.float64]:
        """Error rates and losses in nats, float64 [A, 2], of `architectures`, whose controls are `batch` [A].

        `on_evaluated` is called after each.
        """


def evaluate_calibrated(
    model: Model, params: Tree, stats: Tree, images: EvaluationImages
) -> tuple[jax.Array, jax.Array]:
    """Error rate and mean cross-entropy [] of a stand-alone network; `images.calibration` is not read."""
    logits = jax.lax.map(lambda x: model.apply(params, stats, x, train=False)[0], images.images)
    return error_and_loss(logits, images.labels)


def error_and_loss(logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Error rate and mean cross-entropy in nats [] of logits [..., K] and labels [...]; -1 does not count."""
    real = labels >= 0
    wrong = (jnp.argmax(logits, -1) != labels) & real
    log_probabilities = jax.nn.log_softmax(logits)
    nats = -jnp.take_along_axis(log_probabilities, jnp.maximum(labels, 0)[..., None], -1)[..., 0]
    count = jnp.sum(real)
    return jnp.sum(wrong) / count, jnp.sum(jnp.where(real, nats, 0)) / count


def in_batches(images: np.ndarray, labels: np.ndarray, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """images [M, ...] and labels [M] as [N, batch, ...] and [N, batch]; the last is filled up by label -1."""
    missing = -len(labels) % batch
    images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])
    labels = np.concatenate([labels, np.full(missing, -1, labels.dtype)])
    return images.reshape(-1, batch, *images.shape[1:]), labels.reshape(-1, batch)
