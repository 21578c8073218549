"""From the one string that names a source to a data set, its images held or streamed."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from hytnas_jax import console
from hytnas_jax.data.annotations import Annotations, digest_annotations, refuse_many_pixels
from hytnas_jax.data.choosing import HARDLY_USED, Looked, Wish, choose_rule, look_at, warn_if_hardly_used
from hytnas_jax.data.dataset import Dataset
from hytnas_jax.data.decode import ImageRule
from hytnas_jax.data.digest import Content
from hytnas_jax.data.hold_or_stream import MOST_VALIDATION, why_streamed
from hytnas_jax.data.labelled import LabelledImages, statistics_of
from hytnas_jax.data.loading import Decoding
from hytnas_jax.data.readers.open_source import open_source
from hytnas_jax.data.readers.source import Source, Task
from hytnas_jax.data.reading import Read, Selections, read_held, read_streamed
from hytnas_jax.data.split_groups import Loaded, Separated, separate
from hytnas_jax.data.splits import Selection, carved_fractions, make_splits
from hytnas_jax.data.streamed import ReopenableSource
from hytnas_jax.shared_flags.data import Stream
from supernet.errors import UserError


def first_look(
    source: str, *, data_dir: str | None = None, task: Task | None = None, classes: Sequence[str] = ()
) -> Looked:
    """A source and what 200 of its images say of it. Raises UserError as `load_dataset` does."""
    again = opening(source, data_dir=data_dir, task=task, classes=classes)
    return dataclasses.replace(look_at(again()), again=again)


def opening(
    source: str, *, data_dir: str | None, task: Task | None, classes: Sequence[str]
) -> Callable[[], Source]:
    """Opens a source, each time anew; it can be sent to other processes."""
    return functools.partial(open_source, source, data_dir=data_dir, task=task, classes=tuple(classes))


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
    max_validation: int | None = None,
    skip_corrupt: bool = False,
    wish: Wish | None = None,
    stream: Stream = "never",
    remark: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Load the images of a source into memory, or decode each once, and again whenever it is used.

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
        max_validation: at most that many validation images, which are held in any case; None: all, and of
            streamed images `MOST_VALIDATION`.
        skip_corrupt: leave images out that cannot be read, with a warning, instead of raising.
        wish: how images that are not square, or not of 8 bits, are read; None: chosen by the images.
        stream: "never": images are held; "always": they are streamed; "auto": those that would take more than
            half of the memory that is available are.
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
    _check_arguments(side, seed, max_images, max_validation, num_classes=len(opened.class_names))
    native_side = looked.native_side(wish.fit)
    side = native_side if side is None else side
    fractions = carved_fractions(
        opened.sizes, validation_fraction=validation_fraction, test_fraction=test_fraction
    )
    total, in_train = sum(opened.sizes.values()), opened.sizes["train"]
    if max_images is not None:
        part = min(1, max_images / (in_train * (1 - sum(fractions.values()))))
        total, in_train = round(total * part), round(in_train * part)
    streaming = why_streamed(stream, opened, total, side=side)
    if streaming is not None:
        console.say(streaming)
        max_validation = max_validation or MOST_VALIDATION
    if max_validation is not None and "validation" in fractions:  # the others are trained on
        fractions["validation"] = min(fractions["validation"], max_validation / in_train)
    rule = choose_rule(looked, wish, side=side)
    if remark:
        warn_if_hardly_used(looked, rule)
    selections = make_splits(
        opened, fractions=fractions, max_images=max_images, seed=seed, max_validation=max_validation
    )
    if opened.task == "segmentation":
        refuse_many_pixels(len(selections["validation"]), side)
    reopenable = ReopenableSource(looked.again, opened)
    how = Decoding(opened, rule, skip_corrupt, _counter(selections, progress))
    if streaming is None:
        read = read_held(reopenable, selections, how)
    else:
        read = read_streamed(reopenable, selections, how, native_side=native_side)
    separated = separate(
        opened,
        read.splits,
        native_side=native_side,
        seed=seed,
        remark=remark,
        frames_together=frames_together and opened.task != "classification",
    )
    return _dataset(looked, rule, read, separated, remark=remark)


def _dataset(looked: Looked, rule: ImageRule, read: Read, separated: Separated, *, remark: bool) -> Dataset:
    """Of images that were read and put into their splits."""
    opened, splits = looked.source, separated.splits
    counts = read.train_counts(splits["train"])
    selections = {split: part.selection for split, part in splits.items()}
    annotations, pixels = read.annotations(selections, rule.side)
    images = {
        split: LabelledImages(part.images, part.selection.labels, annotations[split])
        for split, part in splits.items()
    }
    mean, std = statistics_of(counts)
    return Dataset(
        name=opened.name,
        task=opened.task,
        class_names=opened.class_names,
        train=images["train"],
        validation=images["validation"].held(),
        test=images["test"],
        mean=mean,
        std=std,
        native_side=looked.native_side(rule.fit),
        rule=rule,
        cut=looked.cut,
        files={split: names_of(opened, selection) for split, selection in selections.items()},
        content={split: _content(part, annotations[split]) for split, part in splits.items()},
        selections=selections,
        stored_sizes=opened.sizes,
        class_pixels=pixels,
        skipped=read.skipped,
        kept_together=separated.kept_together,
        remarks=(*opened.remarks, *_too_dark(counts, looked), *separated.remarks) if remark else (),
        left_out=opened.left_out,
    )


def names_of(source: Source, selection: Selection) -> tuple[str, ...]:
    """How to name the selected images to a person, as `Source.image_name`."""
    return tuple(source.image_name(selection.stored, int(p)) for p in selection.positions)


def _content(part: Loaded, annotations: Annotations | None) -> Content:
    digests = None if annotations is None else digest_annotations(annotations)
    return Content(part.digests, part.selection.labels, digests)


def _too_dark(counts: np.ndarray, looked: Looked) -> list[str]:
    """What to say where images of 8 bits use hardly any of them: masks, or values stored unscaled."""
    peak = int(np.flatnonzero(counts.any(axis=0)).max())
    if peak >= 255 * HARDLY_USED or any(looked.peaks.values()):  # of wide images it is told already
        return []
    return [
        f"the largest value of all training images is {peak}, where white is 255: little is left of "
        "them in whole grey levels; store them as 0 to 255 (--bit-depth is for values of more than 8 bits)"
    ]


def _counter(selections: Selections, progress: Callable[[int, int], None] | None) -> Callable[[int], None]:
    """Counts the images that are newly decoded, and says how many are, of all."""
    total, done = sum(len(selection) for selection in selections.values()), 0

    def on_decoded(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    return on_decoded


def _check_arguments(
    side: int | None, seed: int, max_images: int | None, max_validation: int | None, *, num_classes: int
) -> None:
    if side is not None and side < 1:
        raise UserError(f"side={side}: wanted a number of pixels, at least 1")
    if seed < 0:
        raise UserError(f"seed={seed}: wanted a whole number, at least 0")
    for name, most in (("max_images", max_images), ("max_validation", max_validation)):
        if most is not None and most < num_classes:
            raise UserError(f"{name}={most}: wanted at least {num_classes}, one for each class")
