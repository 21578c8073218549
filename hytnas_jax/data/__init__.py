"""Pictures from many places into uint8 arrays, splits and batches."""

from hytnas_jax.data.augment import augment, prepare
from hytnas_jax.data.batches import batches
from hytnas_jax.data.dataset import Dataset, Pictures, load_dataset, picture_side
from hytnas_jax.data.mirror import Mirroring, decide_mirroring
from hytnas_jax.data.open_source import open_source

__all__ = [
    "Dataset",
    "Mirroring",
    "Pictures",
    "augment",
    "batches",
    "decide_mirroring",
    "load_dataset",
    "open_source",
    "picture_side",
    "prepare",
]
