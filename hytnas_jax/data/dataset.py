"""The data set that all commands work on: three disjoint splits of uint8 images."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from hytnas_jax.data.decode import ImageRule
from hytnas_jax.data.digest import Content
from hytnas_jax.data.labelled import LabelledImages
from hytnas_jax.data.readers.source import Split, Task
from hytnas_jax.data.splits import Selection


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Three disjoint splits: `train`; `validation`, on which the search evaluates; `test`, which it never
    sees.

    mean and std are of the training images' pixels in 0..1, one number a channel. native_side is the
    median shorter side of the images as stored (the longer one where they are padded). `rule` is how they
    became arrays; `cut` the median share of their area outside the middle square. `files` names each split's
    images, row by row, `content` says what they are, and `selections` where they are stored, in splits of
    `stored_sizes`; `class_pixels` are the pixels of each class in training masks; `skipped` names images that
    could not be read, `left_out` says in one line what else lies there, or "". `kept_together` images would
    have been copies in two carved splits; `remarks` are what to warn of.

    Images that are streamed are so in `train` and `test`; `validation` is held.
    """

    name: str
    task: Task
    class_names: tuple[str, ...]
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    mean: tuple[float, ...]
    std: tuple[float, ...]
    native_side: int
    rule: ImageRule
    cut: float
    files: Mapping[Split, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    content: Mapping[Split, Content] = dataclasses.field(default_factory=dict)
    selections: Mapping[Split, Selection] = dataclasses.field(default_factory=dict)
    stored_sizes: Mapping[Split, int] = dataclasses.field(default_factory=dict)
    class_pixels: tuple[int, ...] = ()
    skipped: tuple[str, ...] = ()
    kept_together: int = 0
    remarks: tuple[str, ...] = ()
    left_out: str = ""

    @property
    def are_streamed(self) -> bool:
        """Whether training decodes its images in each step."""
        return self.train.are_streamed

    def facts(self) -> dict[str, Any]:
        """All but what is said of each image, as JSON values."""
        return {
            **({"class_pixels": list(self.class_pixels)} if self.class_pixels else {}),
            "name": self.name,
            "task": self.task,
            "class_names": list(self.class_names),
            "mean": list(self.mean),
            "std": list(self.std),
            "native_side": self.native_side,
            "image": dataclasses.asdict(self.rule),
            "skipped": list(self.skipped),
        }

    def splits_to_json(self) -> dict[str, Any]:
        """What `splits.json` keeps: all but the pixels, of which it keeps digests. JSON values only."""
        return {
            **self.facts(),
            "splits": {split: list(files) for split, files in self.files.items()},
            "content": {split: content.to_json() for split, content in self.content.items()},
        }
