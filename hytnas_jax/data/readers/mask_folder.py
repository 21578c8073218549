"""Masks as image files, one an image."""

from pathlib import Path

import numpy as np

from hytnas_jax.data.readers.class_table import (
    NOT_ALLOWED,
    ClassTable,
    find_table,
    numbered,
    read_table,
)
from hytnas_jax.data.readers.mask_file import read_values, to_classes
from hytnas_jax.data.readers.mask_layout import read_layout
from hytnas_jax.data.readers.masks import MaskFiles
from hytnas_jax.data.readers.source import Split
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

_LOOKED_AT, _LOOKED_AT_FOR_CLASSES = 50, 2000  # training masks, when the folder is opened


class MaskFolder(MaskFiles):
    """Images with masks as PNG files; `mask_layout.LAYOUT` says where these lie.

    The value of a pixel is the number of its class, in grey and in palette images, 255 where it has none; of
    a colour image a table says which class a colour is: see `class_table`. Without a table, classes are
    called by their numbers, up to the highest in at most 2000 training masks.

    Raises UserError for a layout that is none of those, and masks of values that are no classes.
    """

    def __init__(self, folder: Path) -> None:
        layout = read_layout(folder)
        files = {split: [image for image, _ in pairs] for split, pairs in layout.pairs.items()}
        super().__init__(folder, files, layout.places)
        self._masks = {split: [mask for _, mask in pairs] for split, pairs in layout.pairs.items()}
        self.left_out = "; ".join(layout.notes)
        path = find_table(layout.tables)
        table = read_table(path) if path is not None else None
        self._table = self._look(table)
        self.class_names = self._table.names
        self.are_named = self._table.are_named
        self.remarks = tuple(self.lacking())

    def mask_name(self, split: Split, position: int) -> str:
        return self._masks[split][position]

    def read_mask(self, split: Split, position: int) -> np.ndarray:
        name = self.mask_name(split, position)
        values, is_colour = read_values(self._mask_path(split, position), name, self._table)
        mask = values if is_colour else to_classes(values, name, self._table)
        return self.as_shown(mask, split, position)

    def _mask_path(self, split: Split, position: int) -> Path:
        return self._folder / self._masks[split][position]

    def _look(self, table: ClassTable | None) -> ClassTable:
        """The table, or one by the values that the training masks have. Raises UserError for binary masks."""
        values = np.zeros(IGNORED + 1, bool)
        looked_at = self._looked_at(_LOOKED_AT if table is not None else _LOOKED_AT_FOR_CLASSES)
        for position in looked_at:
            path, name = self._mask_path("train", position), self.mask_name("train", position)
            found, is_colour = read_values(path, name, table)
            if not is_colour:
                values[np.bincount(found.ravel(), minlength=IGNORED + 1) > 0] = True
        there = np.flatnonzero(values).tolist()
        self._refuse_two(there, table, len(looked_at))
        if table is not None:
            return table
        classes = [value for value in there if value != IGNORED]
        if len(classes) < 2:
            raise UserError(
                f"{self.name}: in {counted(len(looked_at), 'training mask')} all pixels are "
                f"{_in_words(there)}; at least two classes are needed, 0 and 1"
            )
        return numbered(classes[-1] + 1, f"the values of {counted(len(looked_at), 'training mask')}")

    def _refuse_two(self, there: list[int], table: ClassTable | None, count: int) -> None:
        if len(there) != 2 or there[1] == 1:
            return
        if table is not None and there[1] != IGNORED and (table.classes[there] != NOT_ALLOWED).all():
            return
        first = self.mask_name("train", 0)
        why = (
            f"{IGNORED} means ignored, so that one class would be left"
            if there[1] == IGNORED
            else "the values are to be the numbers of classes"
        )
        raise UserError(
            f"{self.name}: the values of {counted(count, 'training mask')} (the first: {first}) are "
            f"{there[0]} "
            f"and {there[1]} only, as in binary masks; {why}: write 0 and 1"
        )


def _in_words(values: list[int]) -> str:
    return " or ".join(str(value) for value in values)
