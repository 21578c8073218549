"""Measure networks of the search space on this machine and fit the latency predictor.

    python -m hytnas_jax.measure_latency --workdir runs/digits

The networks are drawn uniformly, written as ONNX and timed in turns (`device.measure`). Every result
is in `latency/measurements.csv` once it is certain; the same command again goes on from there.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import measure_latency
  >>> config = measure_latency.Config(Path("runs/mine"), networks=100)
  >>> config.networks
  100
"""

from hytnas_jax.measure_latency.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Measure, or go on measuring, and say how good the predictor is on networks that it has not seen."""
    check(config)
    from hytnas_jax.measure_latency.command import measure_latency

    measure_latency(config)
