"""In what images differ from what was noted of them, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hytnas_jax.data.dataset import Dataset
from hytnas_jax.data.digest import Content
from hytnas_jax.data.readers.words import some
from hytnas_jax.numbers import counted

_CLASSES_NAMED = 5


def changes(noted: Mapping[str, Any], dataset: Dataset) -> list[str]:
    """What differs from `Dataset.splits_to_json` of before, a line each; nothing where the content agrees.

    The content may be there as `Content`, too.

    The content is pixels, labels and classes, in their order. Names of files are none of it.
    """
    before = {split: Content.from_json(values) for split, values in noted["content"].items()}
    lines = []
    channels = len(noted["mean"]), len(dataset.mean)
    if channels[0] != channels[1]:
        lines.append(f"channels: were {channels[0]}, are {channels[1]}")
    lines += changed_classes(noted["class_names"], dataset.class_names)
    comparison = _Comparison(noted, dataset, before)
    for split in ("train", "validation", "test"):
        if not dataset.content[split].is_same(before[split]):
            lines.append(f"{split} split: {'; '.join(comparison.of_split(split))}")
    return lines


def are_mostly_other_pixels(noted: Mapping[str, Any], dataset: Dataset) -> bool:
    """Whether most images have pixels that were not there before, as with another decoder."""
    before = _joined({split: Content.from_json(values) for split, values in noted["content"].items()})
    return bool(np.isin(_joined(dataset.content).digests, before.digests).mean() < 0.5)


def changed_classes(before: Sequence[str], now: Sequence[str]) -> list[str]:
    if list(before) == list(now):
        return []
    new = [name for name in now if name not in before]
    gone = [name for name in before if name not in now]
    parts = [
        f"{what} {some(names, _CLASSES_NAMED)}" for what, names in (("new", new), ("gone", gone)) if names
    ]
    return [f"classes: {'; '.join(parts) or f'in another order, {some(now, _CLASSES_NAMED)}'}"]


class _Comparison:
    """Splits of before and of now, image by image; an image is known by its digest."""

    def __init__(self, noted: Mapping[str, Any], dataset: Dataset, before: Mapping[str, Content]) -> None:
        self._before, self._now = before, dataset.content
        self._files_before, self._files_now = noted["splits"], dataset.files
        self._classes_before, self._classes_now = noted["class_names"], dataset.class_names
        self._all_before, self._all_now = (_joined(contents) for contents in (before, dataset.content))

    def of_split(self, split: Any) -> list[str]:
        """In what a split has changed; it must have."""
        before, now = self._before[split], self._now[split]
        names_before, names_now = self._files_before[split], self._files_now[split]
        is_new = ~np.isin(now.digests, self._all_before.digests)
        is_relabelled = ~is_new & self._is_relabelled(before, now)
        is_replaced = is_new & np.isin(names_now, names_before)
        has_come = ~is_new & ~is_relabelled & ~np.isin(now.digests, before.digests)
        found = [
            (is_relabelled, "another label" if now.annotations is None else "other boxes or masks"),
            (is_replaced, "other pixels"),
            (is_new & ~is_replaced, "new"),
            (has_come, "from another split"),
        ]
        parts = [] if len(now) == len(before) else [f"{counted(len(before), 'image')} before, {len(now)} now"]
        parts += [
            f"{what}: {rows.sum()} of {len(now)} ({self._by_class(self._classes_now, now.labels[rows])}), "
            f"e.g. {names_now[rows.argmax()]}"
            for rows, what in found
            if rows.any()
        ]
        is_gone = ~np.isin(before.digests, self._all_now.digests)
        is_gone &= ~np.isin(names_before, np.array(names_now)[is_replaced])
        if is_gone.any():
            classes = self._by_class(self._classes_before, before.labels[is_gone])
            parts.append(f"gone: {is_gone.sum()} ({classes}), e.g. {names_before[is_gone.argmax()]}")
        return parts or ["the same images in another order, as where files were renamed"]

    def _is_relabelled(self, before: Content, now: Content) -> np.ndarray:
        """Which of a split's images are told other things of than anywhere before: bool [N]."""
        if now.annotations is None or self._all_before.annotations is None:
            return self._had_another_label(before, now)
        known = set(zip(self._all_before.digests, self._all_before.annotations, strict=True))
        return np.array([pair not in known for pair in zip(now.digests, now.annotations, strict=True)], bool)

    def _had_another_label(self, before: Content, now: Content) -> np.ndarray:
        """Which of a split's images have a label now that they had nowhere before: bool [N]."""
        is_renamed = list(self._classes_before) != list(self._classes_now)
        if is_renamed and np.array_equal(before.labels, now.labels):
            return np.zeros(len(now), bool)  # the names of the classes alone are others
        either = dict.fromkeys([*self._classes_now, *self._classes_before])
        names, keys = {name: number for number, name in enumerate(either)}, []
        values = np.unique(np.concatenate([self._all_before.digests, now.digests]))
        for content, classes in ((self._all_before, self._classes_before), (now, self._classes_now)):
            labels = np.array([names[name] for name in classes])[content.labels]
            keys.append(np.searchsorted(values, content.digests) * len(names) + labels)
        return ~np.isin(keys[1], keys[0])

    def _by_class(self, classes: Sequence[str], labels: np.ndarray) -> str:
        """How many images of each class, as "cat: 3, dog: 4"; of several on an image, the rarest."""
        names = (*classes, "nothing")
        counts = np.bincount(labels, minlength=len(names))
        return some(
            [f"{name}: {count}" for name, count in zip(names, counts, strict=True) if count], _CLASSES_NAMED
        )


def _joined(contents: Mapping[Any, Content]) -> Content:
    """Several splits as one."""
    parts = list(contents.values())
    annotations = [part.annotations for part in parts if part.annotations is not None]
    return Content(
        np.concatenate([part.digests for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate(annotations) if annotations else None,
    )
