"""Neural architecture search over hybrid networks for small devices, in JAX.

Each command is a module with a `Config` and a `main(config)`. `Workdir`, `open_project`, `load_pareto` and
`read_retrained` read what they left. The search alone, over any integer genes, is `Optimizer` (ask and tell)
or the function `suggest` under it. Every name here is imported when it is first used, so that `--help` is
fast.
"""

import sys
from typing import TYPE_CHECKING

from supernet.lazy import lazy_names

if sys.argv[:1] == ["-m"] and any(part.startswith("hytnas_jax") for part in sys.orig_argv):
    # `python -m hytnas_jax...`, before its module is found: even now a Ctrl-C shows no traceback.
    from hytnas_jax.runtime import stopping, streams

    streams.open_closed()
    stopping.start()

if TYPE_CHECKING:
    from hytnas_jax import describe as describe
    from hytnas_jax import device_kit as device_kit
    from hytnas_jax import export as export
    from hytnas_jax import fit_latency as fit_latency
    from hytnas_jax import main_job as main_job
    from hytnas_jax import measure_latency as measure_latency
    from hytnas_jax import mobo as mobo
    from hytnas_jax import reduce_space as reduce_space
    from hytnas_jax import report as report
    from hytnas_jax import retrain as retrain
    from hytnas_jax import search as search
    from hytnas_jax import study_efficiency as study_efficiency
    from hytnas_jax import study_ranking as study_ranking
    from hytnas_jax import study_search as study_search
    from hytnas_jax import train_supernet as train_supernet
    from hytnas_jax.mobo import Bound as Bound
    from hytnas_jax.mobo import Limit as Limit
    from hytnas_jax.mobo import Objective as Objective
    from hytnas_jax.mobo import Observations as Observations
    from hytnas_jax.mobo import Optimizer as Optimizer
    from hytnas_jax.mobo import Problem as Problem
    from hytnas_jax.mobo import Settings as Settings
    from hytnas_jax.mobo import hypervolume as hypervolume
    from hytnas_jax.mobo import hypervolume_history as hypervolume_history
    from hytnas_jax.mobo import initial_design as initial_design
    from hytnas_jax.mobo import pareto_mask as pareto_mask
    from hytnas_jax.mobo import suggest as suggest
    from hytnas_jax.retrain.retrained import read_retrained as read_retrained
    from hytnas_jax.search.results import load_pareto as load_pareto
    from hytnas_jax.workspace.project import open_project as open_project
    from hytnas_jax.workspace.space_file import load_space as load_space
    from hytnas_jax.workspace.workdir import Workdir as Workdir
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "hytnas_jax.mobo": [
                "Bound",
                "Limit",
                "Objective",
                "Observations",
                "Optimizer",
                "Problem",
                "Settings",
                "hypervolume",
                "hypervolume_history",
                "initial_design",
                "pareto_mask",
                "suggest",
            ],
            "hytnas_jax.retrain.retrained": ["read_retrained"],
            "hytnas_jax.search.results": ["load_pareto"],
            "hytnas_jax.workspace.project": ["open_project"],
            "hytnas_jax.workspace.space_file": ["load_space"],
            "hytnas_jax.workspace.workdir": ["Workdir"],
        },
        submodules=[
            "describe",
            "device_kit",
            "export",
            "fit_latency",
            "main_job",
            "measure_latency",
            "mobo",
            "reduce_space",
            "report",
            "retrain",
            "search",
            "study_efficiency",
            "study_ranking",
            "study_search",
            "train_supernet",
        ],
    )
