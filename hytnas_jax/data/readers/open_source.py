"""From the one string that names a source to the source."""

from pathlib import Path

from hytnas_jax.data.readers.digits import DigitsSource
from hytnas_jax.data.readers.folder import FolderSource
from hytnas_jax.data.readers.npz import NpzSource
from hytnas_jax.data.readers.source import NoSuchSource, Source
from hytnas_jax.data.readers.tfds import TfdsSource
from supernet.errors import UserError

_ALLOWED = (
    "allowed are: digits (scikit-learn's, no download); a folder DIR/train/<class>/* or DIR/<class>/*; "
    "a .npz file with x_train and y_train, or images and labels; tfds:NAME or tfds:NAME:VERSION"
)


def open_source(source: str, *, data_dir: str | None) -> Source:
    """`digits`, a folder, a .npz file, `tfds:NAME` or `tfds:NAME:VERSION`.

    `data_dir` is where TensorFlow Datasets are prepared, and is for these alone.

    Raises UserError for anything else, `NoSuchSource` where nothing is there, and for whatever is wrong with
    the source itself.
    """
    if source.startswith("tfds:"):
        name, _, version = source.removeprefix("tfds:").partition(":")
        if not name:
            raise UserError(f"source={source!r}: no name after tfds:; {_ALLOWED}")
        return TfdsSource(name, version=version or None, data_dir=data_dir)
    if data_dir is not None:
        raise UserError(
            f"data_dir={data_dir!r} is for tfds:NAME only, source is {source!r}; leave data_dir out"
        )
    if source == "digits":
        return DigitsSource()
    path = Path(source).expanduser()
    if path.is_dir():
        if next(path.iterdir(), None) is None:  # as where a disk is not mounted
            raise NoSuchSource(f"source={source!r}: the folder is empty; {_ALLOWED}")
        return FolderSource(path)
    if path.is_file() and path.suffix.lower() == ".npz":
        return NpzSource(path)
    if path.is_file():
        raise UserError(f"source={source!r} is a file, but not a .npz; {_ALLOWED}")
    raise NoSuchSource(f"source={source!r}: no such file or folder; {_ALLOWED}")
