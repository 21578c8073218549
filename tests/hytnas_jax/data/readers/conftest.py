"""Small folders of annotated images, and what is said where something in them is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from supernet.errors import UserError


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[Callable[[], Any]], str]:
    """refusal(open): the text of the UserError that it raises, with DIR for the folder of the test."""

    def text(open_it: Callable[[], Any]) -> str:
        with pytest.raises(UserError) as error:
            open_it()
        return str(error.value).replace(str(tmp_path), "DIR")

    return text


@pytest.fixture
def save_image(tmp_path: Path) -> Callable[..., Path]:
    """save_image("images/a.jpg", size=(100, 50), orientation=6): a grey image, stored with that size."""

    def save(name: str, *, size: tuple[int, int] = (100, 50), orientation: int | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        if orientation is not None:
            exif[0x0112] = orientation
        Image.new("RGB", size, "grey").save(path, exif=exif)
        return path

    return save


@pytest.fixture
def save_coco(tmp_path: Path, save_image: Callable[..., Path]) -> Callable[..., Path]:
    """save_coco([[10, 20, 30, 10]]): instances.json with these boxes, all of cat and on a.jpg, 100x50 pixels.

    b.jpg has no box. With `change`, a function that gets the content before it is written.
    """

    def save(
        boxes: list[Any],
        *,
        name: str = "instances.json",
        images: tuple[str, ...] = ("a.jpg", "b.jpg"),
        folder: str = "images",
        change: Callable[[dict[str, Any]], None] = lambda data: None,
    ) -> Path:
        for image in images:
            save_image(f"{folder}/{image}")
        data = {
            "images": [
                {"id": 7 + 2 * row, "file_name": image, "width": 100, "height": 50}
                for row, image in enumerate(images)
            ],
            "annotations": [
                {"id": 500 + number, "image_id": 7, "category_id": 3, "bbox": box, "iscrowd": 0}
                for number, box in enumerate(boxes)
            ],
            "categories": [{"id": 90, "name": "dog"}, {"id": 3, "name": "cat"}],
        }
        change(data)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(data))
        return tmp_path

    return save


@pytest.fixture
def save_yolo(tmp_path: Path, save_image: Callable[..., Path]) -> Callable[..., Path]:
    """save_yolo({"train/a": "0 .5 .5 .2 .2"}): images/train/a.jpg with that label file, None for "
    "without one."""

    def save(labels: dict[str, str | None], *, yaml: str | None = None) -> Path:
        for name, text in labels.items():
            save_image(f"images/{name}.jpg")
            path = tmp_path / "labels" / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text)
        splits = dict.fromkeys(name.split("/")[0] for name in labels)
        lines = [f"{split}: images/{split}" for split in splits]
        text = yaml if yaml is not None else "\n".join([*lines, "names: [cat, dog]", ""])
        (tmp_path / "data.yaml").write_text(text)
        return tmp_path

    return save


@pytest.fixture
def save_voc(tmp_path: Path, save_image: Callable[..., Path]) -> Callable[..., Path]:
    """save_voc("a", [("cat", (11, 21, 40, 30))]): Annotations/a.xml and JPEGImages/a.jpg of 100x50 pixels."""

    def save(
        name: str,
        things: list[tuple[str, tuple[Any, ...]]],
        *,
        size: tuple[int, int] = (100, 50),
        extra: str = "",
        filename: str | None = None,
    ) -> Path:
        save_image(f"JPEGImages/{name}.jpg")
        lines = ["<annotation>", f"<filename>{filename or name + '.jpg'}</filename>"]
        lines.append(f"<size><width>{size[0]}</width><height>{size[1]}</height></size>")
        for label, edges in things:
            keys = ("xmin", "ymin", "xmax", "ymax")
            inner = "".join(f"<{key}>{edge}</{key}>" for key, edge in zip(keys, edges, strict=True))
            lines.append(f"<object>\n<name>{label}</name>{extra}<bndbox>{inner}</bndbox>\n</object>")
        (tmp_path / "Annotations").mkdir(exist_ok=True)
        (tmp_path / "Annotations" / f"{name}.xml").write_text("\n".join([*lines, "</annotation>"]))
        return tmp_path

    return save


@pytest.fixture
def save_mask(tmp_path: Path, save_image: Callable[..., Path]) -> Callable[..., Path]:
    """save_mask("a", [[0, 1]]): train/masks/a.png of these values, and train/images/a.jpg of the same "
    "size."""

    def save(
        name: str,
        values: Any,
        *,
        split: str = "train",
        mode: str | None = None,
        size: tuple[int, int] | None = None,
        extension: str = "png",
    ) -> Path:
        array = np.array(values)
        image = Image.fromarray(array if array.dtype == np.uint16 else array.astype(np.uint8))
        if mode == "P":
            image.putpalette([*(9, 8, 7, 200, 10, 10), *range(250), *range(250), *range(250)][:768])
        elif mode is not None:
            image = image.convert(mode)
        save_image(f"{split}/images/{name}.jpg", size=size or image.size)
        (tmp_path / split / "masks").mkdir(exist_ok=True)
        image.save(tmp_path / split / "masks" / f"{name}.{extension}")
        return tmp_path

    return save


@pytest.fixture
def save_list(tmp_path: Path) -> Callable[..., None]:
    """save_list("Main", "train", ["a", "b"]): ImageSets/Main/train.txt."""

    def save(kind: str, split: str, names: list[str]) -> None:
        path = tmp_path / "ImageSets" / kind / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(names) + "\n")

    return save
