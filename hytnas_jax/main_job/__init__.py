"""The main job: from images to a trained, exported Pareto set and a report, in one command.

    python -m hytnas_jax --workdir runs/digits
    python -m hytnas_jax --workdir runs/mine --data path/to/images
    python -m hytnas_jax --workdir runs/mine --data path/to/images --init-from runs/cifar
    python -m hytnas_jax --workdir runs/small --max-peak-memory-int8 262144 --max-model-bytes-int8 1048576 \\
        --formats onnx tflite-int8

Each step is also a command of its own with more flags, on the same work folder.

Examples:
  >>> from pathlib import Path
  >>> from hytnas_jax import main_job
  >>> config = main_job.Config(Path("runs/mine"), data="path/to/images", max_params=50_000)
  >>> config.evaluations
  80
"""

from hytnas_jax.main_job.config import Config, check

__all__ = ["Config", "main"]


def main(config: Config) -> None:
    """Run every step that is not done yet."""
    check(config)
    from hytnas_jax.main_job.command import run_all

    run_all(config)
