"""Which subnets a training step trains: the largest, which teaches, the smallest, and random ones.

This is the sandwich rule of BigNAS (arXiv 2003.11142, section 3.1). With a random subnet in place of the
smallest, both ends are worse, and networks are ranked no better and no worse (docs/ranking-results.md).
"""

import numpy as np

from supernet.architecture import Architecture
from supernet.search_space import SearchSpace


def sandwich(
    space: SearchSpace, rng: np.random.Generator, *, num_random: int, resolution: int
) -> list[Architecture]:
    """The largest, the smallest and `num_random` uniform architectures, all for one `resolution`.

    The kinds of blocks of the largest and the smallest are drawn at random, so that convolution and attention
    share them.
    """
    drawn = space.sample(rng, num_random)
    kinds = space.sample(rng, 2)
    ends = [space.extreme(kinds[0], largest=True), space.extreme(kinds[1], largest=False)]
    codes = np.concatenate([ends, drawn])
    for index, gene in enumerate(space.genes):
        if gene.name == "resolution":
            codes[:, index] = gene.choices.index(resolution)
    return space.decode_all(codes)
