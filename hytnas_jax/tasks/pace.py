"""How networks are trained where no flag says otherwise. Measured in docs/recipes.md."""

import dataclasses
from collections.abc import Callable

from supernet.training import supernet_rate


@dataclasses.dataclass(frozen=True)
class Pace:
    """batch_size: images in a training step. least_steps: of a retraining; few images are seen more often for
    that, and a supernet, whose steps train several networks, has half of them. supernet_rate: (number of
    weights) -> the peak learning rate of a supernet. most_networks: that are retrained; a larger --count goes
    on later."""

    batch_size: int
    least_steps: int
    supernet_rate: Callable[[int], float]
    most_networks: int


CLASSES = Pace(32, 0, supernet_rate, 8)
# An output for each cell: a batch has thousands of them. A network takes minutes.
MAPS = Pace(8, 2000, lambda num_weights: 1e-2, 3)
