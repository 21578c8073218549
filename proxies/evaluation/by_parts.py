"""Subnets evaluated one after the other, part by part: what a processor is fast at.

Letters: A architectures, B batch, H W map, C channels.
"""

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from proxies.evaluation.base import EvaluationImages, Scoring
from proxies.evaluation.recently_used import RecentlyUsed
from supernet.architecture import Architecture
from supernet.calibration import combined
from supernet.model import Model, Tree
from supernet.supernet import Control, ModelPart

AHEAD = 1  # subnets that are begun before the one in front of them has ended


class PartsEvaluator:
    """An `Evaluator` that computes once what subnets have in common from the stem on.

    The maps after every part are kept in `kept`, those after the first parts longest, which most subnets
    share; and subnets that begin alike are evaluated one after the other.
    """

    def __init__(
        self,
        parts: Sequence["EvaluatedPart"],
        images: EvaluationImages,
        scoring: Scoring,
        kept: RecentlyUsed,
    ):
        self._parts = parts
        self._kept = kept
        self._maps = Maps(*map(list, jax.device_put((images.calibration, images.images))))
        self._targets = images.targets, images.real
        self._summarise, self._score = jax.jit(scoring.summarise), scoring.score

    def __call__(
        self, architectures: Sequence[Architecture], batch: Control, on_evaluated: Callable[[], None]
    ) -> NDArray[np.float64]:
        """As `Evaluator` says."""
        results = np.zeros((len(architectures), 2))
        begun: deque[tuple[int, Any]] = deque()

        def end(most: int) -> None:
            while len(begun) > most:
                index, result = begun.popleft()
                results[index] = self._score(jax.device_get(result))
                on_evaluated()

        for index in sorted(range(len(architectures)), key=lambda i: _prefix(architectures[i])):
            begun.append((index, self._begin(architectures[index], batch.at(index))))
            end(most=AHEAD)
        end(most=0)
        return results

    def _begin(self, architecture: Architecture, control: Control) -> Any:
        """The sums, which may still be in the making."""
        maps, prefix, read = self._maps, _prefix(architecture), []
        *body, head = self._parts
        for number, part in enumerate(body):  # the stem is part 0, the same for all
            key = prefix[: number + 1]
            maps = self._kept.get(key, functools.partial(part, maps, control), rank=number)
            if number in head.reads:
                read.append(maps)
        return self._summarise(jnp.stack(head(_by_batch(read), control).evaluated), *self._targets)


def _prefix(architecture: Architecture) -> tuple[Hashable, ...]:
    """The resolution and the stages, in the order in which they are computed."""
    return architecture.resolution, *map(dataclasses.astuple, architecture.stages)


class Maps(NamedTuple):
    """Feature maps [B, H, W, C] of the batches to calibrate by and of those to evaluate by; for a head that
    reads several, a list of them for each batch."""

    calibration: list[Any]
    evaluated: list[Any]


def _by_batch(parts: Sequence[Maps]) -> Maps:
    """For each batch a list of the maps of all parts."""
    calibration, evaluated = zip(*parts, strict=True)
    return Maps(*([list(maps) for maps in zip(*each, strict=True)] for each in (calibration, evaluated)))


class EvaluatedPart:
    """One part of the supernet: maps to maps, the latter by statistics calibrated on the former."""

    def __init__(self, part: ModelPart, params: Tree):
        model, of_tree, self._of_control, self.reads = part
        self._params = of_tree(params)
        self._blank, self._apply = model.no_stats(), _compiled(model)

    def __call__(self, maps: Maps, control: Control) -> Maps:
        own = self._of_control(control)
        calibrated = [self._apply(self._params, self._blank, x, own, True) for x in maps.calibration]
        stats = _combined([stats for _, stats in calibrated])
        evaluated = [self._apply(self._params, stats, x, own, False)[0] for x in maps.evaluated]
        return Maps([x for x, _ in calibrated], evaluated)


@functools.lru_cache(maxsize=32)  # parts; two supernets have fewer
def _compiled(model: Model) -> Callable[..., Any]:
    """One program, whether it is told to calibrate (train) or to use statistics. The same for the same part:
    a second evaluator in a process compiles nothing."""

    @jax.jit
    def evaluated_part(params: Tree, stats: Tree, x: Any, control: Any, train: Any) -> Any:
        return model.apply(params, stats, x, control, train=train)

    return evaluated_part


@jax.jit
def _combined(batches: list[Tree]) -> Tree:
    """Statistics of all batches from those of each."""
    return combined(jax.tree.map(lambda *leaves: jnp.stack(leaves), *batches))
