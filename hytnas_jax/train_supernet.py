"""Train the weight-sharing network over a search space: the first command.

python -m hytnas_jax.train_supernet --workdir runs/digits
python -m hytnas_jax.train_supernet --workdir runs/mine --data path/to/pictures
"""

import dataclasses

from hytnas_jax.command import require_at_least, run
from hytnas_jax.data_config import DataConfig


@dataclasses.dataclass(frozen=True)
class Config(DataConfig):
    """Train one network that contains all networks of a search space.

    Later commands read cheap accuracy estimates for any architecture from it.
    """

    epochs: int = 30
    """How many times each training picture is seen."""
    batch_size: int = 32
    """Pictures in a training step."""
    learning_rate: float = 3e-3
    """Peak learning rate of AdamW."""
    random_subnets: int = 2
    """Random networks trained in each step, beside the largest and the smallest."""
    seed: int = 0
    """Of the splits, the weights and the order of the pictures."""


def main(config: Config) -> None:
    """Train, or go on training, and say how good the subnets are."""
    require_at_least(config, {"epochs": 1, "batch_size": 2, "random_subnets": 1, "seed": 0})
    from hytnas_jax.steps.train_supernet import train_supernet

    train_supernet(config)


if __name__ == "__main__":
    run(main, Config)
