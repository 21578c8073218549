"""What do networks, operations and hyperparameters cost on this machine and on other devices?

    python -m hytnas_jax.study_efficiency --workdir runs/efficiency
    python -m hytnas_jax.device_kit --workdir runs/efficiency --study --output kit   # for another device
    python -m hytnas_jax.study_efficiency --workdir runs/efficiency --measurements pi.csv
    python -m hytnas_jax.reduce_space --workdir runs/efficiency --max-latency-ms 30

Published networks, single operations and attention blocks are measured, and networks drawn from a search
space, from which a predictor learns what each hyperparameter of the space does. It needs no images. The
same command again goes on where it was cut; with more --runtimes or --measurements it adds devices.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import study_efficiency
  >>> config = study_efficiency.Config(Path("runs/efficiency"))
  >>> config.runtimes
  ('onnxruntime',)
"""

from hytnas_jax.study_efficiency.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Measure what is missing, and report."""
    check(config)
    from hytnas_jax.study_efficiency.command import study_efficiency

    study_efficiency(config)
