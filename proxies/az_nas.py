"""AZ-NAS's expressivity and progressivity: how many directions the features of random weights make use of.

Lee & Ham 2024 (arXiv 2403.19232, section 3.2): of the output of each primary block, with the eigenvalues of
the covariance matrix of its channels over all pixels of all images divided by their sum, p, the entropy

    s_l = - sum of p log p,    expressivity = sum of s_l,    progressivity = least of s_(l+1) - s_l

A network should keep its features from collapsing into few directions, and gain some from block to block. The
publication's trainability is left out (it needs the blocks' Jacobians), and its complexity is
`complexity.num_macs`.

A primary block is here an inverted residual or a MobileViT block, with its shortcut where it has one; the
stem and the head are none. Images are Gaussian noise, BatchNorms normalise by them, and the weights are
the supernet's first ones, of which each architecture takes its part.

Letters: A architectures, L blocks, B batch, H W map, C channels.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from proxies.base import Direction, Estimate, Estimator
from proxies.untrained import (
    adapted_supernet,
    by_resolution,
    check_positive,
    over_architectures,
    random_weights,
    trunk_of,
)
from supernet.architecture import Architecture
from supernet.elastic import ElasticMobileViT, ElasticResidual
from supernet.errors import UserError
from supernet.layers import Initializer
from supernet.model import Model, Tree
from supernet.ops import Train
from supernet.search_space import SearchSpace
from supernet.supernet import Control
from supernet.widths import AttentionWidths, ResidualWidths

BATCH = 16  # ranks networks of `hybrid` as 64 do (benchmarks/accuracy/untrained_estimates.py)

Part = Literal["expressivity", "progressivity"]


@dataclasses.dataclass(frozen=True)
class AzNas(Estimator):
    """An `Estimator` of one part of AZ-NAS for a space's architectures and images of `channels` channels.

    As in `ZenScore`, one compiled program a resolution does for any number of architectures. `entropies`
    gives both parts from one pass.

    Raises:
      UserError: an unknown `part`, a number that is not positive, an architecture of another space.

    Examples:
      >>> from proxies import AzNas
      >>> from supernet import SearchSpace, StageSpace
      >>> space = SearchSpace("mine", (StageSpace(width=(4, 8)),), resolution=(16,))
      >>> estimator = AzNas(space, "expressivity", channels=3)
      >>> estimator([space.decode([0]), space.decode([1])]).shape
      (2,)
    """

    space: SearchSpace
    part: Part
    _: dataclasses.KW_ONLY
    channels: int
    batch: int = BATCH
    seed: int = 0
    name: str = dataclasses.field(init=False)  # "az_nas_expressivity" or "az_nas_progressivity"
    unit: str = ""
    direction: Direction = "max"

    def __post_init__(self) -> None:
        if self.part not in get_args(Part):
            raise UserError(f"part={self.part!r}: must be one of {list(get_args(Part))}")
        check_positive(channels=self.channels, batch=self.batch)
        object.__setattr__(self, "name", f"az_nas_{self.part}")

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Values float64 [A]."""
        of_part = expressivity if self.part == "expressivity" else progressivity
        return Estimate(of_part(self.entropies(architectures)))

    def entropies(self, architectures: Sequence[Architecture]) -> list[NDArray[np.float64]]:
        """s_l float64 [L] of each architecture's blocks, in their order."""
        weights_key, images_key = jax.random.split(jax.random.key(self.seed))
        params = random_weights(trunk_of(self.space), self.channels, weights_key)

        def evaluate(resolution: int, batch_of: Control, count: int) -> NDArray[np.float64]:
            program = supernet_program(trunk_of(self.space), self.channels, resolution, self.batch)
            return np.asarray(program(params, images_key, batch_of, count)[:count], np.float64)

        found = by_resolution(trunk_of(self.space), architectures, evaluate, title="AZ-NAS")
        return [row[~np.isnan(row)] for row in found]


def expressivity(entropies: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The sum over the blocks, float64 [A]."""
    return np.array([np.sum(row) for row in entropies], np.float64)


def progressivity(entropies: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The least step from one block to the next, float64 [A]; 0 where there is one block."""
    return np.array([np.min(np.diff(row)) if len(row) > 1 else 0.0 for row in entropies], np.float64)


def entropy(features: jax.Array) -> jax.Array:
    """Of the normalised eigenvalues of the channels' covariance: [B, H, W, C] -> [].

    A channel that is 0 everywhere adds nothing. Features that are all alike have an entropy of 0.
    """
    points = features.reshape(-1, features.shape[-1]).astype(jnp.float32)
    centred = points - jnp.mean(points, 0)
    eigenvalues = jnp.maximum(jnp.linalg.eigvalsh(centred.T @ centred), 0)
    total = jnp.sum(eigenvalues)
    return jnp.sum(jax.scipy.special.entr(eigenvalues / jnp.where(total > 0, total, 1)))


class RecordedResidual(ElasticResidual):
    """`ElasticResidual` that writes its output's `entropy` [1]."""

    def __init__(self, block: ElasticResidual, init: Initializer):
        tiled = block.tile < block.spec.hidden
        super().__init__(block.in_width, block.spec, init, kernels=block.kernels, tiled=tiled)
        self.entropy = nnx.BatchStat(np.zeros(1, np.float32))

    def narrowed(self, x: jax.Array, widths: ResidualWidths, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H', W', width]."""
        y = super().narrowed(x, widths, train=train)
        self.entropy[...] = entropy(y)[None]
        return y


class RecordedMobileViT(ElasticMobileViT):
    """`ElasticMobileViT` that writes its output's `entropy` [1]."""

    def __init__(self, block: ElasticMobileViT, init: Initializer):
        super().__init__(block.spec, init, widths=block.widths, embeds=block.embeds)
        self.entropy = nnx.BatchStat(np.zeros(1, np.float32))

    def narrowed(self, x: jax.Array, widths: AttentionWidths, *, train: Train) -> jax.Array:
        """[B, H, W, width] to the same."""
        y = super().narrowed(x, widths, train=train)
        self.entropy[...] = entropy(y)[None]
        return y


def recorded_supernet(
    space: SearchSpace, *, channels: int, resolution: int, tiers: int | None = None
) -> Model:
    """The supernet whose blocks write their entropies, for images of one resolution."""

    def adapt(block: Any, side: int, init: Initializer) -> Any:
        if isinstance(block, ElasticResidual):
            return RecordedResidual(block, init)
        return RecordedMobileViT(block, init) if isinstance(block, ElasticMobileViT) else block

    return adapted_supernet(space, channels=channels, resolution=resolution, adapt=adapt, tiers=tiers)


@functools.lru_cache(maxsize=32)
def supernet_program(
    space: SearchSpace, channels: int, resolution: int, batch: int
) -> Callable[[Tree, jax.Array, Control, int], jax.Array]:
    """The compiled program (weights, key, controls [A], count) -> `block_entropies` [A, L]."""
    model = recorded_supernet(space, channels=channels, resolution=resolution)

    @jax.jit
    def program(params: Tree, key: jax.Array, batch_of: Control, count: jax.Array) -> jax.Array:
        images = jax.random.normal(key, (batch, resolution, resolution, channels))

        def compute(control: Control) -> jax.Array:
            return block_entropies(model, params, images, control)

        return over_architectures(compute, batch_of, count)

    return program


def block_entropies(model: Model, params: Tree, images: jax.Array, control: Control) -> jax.Array:
    """s_l [L] of all blocks of a recorded supernet, NaN where one is not part of the subnet."""
    # A block that is not computed leaves its statistics as they were given.
    given = jax.tree.map(lambda leaf: jnp.full(leaf.shape, jnp.nan), model.abstract_stats)
    stages = model.features(params, given, images, control)[1]["stages"]
    written = []
    for number in sorted(stages):
        stage = stages[number]
        blocks = [stage["first"], *(stage["more"][i] for i in sorted(stage.get("more", {})))]
        written += [block["entropy"] for block in blocks]
        if "transformer" in stage:
            written.append(stage["transformer"]["entropy"])
    return jnp.concatenate(written)
