"""What a YOLO data set's data.yaml says: the classes, and where the images of each split are."""

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hytnas_jax.data.readers.image_files import ImageFiles, is_image
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.readers.words import some
from hytnas_jax.files.plain_yaml import read_yaml
from hytnas_jax.files.text import decode
from supernet.errors import UserError

_KEYS: Mapping[Split, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("val", "valid", "validation"),
    "test": ("test",),
}
EXAMPLE = (
    "a data.yaml is\n  train: images/train\n  val: images/val\n  names:\n    0: person\n"
    "with the boxes of images/train/a.jpg in labels/train/a.txt; paths are relative to `path`, where that is "
    "given, else to the folder of data.yaml"
)


@dataclasses.dataclass(frozen=True)
class YoloLayout:
    """images: the image files of each stored split, relative to the folder, or absolute where elsewhere.
    places: how to name each split. notes: what is not used. keypoints: how many numbers of keypoints follow
    each box."""

    file: Path
    class_names: tuple[str, ...]
    are_named: bool
    images: Mapping[Split, list[str]]
    places: Mapping[Split, str]
    notes: tuple[str, ...]
    keypoints: int


def find_yaml(folder: Path) -> Path | None:
    """data.yaml, else the only YAML file of the folder with `names` and `train`."""
    found = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    for path in found:
        if path.stem.lower() in ("data", "dataset"):
            return path
    named = [path for path in found if _has_keys(path)]
    return named[0] if len(named) == 1 else None


def read_layout(folder: Path) -> YoloLayout:
    """Raises UserError where there is no data.yaml, or something in it cannot be followed."""
    file = find_yaml(folder)
    if file is None:
        raise UserError(f"{folder}: has no data.yaml; {EXAMPLE}")
    data = file.read_bytes()
    if not data.strip():
        raise UserError(f"{file}: is empty; {EXAMPLE}")
    found = read_yaml(data, str(file))
    if not isinstance(found, dict):
        raise UserError(f"{file}: wanted names and train, each on a line of its own; {EXAMPLE}")
    text = decode(data, str(file))
    names, are_named = _names(found, file, text)
    keypoints = _keypoints(found, file, text)
    images: dict[Split, list[str]] = {}
    places: dict[Split, str] = {}
    notes = []
    for split, keys in _KEYS.items():
        key = next((key for key in keys if found.get(key) not in (None, "", [])), None)
        if key is None:
            continue
        lists = [
            _list(path, found, file, _at(key, file, text)) for path in _texts(found[key], key, file, text)
        ]
        lacking = [path for path, files in lists if files is None]
        if lacking and split == "test":  # Roboflow names one, whether it is there or not
            notes.append(f"{key}: {lacking[0]} of {file.name} is not there")
            continue
        if lacking:
            raise UserError(
                f"{_at(key, file, text)}: {key} is {lacking[0]}, which is not there (looked for "
                f"{', '.join(str(place) for place in _candidates(lacking[0], found, file))}); {EXAMPLE}"
            )
        images[split] = [image for _, files in lists for image in files or ()]
        places[split] = f"{file.name}: {key} ({some([path for path, _ in lists])})"
    if "train" not in images:
        raise UserError(f"{file}: has no train; {EXAMPLE}")
    return YoloLayout(file, names, are_named, images, places, tuple(notes), keypoints)


def label_file(image: str, folder: Path) -> Path:
    """Where an image's boxes are: its path with "labels" for the last "images", else beside it."""
    parts = list((folder / image).with_suffix(".txt").parts)
    inside = len(folder.parts) if not os.path.isabs(image) else 0
    for index in range(len(parts) - 2, inside - 1, -1):
        if parts[index].lower() == "images":
            moved = [*parts]
            moved[index] = "labels" if parts[index] != "Images" else "Labels"
            if Path(*moved[: index + 1]).is_dir():
                parts = moved
            break
    path = Path(*parts)
    capitals = path.with_suffix(".TXT")
    return capitals if not path.exists() and capitals.exists() else path


def _has_keys(path: Path) -> bool:
    text = path.read_text("utf-8", "replace")
    return all(re.search(rf"^{key}\s*:", text, re.MULTILINE) for key in ("names", "train"))


def _at(key: str, file: Path, text: str) -> str:
    """ "data.yaml, line 3", where a key of the top level stands."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"[\"']?{re.escape(key)}[\"']?\s*:", line):
            return f"{file}, line {number}"
    return str(file)


def _names(found: dict[Any, Any], file: Path, text: str) -> tuple[tuple[str, ...], bool]:
    names, count = found.get("names"), found.get("nc")
    at = _at("names", file, text)
    if names is None and isinstance(count, int) and count > 0:
        return tuple(str(number) for number in range(count)), False
    if isinstance(names, dict):
        wanted = list(range(len(names)))
        keys = sorted(names, key=str)
        if set(names) != set(wanted):
            missing = [number for number in wanted if number not in names]
            raise UserError(
                f"{at}: names has the keys {some([repr(key) for key in keys])} but not {missing[0]}; number "
                "the classes from 0 without a gap"
            )
        names = [names[number] for number in wanted]
    if not isinstance(names, list) or not names:
        raise UserError(
            f"{at}: names is {names!r:.40}; wanted a list of names, or a number and a name a line"
        )
    for number, name in enumerate(names):
        if not isinstance(name, str | int | float) or isinstance(name, bool) or name == "":
            raise UserError(f"{at}: name {number} is {name!r:.40}; wanted a text")
    texts = [str(name) for name in names]
    twice = [name for name in texts if texts.count(name) > 1]
    if twice:
        raise UserError(f"{at}: two classes are called '{twice[0]}'; give each name once")
    if isinstance(count, int) and count != len(texts):
        raise UserError(
            f"{_at('nc', file, text)}: nc is {count}, but names has {len(texts)}; correct one, or delete nc"
        )
    return tuple(texts), True


def _keypoints(found: dict[Any, Any], file: Path, text: str) -> int:
    """How many numbers `kpt_shape`, [keypoints, 2 or 3], puts behind each box; 0 without one."""
    shape = found.get("kpt_shape", [0, 2])
    if isinstance(shape, list) and len(shape) == 2 and shape[0] in range(1000) and shape[1] in (2, 3):
        return int(shape[0] * shape[1])
    raise UserError(
        f"{_at('kpt_shape', file, text)}: kpt_shape is {shape!r:.40}; wanted [number of keypoints, 2 or 3]"
    )


def _texts(value: Any, key: str, file: Path, text: str) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    if all(isinstance(path, str) for path in texts):
        return texts
    raise UserError(
        f"{_at(key, file, text)}: {key} is {value!r:.60}; wanted a folder, a .txt file, or a list of them"
    )


def _candidates(path: str, found: dict[Any, Any], file: Path) -> list[Path]:
    """Where a path of data.yaml may lead, the likeliest first."""
    path = path.replace("\\", "/")
    roots = [file.parent]
    if isinstance(found.get("path"), str):
        roots.insert(0, file.parent / Path(found["path"].replace("\\", "/")).expanduser())
    places = [root / Path(path).expanduser() for root in roots]
    plain = re.sub(r"^(\.\./)+", "", path)  # Roboflow's "../train/images" means "train/images"
    if plain != path:
        places += [file.parent / plain]
    return list(dict.fromkeys(places))


def _is_there(place: Path) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):  # no such name may be
        return False


def _list(path: str, found: dict[Any, Any], file: Path, at: str) -> tuple[str, list[str] | None]:
    """The images that a path leads to, None where nothing is there."""
    folder = file.parent
    place = next((place for place in _candidates(path, found, file) if _is_there(place)), None)
    if place is None:
        return path, None
    if place.is_dir():
        return path, [_inside(place / name, folder) for name in ImageFiles(place).names]
    if place.suffix.lower() != ".txt":
        raise UserError(f"{at}: {path} is a file, but no .txt that lists images; {EXAMPLE}")
    listed = []
    for number, line in enumerate(decode(place.read_bytes(), str(place)).splitlines(), 1):
        if name := line.strip().replace("\\", "/"):
            image = next((p for p in (place.parent / name, folder / name) if p.is_file()), None)
            if image is None or not is_image(image.name):
                raise UserError(
                    f"{place}, line {number}: {name} is no image (looked in {place.parent}); add the file, "
                    "or delete the line"
                )
            listed.append(_inside(image, folder))
    return path, listed


def _inside(path: Path, folder: Path) -> str:
    """Relative to the folder, where it lies in it."""
    full, root = os.path.abspath(path), os.path.abspath(folder)
    return Path(os.path.relpath(full, root) if full.startswith(root + os.sep) else full).as_posix()
