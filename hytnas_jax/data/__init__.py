"""Pictures from many places into uint8 arrays, splits and batches."""

from hytnas_jax.data.augment import augment, prepare
from hytnas_jax.data.batches import batches
from hytnas_jax.data.changes import are_mostly_other_pixels, changes
from hytnas_jax.data.choosing import Wish
from hytnas_jax.data.dataset import Dataset, Pictures, load_dataset, picture_side
from hytnas_jax.data.mirror import Mirroring, decide_mirroring
from hytnas_jax.data.open_source import open_source
from hytnas_jax.data.place import Place
from hytnas_jax.data.source import NoSuchSource

__all__ = [
    "Dataset",
    "Mirroring",
    "NoSuchSource",
    "Pictures",
    "Place",
    "Wish",
    "are_mostly_other_pixels",
    "augment",
    "batches",
    "changes",
    "decide_mirroring",
    "load_dataset",
    "open_source",
    "picture_side",
    "prepare",
]
