"""Write every retrained network as an ONNX model, check it against JAX and measure it.

    python -m hytnas_jax.export --workdir runs/digits

Each network's folder gets `model.onnx`, `card.json` (the model card) and `infer.py`, which classifies
a picture with no more than numpy, Pillow and ONNX Runtime.
"""

import dataclasses
from pathlib import Path

from hytnas_jax.command import require_at_least, run


@dataclasses.dataclass(frozen=True)
class Config:
    """Write the retrained networks as ONNX models, check them against JAX and measure their latency."""

    workdir: Path
    """The work folder; retrain has made the networks."""
    pictures: int = 64
    """Pictures of the search split on which each model must agree with JAX."""


def main(config: Config) -> None:
    """Export what is not exported yet, and say how good and how quick each model is."""
    require_at_least(config, {"pictures": 1})
    from hytnas_jax.steps.export import export

    export(config)


if __name__ == "__main__":
    run(main, Config)
