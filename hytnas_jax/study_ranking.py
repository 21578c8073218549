"""How far can the estimates be trusted? Networks are trained on their own, and every estimate is compared.

python -m hytnas_jax.study_ranking --workdir runs/digits

The truth takes long (a training for each network) and needs no supernet; the same command again goes on where
it was cut.
"""

import dataclasses
import os
from pathlib import Path

from hytnas_jax.command import require_at_least, run


@dataclasses.dataclass(frozen=True)
class Config:
    """Train networks of the space on their own, and say how well each estimate ranks them."""

    workdir: Path
    """The work folder; train_supernet has begun it."""
    networks: int = 40
    """Networks that are trained, from the cheapest to the dearest in even steps of log MACs."""
    repeated: int = 10
    """How many of them are trained from a second seed too: how far can the truth itself be trusted?"""
    epochs: int = 20
    """How many times each training picture is seen."""
    batch_size: int = 64
    """Pictures in a training step."""
    learning_rate: float = 3e-3
    """Peak learning rate of AdamW."""
    seed: int = 0
    """Of the draw, and of the first training; the second has the next one."""
    processes: int = os.cpu_count() or 1
    """Networks trained at the same time, each on its part of the cores; on an accelerator give 1."""


def main(config: Config) -> None:
    """Train what is missing, estimate, and report."""
    require_at_least(config, {"networks": 6, "repeated": 0, "epochs": 1, "batch_size": 2, "seed": 0})
    require_at_least(config, {"processes": 1})
    from hytnas_jax.steps.study_ranking import study_ranking

    study_ranking(config)


if __name__ == "__main__":
    run(main, Config)
