"""Search for the best trade-offs between accuracy and cost among the supernet's networks.

    python -m hytnas_jax.search --workdir runs/digits
    python -m hytnas_jax.search --workdir runs/digits --objectives error macs \\
        --max-peak-memory-int8 262144 --max-model-bytes-int8 1048576

Some networks are drawn at random to learn from; then the Bayesian loop (`mobo`) suggests batch after batch.
The same command again goes on where it was cut and comes to the same result (`loop`); with a larger
--evaluations it goes on with a finished search.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import search
  >>> config = search.Config(Path("runs/mine"), evaluations=120, max_params=50_000)
  >>> config.objectives
  ('blended_error', 'latency_ms')
"""

from hytnas_jax.search.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Search, or go on searching, and write the Pareto set."""
    check(config)
    from hytnas_jax.search.command import search

    search(config)
