"""Folders that look like classes, but are images and their masks."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from hytnas_jax.data.decode import Unreadable, open_image, quiet, refusing
from hytnas_jax.data.readers.image_files import is_image
from hytnas_jax.data.readers.listing import list_folder
from hytnas_jax.data.readers.signs import spread
from hytnas_jax.data.readers.split_folders import split_named

# Words in the names of folders.
_IMAGES = {"image", "images", "img", "imgs", "photos", "pictures"}
_MASKS = {
    *("mask", "masks", "gt", "truth", "groundtruth", "label", "labels", "ann", "anno", "annot", "annots"),
    *("annotation", "annotations", "seg", "segs", "segmentation", "segmentations", "target", "targets"),
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# What is written around the name of an image to name its mask, or the reverse.
_MARK = r"(images?|img|masks?|labels?|gt|seg|segmentation|annot|annotation|l)"
_AROUND = re.compile(rf"^{_MARK}(?=[ _.\-\d])[ _.\-]*|[ _.\-]+{_MARK}$", re.IGNORECASE)
_SHARE = 0.8  # of the names
_FEW_COLOURS = 32
_LOOKED_AT = 6  # pairs


def images_with_masks(places: Sequence[Path]) -> str:
    """Of the folders that classes would be: which are images and their masks, in words; "" where none are.

    The names of most files agree. Besides, the folders are called so; or there are two of them, and what one
    holds has few colours and the size of its partner. Class folders may well have the same numbers as names.
    """
    for masks in filter(_is_called_as_masks, places):
        for images in filter(_is_called_as_images, places):
            if pairs := _paired(images, masks):
                return _in_words(images, masks, len(pairs))
    if len(places) == 2:
        first, second = places
        pairs = _paired(first, second)
        if _are_drawn(pairs):
            return _in_words(first, second, len(pairs))
        if _are_drawn([(two, one) for one, two in pairs]):
            return _in_words(second, first, len(pairs))
    return ""


def _words(folder: Path) -> set[str]:
    return {word.lower() for word in _WORD.findall(folder.name)}


def _is_called_as_masks(folder: Path) -> bool:
    return bool(_words(folder) & _MASKS)


def _is_called_as_images(folder: Path) -> bool:
    words = _words(folder)
    return bool(words & _IMAGES or split_named(folder.name) == "train") and not words & _MASKS


def _paired(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Files whose names agree but for what tells masks; none where the names of most do not."""
    one, other = _by_core(images), _by_core(masks)
    both = sorted(set(one) & set(other))
    if len(both) < _SHARE * min(len(one), len(other)):
        return []
    return [(images / one[core], masks / other[core]) for core in both]


def _by_core(folder: Path) -> dict[str, str]:
    """The names of the images in a folder by what is left without extensions and what tells masks."""
    found = {}
    for name in list_folder(folder).images:
        core = os.path.splitext(name)[0]
        core = os.path.splitext(core)[0] if is_image(core) else core  # "a.jpg.png" is of "a.jpg"
        found[_AROUND.sub("", core) or core] = name
    return found


def _are_drawn(pairs: Sequence[tuple[Path, Path]]) -> bool:
    """Whether the second of each pair that can be read has few colours, the first many, and both one size."""
    most = 0
    for image, mask in spread(pairs, _LOOKED_AT):
        try:
            with quiet(), refusing(), open_image(mask) as drawn, open_image(image) as other:
                colours = _count_colours(drawn)
                if not colours or sorted(drawn.size) != sorted(other.size) or _count_colours(other):
                    return False
                most = max(most, colours)
        except Unreadable:
            continue
    return most > 1


def _count_colours(image: Image.Image) -> int:
    """How many colours an image has; 0 for many."""
    return len(image.getcolors(_FEW_COLOURS) or ())


def _in_words(images: Path, masks: Path, count: int) -> str:
    return (
        f"{images.name} and {masks.name} look like images and their masks, not like classes: the names of "
        f"{count} files are the same in both. If they are classes, give --task classification. If they are "
        "masks, give --task segmentation; they lie in DIR/masks, beside DIR/images, as PNG files"
    )
