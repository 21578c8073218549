"""The data set that all commands work on: uint8 arrays in three disjoint splits."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hytnas_jax.data.annotations import Annotations, class_pixels, digest_annotations, read_annotations
from hytnas_jax.data.choosing import HARDLY_USED, Looked, Wish, choose_rule, look_at, warn_if_hardly_used
from hytnas_jax.data.decode import ImageRule
from hytnas_jax.data.digest import Content, digest_images
from hytnas_jax.data.labelled import LabelledImages, channel_statistics
from hytnas_jax.data.loading import check_memory, load_images, warn_of_skipped
from hytnas_jax.data.readers.open_source import open_source
from hytnas_jax.data.readers.source import Source, Split, Task
from hytnas_jax.data.sharing import Loaded, separate
from hytnas_jax.data.splits import Selection, carved_fractions, check_classes, make_splits
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Three disjoint splits: `train`; `validation`, on which the search evaluates; `test`, which it never
    sees.

    mean and std are of the training images' pixels in 0..1, one number a channel. native_side is the
    median shorter side of the images as stored (the longer one where they are padded). `rule` is how they
    became arrays; `cut` the median share of their area outside the middle square. `files` names each split's
    images, row by row, and `content` says what they are; `skipped` names those that could not be read,
    `left_out` says in one line what else lies there, or "". `kept_together` images would have been copies
    in two carved splits; `remarks` are what to warn of.
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
    skipped: tuple[str, ...] = ()
    kept_together: int = 0
    remarks: tuple[str, ...] = ()
    left_out: str = ""

    def splits_to_json(self) -> dict[str, Any]:
        """What `splits.json` keeps: all but the pixels, of which it keeps digests. JSON values only.

        class_pixels: of the training masks, by class; for segmentation alone.
        """
        masks = self.train.targets.get("mask")
        pixels = (
            {} if masks is None else {"class_pixels": class_pixels(masks, len(self.class_names)).tolist()}
        )
        return {
            **pixels,
            "name": self.name,
            "task": self.task,
            "class_names": list(self.class_names),
            "mean": list(self.mean),
            "std": list(self.std),
            "native_side": self.native_side,
            "image": dataclasses.asdict(self.rule),
            "splits": {split: list(files) for split, files in self.files.items()},
            "content": {split: content.to_json() for split, content in self.content.items()},
            "skipped": list(self.skipped),
        }


def first_look(
    source: str, *, data_dir: str | None = None, task: Task | None = None, classes: Sequence[str] = ()
) -> Looked:
    """A source and what 200 of its images say of it. Raises UserError as `load_dataset` does."""
    return look_at(open_source(source, data_dir=data_dir, task=task, classes=classes))


def load_dataset(
    source: str | Looked,
    *,
    side: int | None,
    data_dir: str | None = None,
    task: Task | None = None,
    classes: Sequence[str] = (),
    frames_together: bool = True,
    seed: int = 0,
    validation_fraction: float = 0.2,
    test_fraction: float = 0.2,
    max_images: int | None = None,
    skip_corrupt: bool = False,
    wish: Wish | None = None,
    remark: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Load the images of a source into memory.

    Args:
        source: "digits", a folder, a .npz file, "tfds:NAME" or "tfds:NAME:VERSION"; or a first look at one.
        side: images become side x side; None: the native side.
        data_dir: where TensorFlow Datasets are prepared; for tfds: only.
        task: what networks are for; None: as the source is recognised.
        classes: these of a source of boxes only; empty: all.
        frames_together: of images with boxes or masks, keep those that are called as frames of one video in
            one carved split.
        seed: of the carved splits and of `max_images`.
        validation_fraction: of the training images, where the source has no validation split.
        test_fraction: of the training images, where the source has no test split.
        max_images: at most that many training images, and the same part of the other splits.
        skip_corrupt: leave images out that cannot be read, with a warning, instead of raising.
        wish: how images that are not square, or not of 8 bits, are read; None: chosen by the images.
        remark: look for copies in splits that the source has, too, and say so in `remarks`; warn where
            hardly any of the range of values is used.
        progress: called with (images decoded, all images).

    Raises:
        UserError: for a source that is not there or not usable, a corrupt image (named), a class that
            a split would lack (named), arguments out of range, or too little memory.
    """
    wish = wish or Wish()
    wish.check()
    looked = source
    if isinstance(looked, str):
        looked = first_look(looked, data_dir=data_dir, task=task, classes=classes)
    opened = looked.source
    _check_arguments(side=side, seed=seed, max_images=max_images, num_classes=len(opened.class_names))
    fractions = carved_fractions(
        opened.sizes, validation_fraction=validation_fraction, test_fraction=test_fraction
    )
    native_side = looked.native_side(wish.fit)
    side = native_side if side is None else side
    total = sum(opened.sizes.values())
    if max_images is not None:
        train_size = opened.sizes["train"] * (1 - sum(fractions.values()))
        total = min(total, round(total * max_images / train_size))
    check_memory(total, side=side, channels=opened.channels + (opened.task == "segmentation"))
    rule = choose_rule(looked, wish, side=side)
    if remark:
        warn_if_hardly_used(looked, rule)
    selections = make_splits(opened, fractions=fractions, max_images=max_images, seed=seed)
    loaded, skipped = _load_all(opened, selections, rule=rule, skip_corrupt=skip_corrupt, progress=progress)
    separated = separate(
        opened,
        loaded,
        native_side=native_side,
        seed=seed,
        remark=remark,
        frames_together=frames_together and opened.task != "classification",
    )
    splits = separated.splits
    annotations = read_annotations(
        opened, {split: part.selection for split, part in splits.items()}, side=side
    )
    images = {
        split: LabelledImages(part.images, part.selection.labels, annotations[split])
        for split, part in splits.items()
    }
    mean, std = channel_statistics(images["train"].images)
    return Dataset(
        name=opened.name,
        task=opened.task,
        class_names=opened.class_names,
        train=images["train"],
        validation=images["validation"],
        test=images["test"],
        mean=mean,
        std=std,
        native_side=native_side,
        rule=rule,
        cut=looked.cut,
        files={split: _names(opened, part.selection) for split, part in splits.items()},
        content={split: _content(part, annotations[split]) for split, part in splits.items()},
        skipped=tuple(skipped),
        kept_together=separated.kept_together,
        remarks=(*_remarks(looked, images["train"].images), *separated.remarks) if remark else (),
        left_out=opened.left_out,
    )


def _remarks(looked: Looked, train: np.ndarray) -> tuple[str, ...]:
    return (*looked.source.remarks, *_too_dark(train, looked))


def _content(part: Loaded, annotations: Annotations | None) -> Content:
    digests = None if annotations is None else digest_annotations(annotations)
    return Content(part.digests, part.selection.labels, digests)


def _too_dark(images: np.ndarray, looked: Looked) -> list[str]:
    """What to say where images of 8 bits use hardly any of them: masks, or values stored unscaled."""
    peak = int(images.max())
    if peak >= 255 * HARDLY_USED or any(looked.peaks.values()):  # of wide images it is told already
        return []
    return [
        f"the largest value of all training images is {peak}, where white is 255: little is left of "
        "them in whole grey levels; store them as 0 to 255 (--bit-depth is for values of more than 8 bits)"
    ]


def _load_all(
    source: Source,
    selections: Mapping[Split, Selection],
    *,
    rule: ImageRule,
    skip_corrupt: bool,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[Split, Loaded], list[str]]:
    total, done = sum(len(selection) for selection in selections.values()), 0

    def on_decoded(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    splits: dict[Split, Loaded] = {}
    skipped: dict[str, str] = {}
    for split, selection in selections.items():
        images, rows, corrupt = load_images(
            source, selection, rule=rule, skip_corrupt=skip_corrupt, on_decoded=on_decoded
        )
        splits[split] = Loaded(selection.take(rows), images, digest_images(images))
        skipped |= corrupt
    warn_of_skipped(skipped)
    for split, loaded in splits.items():
        if not len(loaded):
            raise UserError(f"{source.name}: not one image of the {split} split can be read")
        check_classes(loaded.selection.labels, split, source)
    return splits, list(skipped)


def _names(source: Source, selection: Selection) -> tuple[str, ...]:
    return tuple(source.image_name(selection.stored, int(p)) for p in selection.positions)


def _check_arguments(*, side: int | None, seed: int, max_images: int | None, num_classes: int) -> None:
    if side is not None and side < 1:
        raise UserError(f"side={side}: wanted a number of pixels, at least 1")
    if seed < 0:
        raise UserError(f"seed={seed}: wanted a whole number, at least 0")
    if max_images is not None and max_images < num_classes:
        raise UserError(f"max_images={max_images}: wanted at least {num_classes}, one for each class")
