"""Masks as image files, one an image."""

from pathlib import Path

import numpy as np

from hytnas_jax.data.readers.class_table import ClassTable, find_table, numbered, read_table
from hytnas_jax.data.readers.mask_file import StoredMask, by_colour, by_value, read_stored
from hytnas_jax.data.readers.mask_layout import read_layout
from hytnas_jax.data.readers.mask_values import are_greys, refuse_levels, refuse_two
from hytnas_jax.data.readers.masks import MaskFiles
from hytnas_jax.data.readers.source import Split
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

_LOOKED_AT, _LOOKED_AT_FOR_CLASSES = 50, 2000  # training masks, when the folder is opened


class MaskFolder(MaskFiles):
    """Images with masks as PNG files; `mask_layout.LAYOUT` says where these lie.

    The value of a pixel is the number of its class, in grey and in palette images, 255 where it has none. A
    table may say which class a value or a colour is: see `class_table`. One of colours holds for colour and
    palette images, and for grey ones if all their greys are among its colours. Without a table, classes are
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
        self._table, self._greys_are_colours = self._look(table)
        self.class_names = self._table.names
        self.are_named = self._table.are_named
        self.remarks = tuple(self.lacking())

    def mask_name(self, split: Split, position: int) -> str:
        return self._masks[split][position]

    def read_mask(self, split: Split, position: int) -> np.ndarray:
        name = self.mask_name(split, position)
        stored = read_stored(self._mask_path(split, position), name)
        is_by_colour = self._greys_are_colours or _is_by_colour(stored, self._table)
        mask = (by_colour if is_by_colour else by_value)(stored, name, self._table)
        return self.as_shown(mask, split, position)

    def _mask_path(self, split: Split, position: int) -> Path:
        return self._folder / self._masks[split][position]

    def _look(self, table: ClassTable | None) -> tuple[ClassTable, bool]:
        """The table, or one by the values that the training masks have; and whether grey masks mean colours
        of the table. Raises UserError for colours without a table, binary masks and grey levels."""
        values, levels = np.zeros(IGNORED + 1, bool), np.zeros(IGNORED + 1, bool)
        looked_at = self._looked_at(_LOOKED_AT if table is not None else _LOOKED_AT_FOR_CLASSES)
        for position in looked_at:
            name = self.mask_name("train", position)
            stored = read_stored(self._mask_path("train", position), name)
            if _is_by_colour(stored, table):
                by_colour(stored, name, table)
            else:
                found = np.bincount(stored.values.ravel(), minlength=IGNORED + 1) > 0
                values |= found
                levels[stored.shown[found] % 256] = True
        there = np.flatnonzero(values).tolist()
        if table is not None and are_greys(table, np.flatnonzero(levels).tolist()):
            return table, True
        masks = counted(len(looked_at), "training mask")
        place = f"{self.name}: the values of {masks} (the first: {self.mask_name('train', 0)})"
        refuse_two(there, table, place)
        if table is not None:
            return table, False
        classes = [value for value in there if value != IGNORED]
        if len(classes) < 2:
            raise UserError(
                f"{self.name}: in {masks} all pixels are {_in_words(there)}; at least two classes are "
                "needed, 0 and 1"
            )
        refuse_levels(there, place)
        return numbered(classes[-1] + 1, f"the values of {masks}"), False


def _is_by_colour(stored: StoredMask, table: ClassTable | None) -> bool:
    has_colours = table is not None and bool(table.colours)
    return stored.kind == "colours" or (stored.kind == "palette" and has_colours)


def _in_words(values: list[int]) -> str:
    return " or ".join(str(value) for value in values)
