"""Which subnets a training step trains: the sandwich rule (BigNAS, arXiv 2003.11142, section 3.1)."""

import numpy as np

from supernet.architecture import Architecture
from supernet.search_space import SearchSpace


def sandwich(
    space: SearchSpace, rng: np.random.Generator, *, num_random: int, resolution: int
) -> list[Architecture]:
    """The largest, the smallest and `num_random` uniform architectures, all for one `resolution`.

    The kinds of blocks of the largest and the smallest are drawn at random, so that convolution and
    attention share both. The first is the teacher of the others.
    """
    codes = space.sample(rng, num_random)
    kinds = space.sample(rng, 2)
    largest, smallest = space.cardinalities - 1, np.zeros_like(space.cardinalities)
    for index, gene in enumerate(space.genes):
        if gene.name.endswith(".block"):
            largest[index], smallest[index] = kinds[0, index], kinds[1, index]
        if gene.name == "resolution":
            codes[:, index] = largest[index] = smallest[index] = gene.choices.index(resolution)
    return space.decode_all(np.concatenate([largest[None], smallest[None], codes]))
