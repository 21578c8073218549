"""Retrain networks of the Pareto set stand-alone, and read the test split once, at the end.

python -m hytnas_jax.retrain --workdir runs/digits

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import retrain
  >>> config = retrain.Config(Path("runs/mine"), count=4)
  >>> config.start
  'supernet'
"""

from hytnas_jax.retrain.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Retrain the chosen networks one after the other, then test all of them."""
    check(config)
    from hytnas_jax.runtime import mesh

    mesh.join()
    from hytnas_jax.retrain.command import retrain

    retrain(config)
