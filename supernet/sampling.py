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
    largest, smallest = space.sample(rng, 2)  # of which only the kinds of blocks stay
    for index, gene in enumerate(space.genes):
        if gene.name == "resolution":
            codes[:, index] = largest[index] = smallest[index] = gene.choices.index(resolution)
        elif not gene.name.endswith(".block"):
            largest[index], smallest[index] = np.argmax(gene.choices), np.argmin(gene.choices)
    return space.decode_all(np.concatenate([largest[None], smallest[None], codes]))
