"""Data sets of TensorFlow Datasets, prepared as ArrayRecord and read without TensorFlow."""

import functools
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hytnas_jax.data.decode import Opener
from hytnas_jax.data.readers.source import SPLIT_NAMES, NoSuchSource, Split, Task
from supernet.errors import UserError

# wake_vision calls its label "person", and has two training splits: the smaller, better labelled first.
_LABEL_KEYS = ("label", "person")
_TRAIN_SPLITS = ("train", "train_quality", "train_large")
_LABELS_AT_ONCE = 256

_HOW = (
    "prepare it once, where TensorFlow is installed (reading needs none):\n"
    "  pip install tensorflow tensorflow-datasets array_record\n"
    "  python -c \"import tensorflow_datasets as tfds; tfds.builder('{name}')"
    ".download_and_prepare(file_format='array_record')\"\n"
    "with data_dir='...' as the builder's argument for another place than ~/tensorflow_datasets"
)


class TfdsSource:
    """A prepared classification data set in `data_dir`/NAME/VERSION, the newest unless one is named.

    Images have one channel where the data set declares one, else three. A stored split without labels
    (they are -1) counts as missing.

    Raises UserError where no such copy is prepared (and says how to), or where it is not ArrayRecord or
    has no image or class label.
    """

    task: Task = "classification"
    left_out = ""
    remarks: tuple[str, ...] = ()
    are_named = True

    def __init__(self, name: str, *, version: str | None, data_dir: str | None) -> None:
        import tensorflow_datasets as tfds  # half a second, so only where it is used

        self._folder = _prepared_folder(name, version=version, data_dir=data_dir)
        try:
            builder = tfds.builder_from_directory(self._folder)
        except Exception as error:  # TFDS has no common base for what a damaged folder raises
            raise UserError(f"{self._folder}: cannot be read ({error}); prepare it again") from error
        features = builder.info.features
        self.class_names = self._read_classes(features)
        self.channels = _channels(self._folder, features)
        self.name = builder.name
        self._records: dict[Split, Any] = {}
        for stored, split in _stored_splits(self._folder, list(builder.info.splits)).items():
            try:
                records = builder.as_data_source(
                    split=stored,
                    decoders={"image": tfds.decode.SkipDecoding()},
                    file_format="array_record",
                )
                unlabelled = len(records) == 0 or self._is_unlabelled(records)
            except Exception as error:
                raise UserError(
                    f"{self._folder}: split {stored} cannot be read ({error}); {_HOW.format(name=name)}"
                ) from error
            if split == "train" or not unlabelled:
                self._records[split] = records
        self.sizes: Mapping[Split, int] = {split: len(records) for split, records in self._records.items()}

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        found: list[int] = []
        for start in range(0, len(positions), _LABELS_AT_ONCE):
            records = self._read(split, positions[start : start + _LABELS_AT_ONCE])
            found += [record[self._label_key] for record in records]
        labels = np.array(found, np.int32)
        if len(labels) and labels.min() < 0:
            first = self.image_name(split, int(positions[labels.argmin()]))
            raise UserError(f"{self._folder}: {first} has no label; choose a labelled data set")
        return labels

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        encoded = [record["image"] for record in self._read(split, positions)]
        return [functools.partial(Image.open, io.BytesIO(image)) for image in encoded]

    def image_name(self, split: Split, position: int) -> str:
        return f"{self._records[split].split}[{position}]"

    def _read_classes(self, features: Any) -> tuple[str, ...]:
        """The names of the classes. Raises UserError where the data set has none."""
        self._label_key = _label_key(self._folder, features)
        return tuple(features[self._label_key].names)

    def _is_unlabelled(self, records: Any) -> bool:
        return records[0][self._label_key] < 0

    def _read(self, split: Split, positions: np.ndarray) -> list[dict[str, Any]]:
        try:
            return self._records[split].__getitems__(positions.tolist())
        except Exception as error:  # whatever ArrayRecord or the parser makes of damaged bytes
            raise UserError(
                f"{self._folder}: records of {self._records[split].split} between {positions.min()} and "
                f"{positions.max()} are damaged ({error}); prepare the data set again"
            ) from error


def _prepared_folder(name: str, *, version: str | None, data_dir: str | None) -> Path:
    root = Path(data_dir or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()
    folder = root / name
    prepared = [path.parent for path in folder.glob("*/dataset_info.json")]
    if version is not None:
        prepared = [path for path in prepared if path.name == version]
    if prepared:
        return max(prepared, key=lambda path: _version_key(path.name))
    wanted = folder / (version or "<version>") / "dataset_info.json"
    there = sorted(
        f"{path.parent.relative_to(root).parent.as_posix()}:{path.parent.name}"
        for pattern in ("*/*/dataset_info.json", "*/*/*/dataset_info.json")
        for path in root.glob(pattern)
    )
    raise NoSuchSource(
        f"tfds:{name}: looked for {wanted}, which is not there (data_dir={root}, prepared in it: "
        f"{', '.join(there) or 'nothing'}); give the right data_dir, or {_HOW.format(name=name)}"
    )


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else -1 for part in version.split("."))


def _label_key(folder: Path, features: Any) -> str:
    for key in _LABEL_KEYS:
        if key in features and hasattr(features[key], "names"):
            return key
    raise UserError(
        f"{folder}: no class label under {' or '.join(_LABEL_KEYS)} (its keys: "
        f"{', '.join(sorted(features))}); choose a classification data set, or save it as .npz"
    )


def _channels(folder: Path, features: Any) -> int:
    if "image" not in features or type(features["image"]).__name__ != "Image":
        raise UserError(
            f"{folder}: no image under image (its keys: {', '.join(sorted(features))}); choose a data set "
            "of images, or save it as .npz"
        )
    return 1 if features["image"].shape[-1] == 1 else 3


def _stored_splits(folder: Path, stored: list[str]) -> dict[str, Split]:
    """Which stored split serves as which; of several that could, the first in the order of preference."""
    train = [name for name in _TRAIN_SPLITS if name in stored]
    if not train:
        raise UserError(
            f"{folder}: no split called {' or '.join(_TRAIN_SPLITS)} (its splits: {', '.join(stored)})"
        )
    chosen: dict[str, Split] = {train[0]: "train"}
    for name, split in SPLIT_NAMES.items():
        if name in stored and split not in chosen.values():
            chosen[name] = split
    return chosen
