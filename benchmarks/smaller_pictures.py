"""A part of a large picture set as an .npz file, for trials on a few cores.

    python benchmarks/smaller_pictures.py --data tfds:cifar10 --data-dir DIR --output cifar.npz

Unlike `--max-pictures`, which keeps the same part of every split, it may keep few pictures to train on and
many to judge by: training is what takes long, and a ranking of networks is only as fine as the pictures
that it is judged by. Every class keeps its proportion.
"""

import dataclasses
import io
from pathlib import Path

import numpy as np

from hytnas_jax.data import Pictures, load_dataset
from hytnas_jax.data.splits import quotas
from hytnas_jax.files.atomic import write_bytes
from hytnas_jax.runtime.command_line import run
from supernet.errors import UserError

SEARCH_FRACTION = 0.4  # of the training pictures, where there is no validation split


@dataclasses.dataclass(frozen=True)
class Config:
    """Write so many pictures of each split into one file."""

    data: str
    """The pictures: as --data of train_supernet."""
    output: Path
    """The .npz file."""
    data_dir: str | None = None
    """Where TensorFlow Datasets lie prepared."""
    train: int = 5000
    """Pictures to train on."""
    search: int = 4000
    """Pictures that the search judges by. Where the validation split has fewer, training pictures that are
    not trained on are added."""
    test: int = 2000
    """Pictures for the last evaluation."""
    seed: int = 0
    """Of the draw."""


def main(config: Config) -> None:
    """Read everything, and write what is wanted."""
    dataset = load_dataset(
        config.data,
        side=None,
        data_dir=config.data_dir,
        seed=config.seed,
        search_fraction=SEARCH_FRACTION,
    )
    rng = np.random.default_rng(config.seed)
    train, rest = _divided(dataset.train, config.train, rng, "train")
    judging = dataset.search if config.search <= len(dataset.search) else _joined(dataset.search, rest)
    splits = {
        "train": train,
        "val": _divided(judging, config.search, rng, "search")[0],
        "test": _divided(dataset.test, config.test, rng, "test")[0],
    }
    arrays = {f"x_{key}": pictures.images for key, pictures in splits.items()}
    arrays |= {f"y_{key}": pictures.labels for key, pictures in splits.items()}
    buffer = io.BytesIO()
    np.savez(buffer, class_names=np.array(dataset.class_names), **arrays)
    write_bytes(config.output, buffer.getvalue())
    print(f"wrote {config.output}: {config.train} / {config.search} / {config.test} pictures")


def _divided(
    pictures: Pictures, count: int, rng: np.random.Generator, flag: str
) -> tuple[Pictures, Pictures]:
    """`count` of the pictures, every class in its proportion, and the others."""
    classes = np.bincount(pictures.labels)
    if not len(classes) <= count <= len(pictures):
        raise UserError(f"--{flag} {count}: must be {len(classes)} to {len(pictures)}")
    places = [
        rng.choice(np.flatnonzero(pictures.labels == label), share, replace=False)
        for label, share in enumerate(quotas(classes, count))
    ]
    chosen = np.isin(np.arange(len(pictures)), np.concatenate(places))
    first, second = (Pictures(pictures.images[mask], pictures.labels[mask]) for mask in (chosen, ~chosen))
    return first, second


def _joined(a: Pictures, b: Pictures) -> Pictures:
    return Pictures(np.concatenate([a.images, b.images]), np.concatenate([a.labels, b.labels]))


if __name__ == "__main__":
    run(main, Config)
