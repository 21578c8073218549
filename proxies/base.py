"""What every estimate of an architecture has in common. Letter: A architectures."""

import abc
import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from supernet.architecture import Architecture

Direction = Literal["min", "max"]


@dataclasses.dataclass(frozen=True, eq=False)
class Estimate:
    """What an estimator says of architectures.

    Attributes:
        values: float64 [A]; NaN where the estimate has failed.
        std: float64 [A], the standard deviation of each value; None where the estimator knows none.
        details: further numbers float64 [A] by name: "loss" is the mean cross-entropy in nats behind an
            error rate.

    Examples:
      >>> import numpy as np
      >>> from proxies import Estimate
      >>> Estimate(np.array([0.25, 0.5]), std=np.array([0.01, 0.02])).values
      array([0.25, 0.5 ])
    """

    values: NDArray[np.float64]
    std: NDArray[np.float64] | None = None
    details: Mapping[str, NDArray[np.float64]] = dataclasses.field(default_factory=dict)


class Estimator(abc.ABC):
    """Gives each architecture one number.

    Attributes:
        name: unique, a column's title: "num_macs", "latency_ms".
        unit: of the number: "MACs", "ms", "" where it has none.
        direction: "min" where less is better, "max" where more is.
        has_std: whether an `Estimate` comes with standard deviations.
        known: architectures whose value was measured, and is not estimated.

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

    name: str
    unit: str
    direction: Direction
    has_std: bool = False
    known: Collection[Architecture] = ()

    @abc.abstractmethod
    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Everything that is known of the architectures, in their order."""

    def __call__(self, architectures: Sequence[Architecture]) -> NDArray[np.float64]:
        """The values alone, float64 [A]."""
        return self.estimate(architectures).values
