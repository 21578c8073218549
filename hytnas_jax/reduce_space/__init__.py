"""Propose a smaller search space, most of whose networks are within your limits on a device.

    python -m hytnas_jax.reduce_space --workdir runs/study --max-latency-ms 30

Choices of genes are taken away one by one, each time the one that keeps most networks from the limits for the
networks within that go with it (PRIM, `reduction/peeling`). The file that comes out is for train_supernet
--space. On a large space it takes a minute, most of it for the first networks.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import reduce_space
  >>> config = reduce_space.Config(Path("runs/efficiency"), max_latency_ms=30)
  >>> config.share
  0.5
"""

from hytnas_jax.reduce_space.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Reduce the space, say what has been taken away, and write it."""
    check(config)
    from hytnas_jax.reduce_space.command import propose

    propose(config)
