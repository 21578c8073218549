"""Copies of one picture in two splits: kept together where splits are carved, told where they are given."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from hytnas_jax.data.copies import Stack, find_copies
from hytnas_jax.data.source import Source, Split
from hytnas_jax.data.splits import Selection, keep_together

# What copies in both splits do to the first one's errors.
_CONSEQUENCES: Mapping[tuple[Split, Split], str] = {
    ("test", "train"): "errors on the test split will be too good",
    ("search", "train"): "errors on the search split will be too good",
    ("test", "search"): "the test split is not independent of the search",
}
_DIVIDED = "a class has too few different pictures to keep copies in one split: add some"


@dataclasses.dataclass(frozen=True, eq=False)
class Loaded:
    """The pictures of a split: which they are, images uint8 [N, S, S, C], digests uint64 [N]."""

    selection: Selection
    images: np.ndarray
    digests: np.ndarray

    def __len__(self) -> int:
        return len(self.selection)


@dataclasses.dataclass(frozen=True, eq=False)
class Separated:
    """The splits after copies were kept together: the number of those pictures, and what to warn of."""

    splits: Mapping[Split, Loaded]
    kept_together: int = 0
    remarks: tuple[str, ...] = ()


def separate(
    source: Source, splits: Mapping[Split, Loaded], *, native_side: int, seed: int, remark: bool
) -> Separated:
    """Keep copies, exact, near and mirrored, in one of the splits that were carved from train.

    `remark` looks for copies between given splits too, which costs some 20 us for a picture of 64x64x3.
    """
    carved = [split for split, loaded in splits.items() if loaded.selection.stored == "train"]
    if len(carved) == 1 and not remark:
        return Separated(splits)
    order = [*carved, *(split for split in splits if split not in carved)]
    loaded = [splits[split] for split in order]
    where = np.repeat(np.arange(len(order)), [len(part) for part in loaded])
    pairs = find_copies(
        [part.images for part in loaded],
        [part.digests for part in loaded],
        side=native_side,
        apart=np.where((where < len(carved)) & (len(carved) > 1), 0, where + 1),
    )
    groups = pairs.groups(len(where))
    family = where < len(carved)
    labels = np.concatenate([part.selection.labels for part in loaded])
    placed = where.copy()
    placed[family] = keep_together(where[family], labels[family], groups[family], seed=seed)
    moved = placed != where
    separated = dict(splits)
    if moved.any():
        separated |= zip(carved, _rebuilt(loaded[: len(carved)], placed[family]), strict=True)
    remarks = _remarks(source, order, loaded, placed, groups) if remark else ()
    return Separated(separated, int(np.isin(groups, groups[moved]).sum()), remarks)


def _rebuilt(loaded: list[Loaded], placed: np.ndarray) -> list[Loaded]:
    """The pictures of several splits of one stored split in other splits, int [N]."""
    stack = Stack([part.images for part in loaded])
    positions = np.concatenate([part.selection.positions for part in loaded])
    labels = np.concatenate([part.selection.labels for part in loaded])
    digests = np.concatenate([part.digests for part in loaded])
    rebuilt = []
    for number, part in enumerate(loaded):
        rows = np.flatnonzero(placed == number)
        rows = rows[np.argsort(positions[rows])]
        selection = Selection(part.selection.stored, positions[rows], labels[rows])
        rebuilt.append(Loaded(selection, stack.take(rows), digests[rows]))
    return rebuilt


def _remarks(
    source: Source, order: list[Split], loaded: list[Loaded], placed: np.ndarray, groups: np.ndarray
) -> tuple[str, ...]:
    stored = [part.selection.stored for part in loaded for _ in range(len(part))]
    positions = np.concatenate([part.selection.positions for part in loaded])
    labels = np.concatenate([part.selection.labels for part in loaded])
    digests = np.concatenate([part.digests for part in loaded])

    def name(row: int) -> str:
        return source.picture_name(stored[row], int(positions[row]))

    remarks = []
    for (split, other), consequence in _CONSEQUENCES.items():
        inside, outside = (placed == order.index(s) for s in (split, other))
        shared = np.flatnonzero(inside & np.isin(groups, groups[outside]))
        if len(shared):
            one = shared[0]
            like = np.flatnonzero(outside & (groups == groups[one]))[0]
            exact = int(np.isin(digests[inside], digests[outside]).sum())
            remedy = _DIVIDED if stored[one] == stored[like] else "remove them from one of the two"
            remarks.append(
                f"{len(shared)} of {inside.sum()} {split} pictures are copies of {other} pictures "
                f"({exact} to the last pixel, {len(shared) - exact} nearly or mirrored), "
                f"e.g. {name(one)} and {name(like)}: {consequence}; {remedy}"
            )
    doubtful = _under_two_labels(digests, labels)
    if len(doubtful):
        one = doubtful[0]
        other_label = (digests == digests[one]) & (labels != labels[one])
        examples = (
            f"{name(row)} ('{source.class_names[labels[row]]}')" for row in (one, other_label.argmax())
        )
        remarks.append(
            f"{len(doubtful)} pictures are there under more than one label, "
            f"e.g. {' and '.join(examples)}, equal to the last pixel: remove those under the wrong one"
        )
    return tuple(remarks)


def _under_two_labels(digests: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rows of pictures that are equal to one with another label."""
    order = np.lexsort((labels, digests))
    digest, label = digests[order], labels[order]
    differ = (digest[1:] == digest[:-1]) & (label[1:] != label[:-1])
    return np.flatnonzero(np.isin(digests, digest[1:][differ]))
