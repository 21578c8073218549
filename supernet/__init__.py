"""The search space and the weight-sharing network over it: arrays in, arrays out.

Public here is what needs no JAX, so that it imports fast. The networks: `supernet.supernet.supernet`
(weight-sharing), `supernet.network.stand_alone`, `supernet.subnet.slice_subnet`, `supernet.training`.
"""

from supernet.architecture import Architecture, StageChoice
from supernet.encoding import feature_names, from_features, to_features
from supernet.errors import UserError
from supernet.graph import build_graph
from supernet.named import named_network
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace
from supernet.space_size import num_networks
from supernet.spaces import built_in_space, space_from_mapping, space_to_mapping
from supernet.stage_space import StageSpace

__all__ = [
    "Architecture",
    "NetworkSpec",
    "SearchSpace",
    "StageChoice",
    "StageSpace",
    "UserError",
    "build_graph",
    "built_in_space",
    "feature_names",
    "from_features",
    "named_network",
    "num_networks",
    "space_from_mapping",
    "space_to_mapping",
    "to_features",
]
