"""Images and labels as arrays in a NumPy .npz file."""

import contextlib
import functools
import threading
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hytnas_jax.data.decode import Opener
from hytnas_jax.data.readers.source import Split, Task
from hytnas_jax.numbers import counted
from supernet.errors import UserError

_KEYS: dict[Split, tuple[str, str]] = {
    "train": ("x_train", "y_train"),
    "validation": ("x_val", "y_val"),
    "test": ("x_test", "y_test"),
}
_ALLOWED = (
    "keys are x_train, y_train and optionally x_val, y_val, x_test, y_test, or images, labels; "
    "and optionally class_names"
)


class NpzSource:
    """x_train, y_train (and _val, _test), or images, labels; optional class_names.

    Images are (N, H, W), (N, H, W, 1) or (N, H, W, 3) of uint8, bool, other integers or floats, whose
    scale is chosen as for files; labels are whole numbers (N,) or (N, 1). With class_names a label is an
    index into it; without, each distinct value in the training labels is a class. The images are read when
    the first one is opened.

    Raises UserError that names the key, its shape and its dtype.
    """

    task: Task = "classification"
    left_out = ""
    remarks: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive = self._open()
        self._keys = self._find_keys()
        shapes = {split: self._image_shape(keys[0]) for split, keys in self._keys.items()}
        raw = {split: self._read_labels(keys[1]) for split, keys in self._keys.items()}
        for split, (x, y) in self._keys.items():
            if shapes[split][0] != len(raw[split]):
                raise UserError(
                    f"{path}: {x} has {counted(shapes[split][0], 'image')} but {y} has "
                    f"{counted(len(raw[split]), 'label')}"
                )
            if shapes[split][3] != shapes["train"][3]:
                raise UserError(
                    f"{path}: {x} has {shapes[split][3]} channels but "
                    f"{self._keys['train'][0]} has {shapes['train'][3]}"
                )
        self.name = path.stem
        self.are_named = "class_names" in self._archive.files
        self.class_names, values = self._classes(raw["train"])
        self.channels = shapes["train"][3]
        self.sizes: Mapping[Split, int] = {split: shape[0] for split, shape in shapes.items()}
        self._labels = {s: self._indices(self._keys[s][1], raw[s], values) for s in self._keys}
        self._images: dict[Split, np.ndarray] = {}
        self._reading = threading.Lock()

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        return self._labels[split][positions]

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        with self._reading:
            if split not in self._images:
                self._images[split] = self._read_images(self._keys[split][0])
        images = self._images[split][positions]
        return [functools.partial(_opened, image) for image in images]

    def image_name(self, split: Split, position: int) -> str:
        return f"{self._keys[split][0]}[{position}]"

    def _open(self) -> np.lib.npyio.NpzFile:
        try:
            archive = np.load(self._path, allow_pickle=False)
        except Exception as error:
            raise UserError(f"{self._path}: not a readable .npz file ({error}); {_ALLOWED}") from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise UserError(f"{self._path}: holds a single array, not a .npz archive; {_ALLOWED}")
        return archive

    def _find_keys(self) -> dict[Split, tuple[str, str]]:
        present = set(self._archive.files)
        if {"images", "labels"} <= present:
            return {"train": ("images", "labels")}
        found: dict[Split, tuple[str, str]] = {}
        for split, (x, y) in _KEYS.items():
            if (x in present) != (y in present):
                here, lacking = (x, y) if x in present else (y, x)
                raise UserError(f"{self._path}: has {here} but not {lacking}; {_ALLOWED}")
            if x in present:
                found[split] = (x, y)
        if "train" not in found:
            raise UserError(
                f"{self._path}: has the keys {', '.join(sorted(present)) or '(none)'}; {_ALLOWED}"
            )
        return found

    def _read(self, key: str) -> np.ndarray:
        try:
            return self._archive[key]
        except Exception as error:  # of damaged bytes: zlib's, zipfile's, NumPy's
            raise UserError(f"{self._path}: {key} cannot be read ({error})") from error

    def _image_shape(self, key: str) -> tuple[int, int, int, int]:
        """(N, H, W, C) from the array's header alone."""
        shape, dtype = self._header(key)
        wanted = "(N, H, W), (N, H, W, 1) or (N, H, W, 3), integers, floats or bool"
        full = (*shape, 1) if len(shape) == 3 else shape
        if len(full) != 4 or full[3] not in (1, 3) or 0 in full or dtype.kind not in "buif":
            raise UserError(f"{self._path}: {key} has shape {shape}, dtype {dtype}; wanted {wanted}")
        return full[0], full[1], full[2], full[3]

    def _header(self, key: str) -> tuple[tuple[int, ...], np.dtype]:
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open(f"{key}.npy") as file:
                version = np.lib.format.read_magic(file)
                if version == (1, 0):
                    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                else:
                    shape, _, dtype = np.lib.format.read_array_header_2_0(file)
        except Exception as error:
            raise UserError(f"{self._path}: {key} cannot be read ({error})") from error
        return shape, dtype

    def _read_images(self, key: str) -> np.ndarray:
        """[N, H, W] or [N, H, W, 3]."""
        images = self._read(key)
        return images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images

    def _read_labels(self, key: str) -> np.ndarray:
        labels = self._read(key)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise UserError(
                f"{self._path}: {key} has shape {labels.shape}, dtype {labels.dtype}; wanted whole "
                "numbers of shape (N,)"
            )
        return labels

    def _classes(self, train: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        """The class names, and the label value that stands for each."""
        values = np.unique(train)
        names = tuple(str(value) for value in values)
        if self.are_named:
            stored = self._read("class_names")
            names = tuple(
                name.decode(errors="replace") if isinstance(name, bytes) else str(name)
                for name in stored.ravel()
            )
            values = np.arange(len(names))
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise UserError(f"{self._path}: class_names has '{twice[0]}' twice; name each class once")
        if len(names) < 2:
            raise UserError(
                f"{self._path}: found {counted(len(names), 'class', 'classes')} "
                f"({', '.join(names) or 'none'}), a classifier "
                "needs at least 2"
            )
        return names, values

    def _indices(self, key: str, labels: np.ndarray, values: np.ndarray) -> np.ndarray:
        unknown = np.setdiff1d(labels, values)
        if len(unknown):
            raise UserError(
                f"{self._path}: {key} has the label {unknown[0]}, which is none of the {len(values)} "
                f"classes ({values[0]} to {values[-1]}, from class_names or the training labels)"
            )
        return np.searchsorted(values, labels).astype(np.int32)


def _opened(image: np.ndarray) -> contextlib.nullcontext[np.ndarray]:
    return contextlib.nullcontext(image)
