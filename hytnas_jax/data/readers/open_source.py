"""From the one string that names a source to the source."""

from collections.abc import Sequence
from pathlib import Path

from hytnas_jax.data.readers.chosen_classes import as_classification, only_classes, only_masks
from hytnas_jax.data.readers.digits import DigitsSource
from hytnas_jax.data.readers.npz import NpzSource
from hytnas_jax.data.readers.recognise import open_folder
from hytnas_jax.data.readers.source import NoSuchSource, Source, Task
from hytnas_jax.data.readers.tfds import TfdsSource
from hytnas_jax.data.readers.tfds_boxes import TfdsBoxes
from hytnas_jax.data.readers.tfds_masks import TfdsMasks
from supernet.errors import UserError

_ALLOWED = (
    "allowed are: digits (scikit-learn's, no download); a folder DIR/train/<class>/* or DIR/<class>/*, or "
    "one with boxes or masks; a .npz file with x_train and y_train, or images and labels; tfds:NAME or "
    "tfds:NAME:VERSION"
)


def open_source(
    source: str, *, data_dir: str | None, task: Task | None = None, classes: Sequence[str] = ()
) -> Source:
    """`digits`, a folder, a .npz file, `tfds:NAME` or `tfds:NAME:VERSION`.

    `data_dir` is where TensorFlow Datasets are prepared, and is for these alone. `task` None is what a folder
    is recognised as, and classification for what is no folder. `classes` chooses some of a source of boxes.

    Raises UserError for anything else, `NoSuchSource` where nothing is there, and for whatever is wrong with
    the source itself.
    """
    if source.startswith("tfds:"):
        name, _, version = source.removeprefix("tfds:").partition(":")
        if not name:
            raise UserError(f"source={source!r}: no name after tfds:; {_ALLOWED}")
        return _open_tfds(name, version or None, data_dir, task, classes)
    if data_dir is not None:
        raise UserError(
            f"data_dir={data_dir!r} is for tfds:NAME only, source is {source!r}; leave data_dir out"
        )
    path = Path(source).expanduser()
    if path.is_dir():
        if next(path.iterdir(), None) is None:  # as where a disk is not mounted
            raise NoSuchSource(f"source={source!r}: the folder is empty; {_ALLOWED}")
        return open_folder(path, task, classes=classes)
    if task not in (None, "classification") or classes:
        flag = "--classes" if classes else f"--task {task}"
        raise UserError(f"{flag}: source={source!r} has neither boxes nor masks; give a folder that has")
    if source == "digits":
        return DigitsSource()
    if path.is_file() and path.suffix.lower() == ".npz":
        return NpzSource(path)
    if path.is_file():
        raise UserError(f"source={source!r} is a file, but not a .npz; {_ALLOWED}")
    raise NoSuchSource(f"source={source!r}: no such file or folder; {_ALLOWED}")


def _open_tfds(
    name: str, version: str | None, data_dir: str | None, task: Task | None, classes: Sequence[str]
) -> Source:
    if task == "segmentation":
        masks = TfdsMasks(name, version=version, data_dir=data_dir)
        return only_masks(masks, classes) if classes else masks
    if task != "detection" and not classes:
        return TfdsSource(name, version=version, data_dir=data_dir)
    boxes = TfdsBoxes(name, version=version, data_dir=data_dir)
    if not classes:
        return boxes
    return (as_classification if task == "classification" else only_classes)(boxes, classes)
