"""Many subnets evaluated by one program, at once: what accelerators are fast at.

Letters: A architectures, G of them in a program on each device.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
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
    """An `Evaluator` whose program evaluates G subnets on each device, masks over the same weights, in one
    call.

    G is the largest power of two, up to `most` over the number of devices, that a device's memory holds; it
    is found by the first call, before anything is computed. Where the device does not tell its memory, the
    most is taken. The devices are those of this host; one does not wait for another.
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
        self._devices = jax.local_devices()
        self._params, self._images = _on_each(self._devices, (params, images))
        self._most = most
        self._program: tuple[int, Any] | None = None
        self._score = scoring.score

        def summarise(params: Tree, images: EvaluationImages, control: Control) -> Any:
            stats = calibrate(model, params, model.no_stats(), images.calibration, control)

            def output_of(images: jax.Array) -> jax.Array:
                return model.apply(params, stats, images, control, train=False)[0]

            outputs = jax.lax.map(output_of, images.images)
            return scoring.summarise(outputs, images.targets, images.real)

        self._summarise = jax.jit(_shared_out(self._devices, jax.vmap(summarise, (None, None, 0))))

    def __call__(
        self, architectures: Sequence[Architecture], batch: Control, on_evaluated: Callable[[], None]
    ) -> NDArray[np.float64]:
        """As `Evaluator` says.

        Raises:
          UserError: not even one subnet fits into the device's memory.
        """
        size, program = self.compiled(batch)
        size *= len(self._devices)
        results = []
        for start in range(0, len(architectures), size):
            count = min(size, len(architectures) - start)
            places = np.minimum(start + np.arange(size), len(architectures) - 1)  # the last fills a group up
            group = jax.device_get(program(self._params, self._images, batch.at(places)))
            for index in range(count):
                results.append(self._score(jax.tree.map(lambda sums, index=index: sums[index], group)))
                on_evaluated()
        return np.array(results)

    def compiled(self, batch: Control) -> tuple[int, Any]:
        """G and the program, for subnets like those of `batch`; what the first call finds serves all.

        Raises UserError as a call does.
        """
        if self._program is None:
            self._program = self._fitting(batch)
        return self._program

    def _fitting(self, batch: Control) -> tuple[int, Any]:
        """G and its program: halved until it fits."""
        free = free_bytes(self._devices[0])
        size = 2 ** math.floor(math.log2(max(1, self._most // len(self._devices))))
        while True:
            group = batch.at(np.zeros(size * len(self._devices), int))
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


def _on_each(devices: Sequence[Any], tree: Any) -> Any:
    """The arrays of a tree on each device."""
    if len(devices) == 1:
        params, images = tree
        return params, jax.device_put(images)
    return jax.device_put(tree, NamedSharding(_mesh(devices), PartitionSpec()))


def _shared_out(devices: Sequence[Any], evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """`evaluate(params, images, controls)`, each device with its part of the controls."""
    if len(devices) == 1:
        return evaluate
    part, whole = PartitionSpec("subnets"), PartitionSpec()
    # Branches of a network may differ in whether they depend on the controls, which the check forbids.
    return jax.shard_map(
        evaluate, mesh=_mesh(devices), in_specs=(whole, whole, part), out_specs=part, check_vma=False
    )


def _mesh(devices: Sequence[Any]) -> Mesh:
    return Mesh(np.array(devices), ("subnets",))


def _needed_bytes(program: Any) -> int:
    """What a compiled program takes beside its arguments, which are there already."""
    analysis = program.memory_analysis()
    return analysis.temp_size_in_bytes + analysis.output_size_in_bytes
