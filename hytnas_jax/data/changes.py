"""In what pictures differ from what was noted of them, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hytnas_jax.data.dataset import Dataset
from hytnas_jax.data.digest import Content

_CLASSES_NAMED = 5


def changes(noted: Mapping[str, Any], dataset: Dataset) -> list[str]:
    """What differs from `Dataset.splits_to_json` of before, a line each; nothing where the content agrees.

    The content is pixels, labels and classes, in their order. Names of files are none of it.
    """
    before = {split: Content.from_json(values) for split, values in noted["content"].items()}
    lines = []
    channels = len(noted["mean"]), len(dataset.mean)
    if channels[0] != channels[1]:
        lines.append(f"channels: were {channels[0]}, are {channels[1]}")
    lines += _changed_classes(noted["class_names"], dataset.class_names)
    comparison = _Comparison(noted, dataset, before)
    for split, content in dataset.content.items():
        if not content.is_same(before[split]):
            lines.append(f"{split}: {'; '.join(comparison.of_split(split))}")
    return lines


def are_mostly_other_pixels(noted: Mapping[str, Any], dataset: Dataset) -> bool:
    """Whether most pictures have pixels that were not there before, as with another decoder."""
    before = np.concatenate([Content.from_json(values).digests for values in noted["content"].values()])
    now = np.concatenate([content.digests for content in dataset.content.values()])
    return bool(np.isin(now, before).mean() < 0.5)


def _changed_classes(before: Sequence[str], now: Sequence[str]) -> list[str]:
    if list(before) == list(now):
        return []
    new = [name for name in now if name not in before]
    gone = [name for name in before if name not in now]
    parts = [f"{what} {_listed(names)}" for what, names in (("new", new), ("gone", gone)) if names]
    return [f"classes: {'; '.join(parts) or f'in another order, {_listed(now)}'}"]


class _Comparison:
    """Splits of before and of now, picture by picture, known by their digests."""

    def __init__(self, noted: Mapping[str, Any], dataset: Dataset, before: Mapping[str, Content]) -> None:
        self._before, self._now = before, dataset.content
        self._files_before, self._files_now = noted["splits"], dataset.files
        self._classes_before, self._classes_now = noted["class_names"], dataset.class_names
        self._all_before = np.concatenate([content.digests for content in before.values()])
        self._all_now = np.concatenate([content.digests for content in dataset.content.values()])

    def of_split(self, split: Any) -> list[str]:
        """In what a split has changed; it must have."""
        before, now = self._before[split], self._now[split]
        names_before, names_now = self._files_before[split], self._files_now[split]
        here, ever = np.isin(now.digests, before.digests), np.isin(now.digests, self._all_before)
        known_name = np.isin(names_now, names_before)
        gone = ~np.isin(before.digests, self._all_now) & ~np.isin(names_before, names_now)
        found = [
            (self._relabelled(before, now, here), "have another label"),
            (~ever & known_name, "have other pixels"),
            (~ever & ~known_name, "are new"),
            (~here & ever, "were in another split"),
        ]
        parts = [] if len(now) == len(before) else [f"{len(before)} pictures before, {len(now)} now"]
        parts += [
            f"{rows.sum()} of {len(now)} {what} ({self._by_class(self._classes_now, now.labels[rows])}), "
            f"e.g. {names_now[rows.argmax()]}"
            for rows, what in found
            if rows.any()
        ]
        if gone.any():
            classes = self._by_class(self._classes_before, before.labels[gone])
            parts.append(f"{gone.sum()} are gone ({classes}), e.g. {names_before[gone.argmax()]}")
        return parts or ["the same pictures in another order"]

    def _relabelled(self, before: Content, now: Content, here: np.ndarray) -> np.ndarray:
        """Which of the pictures now had another label, or none of the same name: bool [N]."""
        if np.array_equal(before.labels, now.labels) and list(self._classes_before) != list(
            self._classes_now
        ):
            return np.zeros(len(now), bool)  # the names alone are others
        either = dict.fromkeys([*self._classes_now, *self._classes_before])
        names, keys = {name: number for number, name in enumerate(either)}, []
        values = np.unique(np.concatenate([before.digests, now.digests]))
        for content, classes in ((before, self._classes_before), (now, self._classes_now)):
            labels = np.array([names[name] for name in classes])[content.labels]
            keys.append(np.searchsorted(values, content.digests) * len(names) + labels)
        return here & ~np.isin(keys[1], keys[0])

    def _by_class(self, classes: Sequence[str], labels: np.ndarray) -> str:
        """How many pictures of each class, as "cat 3, dog 4"."""
        counts = np.bincount(labels, minlength=len(classes))
        return _listed([f"{name} {count}" for name, count in zip(classes, counts, strict=True) if count])


def _listed(names: Sequence[str]) -> str:
    """The first few of the names, and how many more there are."""
    more = f" and {len(names) - _CLASSES_NAMED} more" if len(names) > _CLASSES_NAMED else ""
    return ", ".join(names[:_CLASSES_NAMED]) + more
