"""How sure `--mirror auto` is of what it takes from images, beside what names alone say.

    python -m benchmarks.accuracy.mirrored_likeness --sources digits tfds:cifar10 path/to/fashion_mnist.npz

For each source many draws of its images: how often they are said to look like other classes once they are
mirrored, and the part of the images like their class that stays so.
"""

import dataclasses
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least, show
from hytnas_jax import console
from hytnas_jax.data import Looked, Wish, first_look
from hytnas_jax.data.mirror import sample
from hytnas_jax.data.mirror_images import nearest_classes, reason_in_images
from hytnas_jax.data.mirror_names import reason_in_names


@dataclasses.dataclass(frozen=True)
class Config:
    """Draw images of many sources, and ask of each draw whether they may be mirrored."""

    sources: tuple[str, ...] = ("digits",)
    """As --data takes them; of TensorFlow Datasets those in TFDS_DATA_DIR."""
    draws: int = 100
    """Of each source and number of images."""
    images: tuple[int, ...] = (60, 200, 600)
    """In a draw, in all. --mirror auto takes 600, or as many as there are."""
    name: str = "mirrored_likeness"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Draw and print the table."""
    require_at_least(config, {"draws": 1})
    looks = [first_look(source) for source in config.sources]
    cases = [(looked, count) for looked in looks for count in config.images]
    with console.progress(cases, "sources") as bar:
        rows = [evaluate(looked, count, config.draws) for looked, count in bar]
    show(rows)
    return {
        "rows": rows,
    }


def evaluate(looked: Looked, count: int, draws: int) -> dict[str, Any]:
    """How often draws of so many images speak against mirroring, and what is kept."""
    source, against, kept = looked.source, 0, []
    for seed in range(draws):
        images, labels = sample(looked, Wish(), seed=seed, count=count)
        found, mirrored = nearest_classes(images, labels)
        kept.append(np.sum(mirrored == labels) / max(1, np.sum(found == labels)))
        against += reason_in_images(images, labels, source.class_names) is not None
    return {
        "source": source.name,
        "classes": len(source.class_names),
        "images": len(labels),
        "draws": draws,
        "against": against,
        "least_kept": round(float(min(kept)), 3),
        "most_kept": round(float(max(kept)), 3),
        "names": "off" if reason_in_names(source.name, source.class_names) else "on",
    }


if __name__ == "__main__":
    main(benchmark, Config)
