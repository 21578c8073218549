"""Whether the values of grey masks are the numbers of classes, or shades of grey."""

import numpy as np

from hytnas_jax.data.readers.class_table import NOT_ALLOWED, ClassTable
from hytnas_jax.data.readers.words import some
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

# Of classes drawn as often as those of ADE20K, Cityscapes or COCO-Stuff are, ten masks hold two that are
# closer; of at most 64 evenly spread greys no two are.
_GAP, _LARGEST = 4, 30
_TABLE = "say which class each value is in classes.csv, `value,name` a line"


def are_greys(table: ClassTable, levels: list[int]) -> bool:
    """Whether masks that show these greys, 0 to 255, mean colours of the table, and not its numbers.

    One grey alone tells it of a table that has greys only: it may be a background in a table of colours.
    """
    greys = {code & 255 for code in table.colours if code == (code & 255) * 0x010101}
    return greys.issuperset(levels) and (len(levels) > 1 or len(greys) == len(table.colours) > 0)


def refuse_two(values: list[int], table: ClassTable | None, place: str) -> None:
    """Raises UserError, which begins with `place`, where masks have two values only and, unless the table
    has both, these are not 0 and 1."""
    if len(values) != 2 or values[1] == 1:
        return
    is_ignored = values[1] == IGNORED and (table is None or table.classes[IGNORED] == IGNORED)
    if table is not None and not is_ignored and (table.classes[values] != NOT_ALLOWED).all():
        return
    why = (
        f"{IGNORED} means ignored, so that one class would be left"
        if is_ignored
        else "the values are to be the numbers of classes"
    )
    raise UserError(
        f"{place} are {values[0]} and {values[1]} only, as in binary masks; {why}: write 0 and 1, or {_TABLE}"
    )


def refuse_levels(values: list[int], place: str) -> None:
    """Raises UserError, which begins with `place`, where the values, two classes or more, are so far apart
    that they are no numbers of classes."""
    classes = [value for value in values if value != IGNORED]
    if classes[-1] > _LARGEST and np.diff(classes).min() >= _GAP:
        raise UserError(
            f"{place} are {some(list(map(str, values)), 10)}: too far apart for the numbers of classes, as "
            f"greys to look at are; write 0, 1, 2 and so on, or {_TABLE}"
        )
