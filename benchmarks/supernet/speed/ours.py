"""Our supernet as `benchmarks.supernet.speed` runs it: the step of `train_supernet`, evaluated as in the
search."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.supernet.speed.workload import Workload
from hytnas_jax.runtime.hardware import compute_dtype
from proxies.base import Estimate
from proxies.supernet_accuracy import SupernetError
from supernet import training
from supernet.architecture import Architecture
from supernet.supernet import Control, controls, supernet


class Ours:
    """`Contender` in JAX, on its first device, in the package's type for it; float32 where `exact`."""

    def __init__(self, workload: Workload, *, exact: bool = False):
        self._space = workload.space
        self.model = supernet(
            workload.space,
            channels=workload.channels,
            num_classes=workload.num_classes,
            dtype=jnp.float32 if exact else compute_dtype(),
        )
        recipe = training.Recipe(num_steps=workload.num_steps)
        self.params, _ = self.model.init(jax.random.key(0))
        self._state = training.init(recipe, self.params)

        @functools.partial(jax.jit, donate_argnums=0)
        def step(state: training.TrainState, images: Any, labels: Any, subnets: Control) -> Any:
            return training.step(self.model, recipe, state, images, {"label": labels}, subnets)

        self._step = step
        self._error = SupernetError(
            workload.space, self.model, self.params, lambda _: workload.evaluation_images()
        )

    def put(self, images: np.ndarray, labels: np.ndarray) -> tuple[jax.Array, jax.Array]:
        return jnp.asarray(images), jnp.asarray(labels)

    def train(
        self, batch: tuple[jax.Array, jax.Array], subnets: list[Architecture]
    ) -> tuple[np.ndarray, float]:
        self._state, metrics = self._step(self._state, *batch, controls(self._space, subnets))
        jax.block_until_ready(self._state)
        return np.asarray(metrics.loss), float(metrics.gradient_norm)

    def evaluate(self, architectures: list[Architecture]) -> np.ndarray:
        return self._error(architectures)

    def estimate(self, architectures: list[Architecture]) -> Estimate:
        """Error rates, and the detail "loss" in nats, as `evaluate` finds them."""
        return self._error.estimate(architectures)
