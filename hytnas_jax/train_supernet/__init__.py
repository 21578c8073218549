"""Train the weight-sharing network over a search space: the first command.

python -m hytnas_jax.train_supernet --workdir runs/digits
python -m hytnas_jax.train_supernet --workdir runs/mine --data path/to/images
python -m hytnas_jax.train_supernet --workdir runs/mine --data path/to/images --init-from runs/cifar

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import train_supernet
  >>> config = train_supernet.Config(Path("runs/mine"), data="path/to/images", epochs=60)
  >>> config.epochs
  60
"""

from hytnas_jax.train_supernet.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Train, or go on training, and say how good the subnets are."""
    check(config)
    from hytnas_jax.runtime import mesh

    mesh.join()
    from hytnas_jax.train_supernet.command import train_supernet

    train_supernet(config)
