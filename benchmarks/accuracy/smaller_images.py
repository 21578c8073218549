"""A part of a large image set as an .npz file, for trials on a few cores.

    python -m benchmarks.accuracy.smaller_images --data tfds:cifar10 --data-dir DIR --output cifar.npz

Unlike `--max-images`, which keeps the same part of every split, it may keep few images to train on and
many to evaluate by: training is what takes long, and a ranking of networks is only as fine as the images
that it is evaluated on. Every class keeps its proportion.
"""

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.data import LabelledImages, load_dataset
from hytnas_jax.data.splits import quotas
from hytnas_jax.files.atomic import write_bytes
from hytnas_jax.runtime.command_line import run
from supernet.errors import UserError

SEARCH_FRACTION = 0.4  # of the training images, where there is no validation split


@dataclasses.dataclass(frozen=True)
class Config:
    """Write so many images of each split into one file."""

    data: str
    """The images: as --data of train_supernet."""
    output: Path
    """The .npz file."""
    data_dir: str | None = None
    """Where TensorFlow Datasets lie prepared."""
    train: int = 5000
    """Images to train on."""
    search: int = 4000
    """Images that the search evaluates on. Where the validation split has fewer, training images that are
    not trained on are added."""
    test: int = 2000
    """Images for the last evaluation."""
    seed: int = 0
    """Of the draw."""


def main(config: Config) -> None:
    """Read everything, and write what is wanted."""
    dataset = load_dataset(
        config.data,
        side=None,
        data_dir=config.data_dir,
        seed=config.seed,
        validation_fraction=SEARCH_FRACTION,
    )
    rng = np.random.default_rng(config.seed)
    train, rest = _divided(dataset.train, config.train, rng, "train")
    evaluating = (
        dataset.validation if config.search <= len(dataset.validation) else _joined(dataset.validation, rest)
    )
    splits = {
        "train": train,
        "val": _divided(evaluating, config.search, rng, "search")[0],
        "test": _divided(dataset.test, config.test, rng, "test")[0],
    }
    arrays: dict[str, Any] = {f"x_{key}": images.images for key, images in splits.items()}
    arrays |= {f"y_{key}": images.labels for key, images in splits.items()}
    buffer = io.BytesIO()
    np.savez(buffer, class_names=np.array(dataset.class_names), **arrays)
    write_bytes(config.output, buffer.getvalue())
    print(f"wrote {config.output}: {config.train} / {config.search} / {config.test} images")


def _divided(
    images: LabelledImages, count: int, rng: np.random.Generator, flag: str
) -> tuple[LabelledImages, LabelledImages]:
    """`count` of the images, every class in its proportion, and the others."""
    classes = np.bincount(images.labels)
    if not len(classes) <= count <= len(images):
        raise UserError(f"--{flag} {count}: must be {len(classes)} to {len(images)}")
    places = [
        rng.choice(np.flatnonzero(images.labels == label), share, replace=False)
        for label, share in enumerate(quotas(classes, count))
    ]
    chosen = np.isin(np.arange(len(images)), np.concatenate(places))
    first, second = (LabelledImages(images.images[mask], images.labels[mask]) for mask in (chosen, ~chosen))
    return first, second


def _joined(a: LabelledImages, b: LabelledImages) -> LabelledImages:
    return LabelledImages(np.concatenate([a.images, b.images]), np.concatenate([a.labels, b.labels]))


if __name__ == "__main__":
    run(main, Config)
