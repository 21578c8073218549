"""What the exported scripts of all tasks share: the card, the image that a model takes, and their printing.

`export/infer_script.py` makes one file of a task's script (`classify`, `find_boxes`, `find_mask`), of this
one and of what both import.
"""

import argparse
import contextlib
import dataclasses
import functools
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from hytnas_jax.data.decode import (
    ImageRule,
    Unreadable,
    as_shown,
    open_image,
    quiet,
    read_image,
    refusing,
)
from hytnas_jax.on_device.load_model import Model, load_model
from hytnas_jax.on_device.stop import Stop

FOLDER = Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Card:
    """What card.json says of the labels, of the input and of the task; mean and std: [C]."""

    labels: list[str]
    rule: ImageRule
    resolution: int
    mean: np.ndarray
    std: np.ndarray
    task: str = "classification"


@dataclasses.dataclass(frozen=True)
class Answer:
    """The lines to print, and the files that were written."""

    lines: list[str]
    written: tuple[Path, ...] = ()


def new_parser(description: str) -> argparse.ArgumentParser:
    """With the arguments that every task has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("image", type=Path)
    parser.add_argument("--model", default="model.onnx", help="a file beside this one")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run_script(
    parser: argparse.ArgumentParser, task: str, answer: Callable[[argparse.Namespace, Model, Card], Answer]
) -> None:
    """Prints what `answer` makes of the command line, or why there is none, with status 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # labels may have letters that a console lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = parser.parse_args()
    try:
        with quiet(), contextlib.redirect_stdout(io.StringIO()):  # the runtimes print, too
            card = read_card(FOLDER / "card.json")
            if card.task != task:
                raise Stop(f"{FOLDER / 'card.json'} is for {card.task}, this script is for {task}")
            found = answer(arguments, load_model(FOLDER / arguments.model), card)
    except Stop as stop:
        parser.exit(2, " ".join(str(stop).split()) + "\n")
    for path in found.written if sys.stderr else ():
        print(f"wrote {path}", file=sys.stderr)
    try:
        print("\n".join(found.lines), flush=True)
    except BrokenPipeError:  # the reader (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_card(path: Path) -> Card:
    """Raises Stop."""
    try:
        card = json.loads(path.read_text(encoding="utf-8-sig"))
        given = card["input"]
        mean, std = (np.array(given[key], np.float32) for key in ("mean", "std"))
        rule, task = ImageRule(**given["image"]), card.get("task", "classification")
        return Card(card["labels"], rule, int(given["resolution"]), mean, std, task)
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}; it belongs beside this script") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Stop(f"{path} is no whole model card ({type(error).__name__}: {error})") from error


def output_of(path: Path, model: Model, card: Card, *, axes: int, box_channels: int = 0) -> np.ndarray:
    """The model's output for the image in a file: [num_classes + box_channels], after h and w if `axes` is 3.

    Raises Stop.
    """
    if axes == 3 and card.rule.fit != "stretch":  # the map is of a part of the image, or of more than it
        raise Stop(f"card.json has input.image.fit {card.rule.fit!r}; {card.task} takes 'stretch' only")
    try:
        pixels = read_image(functools.partial(open_image, path), card.rule)
    except Unreadable as error:
        raise Stop(f"{path} cannot be read as an image: {error}") from error
    try:
        output = model(model_input(pixels, card)[None])
    except Exception as error:  # of another network: each runtime has its own kinds
        raise Stop(f"the model does not take what card.json says: {error}") from error
    if output.ndim != axes:
        raise Stop(f"the model gives an array of shape {output.shape}; {card.task} takes one of {axes} axes")
    num_classes = output.shape[-1] - box_channels
    if num_classes != len(card.labels):
        raise Stop(f"the model has {num_classes} classes, card.json has {len(card.labels)} labels")
    return output


def model_input(pixels: np.ndarray, card: Card) -> np.ndarray:
    """uint8 [S, S, C] as the model takes it: resized, (pixel / 255 - mean) / std, float32 [R, R, C]."""
    size = card.resolution, card.resolution
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(pixels, -1, 0)]
    resized = np.stack([np.asarray(plane.resize(size, Image.Resampling.BILINEAR)) for plane in planes], -1)
    return (resized / 255 - card.mean) / card.std


def read_shown(path: Path, card: Card) -> Image.Image:
    """The image in a file as people see it, with all its pixels, in RGB. Raises Stop."""
    try:
        with refusing(), open_image(path) as image:
            return as_shown(image, dataclasses.replace(card.rule, channels=3))
    except Unreadable as error:
        raise Stop(f"{path} cannot be read as an image: {error}") from error


def ranked(labels: list[str], numbers: np.ndarray) -> list[tuple[str, float]]:
    """Each label with its number, the largest first."""
    return sorted(zip(labels, map(float, numbers), strict=True), key=lambda pair: -pair[1])


def as_json(value: object) -> str:
    """In one line of ASCII, which every console has; floats have six digits after the point."""

    def rounded(part: object) -> object:
        if isinstance(part, dict):
            return {key: rounded(inner) for key, inner in part.items()}
        if isinstance(part, list):
            return [rounded(inner) for inner in part]
        return round(part, 6) if isinstance(part, float) else part

    return json.dumps(rounded(value))


def printable(label: str) -> str:
    """A folder's name may hold a line's end, or bytes that are no letters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in label)
