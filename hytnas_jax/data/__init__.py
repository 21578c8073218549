"""Images from many places into uint8 arrays, splits and batches."""

from hytnas_jax.data.augment import Augmentation, Crops, augment, augment_with_crops, prepare
from hytnas_jax.data.augment_targets import move_boxes, move_masks
from hytnas_jax.data.batches import batches
from hytnas_jax.data.changes import are_mostly_other_pixels, changes
from hytnas_jax.data.choosing import Looked, Wish
from hytnas_jax.data.dataset import Dataset
from hytnas_jax.data.labelled import LabelledImages
from hytnas_jax.data.mirror import Mirroring, decide_mirroring
from hytnas_jax.data.opening import first_look, load_dataset
from hytnas_jax.data.place import Place
from hytnas_jax.data.readers.source import NoSuchSource, Task

__all__ = [
    "Augmentation",
    "Crops",
    "Dataset",
    "LabelledImages",
    "Looked",
    "Mirroring",
    "NoSuchSource",
    "Place",
    "Task",
    "Wish",
    "are_mostly_other_pixels",
    "augment",
    "augment_with_crops",
    "batches",
    "changes",
    "decide_mirroring",
    "first_look",
    "load_dataset",
    "move_boxes",
    "move_masks",
    "prepare",
]
