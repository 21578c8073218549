"""Error of a subnet with the supernet's weights, on pictures kept apart for the search.

Letters: A architectures, N batches, B batch, R resolution, H W map, C channels, K classes.
"""

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from proxies.base import Direction
from proxies.recently_used import RecentlyUsed
from supernet.architecture import Architecture
from supernet.calibration import combined
from supernet.model import Model, Tree
from supernet.search_space import SearchSpace
from supernet.supernet import Control, Part, SupernetModel, controls

KEPT_BYTES = 2**31
AHEAD = 1  # subnets that are begun before the one in front of them has ended


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

    The supernet's parts (stem, stages, head) are compiled once for each resolution and serve all subnets.
    What subnets have in common from the stem on is computed once: the maps after every part are kept within
    `kept_bytes`, those after the first parts longest, which most subnets share; and subnets that begin alike
    are judged one after the other. `losses` of the latest call hold the mean cross-entropies in nats,
    which are finer than the error.
    """

    name = "error"
    unit = ""
    direction: Direction = "min"

    def __init__(
        self,
        space: SearchSpace,
        model: SupernetModel,
        params: Tree,
        pictures: Callable[[int], JudgingPictures],
        *,
        on_judged: Callable[[], None] = lambda: None,
        kept_bytes: int = KEPT_BYTES,
    ):
        """`pictures` gives what is judged by for a resolution; `on_judged` is called after each subnet."""
        self._space = space
        self._pictures = pictures
        self._on_judged = on_judged
        self._prepared: dict[int, tuple[Maps, np.ndarray]] = {}
        self._parts = [JudgedPart(part, params) for part in model.parts]
        self._error_and_loss = jax.jit(error_and_loss)
        self._kept = RecentlyUsed(kept_bytes)
        self.losses: NDArray[np.float64] = np.zeros(0)

    def __call__(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """Error rates float64 [A]."""
        results = np.zeros((len(architectures), 2))
        batch = controls(self._space, architectures)
        begun: deque[tuple[int, tuple[jax.Array, jax.Array]]] = deque()

        def end(most: int) -> None:
            while len(begun) > most:
                index, result = begun.popleft()
                results[index] = jax.device_get(result)
                self._on_judged()

        for index in sorted(range(len(architectures)), key=lambda i: _from_the_stem_on(architectures[i])):
            begun.append((index, self._begin(architectures[index], batch.at(index))))
            end(most=AHEAD)
        end(most=0)
        errors, self.losses = results.T
        return errors

    def _begin(self, architecture: Architecture, control: Control) -> tuple[jax.Array, jax.Array]:
        """Error and loss [], which may still be in the making."""
        resolution = architecture.resolution
        if resolution not in self._prepared:
            calibration, images, labels = self._pictures(resolution)
            self._prepared[resolution] = Maps(*map(list, jax.device_put((calibration, images)))), labels
        maps, labels = self._prepared[resolution]
        *body, head = self._parts
        for number, part in enumerate(body):  # the stem is part 0, the same for all
            prefix = (resolution, *architecture.stages[:number])
            maps = self._kept.get(prefix, functools.partial(part, maps, control), rank=number)
        return self._error_and_loss(jnp.stack(head(maps, control).judged), labels)


def _from_the_stem_on(architecture: Architecture) -> tuple[Any, ...]:
    return architecture.resolution, *map(dataclasses.astuple, architecture.stages)


class Maps(NamedTuple):
    """Feature maps [B, H, W, C] of the batches to calibrate by and of those to judge by."""

    calibration: list[jax.Array]
    judged: list[jax.Array]


class JudgedPart:
    """One part of the supernet: maps to maps, the latter by statistics calibrated on the former."""

    def __init__(self, part: Part, params: Tree):
        model, of_tree, self._of_control = part
        self._params = of_tree(params)
        self._blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), model.abstract_stats)
        # One program, whether it is told to calibrate (train) or to use statistics.
        self._apply = jax.jit(
            lambda params, stats, x, control, train: model.apply(params, stats, x, control, train=train)
        )
        self._combined = jax.jit(
            lambda batches: combined(jax.tree.map(lambda *leaves: jnp.stack(leaves), *batches))
        )

    def __call__(self, maps: Maps, control: Control) -> Maps:
        own = self._of_control(control)
        calibrated = [self._apply(self._params, self._blank, x, own, True) for x in maps.calibration]
        stats = self._combined([stats for _, stats in calibrated])
        judged = [self._apply(self._params, stats, x, own, False)[0] for x in maps.judged]
        return Maps([x for x, _ in calibrated], judged)


def judge_calibrated(
    model: Model, params: Tree, stats: Tree, pictures: JudgingPictures
) -> tuple[jax.Array, jax.Array]:
    """Error rate and mean cross-entropy [] of a stand-alone network; `pictures.calibration` is not read."""
    logits = jax.lax.map(lambda x: model.apply(params, stats, x, train=False)[0], pictures.images)
    return error_and_loss(logits, pictures.labels)


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
