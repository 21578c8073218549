"""Prints a network block by block: output shapes, parameters, multiply-accumulates, peak memory; file sizes.

    python -m hytnas_jax.describe mobilevit-xs --num-classes 1000 --resolution 256
    python -m hytnas_jax.describe runs/digits/retrain/3f2a9c1e/architecture.json --json

Needs no JAX and answers in well under a second.
"""

from hytnas_jax.describe.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Prints the description on standard output."""
    check(config)
    from hytnas_jax.describe.command import describe_network

    describe_network(config)
