"""From boxes as they are written to boxes that can be trained on: clipped a little, or refused."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from hytnas_jax.data.readers.boxes import Boxes
from hytnas_jax.numbers import counted
from supernet.errors import UserError

MOST_OUTSIDE = 0.01  # of the image's side; and one pixel, where boxes are in pixels
_ROUNDING = 1e-4  # of the side: clipped without a word
_MOST_EMPTY = 0.001  # of all boxes; COCO's own training file has some
_SIDES = ("left", "top", "right", "bottom")


@dataclasses.dataclass(frozen=True, eq=False)
class RawBoxes:
    """The boxes of a split as they are written, in the order in which they are written.

    rows: int64 [M], the image of each. edges: float64 [M, 4], left, top, right, bottom. sides: float64
    [M, 2], width and height of the image in the unit of the edges. classes: int32 [M]. ignored: bool [M].
    tell: names the file, the place in it and the value of box m. wanted: how a box is written there.
    in_pixels: else the sides are 1.
    """

    rows: np.ndarray
    edges: np.ndarray
    sides: np.ndarray
    classes: np.ndarray
    ignored: np.ndarray
    tell: Callable[[int], str]
    wanted: str
    in_pixels: bool


@dataclasses.dataclass
class Changes:
    """What was changed in the boxes of a source: how many, and the first of each kind."""

    clipped: list[str] = dataclasses.field(default_factory=list)
    empty: list[str] = dataclasses.field(default_factory=list)
    duplicates: list[str] = dataclasses.field(default_factory=list)

    def remarks(self) -> tuple[str, ...]:
        kinds = (
            (self.clipped, "reached beyond the image by at most 1% or one pixel: clipped"),
            (self.empty, "without width or height: left out"),
            (self.duplicates, "drawn twice with the same class: one of each kept"),
        )
        return tuple(
            f"{counted(len(told), 'box', 'boxes')} {what} (the first: {told[0]})"
            for told, what in kinds
            if told
        )


def check_boxes(raw: RawBoxes, changes: Changes) -> tuple[Boxes, np.ndarray]:
    """The boxes that can be trained on, and the image of each, int64; in the order of the images.

    Raises UserError naming the first box that is not finite, has a negative side, or reaches beyond the
    image by more than 1% and one pixel; and the first empty one, where more than one in a thousand is.
    """
    _refuse_first(raw, ~np.isfinite(raw.edges).all(axis=1), _not_finite)
    _refuse_first(raw, (raw.edges[:, 2:] < raw.edges[:, :2]).any(axis=1), _negative)
    limits = np.concatenate([raw.sides, raw.sides], axis=1)
    outside = np.maximum(-raw.edges, raw.edges - limits)
    allowed = np.maximum(MOST_OUTSIDE * limits, 1.0 if raw.in_pixels else 0.0)
    _refuse_first(raw, (outside > allowed + 1e-9).any(axis=1), _outside)
    edges = np.clip(raw.edges, 0, limits)
    was_empty = (raw.edges[:, 2:] == raw.edges[:, :2]).any(axis=1)
    is_empty = (edges[:, 2:] <= edges[:, :2]).any(axis=1)
    _refuse_first(raw, is_empty & ~was_empty, _outside)
    if was_empty.sum() > _MOST_EMPTY * len(raw.rows):
        _refuse_first(raw, was_empty, _empty)
    corners = (edges / limits).astype(np.float32)
    kept = ~is_empty & ~_repeated(raw.rows, raw.classes, corners)
    changes.empty += _told(raw, is_empty)
    clipped = ((outside > _ROUNDING * limits).any(axis=1)) & kept
    changes.clipped += _told(raw, clipped)
    changes.duplicates += _told(raw, ~is_empty & ~kept)
    order = np.flatnonzero(kept)
    order = order[np.argsort(raw.rows[order], kind="stable")]
    return Boxes(corners[order], raw.classes[order], raw.ignored[order]), raw.rows[order]


def _told(raw: RawBoxes, which: np.ndarray) -> list[str]:
    """The first in words; the others only count, since there may be many."""
    found = np.flatnonzero(which)
    return [raw.tell(int(m)) if n == 0 else "" for n, m in enumerate(found)]


def _repeated(rows: np.ndarray, classes: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """bool [M]: an earlier box on the same image has the same class and corners."""
    keys = np.concatenate([rows[:, None], classes[:, None], corners.astype(np.float64)], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    repeated = np.ones(len(rows), bool)
    repeated[first] = False
    return repeated


def _refuse_first(raw: RawBoxes, wrong: Any, what: Callable[[RawBoxes, int], str]) -> None:
    found = np.flatnonzero(wrong)
    if len(found):
        first = int(found[0])
        also = f" ({len(found)} such boxes in all)" if len(found) > 1 else ""
        raise UserError(
            f"{raw.tell(first)}: {what(raw, first)}{also}; {raw.wanted}; correct the box or delete it"
        )


def _not_finite(raw: RawBoxes, m: int) -> str:
    return "a value is not a finite number"


def _negative(raw: RawBoxes, m: int) -> str:
    side, length = _shortest(raw, m)
    return f"its {side} is {length:g}, which is negative"


def _empty(raw: RawBoxes, m: int) -> str:
    side, _ = _shortest(raw, m)
    return f"its {side} is 0, so that there is nothing in it"


def _shortest(raw: RawBoxes, m: int) -> tuple[str, float]:
    width, height = raw.edges[m, 2:] - raw.edges[m, :2]
    return ("width", width) if width <= height else ("height", height)


def _outside(raw: RawBoxes, m: int) -> str:
    limits = np.tile(raw.sides[m], 2)
    beyond = np.array([*-raw.edges[m, :2], *(raw.edges[m, 2:] - limits[2:])])
    worst = int((beyond / limits).argmax())
    if (raw.edges[m] < 0).all() or (raw.edges[m, :2] >= limits[:2]).any() or (raw.edges[m, 2:] <= 0).any():
        return f"lies outside the image{_size(raw, m)}"
    part = f"{100 * float(beyond[worst]) / float(limits[worst]):.1f}%"
    by = f"{beyond[worst]:g} pixels ({part})" if raw.in_pixels else part
    return f"reaches {by} beyond the {_SIDES[worst]} side of the image{_size(raw, m)}, more than 1%"


def _size(raw: RawBoxes, m: int) -> str:
    width, height = raw.sides[m]
    return f" of {width:g}x{height:g} pixels" if raw.in_pixels else ""
