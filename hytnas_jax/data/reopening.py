"""Streamed images opened again: what was noted of them is trusted, and checked where they are decoded."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hytnas_jax.data.annotations import Annotations, digest_annotations, read_annotations
from hytnas_jax.data.changes import changed_classes
from hytnas_jax.data.dataset import Dataset
from hytnas_jax.data.decode import ImageRule
from hytnas_jax.data.digest import Content
from hytnas_jax.data.labelled import LabelledImages
from hytnas_jax.data.opening import names_of
from hytnas_jax.data.readers.source import Source, Split
from hytnas_jax.data.readers.tfds import TfdsSource
from hytnas_jax.data.splits import Selection
from hytnas_jax.data.streamed import ReopenableSource, StreamedImages, StreamedMasks
from hytnas_jax.numbers import counted


@dataclasses.dataclass(frozen=True, eq=False)
class Noted:
    """What is kept of a data set: its `facts`; and of each split the names of its images, their content and,
    of streamed ones, where they are stored."""

    facts: Mapping[str, Any]
    files: Mapping[Split, tuple[str, ...]]
    content: Mapping[Split, Content]
    selections: Mapping[Split, Selection] = dataclasses.field(default_factory=dict)

    @property
    def are_streamed(self) -> bool:
        return bool(self.selections)


class OtherImages(Exception):
    """`lines` say in what the images differ from what was noted of them."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


def reopen(noted: Noted, again: Callable[[], Source], *, hint: str = "") -> Dataset:
    """The data set that was noted, its images streamed. Only those of the validation split are decoded.

    hint: what else to say where an image has changed.

    Raises:
        OtherImages: for other numbers, names, classes, labels or boxes. Labels that lie beside the images of
            record files, and masks, are not read for that.
        UserError: for a source that is not usable, and a validation image that has changed.
    """
    source = again()
    reopenable, facts = ReopenableSource(again, source, hint=hint), noted.facts
    rule = ImageRule(**facts["image"])
    lines = _other_sources(noted, source)
    annotations = _annotations(noted, reopenable, rule.side) if not lines else {}
    for split, selection in noted.selections.items() if not lines else ():
        lines += _changes_of(noted, split, selection, source, annotations[split])
    if lines:
        raise OtherImages(lines)
    images = {
        split: LabelledImages(
            StreamedImages(reopenable, selection, noted.content[split].digests, rule),
            selection.labels,
            annotations[split],
        )
        for split, selection in noted.selections.items()
    }
    return Dataset(
        name=source.name,
        task=source.task,
        class_names=source.class_names,
        train=images["train"],
        validation=images["validation"].held(),
        test=images["test"],
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        native_side=facts["native_side"],
        rule=rule,
        cut=facts["cut"],
        files={split: names_of(source, selection) for split, selection in noted.selections.items()},
        content=noted.content,
        selections=noted.selections,
        stored_sizes=source.sizes,
        class_pixels=tuple(facts.get("class_pixels", ())),
        skipped=tuple(facts["skipped"]),
        left_out=source.left_out,
    )


def _other_sources(noted: Noted, source: Source) -> list[str]:
    """What differs so much that single images cannot be compared."""
    facts = noted.facts
    lines = changed_classes(facts["class_names"], source.class_names)
    if source.channels != len(facts["mean"]):
        lines.append(f"channels: were {len(facts['mean'])}, are {source.channels}")
    before = facts["stored"]
    for split in {**before, **source.sizes}:
        was, now = before.get(split, 0), source.sizes.get(split, 0)
        if was != now:
            lines.append(f"{split} as it is stored: {counted(was, 'image')} before, {now} now")
    return lines


def _annotations(noted: Noted, reopenable: ReopenableSource, side: int) -> dict[Split, Annotations | None]:
    if reopenable.source.task != "segmentation":
        return read_annotations(reopenable.source, noted.selections, side=side)
    masks = dict[Split, Annotations | None]()
    for split, selection in noted.selections.items():
        digests = noted.content[split].annotations
        assert digests is not None
        masks[split] = {"mask": StreamedMasks(reopenable, selection, digests, side)}
    return masks


def _changes_of(
    noted: Noted, split: Split, selection: Selection, source: Source, annotations: Annotations | None
) -> list[str]:
    """What differs of a split, image by image."""
    names, content = names_of(source, selection), noted.content[split]
    now = {
        "name": np.array([one != other for one, other in zip(names, noted.files[split], strict=True)], bool)
    }
    if source.task == "classification" and not isinstance(source, TfdsSource):
        now["label"] = source.labels(selection.stored, selection.positions) != content.labels
    if source.task == "detection" and annotations is not None and content.annotations is not None:
        now["boxes"] = digest_annotations(annotations) != content.annotations
    return [
        f"{split} split: other {what}{'' if what == 'boxes' else 's'}: {is_other.sum()} of {len(names)}, "
        f"e.g. {names[int(is_other.argmax())]}"
        for what, is_other in now.items()
        if is_other.any()
    ]
