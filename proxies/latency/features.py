"""What a network asks of a device, as numbers from which a latency can be predicted.

For each kind of operation: how many there are, the elements that they write and, where they
multiply, the multiply-accumulates. A device's time is close to a sum over these, each with a price
of its own; parameters or MACs alone leave out what small networks wait for. Depthwise convolutions
of large kernels have further prices: runtimes have quick programs for 3x3 and 5x5 ones (docs/latency.md).
Letter: F features.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from proxies.parts import Part, ToSpec, part_uses
from supernet.architecture import Architecture
from supernet.graph import part_graphs
from supernet.network_spec import NetworkSpec
from supernet.operations import Kind

# Positions are an addition of a constant.
_COUNTED_AS: dict[Kind, Kind] = {"position": "add"}
_KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind not in _COUNTED_AS)
_MULTIPLYING: tuple[Kind, ...] = ("conv", "depthwise", "pointwise", "linear", "scores", "mix")
_LARGE_DEPTHWISE, _LARGE = "large_depthwise", 7  # and the side of a kernel from which on it is one
FEATURE_NAMES = (
    "network",  # 1: what each run costs whatever the network
    *(f"num_{kind}" for kind in _KINDS),
    *(f"elements_{kind}" for kind in _KINDS),
    *(f"macs_{kind}" for kind in _MULTIPLYING),
    *(f"{quantity}_{_LARGE_DEPTHWISE}" for quantity in ("num", "elements", "macs")),
)
_INDEX = {name: index for index, name in enumerate(FEATURE_NAMES)}

Features = NDArray[np.float64]


def latency_features(spec: NetworkSpec) -> Features:
    """float64 [F] in the order of `FEATURE_NAMES`. Views, which move no data, count for nothing.

    Raises:
        UserError: for a specification that cannot be built.
    """
    features = np.zeros(len(FEATURE_NAMES))
    features[_INDEX["network"]] = 1
    for graph in part_graphs(spec):
        features += _count(Part.whole(graph))
    return features


def feature_table(specs: Iterable[NetworkSpec]) -> Features:
    """float64 [N, F] of N networks.

    Examples:
      >>> from proxies import feature_table
      >>> from supernet import named_network
      >>> names = ("mobilevit-xxs", "mobilevit-xs")
      >>> feature_table(named_network(name, num_classes=10, resolution=96) for name in names).shape
      (2, 52)
    """
    return np.array([latency_features(spec) for spec in specs]).reshape(-1, len(FEATURE_NAMES))


def architecture_features(architectures: Sequence[Architecture], to_spec: ToSpec) -> Features:
    """`latency_features` of architectures of one space, float64 [A, F]; 10,000 in about a second.

    Args:
        to_spec: makes an architecture's network, as `SearchSpace.network_spec` does.

    Examples:
      >>> from proxies import architecture_features
      >>> from supernet import built_in_space
      >>> space = built_in_space("hybrid-small")
      >>> def to_spec(architecture):
      ...     return space.network_spec(architecture, num_classes=10)
      >>> architecture_features([space.decode([0] * len(space.genes))], to_spec).shape
      (1, 52)
    """
    table = np.zeros((len(architectures), len(FEATURE_NAMES)))
    table[:, _INDEX["network"]] = 1
    for uses in part_uses(architectures, to_spec):
        table[uses.who] += uses.counted(_count) * uses.times[:, None]
    return table


@functools.lru_cache(maxsize=2**16)
def _count(part: Part) -> Features:
    """Features [F] of a part, but for the network's own."""
    features = np.zeros(len(FEATURE_NAMES))
    for op in part.ops:
        if op.is_view:
            continue
        kinds: list[str] = [_COUNTED_AS.get(op.kind, op.kind)]
        if op.kind == "depthwise" and op.kernel >= _LARGE:
            kinds.append(_LARGE_DEPTHWISE)
        for kind in kinds:
            features[_INDEX[f"num_{kind}"]] += 1
            features[_INDEX[f"elements_{kind}"]] += math.prod(op.shape)
            if op.kind in _MULTIPLYING:
                features[_INDEX[f"macs_{kind}"]] += op.num_macs
    return features
