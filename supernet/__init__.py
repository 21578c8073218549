"""The search space and the weight-sharing network over it: arrays in, arrays out.

Public here (`_PUBLIC`) is what needs no JAX; it is imported when first used, so that a command that only
wants `UserError` need not wait for the rest. The networks: `supernet.supernet.supernet` (weight-sharing),
`supernet.network.stand_alone`, `supernet.subnet.slice_subnet`, `supernet.training`.
"""

import importlib
from typing import Any

_PUBLIC = {
    "Architecture": "supernet.architecture",
    "NetworkSpec": "supernet.network_spec",
    "SearchSpace": "supernet.search_space",
    "StageChoice": "supernet.architecture",
    "StageSpace": "supernet.stage_space",
    "UserError": "supernet.errors",
    "build_graph": "supernet.graph",
    "built_in_space": "supernet.spaces",
    "feature_names": "supernet.encoding",
    "from_features": "supernet.encoding",
    "named_network": "supernet.named",
    "num_networks": "supernet.space_size",
    "space_from_mapping": "supernet.spaces",
    "space_to_mapping": "supernet.spaces",
    "to_features": "supernet.encoding",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'supernet' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
