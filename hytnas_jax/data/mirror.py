"""Whether training images are mirrored left to right: as the user says, or decided once for a data set."""

import dataclasses

import numpy as np

from hytnas_jax.data.choosing import Looked, Wish, choose_rule
from hytnas_jax.data.loading import Decoding, load_images
from hytnas_jax.data.mirror_images import reason_in_images
from hytnas_jax.data.mirror_names import reason_in_names
from hytnas_jax.data.splits import Selection
from supernet.errors import UserError

_SIDE = 16  # pixels
_LABELS_READ, _IMAGES_READ, _CLASSES = 5000, 600, 40


@dataclasses.dataclass(frozen=True)
class Mirroring:
    """The decision and, in words, why."""

    is_on: bool
    reason: str

    @property
    def setting(self) -> str:
        """As the flag says it."""
        return "on" if self.is_on else "off"

    def in_words(self) -> str:
        return f"{self.setting}, {self.reason}"

    @classmethod
    def said(cls, given: str) -> "Mirroring":
        """As the user says it, "on" or "off". Raises UserError for anything else."""
        if given not in ("on", "off"):
            raise UserError(f"--mirror {given}: must be one of auto, on, off")
        return cls(given == "on", "as --mirror says")


def decide_mirroring(looked: Looked, wish: Wish, *, data_set: str) -> Mirroring:
    """What "auto" comes to: by the names of the classes and of the data set, then by the images."""
    source = looked.source
    reason = reason_in_names(data_set, source.class_names if source.are_named else ())
    if reason is None and source.task == "classification":
        reason = reason_in_images(*sample(looked, wish), source.class_names)
    if reason is not None:
        return Mirroring(False, f"since {reason}")
    if source.task != "classification":
        return Mirroring(True, "since the names of the classes do not speak against it")
    return Mirroring(True, "since neither the names of the classes nor their images speak against it")


def sample(
    looked: Looked, wish: Wish, *, seed: int = 0, count: int = _IMAGES_READ
) -> tuple[np.ndarray, np.ndarray]:
    """Small training images uint8 [N, 16, 16, C] and their labels: about so many, of up to 40 classes."""
    source = looked.source
    rng = np.random.default_rng(seed)
    size = source.sizes["train"]
    positions = rng.choice(size, min(size, _LABELS_READ), replace=False)
    labels = source.labels("train", positions)
    classes = rng.permutation(np.unique(labels))[:_CLASSES]
    of_a_class = max(1, count // len(classes))
    rows = np.concatenate([np.flatnonzero(labels == index)[:of_a_class] for index in classes])
    rows = rows[np.argsort(positions[rows])]
    selection = Selection("train", positions[rows], labels[rows])
    rule = choose_rule(looked, wish, side=_SIDE)
    images, kept, _ = load_images(selection, Decoding(source, rule, skip_corrupt=True))
    return images, selection.labels[kept]
