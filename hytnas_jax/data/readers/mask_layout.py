"""Which mask belongs to which image, in the ways in which folders of them are laid out."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from hytnas_jax.data.readers.image_files import ImageFiles, child, subfolders
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.readers.split_folders import split_named
from hytnas_jax.data.readers.voc_layout import read_list, split_lists
from hytnas_jax.data.readers.words import some
from hytnas_jax.numbers import counted
from supernet.errors import UserError

LAYOUT = (
    "the layouts are DIR/train/images with DIR/train/masks, DIR/images/train with DIR/masks/train (val and "
    "test likewise), DIR/images with DIR/masks, or DIR/JPEGImages with DIR/SegmentationClass; "
    "a mask is called as its image"
)
_IMAGES = ("images", "image", "imgs", "img", "JPEGImages")
_MASKS = (
    "masks",
    "mask",
    "SegmentationClass",
    "segmentation",
    "labels",
    "label",
    "annotations",
    "annotation",
)
_SUFFIXES = ("", "_mask", "-mask", "_masks", "_label", "_labels", "_L", "_seg", "_segmentation", "_gt")


@dataclasses.dataclass(frozen=True)
class MaskLayout:
    """pairs: image and mask of each stored split, relative to the folder. tables: the folders in which a
    table of the classes may lie. notes: what is not used."""

    pairs: Mapping[Split, list[tuple[str, str]]]
    places: Mapping[Split, str]
    tables: list[Path]
    notes: tuple[str, ...]


def mask_folders(folder: Path) -> dict[Split, tuple[Path, Path]]:
    """The folders of images and of masks of each split; empty where the layout is none of LAYOUT."""
    images, masks = child(folder, *_IMAGES), _with_images(folder)
    if images is not None and masks is not None:
        found = _of_splits(images, masks)
        return found or {"train": (images, masks)}
    found = {}
    for inner in subfolders(folder):
        split = split_named(inner.name)
        if split is None:
            continue
        images, masks = child(inner, *_IMAGES), _with_images(inner)
        if images is None and masks is None:  # CamVid's way, and Roboflow's
            beside = child(folder, *(f"{inner.name}{end}" for end in ("_labels", "_masks", "_mask", "annot")))
            images, masks = inner, beside or (inner if _has_masks_beside(inner) else None)
        if images is not None and masks is not None:
            found[split] = (images, masks)
    return found if "train" in found else {}


def read_layout(folder: Path) -> MaskLayout:
    """Raises UserError for an unknown layout, an image without its mask, and the reverse."""
    found = mask_folders(folder)
    if not found:
        raise UserError(f"{folder}: no images with masks are found; {LAYOUT}")
    notes: list[str] = []
    pairs, places = {}, {}
    is_voc = found["train"][1].name == "SegmentationClass"
    for split, (images, masks) in found.items():
        pairs[split] = _paired(folder, images, masks, notes, only_masked=is_voc)
        places[split] = masks.relative_to(folder).as_posix()
    lists = split_lists(folder, "Segmentation") if is_voc and set(found) == {"train"} else {}
    if lists:
        pairs, places = _listed(folder, pairs["train"], lists, notes)
    tables = [folder, *(place for both in found.values() for place in (both[1], both[1].parent))]
    return MaskLayout(pairs, places, tables, tuple(notes))


def _of_splits(images: Path, masks: Path) -> dict[Split, tuple[Path, Path]]:
    """images/train with masks/train, and so on."""
    found: dict[Split, tuple[Path, Path]] = {}
    for inner in subfolders(images):
        split, beside = split_named(inner.name), child(masks, inner.name)
        if split is not None and beside is not None:
            found[split] = (inner, beside)
    return found if "train" in found else {}


def _with_images(folder: Path) -> Path | None:
    """The folder of masks in a folder: "labels" may hold boxes as text, "annotations" JSON."""
    for name in _MASKS:
        found = child(folder, name)
        if found is not None and ImageFiles(found).names:
            return found
    return None


def _has_masks_beside(folder: Path) -> bool:
    names = {os.path.splitext(name)[0] for name in ImageFiles(folder).names}
    return any(name.endswith("_mask") and name.removesuffix("_mask") in names for name in names)


def _paired(
    folder: Path, images: Path, masks: Path, notes: list[str], *, only_masked: bool
) -> list[tuple[str, str]]:
    """The images with their masks, by name. VOC has images without a mask, which are for other tasks."""
    image_names = _by_stem(images, without="_mask" if images == masks else None)
    mask_names = _by_stem(masks, only="_mask" if images == masks else None)
    suffix = max(_SUFFIXES, key=lambda end: sum(stem + end in mask_names for stem in image_names))
    inside, mask_inside = (path.relative_to(folder).as_posix() for path in (images, masks))
    lacking = sorted(stem for stem in image_names if stem + suffix not in mask_names)
    if lacking and only_masked and len(lacking) < len(image_names):
        notes.append(f"{inside}: {counted(len(lacking), 'image')} without a mask left out")
    elif lacking:
        raise UserError(
            f"{inside}/{image_names[lacking[0]]}: has no mask; {mask_inside}/{lacking[0]}{suffix}.png is "
            f"looked for, {counted(len(lacking), 'image')} of {len(image_names)} without; add "
            "it, or delete the image"
        )
    lost = sorted(set(mask_names) - {stem + suffix for stem in image_names})
    if lost:
        raise UserError(
            f"{mask_inside}/{mask_names[lost[0]]}: has no image in {inside} ({counted(len(lost), 'mask')} of "
            f"{len(mask_names)} without); add it, or delete the mask"
        )
    stems = sorted(set(image_names) - set(lacking))
    return [(f"{inside}/{image_names[s]}", f"{mask_inside}/{mask_names[s + suffix]}") for s in stems]


def _by_stem(folder: Path, *, without: str | None = None, only: str | None = None) -> dict[str, str]:
    """The path of each file in a folder without its extension -> with it."""
    found: dict[str, str] = {}
    for name in ImageFiles(folder).names:
        stem = os.path.splitext(name)[0]
        if (without and stem.endswith(without)) or (only and not stem.endswith(only)):
            continue
        if stem in found:
            raise UserError(f"{folder / name}: {found[stem]} has the same name; keep one of both")
        found[stem] = name
    return found


def _listed(
    folder: Path, pairs: list[tuple[str, str]], lists: Mapping[Split, Path], notes: list[str]
) -> tuple[dict[Split, list[tuple[str, str]]], dict[Split, str]]:
    """The pairs that VOC's lists name, and how to name the lists."""
    by_stem = {Path(image).stem: (image, mask) for image, mask in pairs}
    found: dict[Split, list[tuple[str, str]]] = {}
    places = {split: path.relative_to(folder).as_posix() for split, path in lists.items()}
    for split, path in lists.items():
        found[split] = []
        for number, name in read_list(path, places[split], by_stem):
            if name not in by_stem:
                raise UserError(
                    f"{places[split]}, line {number}: {name} has no image or no mask; add them, or delete "
                    "the line"
                )
            found[split].append(by_stem[name])
    used = {pair for part in found.values() for pair in part}
    unused = [image for image, mask in pairs if (image, mask) not in used]
    if unused:
        notes.append(f"{counted(len(unused), 'image')} in no list left out ({some(unused)})")
    return found, places
