"""Which images train, which the search looks at, and which are kept for the test."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from hytnas_jax.data.readers.source import Source, Split
from hytnas_jax.numbers import counted
from supernet.errors import UserError

# With max_images, labels are read of at most so many images a split: in a record file of millions,
# reading a label costs reading its image.
_LABELS_LOOKED_AT = 20_000


@dataclasses.dataclass(frozen=True, eq=False)
class Selection:
    """Some images of one stored split: positions int64 [N] in ascending order, labels int32 [N]."""

    stored: Split
    positions: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, rows: np.ndarray) -> "Selection":
        rows = np.sort(rows)
        return Selection(self.stored, self.positions[rows], self.labels[rows])


def carved_fractions(
    sizes: Mapping[Split, int], *, validation_fraction: float, test_fraction: float
) -> dict[Split, float]:
    """The splits that the source lacks, each with the part of train that it takes.

    Raises UserError for a part outside 0..1, or parts that leave nothing to train on.
    """
    wanted: dict[Split, float] = {"validation": validation_fraction, "test": test_fraction}
    carved = {split: fraction for split, fraction in wanted.items() if split not in sizes}
    for split, fraction in carved.items():
        if not 0 < fraction < 1:
            raise UserError(
                f"{split}_fraction={fraction}: wanted a number between 0 and 1, since the source has no "
                f"{split} split of its own"
            )
    if sum(carved.values()) >= 1:
        raise UserError(
            f"validation_fraction={validation_fraction} and test_fraction={test_fraction} leave nothing to "
            "train on; their sum is to be below 1"
        )
    return carved


def make_splits(
    source: Source,
    *,
    fractions: Mapping[Split, float],
    max_images: int | None,
    seed: int,
    max_validation: int | None = None,
) -> dict[Split, Selection]:
    """Disjoint train, validation and test images, the same for the same seed.

    Stored splits are used as they are; those in `fractions` are carved out of train, class by class.
    `max_images` then keeps that many training images, and of the other splits the same part, with
    every class in about its old proportion; `max_validation` then does so with the validation split alone.
    For detection and segmentation, an image counts as one of the rarest class on it; classes too rare for
    every split are carved together.

    Raises UserError naming a class that some split of a classification would lack, and its number of images.
    """
    rng = np.random.default_rng(seed)
    splits = {split: _look(source, split, max_images, rng) for split in source.sizes}
    train, carved = _carve(splits["train"], fractions, source, rng)
    splits = {**splits, "train": train, **carved}
    for split, selection in splits.items():
        check_classes(selection.labels, split, source)
    if max_images is not None and max_images < len(train):
        part = max_images / len(train)
        splits = {split: _thin(all_of, round(len(all_of) * part), rng) for split, all_of in splits.items()}
    if max_validation is not None and max_validation < len(splits["validation"]):
        rng = np.random.default_rng([seed, 2])
        splits["validation"] = _thin(splits["validation"], max_validation, rng)
    return splits


def check_classes(labels: np.ndarray, split: Split, source: Source) -> None:
    """Raises UserError where a class has no image in the split of a classification."""
    if source.task != "classification":
        return
    counts = np.bincount(labels, minlength=len(source.class_names))
    for name, count in zip(source.class_names, counts, strict=True):
        if count == 0:
            raise UserError(
                f"class '{name}' has 0 images in the {split} split ({counted(len(labels), 'image')}); every "
                "class needs at least one in each split: add some, or remove the class"
            )


def keep_together(assigned: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, seed: int) -> np.ndarray:
    """Move images so that each group is in one split; every class keeps about its part of each split.

    Args:
        assigned: int [N], the number of each image's split; every class has an image in every split.
        labels: int32 [N].
        groups: int [N]; copies of one image have the same number.
        seed: of the order in which groups are placed.

    Returns the new split of each image, int [N]; `assigned` itself where no group is in two splits.
    Groups stay divided where a class would otherwise have no image in some split.
    """
    several = np.zeros(groups.max() + 1, bool)
    first = np.full(len(several), -1)
    first[groups[::-1]] = assigned[::-1]
    several[groups[assigned != first[groups]]] = True
    if not several.any():
        return assigned
    moving = np.flatnonzero(several[groups])
    moving = moving[np.argsort(groups[moving], kind="stable")]
    parts = np.split(moving, np.flatnonzero(np.diff(groups[moving])) + 1)
    rng = np.random.default_rng([seed, 1])
    parts = [parts[n] for n in rng.permutation(len(parts))]
    parts.sort(key=len, reverse=True)
    placed = assigned.copy()
    for part, split in zip(parts, _places(assigned, labels, parts), strict=True):
        placed[part] = split
    divided = np.zeros(len(several), bool)
    while (lacking := (tally(placed, labels, like=assigned) == 0).any(axis=1)).any():
        divided[groups[lacking[labels]]] = True
        placed = np.where(divided[groups], assigned, placed)
    return placed


def _places(assigned: np.ndarray, labels: np.ndarray, parts: list[np.ndarray]) -> list[int]:
    """A split for each of the groups that are taken out: that which lacks most of what it had."""
    wanted = tally(assigned, labels, like=assigned)
    taken_out = np.concatenate(parts)
    counts = wanted - tally(assigned[taken_out], labels[taken_out], like=assigned, classes=len(wanted))
    places = []
    for part in parts:
        classes = labels[part]
        split = int((1 - counts[classes] / wanted[classes]).sum(axis=0).argmax())
        np.add.at(counts[:, split], classes, 1)
        places.append(split)
    return places


def tally(
    assigned: np.ndarray, labels: np.ndarray, *, like: np.ndarray, classes: int | None = None
) -> np.ndarray:
    """Images of each class in each split, int [classes, splits]."""
    classes, splits = classes or int(labels.max()) + 1, int(like.max()) + 1
    return np.bincount(labels * splits + assigned, minlength=classes * splits).reshape(classes, splits)


def _look(source: Source, split: Split, max_images: int | None, rng: np.random.Generator) -> Selection:
    positions = np.arange(source.sizes[split])
    if max_images is not None:
        limit = max(_LABELS_LOOKED_AT, 20 * max_images)
        if len(positions) > limit:
            positions = np.sort(rng.choice(positions, limit, replace=False))
    return Selection(split, positions, source.labels(split, positions))


def join_rare(labels: np.ndarray, is_rare: np.ndarray) -> np.ndarray:
    """Labels [N] 0.. without a gap, where the rare ones [K] became the most frequent one."""
    most_frequent = np.bincount(labels).argmax()
    joined = np.where(is_rare[labels], most_frequent, labels)
    return np.unique(joined, return_inverse=True)[1]


def _carve(
    train: Selection, fractions: Mapping[Split, float], source: Source, rng: np.random.Generator
) -> tuple[Selection, dict[Split, Selection]]:
    rows: dict[Split, list[np.ndarray]] = {split: [] for split in fractions}
    kept, labels, fewest = [], train.labels, 1 + len(fractions)
    names: Sequence[str] = source.class_names
    if source.task != "classification":
        labels = join_rare(labels, np.bincount(labels) < fewest)
        names = ["any"] * (labels.max() + 1)
    for index, name in enumerate(names):
        members = rng.permutation(np.flatnonzero(labels == index))
        if len(members) < fewest:
            also = "".join(f", {split}" for split in fractions)
            raise UserError(
                f"class '{name}' has {counted(len(members), 'image')}, "
                f"too few for one each in train{also}: add "
                "some, or remove the class"
            )
        start = 0
        for position, (split, fraction) in enumerate(fractions.items(), start=1):
            room = len(members) - start - (len(fractions) - position) - 1
            count = min(max(1, round(fraction * len(members))), room)
            rows[split].append(members[start : start + count])
            start += count
        kept.append(members[start:])
    carved = {split: train.take(np.concatenate(parts)) for split, parts in rows.items()}
    return train.take(np.concatenate(kept)), carved


def _thin(selection: Selection, total: int, rng: np.random.Generator) -> Selection:
    """About `total` of the images (exactly, unless there are more classes than that)."""
    present, counts = np.unique(selection.labels, return_counts=True)
    rows = [
        rng.choice(np.flatnonzero(selection.labels == index), quota, replace=False)
        for index, quota in zip(present, quotas(counts, max(total, len(present))), strict=True)
    ]
    return selection.take(np.concatenate(rows))


def quotas(counts: np.ndarray, total: int) -> np.ndarray:
    """`total` shared out in proportion to `counts`, at least 1 each, by largest remainders.

    Needs len(counts) <= total <= sum(counts) and all counts >= 1.
    """
    exact = counts * total / counts.sum()
    shares = np.maximum(np.floor(exact).astype(int), 1)
    while shares.sum() < total:
        shares[np.argmax(np.where(shares < counts, exact - shares, -np.inf))] += 1
    while shares.sum() > total:
        shares[np.argmax(np.where(shares > 1, shares - exact, -np.inf))] -= 1
    return shares
