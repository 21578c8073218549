"""Error of a subnet with the supernet's weights, on pictures kept apart for the search.

Letters: A architectures, N batches, B batch, R resolution, C channels.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from proxies.base import Direction
from supernet.architecture import Architecture
from supernet.calibration import calibrate
from supernet.model import Model, Tree
from supernet.search_space import SearchSpace
from supernet.supernet import Control, controls


class JudgingPictures(NamedTuple):
    """What subnets of one resolution are judged by.

    calibration: float32 [N, B, R, R, C], training pictures for the BatchNorm statistics.
    images: float32 [N', B, R, R, C] and labels: int32 [N', B], -1 where a batch was filled up.
    """

    calibration: Any
    images: Any
    labels: Any


class SupernetError:
    """Estimator of the error rate in 0..1: calibrates each subnet, then judges it.

    One compiled program for each resolution serves all subnets. `losses` of the latest call hold their
    mean cross-entropies in nats, which are finer than the error.
    """

    name = "error"
    unit = ""
    direction: Direction = "min"

    def __init__(
        self,
        space: SearchSpace,
        model: Model,
        params: Tree,
        pictures: Callable[[int], JudgingPictures],
        *,
        on_judged: Callable[[], None] = lambda: None,
    ):
        """`pictures` gives what is judged by for a resolution; `on_judged` is called after each subnet."""
        self._space = space
        self._params = params
        self._pictures = pictures
        self._on_judged = on_judged
        self._cache: dict[int, JudgingPictures] = {}
        self._judge = jax.jit(lambda params, pictures, control: judge(model, params, pictures, control))
        self.losses: NDArray[np.float64] = np.zeros(0)

    def __call__(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """Error rates float64 [A]."""
        results = []
        batch = controls(self._space, architectures)
        for index, architecture in enumerate(architectures):
            resolution = architecture.resolution
            if resolution not in self._cache:
                self._cache[resolution] = jax.tree.map(jnp.asarray, self._pictures(resolution))
            results.append(
                jax.device_get(self._judge(self._params, self._cache[resolution], batch.at(index)))
            )
            self._on_judged()
        errors, losses = np.array(results, np.float64).reshape(-1, 2).T
        self.losses = losses
        return errors


def judge(
    model: Model, params: Tree, pictures: JudgingPictures, control: Control | None
) -> tuple[jax.Array, jax.Array]:
    """Error rate and mean cross-entropy [] of one subnet (or, with None, of a stand-alone network)."""
    blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), model.abstract_stats)
    stats = calibrate(model, params, blank, pictures.calibration, control)
    return judge_calibrated(model, params, stats, pictures, control)


def judge_calibrated(
    model: Model, params: Tree, stats: Tree, pictures: JudgingPictures, control: Control | None
) -> tuple[jax.Array, jax.Array]:
    """As `judge`, with given statistics; `pictures.calibration` is not read."""

    def add(total: jax.Array, batch: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        images, labels = batch
        logits, _ = model.apply(params, stats, images, control, train=False)
        real = labels >= 0
        wrong = (jnp.argmax(logits, -1) != labels) & real
        log_probabilities = jax.nn.log_softmax(logits)
        nats = -jnp.take_along_axis(log_probabilities, jnp.maximum(labels, 0)[:, None], 1)[:, 0]
        sums = jnp.stack([jnp.sum(wrong), jnp.sum(jnp.where(real, nats, 0)), jnp.sum(real)])
        return total + sums, None

    total, _ = jax.lax.scan(add, jnp.zeros(3), (pictures.images, pictures.labels))
    return total[0] / total[2], total[1] / total[2]


def in_batches(images: np.ndarray, labels: np.ndarray, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """images [M, ...] and labels [M] as [N, batch, ...] and [N, batch]; the last is filled up by label -1."""
    missing = -len(labels) % batch
    images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])
    labels = np.concatenate([labels, np.full(missing, -1, labels.dtype)])
    return images.reshape(-1, batch, *images.shape[1:]), labels.reshape(-1, batch)
