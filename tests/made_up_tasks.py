"""Folders of images with things to find in them: grey noise with bright and dark rectangles."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("bright", "dark")
VALUES = (230, 20)


def _draw(rng: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray, list[tuple[int, list[int]]]]:
    """An image [side, side], its mask (0: background), and class and corners of each thing."""
    image = rng.integers(100, 150, (side, side)).astype(np.uint8)
    mask, things = np.zeros((side, side), np.uint8), []
    for number in range(int(rng.integers(1, 3))):
        kind = int(rng.integers(0, 2))
        x, y = rng.integers(0, side // 2, 2)
        if number:  # the second one lies elsewhere
            x, y = x // 2 + side // 2, y // 2 + side // 2
        width, height = rng.integers(side // 5, side // 2, 2)
        right, bottom = min(x + width, side), min(y + height, side)
        image[y:bottom, x:right] = VALUES[kind]
        mask[y:bottom, x:right] = kind + 1
        things.append((kind, [int(x), int(y), int(right - x), int(bottom - y)]))
    return image, mask, things


def save_boxes(folder: Path, *, count: int = 30, side: int = 32) -> Path:
    """A folder as COCO has it, without splits."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(count):
        image, _, things = _draw(rng, side)
        name = f"{chr(97 + number % 26)}{number // 26}.png"
        Image.fromarray(image).save(folder / "images" / name)
        images.append({"id": number, "file_name": name, "width": side, "height": side})
        for kind, box in things:
            entry = {"id": len(annotations), "image_id": number, "category_id": kind + 1, "bbox": box}
            annotations.append({**entry, "area": box[2] * box[3], "iscrowd": 0})
    categories = [{"id": number, "name": name} for number, name in enumerate(NAMES, 1)]
    data = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(data))
    return folder


def save_masks(folder: Path, *, count: int = 30, side: int = 32) -> Path:
    """A folder of images and index masks, without splits."""
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        image, mask, _ = _draw(rng, side)
        name = f"{chr(97 + number % 26)}{number // 26}.png"
        Image.fromarray(image).save(folder / "images" / name)
        Image.fromarray(mask).save(folder / "masks" / name)
    (folder / "classes.txt").write_text("background\n" + "\n".join(NAMES) + "\n")
    return folder
