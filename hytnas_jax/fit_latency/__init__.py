"""Learn a device's latency from what a kit has measured on it (`device_kit`).

    python -m hytnas_jax.fit_latency --workdir runs/digits --device pi --measurements pi.csv

`search --device pi` then trades off, or limits, the latency on that device; `--objectives error
latency_ms@pi latency_ms@phone` that on several. Give the CSV files of several kits together, that of a
front too: its networks are first compared with what would have been predicted, then learnt from.

    python -m hytnas_jax.fit_latency --workdir runs/digits --device pi2 --measurements pi2.csv --like pi

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import fit_latency
  >>> config = fit_latency.Config(Path("runs/mine"), device="pi", measurements=(Path("pi.csv"),))
  >>> config.device
  'pi'
"""

from hytnas_jax.fit_latency.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Fit the predictor, and say how good it is."""
    check(config)
    from hytnas_jax.fit_latency.command import fit_latency

    fit_latency(config)
