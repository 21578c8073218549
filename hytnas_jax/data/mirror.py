"""Whether training pictures are mirrored left to right: as the user says, or decided once for a data set."""

import dataclasses
from typing import get_args

import numpy as np

from hytnas_jax.data.choosing import Wish, choose_rule, look_at
from hytnas_jax.data.loading import load_pictures
from hytnas_jax.data.mirror_names import reason_in_names
from hytnas_jax.data.mirror_pictures import reason_in_pictures
from hytnas_jax.data.source import Source
from hytnas_jax.data.splits import Selection
from hytnas_jax.data_config import Mirror
from supernet.errors import UserError

_SIDE = 16  # pixels
_LABELS_READ, _PICTURES_READ, _CLASSES = 5000, 600, 40


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
            raise UserError(f"--mirror {given}: must be one of {', '.join(get_args(Mirror))}")
        return cls(given == "on", "as --mirror says")


def decide_mirroring(source: Source, *, data_set: str, wish: Wish | None = None) -> Mirroring:
    """What "auto" comes to: by the names of the classes and of the data set, then by the pictures.

    wish: how the user wants pictures to be read.
    """
    reason = reason_in_names(data_set, source.class_names if source.are_named else ())
    if reason is None:
        reason = reason_in_pictures(*sample(source, wish=wish), source.class_names)
    if reason is not None:
        return Mirroring(False, f"since {reason}")
    return Mirroring(True, "since neither the names of the classes nor their pictures speak against it")


def sample(
    source: Source, *, seed: int = 0, pictures: int = _PICTURES_READ, wish: Wish | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Small training pictures uint8 [N, 16, 16, C] and their labels: about so many, of up to 40 classes."""
    rng = np.random.default_rng(seed)
    size = source.sizes["train"]
    positions = rng.choice(size, min(size, _LABELS_READ), replace=False)
    labels = source.labels("train", positions)
    classes = rng.permutation(np.unique(labels))[:_CLASSES]
    of_a_class = max(1, pictures // len(classes))
    rows = np.concatenate([np.flatnonzero(labels == index)[:of_a_class] for index in classes])
    rows = rows[np.argsort(positions[rows])]
    selection = Selection("train", positions[rows], labels[rows])
    rule = choose_rule(look_at(source, values=True), wish or Wish(), side=_SIDE, channels=source.channels)
    images, kept, _ = load_pictures(
        source, selection, rule=rule, skip_corrupt=True, on_decoded=lambda count: None
    )
    return images, selection.labels[kept]
