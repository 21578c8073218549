"""Images from many places into uint8 arrays, splits and batches."""

from hytnas_jax.data.augment import augment, prepare
from hytnas_jax.data.batches import batches
from hytnas_jax.data.changes import are_mostly_other_pixels, changes
from hytnas_jax.data.choosing import Looked, Wish
from hytnas_jax.data.dataset import Dataset, LabelledImages, first_look, load_dataset
from hytnas_jax.data.mirror import Mirroring, decide_mirroring
from hytnas_jax.data.place import Place
from hytnas_jax.data.readers.source import NoSuchSource

__all__ = [
    "Dataset",
    "LabelledImages",
    "Looked",
    "Mirroring",
    "NoSuchSource",
    "Place",
    "Wish",
    "are_mostly_other_pixels",
    "augment",
    "batches",
    "changes",
    "decide_mirroring",
    "first_look",
    "load_dataset",
    "prepare",
]
