"""What every estimate of an architecture has in common."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from supernet.architecture import Architecture

Direction = Literal["min", "max"]


class Estimator(Protocol):
    """Gives each architecture one number.

    Attributes:
        name: unique, a column's title: "num_macs", "latency_ms".
        unit: of the number: "MACs", "ms", "" where it has none.
        direction: "min" where less is better, "max" where more is.

    Examples:
      >>> from proxies import Estimator, num_macs
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> def to_spec(architecture):
      ...     return space.network_spec(architecture, num_classes=10)
      >>> estimator: Estimator = num_macs(to_spec)
      >>> estimator.name, estimator.unit, estimator.direction
      ('num_macs', 'MACs', 'min')
      >>> estimator([space.decode([0] * len(space.genes))]).tolist()
      [24096.0]
    """

    @property
    def name(self) -> str: ...

    @property
    def unit(self) -> str: ...

    @property
    def direction(self) -> Direction: ...

    def __call__(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """Values float64 [A] in the order of the architectures."""
        ...
