"""Multiply-accumulates of 1x1 convolutions alone: what of a network's cost goes into mixing channels.

A count, and an estimate of accuracy that needs no weights. Nothing but measurement speaks for it: of forty
counts it was the one that ranked trained networks best on one data set, and it was the best again on another,
which nothing had been chosen by (docs/ranking-results.md). Letter: A architectures.
"""

import dataclasses
from collections.abc import Sequence

from proxies.base import Direction, Estimate, Estimator
from proxies.latency.features import FEATURE_NAMES, architecture_features
from proxies.parts import ToSpec
from supernet.architecture import Architecture

_COLUMN = FEATURE_NAMES.index("macs_pointwise")


@dataclasses.dataclass(frozen=True)
class PointwiseMacs(Estimator):
    """An `Estimator`; `to_spec` as in `architecture_features`.

    Examples:
      >>> from proxies import PointwiseMacs
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> estimator = PointwiseMacs(lambda architecture: space.network_spec(architecture, num_classes=10))
      >>> estimator([space.decode([0] * len(space.genes))]).tolist()
      [4480.0]
    """

    to_spec: ToSpec
    name: str = "pointwise_macs"
    unit: str = "MACs"
    direction: Direction = "max"

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Exact counts, float64 [A]; 10,000 in about a second."""
        return Estimate(architecture_features(architectures, self.to_spec)[:, _COLUMN])
