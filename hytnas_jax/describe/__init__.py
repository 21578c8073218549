"""Prints a network block by block: output shapes, parameters, multiply-accumulates, peak memory; file sizes.

    python -m hytnas_jax.describe mobilevit-xs --num-classes 1000 --resolution 256
    python -m hytnas_jax.describe runs/digits/retrain/3f2a9c1e/architecture.json --json

Needs no JAX and answers in well under a second.

Examples:
  >>> from hytnas_jax import describe
  >>> describe.main(describe.Config("hyt-nas-bl"))  # doctest: +ELLIPSIS
  hyt-nas-bl: 224x224x3 images, 2 classes
  ...
  15,050 parameters, 15,553,320 MACs
  float32: peak memory 2,408,448 bytes, ...
  int8: peak memory 602,112 bytes, TFLite file 88,975 bytes: too large for 256 kB of memory
"""

from hytnas_jax.describe.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Prints the description on standard output."""
    check(config)
    from hytnas_jax.describe.command import describe_network

    describe_network(config)
