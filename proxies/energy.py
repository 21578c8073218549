"""Energy of one image, ESTIMATED from what a network computes and moves; nothing here is measured.

A sum over operations at published energies of each (Horowitz, "Computing's energy problem", ISSCC 2014,
figure 1.1.9: 45 nm, 0.9 V): a float32 multiplication 3.7 pJ and an addition 0.9 pJ, 8 bytes from a memory of
1 MB on the chip 100 pJ, from DRAM 1.3 nJ and more. Each operation reads its inputs from the chip's memory and
writes its output there; each weight comes from DRAM once. No device is like that: caches, leakage and
everything that is not arithmetic are left out. It says which of two networks is likely to need more, not how
much.
Letter: A architectures.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np

from proxies.base import Direction, Estimate, Estimator
from proxies.complexity import FLOAT_BYTES
from proxies.parts import Part, ToSpec, part_uses
from supernet.architecture import Architecture

PICOJOULES_A_MAC = 3.7 + 0.9
PICOJOULES_A_BYTE_ON_CHIP = 100 / 8
PICOJOULES_A_BYTE_OF_DRAM = 1300 / 8


@dataclasses.dataclass(frozen=True)
class EnergyEstimator(Estimator):
    """An `Estimator` of microjoules, at published energies; `to_spec` as in `complexity_table`.

    Examples:
      >>> from proxies import EnergyEstimator
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> estimator = EnergyEstimator(lambda architecture: space.network_spec(architecture, num_classes=10))
      >>> estimator([space.decode([0] * len(space.genes))]).round(1).tolist()
      [1.2]
    """

    to_spec: ToSpec
    name: str = "energy_estimate"
    unit: str = "uJ"
    direction: Direction = "min"

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Estimates [A]; 100,000 in a few seconds."""
        total = np.zeros(len(architectures))
        for uses in part_uses(architectures, self.to_spec):
            total[uses.who] += uses.counted(_microjoules) * uses.times
        return Estimate(total)


@functools.lru_cache(maxsize=2**16)
def _microjoules(part: Part) -> float:
    """Of a part's operations. A view moves nothing, and an activation is computed where its input is made."""
    picojoules = 0.0
    for op in part.ops:
        picojoules += PICOJOULES_A_MAC * op.num_macs
        picojoules += PICOJOULES_A_BYTE_OF_DRAM * FLOAT_BYTES * op.num_parameters
        if not op.is_view and op.kind != "activation":
            moved = [*(part.graph.shape(tensor) for tensor in op.inputs), op.shape]
            picojoules += PICOJOULES_A_BYTE_ON_CHIP * FLOAT_BYTES * sum(map(math.prod, moved))
    return picojoules / 1e6
