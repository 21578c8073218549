"""Which subnets a training step trains: the largest, which teaches, and random ones.

BigNAS's sandwich (arXiv 2003.11142, section 3.1) trains the smallest in each step too. That makes the
smallest better, and ranks networks no better and no worse (docs/ranking-results.md).
"""

import numpy as np

from supernet.architecture import Architecture
from supernet.search_space import SearchSpace


def with_teacher(
    space: SearchSpace, rng: np.random.Generator, *, num_random: int, resolution: int
) -> list[Architecture]:
    """The largest and `num_random` uniform architectures, all for one `resolution`.

    The kinds of blocks of the largest are drawn at random, so that convolution and attention share it.
    """
    largest = space.extreme(space.sample(rng, 1)[0], largest=True)
    return _decoded(space, np.concatenate([[largest], space.sample(rng, num_random)]), resolution)


def sandwich(
    space: SearchSpace, rng: np.random.Generator, *, num_random: int, resolution: int
) -> list[Architecture]:
    """The largest, the smallest and `num_random` uniform architectures, all for one `resolution`.

    The kinds of blocks of the largest and the smallest are drawn at random.
    """
    codes = space.sample(rng, num_random)
    kinds = space.sample(rng, 2)
    ends = [space.extreme(kinds[0], largest=True), space.extreme(kinds[1], largest=False)]
    return _decoded(space, np.concatenate([ends, codes]), resolution)


def _decoded(space: SearchSpace, codes: np.ndarray, resolution: int) -> list[Architecture]:
    for index, gene in enumerate(space.genes):
        if gene.name == "resolution":
            codes[:, index] = gene.choices.index(resolution)
    return space.decode_all(codes)
