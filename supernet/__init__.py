"""The search space and the weight-sharing network over it: arrays in, arrays out.

Every name here is imported when it is first used. Those of a space need no JAX. The weight-sharing network is
`supernet.supernet.supernet(space, ...)`: the function has the name of its module, and is reached through it.
"""

from typing import TYPE_CHECKING

from supernet.lazy import lazy_names

if TYPE_CHECKING:
    from supernet import supernet as supernet
    from supernet.architecture import Architecture as Architecture
    from supernet.architecture import DenseHeadChoice as DenseHeadChoice
    from supernet.architecture import StageChoice as StageChoice
    from supernet.encoding import feature_names as feature_names
    from supernet.encoding import from_features as from_features
    from supernet.encoding import to_features as to_features
    from supernet.errors import UserError as UserError
    from supernet.graph import build_graph as build_graph
    from supernet.named import named_network as named_network
    from supernet.named import with_dense_head as with_dense_head
    from supernet.network import stand_alone as stand_alone
    from supernet.network_spec import NetworkSpec as NetworkSpec
    from supernet.search_space import SearchSpace as SearchSpace
    from supernet.space_size import num_networks as num_networks
    from supernet.spaces import built_in_space as built_in_space
    from supernet.spaces import space_from_mapping as space_from_mapping
    from supernet.spaces import space_to_mapping as space_to_mapping
    from supernet.stage_space import DenseHeadSpace as DenseHeadSpace
    from supernet.stage_space import StageSpace as StageSpace
    from supernet.subnet import slice_subnet as slice_subnet
    from supernet.supernet import Control as Control
    from supernet.supernet import SupernetModel as SupernetModel
    from supernet.supernet import controls as controls
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "supernet.architecture": ["Architecture", "DenseHeadChoice", "StageChoice"],
            "supernet.encoding": ["feature_names", "from_features", "to_features"],
            "supernet.errors": ["UserError"],
            "supernet.graph": ["build_graph"],
            "supernet.named": ["named_network", "with_dense_head"],
            "supernet.network": ["stand_alone"],
            "supernet.network_spec": ["NetworkSpec"],
            "supernet.search_space": ["SearchSpace"],
            "supernet.space_size": ["num_networks"],
            "supernet.spaces": ["built_in_space", "space_from_mapping", "space_to_mapping"],
            "supernet.stage_space": ["DenseHeadSpace", "StageSpace"],
            "supernet.subnet": ["slice_subnet"],
            "supernet.supernet": ["Control", "SupernetModel", "controls"],
        },
        submodules=["supernet"],
    )
