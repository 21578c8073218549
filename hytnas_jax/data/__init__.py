"""Pictures from many places into uint8 arrays, splits and batches."""

from hytnas_jax.data.augment import augment, default_flip, prepare
from hytnas_jax.data.batches import batches
from hytnas_jax.data.choosing import Wish
from hytnas_jax.data.dataset import Dataset, Pictures, load_dataset, picture_side

__all__ = [
    "Dataset",
    "Pictures",
    "Wish",
    "augment",
    "batches",
    "default_flip",
    "load_dataset",
    "picture_side",
    "prepare",
]
