"""Images that belong in one split: kept together where splits are carved, told where splits are given.

They are copies of one image, by their pixels or their names; and, for detection and segmentation, the
frames of one video.
"""

import dataclasses
from collections.abc import Mapping
from typing import cast

import numpy as np

from hytnas_jax.data.copies import Stack, find_copies
from hytnas_jax.data.copy_marks import Marks, are_near_ones_known, marks_of
from hytnas_jax.data.readers.source import Source, Split
from hytnas_jax.data.splits import Selection, join_rare, keep_together, tally
from hytnas_jax.data.streamed import Pixels, Streamed
from hytnas_jax.data.videos import about_videos, is_divided, joined, sources_of, videos_of
from hytnas_jax.numbers import counted

# What copies in both splits do to the first one's errors.
_CONSEQUENCES: Mapping[tuple[Split, Split], str] = {
    ("test", "train"): "errors on the test split will be too good",
    ("validation", "train"): "errors on the validation split will be too good",
    ("test", "validation"): "the test split is not independent of the search",
}
_DIVIDED = "a class has too few different images to keep copies in one split: add some"


@dataclasses.dataclass(frozen=True, eq=False)
class Loaded:
    """The images of a split: which they are, images uint8 [N, S, S, C], digests uint64 [N]; marks of
    streamed images, which were taken when these were decoded."""

    selection: Selection
    images: Pixels
    digests: np.ndarray
    marks: Marks | None = None

    def __len__(self) -> int:
        return len(self.selection)


@dataclasses.dataclass(frozen=True, eq=False)
class Separated:
    """The splits after copies were kept together: the number of those images, and what to warn of."""

    splits: Mapping[Split, Loaded]
    kept_together: int = 0
    remarks: tuple[str, ...] = ()


def separate(
    source: Source,
    splits: Mapping[Split, Loaded],
    *,
    native_side: int,
    seed: int,
    remark: bool,
    frames_together: bool,
) -> Separated:
    """Keep copies, exact, near and mirrored, in one of the splits that were carved from train.

    With `frames_together`, also images that are called as frames of one video.

    `remark` looks for copies between given splits too, which takes about three times as long as digests do.
    """
    carved = [split for split, loaded in splits.items() if loaded.selection.stored == "train"]
    if len(carved) == 1 and not remark:
        return Separated(splits)
    order = [*carved, *(split for split in splits if split not in carved)]
    rows = _Rows(source, [splits[split] for split in order])
    where = np.repeat(np.arange(len(order)), [len(part) for part in rows.parts])
    family = where < len(carved)
    near = are_near_ones_known(native_side, rows.parts[0].images.shape[1])
    groups = find_copies(
        [part.images for part in rows.parts],
        [part.digests for part in rows.parts],
        [part.marks or marks_of(cast(np.ndarray, part.images), near=near) for part in rows.parts],
        side=native_side,
        apart=np.where(family & (len(carved) > 1), 0, where + 1),
    ).groups(len(where))
    if len(carved) > 1:
        groups = joined(groups, sources_of(rows.name, family))
    videos = videos_of(rows.name, family) if len(carved) > 1 and frames_together else None
    placed = where.copy()
    placed[family] = keep_together(
        where[family],
        _carved_by(source, where[family], rows.labels[family], are_frames=videos is not None),
        (groups if videos is None else joined(groups, videos))[family],
        seed=seed,
    )
    separated = dict(splits)
    if (placed != where).any():
        separated |= {split: rows.take(np.flatnonzero(placed == n)) for n, split in enumerate(carved)}
    remarks: tuple[str, ...] = ()
    if remark:
        in_split = {split: placed == n for n, split in enumerate(order)}
        told = [] if videos is None else about_videos(rows.name, videos, placed)
        remarks = (*told, *_shared(rows, in_split, groups), *_under_two_labels(rows))
    kept_together = is_divided(groups, where) & family & ~is_divided(groups, placed)
    return Separated(separated, int(kept_together.sum()), remarks)


def _carved_by(source: Source, where: np.ndarray, labels: np.ndarray, *, are_frames: bool) -> np.ndarray:
    """The labels that are spread evenly over the splits, of which each has an image in every split.

    A video has one scene, and its frames stay together: what is rare may then be in one split alone.
    """
    if source.task == "classification":
        return labels
    if are_frames:
        return np.zeros(len(labels), np.int32)
    return join_rare(labels, (tally(where, labels, like=where) == 0).any(axis=1))


class _Rows:
    """The images of several splits, numbered through."""

    def __init__(self, source: Source, parts: list[Loaded]) -> None:
        self._source = source
        self.are_classified = source.task == "classification"
        self.parts = parts
        self.stored = np.repeat([part.selection.stored for part in parts], [len(part) for part in parts])
        self.positions = np.concatenate([part.selection.positions for part in parts])
        self.labels = np.concatenate([part.selection.labels for part in parts])
        self.digests = np.concatenate([part.digests for part in parts])

    def name(self, row: int) -> str:
        return self._source.image_name(cast(Split, str(self.stored[row])), int(self.positions[row]))

    def label(self, row: int) -> str:
        return self._source.class_names[self.labels[row]]

    def take(self, rows: np.ndarray) -> Loaded:
        """These rows, of one stored split, in the order in which they are stored."""
        rows = rows[np.argsort(self.positions[rows])]
        selection = Selection(cast(Split, str(self.stored[rows[0]])), self.positions[rows], self.labels[rows])
        first, digests = self.parts[0].images, self.digests[rows]
        if isinstance(first, Streamed):
            return Loaded(selection, first.of(selection, digests), digests)
        return Loaded(selection, Stack([part.images for part in self.parts]).take(rows), digests)


def _shared(rows: _Rows, in_split: Mapping[Split, np.ndarray], groups: np.ndarray) -> list[str]:
    """A remark for each two splits that share images; `in_split` says which rows are in which, bool [N]."""
    remarks = []
    for (split, other), consequence in _CONSEQUENCES.items():
        inside, outside = in_split[split], in_split[other]
        shared = np.flatnonzero(inside & np.isin(groups, groups[outside]))
        if len(shared):
            one = shared[0]
            like = np.flatnonzero(outside & (groups == groups[one]))[0]
            exact = int(np.isin(rows.digests[inside], rows.digests[outside]).sum())
            is_carved = rows.stored[one] == rows.stored[like]
            among = f"of {counted(int(inside.sum()), f'{split} image')}"
            remarks.append(
                f"{counted(len(shared), f'{among} is a copy of a', f'{among} are copies of')} "
                f"{other} {'image' if len(shared) == 1 else 'images'} "
                f"({exact} to the last pixel, {len(shared) - exact} nearly or mirrored), "
                f"e.g. {rows.name(one)} and {rows.name(like)}: {consequence}; "
                f"{_DIVIDED if is_carved else 'remove them from one of the two'}"
            )
    return remarks


def _under_two_labels(rows: _Rows) -> list[str]:
    """A remark where images of a classification are equal to one with another label."""
    if not rows.are_classified:
        return []
    order = np.lexsort((rows.labels, rows.digests))
    digest, label = rows.digests[order], rows.labels[order]
    differ = np.flatnonzero((digest[1:] == digest[:-1]) & (label[1:] != label[:-1]))
    if not len(differ):
        return []
    examples = (f"{rows.name(row)} ('{rows.label(row)}')" for row in order[differ[0] : differ[0] + 2])
    count = np.isin(rows.digests, digest[differ]).sum()
    return [
        f"{counted(int(count), 'image is', 'images are')} there under more than one label, "
        f"e.g. {' and '.join(examples)}, equal to the "
        "last pixel: remove those under the wrong one"
    ]
