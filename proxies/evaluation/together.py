"""Many subnets evaluated by one program, at once: what accelerators are fast at.

Letters: A architectures, G of them in a program.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from proxies.evaluation.base import EvaluationImages, Scoring
from supernet.architecture import Architecture
from supernet.calibration import calibrate
from supernet.device_memory import free_bytes
from supernet.errors import UserError
from supernet.model import Tree
from supernet.supernet import Control, SupernetModel

MOST_TOGETHER = 64


class BatchEvaluator:
    """An `Evaluator` whose program evaluates G subnets, masks over the same weights, in one call.

    G is the largest power of two, up to `most`, that the device's memory holds; it is found by the first
    call, before anything is computed. Where the device does not tell its memory, `most` is taken.
    """

    def __init__(
        self,
        model: SupernetModel,
        params: Tree,
        images: EvaluationImages,
        scoring: Scoring,
        *,
        most: int = MOST_TOGETHER,
    ):
        self._params, self._images, self._most = params, jax.device_put(images), most
        self._program: tuple[int, Any] | None = None
        self._score = scoring.score

        def summarise(params: Tree, images: EvaluationImages, control: Control) -> Any:
            stats = calibrate(model, params, model.no_stats(), images.calibration, control)

            def output_of(images: jax.Array) -> jax.Array:
                return model.apply(params, stats, images, control, train=False)[0]

            outputs = jax.lax.map(output_of, images.images)
            return scoring.summarise(outputs, images.targets, images.real)

        self._summarise = jax.jit(jax.vmap(summarise, (None, None, 0)))

    def __call__(
        self, architectures: Sequence[Architecture], batch: Control, on_evaluated: Callable[[], None]
    ) -> NDArray[np.float64]:
        """As `Evaluator` says.

        Raises:
          UserError: not even one subnet fits into the device's memory.
        """
        if self._program is None:
            self._program = self._compiled(batch)
        size, program = self._program
        results = []
        for start in range(0, len(architectures), size):
            count = min(size, len(architectures) - start)
            places = np.minimum(start + np.arange(size), len(architectures) - 1)  # the last fills a group up
            group = jax.device_get(program(self._params, self._images, batch.at(places)))
            for index in range(count):
                results.append(self._score(jax.tree.map(lambda sums, index=index: sums[index], group)))
                on_evaluated()
        return np.array(results)

    def _compiled(self, batch: Control) -> tuple[int, Any]:
        """G and its program: halved until it fits."""
        free = free_bytes(jax.local_devices()[0])
        size = 2 ** math.floor(math.log2(self._most))
        while True:
            group = batch.at(np.zeros(size, int))
            program = self._summarise.lower(self._params, self._images, group).compile()
            needed = _needed_bytes(program)
            if needed <= free:
                return size, program
            if size == 1:
                raise UserError(
                    f"evaluating a subnet takes {needed / 2**30:.2f} GiB of the device's memory, of which "
                    f"{free / 2**30:.2f} GiB are free: end other programs on it, or take smaller images"
                )
            size //= 2


def _needed_bytes(program: Any) -> int:
    """What a compiled program takes beside its arguments, which are there already."""
    analysis = program.memory_analysis()
    return analysis.temp_size_in_bytes + analysis.output_size_in_bytes
