"""Finds the class of each pixel of an image with the exported network beside this file, and draws it.

    python infer.py image.png
    python infer.py image.png --mask classes.png --draw overlay.png
    python infer.py image.png --model model.int8.tflite --json --no-draw

Prints a line for each class that is found, the largest first: its share of the pixels, and its label. Writes
image.found.png into the current folder unless told otherwise. --mask writes the classes' numbers, in the
order of card.json's labels, as a grey image of 8 bits in the size of the image as shown.

Needs the model and card.json in the same folder, and the packages numpy, pillow and onnxruntime; for a
.tflite model ai-edge-litert in place of onnxruntime. What cannot be read is named, and the exit status is 2.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from hytnas_jax.on_device.decode_mask import decode_mask
from hytnas_jax.on_device.drawing import draw_mask
from hytnas_jax.on_device.infer import (
    Answer,
    Card,
    as_json,
    new_parser,
    output_of,
    printable,
    ranked,
    read_shown,
    run_script,
)
from hytnas_jax.on_device.load_model import Model
from hytnas_jax.on_device.png_files import add_draw, checked, drawing_of, save_png


def main() -> None:
    parser = new_parser("Find the class of each pixel of an image.")
    add_draw(parser, "its classes in colours")
    parser.add_argument("--mask", type=Path, metavar="FILE.png", help="the class of each pixel as a number")
    run_script(parser, "segmentation", answer)


def answer(arguments: argparse.Namespace, model: Model, card: Card) -> Answer:
    drawing, place = drawing_of(arguments), arguments.mask
    if place is not None:
        checked(place, "--mask", arguments.image, drawing)
    output = output_of(arguments.image, model, card, axes=3)
    image = read_shown(arguments.image, card)
    mask = decode_mask(output, (image.height, image.width))
    if place is not None:
        save_png(Image.fromarray(mask), place, "--mask")
    if drawing is not None:
        save_png(draw_mask(image, mask, card.labels), drawing, "--draw")
    written = tuple(path for path in (place, drawing) if path is not None)
    counts = np.bincount(mask.reshape(-1), minlength=len(card.labels))
    ranking = ranked(card.labels, counts / mask.size)
    if arguments.json:
        return Answer([as_json(dict(ranking))], written)
    return Answer([f"{percent(share):>6}  {printable(label)}" for label, share in ranking if share], written)


def percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.0005 else "<0.1%"


def find_mask(path: Path, model: Model, card: Card, size: tuple[int, int] | None = None) -> np.ndarray:
    """Classes uint8 [H, W] of the image in a file. Raises Stop.

    size: (H, W); without it those of the image as shown.
    """
    output = output_of(path, model, card, axes=3)
    return decode_mask(output, size or read_shown(path, card).size[::-1])


if __name__ == "__main__":
    main()
