"""Pictures from many places into uint8 arrays, splits and batches."""

from hytnas_jax.data.augment import augment, default_flip, prepare
from hytnas_jax.data.batches import batches
from hytnas_jax.data.changes import are_mostly_other_pixels, changes
from hytnas_jax.data.choosing import Wish
from hytnas_jax.data.dataset import Dataset, Pictures, load_dataset, picture_side
from hytnas_jax.data.place import Place
from hytnas_jax.data.source import NoSuchSource

__all__ = [
    "Dataset",
    "NoSuchSource",
    "Pictures",
    "Place",
    "Wish",
    "are_mostly_other_pixels",
    "augment",
    "batches",
    "changes",
    "default_flip",
    "load_dataset",
    "picture_side",
    "prepare",
]
