"""Neural architecture search over hybrid networks for small devices, in JAX.

Each command is a module with a `Config` and a `main(config)`: `train_supernet`, `measure_latency`, `search`,
`retrain`, `export`, `report`. `Workdir`, `open_project`, `load_pareto` and `read_retrained` read what they
left; they are imported when first used, so that `--help` is fast.
"""

import importlib
import sys
from typing import Any

if sys.argv[:1] == ["-m"] and any(part.startswith("hytnas_jax") for part in sys.orig_argv):
    # `python -m hytnas_jax...`, before its module is found: even now a Ctrl-C shows no traceback.
    from hytnas_jax.runtime import stopping, streams

    streams.open_closed()
    stopping.start()

_PUBLIC = {
    "Workdir": "hytnas_jax.workspace.workdir",
    "load_pareto": "hytnas_jax.search.results",
    "open_project": "hytnas_jax.workspace.project",
    "read_retrained": "hytnas_jax.retrain.retrained",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hytnas_jax' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
