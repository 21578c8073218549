"""Write a folder of networks and one script that measures them on a device without JAX.

    python -m hytnas_jax.device_kit --workdir runs/digits --output kit
    # copy kit/ to the device, and there: python measure.py --device pi
    # bring pi.csv back:
    python -m hytnas_jax.fit_latency --workdir runs/digits --device pi --measurements pi.csv
    python -m hytnas_jax.search --workdir runs/digits --device pi
    python -m hytnas_jax.device_kit --workdir runs/digits --output front-kit --front

The script needs Python, numpy and the runtime of the models, nothing else. With --front the networks are
those of the search's front: what they take there is compared with what was predicted.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import device_kit
  >>> config = device_kit.Config(Path("runs/mine"), output=Path("kit"))
  >>> config.networks
  100
"""

from hytnas_jax.device_kit.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Write the kit."""
    check(config)
    from hytnas_jax.device_kit.command import device_kit

    device_kit(config)
