"""NASWOT: how well the activation patterns of a network with random weights tell images apart.

Mellor et al. 2021 (arXiv 2006.04647, section 3): the code of an image says for each of the N_A
rectified linear units whether it is active; with d the Hamming distance of two images' codes,

    K_ij = N_A - d(c_i, c_j),        score = log |det K|

The less alike the codes, the larger the determinant.

Choices, where our networks go beyond the publication's:

- A unit is one channel at one pixel of what an activation function is applied to: after the stem, in
  inverted residuals (twice, once without expansion), in MobileViT blocks around the transformer (three
  times) and at the head. SiLU has no kink, but it has ReLU's shape, and the sign of its input stands for
  whether a ReLU would be active.
- In a transformer layer the hidden units of the feed-forward part, one for each token, count likewise.
  Attention has no such unit; it counts through what follows.
- Images are Gaussian noise, and BatchNorms normalise by them.
- The weights are the supernet's first ones, of which each architecture takes its part.

Letters: A architectures, B batch, H W map, C channels.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from proxies.base import Direction, Estimate, Estimator
from proxies.naswot_network import coded_supernet, sum_of_similarities, with_active
from proxies.untrained import by_resolution, check_positive, over_architectures, random_weights, trunk_of
from proxies.zen_network import norm_widths
from supernet.architecture import Architecture
from supernet.model import Model, Tree
from supernet.search_space import SearchSpace
from supernet.supernet import Control

# 16 images rank networks of `hybrid` as 64 do, but by unit they hang more on the draw than 32, which 64
# hardly better (benchmarks/accuracy/untrained_estimates.py).
BATCH = 32


@dataclasses.dataclass(frozen=True)
class Naswot(Estimator):
    """An `Estimator` of NASWOT's score of a space's architectures, for images of `channels` channels.

    As in `ZenScore`, one compiled program a resolution scores any number of architectures.

    Raises:
      UserError: a number that is not positive, an architecture of another space.

    Examples:
      >>> from proxies import Naswot
      >>> from supernet import SearchSpace, StageSpace
      >>> space = SearchSpace("mine", (StageSpace(width=(4, 8)),), resolution=(16,))
      >>> Naswot(space, channels=3)([space.decode([0]), space.decode([1])]).shape
      (2,)
    """

    space: SearchSpace
    _: dataclasses.KW_ONLY
    channels: int
    batch: int = BATCH
    seed: int = 0
    name: str = "naswot"
    unit: str = ""
    direction: Direction = "max"

    def __post_init__(self) -> None:
        check_positive(channels=self.channels, batch=self.batch)

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Scores float64 [A]; minus infinity where two images have one code."""
        return Estimate(log_determinant(self.kernels(architectures)))

    def kernels(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """K float64 [A, B, B]."""
        weights_key, images_key = jax.random.split(jax.random.key(self.seed))
        params = random_weights(trunk_of(self.space), self.channels, weights_key)

        def evaluate(resolution: int, batch_of: Control, count: int) -> NDArray[np.float64]:
            program = supernet_program(trunk_of(self.space), self.channels, resolution, self.batch)
            return np.asarray(program(params, images_key, batch_of, count)[:count], np.float64)

        found = by_resolution(trunk_of(self.space), architectures, evaluate, title="NASWOT")
        return np.array(found, np.float64).reshape(-1, self.batch, self.batch)


@functools.lru_cache(maxsize=32)
def supernet_program(
    space: SearchSpace, channels: int, resolution: int, batch: int
) -> Callable[[Tree, jax.Array, Control, int], jax.Array]:
    """The compiled program (weights, key, controls [A], count) -> K [A, B, B], 0 from `count` on."""
    model = coded_supernet(space, channels=channels, resolution=resolution, batch=batch)

    @jax.jit
    def program(params: Tree, key: jax.Array, batch_of: Control, count: jax.Array) -> jax.Array:
        images = jax.random.normal(key, (batch, resolution, resolution, channels))

        def kernel(control: Control) -> jax.Array:
            return code_kernel(model, params, images, control, norm_widths(space, control))

        return over_architectures(kernel, batch_of, count)

    return program


def code_kernel(
    model: Model, params: Tree, images: jax.Array, control: Any = None, widths: Any = None
) -> jax.Array:
    """K [B, B] of the images [B, H, W, C]: how many units have one sign in both.

    `widths` (`norm_widths`) says which channels are part of the subnet; None: all.
    """
    given = with_active(model.no_stats(), widths)
    similarity = sum_of_similarities(model.features(params, given, images, control)[1])
    # Units that agree less those that do not; an image agrees with itself in all of them.
    return (similarity[0, 0] + similarity) / 2


def log_determinant(kernels: NDArray[np.float64]) -> NDArray[np.float64]:
    """log |det K| float64 [A] of K [A, B, B]."""
    return np.linalg.slogdet(kernels)[1]


def by_unit(kernels: NDArray[np.float64]) -> NDArray[np.float64]:
    """log |det (K / N_A)| = score - B log N_A, float64 [A]: how different the codes are, however long.

    The score itself ranks networks of `hybrid` as the number of their units does (docs/untrained.md).
    """
    return log_determinant(kernels / kernels[:, :1, :1])
