"""Write every retrained network in the formats of small devices, check each against JAX and measure it.

    python -m hytnas_jax.export --workdir runs/digits
    python -m hytnas_jax.export --workdir runs/digits --formats onnx onnx-int8 tflite tflite-int8 stablehlo

Each network's folder gets a file of each format, with what its check found beside it
(`model.onnx.check.json`), `card.json` (the model card) and `infer.py`, which runs the network on an
image with no more than numpy, Pillow and the format's runtime.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import export
  >>> config = export.Config(Path("runs/mine"), formats=("onnx", "onnx-int8"))
  >>> config.images
  1000
"""

from hytnas_jax.export.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Export what is not exported yet, and say how good and how quick each file is."""
    check(config)
    from hytnas_jax.export.command import export

    export(config)
