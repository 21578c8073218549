"""The supernet of a tiny space, compiled once."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_space import SPACE

from supernet.architecture import Architecture
from supernet.model import Model, Tree
from supernet.search_space import SearchSpace
from supernet.supernet import Control, controls, supernet

NUM_CLASSES = 3

# Compiling takes longer than running by far here: 0.6 of the time without optimisation.
jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


@dataclasses.dataclass
class Tiny:
    """`forward(params, stats, images, control)` gives the logits and statistics of training and of use."""

    space: SearchSpace
    model: Model
    params: Tree
    stats: Tree
    images: jax.Array
    forward: Callable[[Tree, Tree, jax.Array, Control], tuple[Any, Any]]
    jit: Callable[[Callable], Any]
    num_traces: list[int]

    def member(self, **genes: Any) -> Architecture:
        """stage1_width=6 for gene "stage1.width"; the first choice elsewhere."""
        values = {gene.name: gene.choices[0] for gene in self.space.genes}
        values |= {name.replace("_", ".", 1): value for name, value in genes.items()}
        return self.space.from_json({"space": self.space.name, "genes": values})

    def control(self, architecture: Architecture) -> Control:
        return controls(self.space, [architecture]).at(0)


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    model = supernet(SPACE, channels=2, num_classes=NUM_CLASSES, tiers=2)
    params, stats = model.init(jax.random.key(0))
    rng = np.random.default_rng(0)
    # Norms and biases that are not the neutral ones of the start, or they would hide mistakes.
    params, stats = (
        jax.tree.map(lambda leaf: leaf + 0.3 * rng.random(leaf.shape).astype(np.float32), tree)
        for tree in (params, stats)
    )
    images = jnp.asarray(rng.standard_normal((3, 7, 7, 2)).astype(np.float32))
    num_traces = [0]

    @jit
    def forward(params: Tree, stats: Tree, images: jax.Array, control: Control) -> tuple[Any, Any]:
        num_traces[0] += 1
        return (
            model.apply(params, stats, images, control, train=True),
            model.apply(params, stats, images, control, train=False),
        )

    return Tiny(SPACE, model, params, stats, images, forward, jit, num_traces)


@pytest.fixture(scope="session")
def cut() -> Callable[[Tree, Tree], Tree]:
    """`cut(wanted, shared)`: the leading part of every array of `shared`, as large as in `wanted`.

    Depthwise kernels [K, K, C] are cut around their centre.
    """

    def cut_tree(wanted: Any, shared: Any) -> Any:
        if isinstance(wanted, dict):
            return {name: cut_tree(part, shared[name]) for name, part in wanted.items()}
        starts = [0] * len(wanted.shape)
        if len(wanted.shape) == 3 and wanted.shape[0] == wanted.shape[1]:
            starts[:2] = [(shared.shape[0] - wanted.shape[0]) // 2] * 2
        return shared[tuple(slice(s, s + n) for s, n in zip(starts, wanted.shape, strict=True))]

    return cut_tree
