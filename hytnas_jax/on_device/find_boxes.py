"""Finds objects in an image with the exported network beside this file, and draws boxes around them.

    python infer.py image.png
    python infer.py image.png --least 0.5 --draw boxes.png
    python infer.py image.png --model model.int8.tflite --json --no-draw

Prints a line for each object, the best first: score, label, and left, top, right and bottom in pixels of the
image as shown. Writes image.found.png into the current folder unless told otherwise.

Needs the model and card.json in the same folder, and the packages numpy, pillow and onnxruntime; for a
.tflite model ai-edge-litert in place of onnxruntime. What cannot be read is named, and the exit status is 2.
"""

import argparse
from pathlib import Path

import numpy as np

from hytnas_jax.on_device.decode_boxes import decode_boxes
from hytnas_jax.on_device.drawing import draw_boxes
from hytnas_jax.on_device.infer import (
    Answer,
    Card,
    as_json,
    new_parser,
    output_of,
    printable,
    read_shown,
    run_script,
)
from hytnas_jax.on_device.load_model import Model
from hytnas_jax.on_device.png_files import add_draw, drawing_of, save_png
from hytnas_jax.on_device.stop import Stop

Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # boxes [D, 4], scores [D] and classes [D]

LEAST = 0.3


def main() -> None:
    parser = new_parser("Find objects in an image.")
    add_draw(parser, "boxes and labels")
    parser.add_argument(
        "--least",
        type=float,
        metavar="SCORE",
        help=f"the lowest score, 0 to 1, of what is shown; without it {LEAST}, and in JSON everything",
    )
    run_script(parser, "detection", answer)


def answer(arguments: argparse.Namespace, model: Model, card: Card) -> Answer:
    drawing, least = drawing_of(arguments), arguments.least
    if least is not None and not 0 <= least <= 1:
        raise Stop(f"--least {least:g}: scores are 0 to 1")
    found = find_boxes(arguments.image, model, card)
    image = read_shown(arguments.image, card)
    boxes, scores, classes = best = above(found, LEAST if least is None else least)
    if drawing is not None:
        save_png(draw_boxes(image, *best, card.labels), drawing, "--draw")
    written = () if drawing is None else (drawing,)
    if arguments.json:
        return Answer([as_json(described(found if least is None else best, card.labels))], written)
    lines = []
    for box, score, number in zip(boxes, scores, classes, strict=True):
        left, top, right, bottom = np.rint(box * (image.size * 2)).astype(int)
        lines.append(f"{score:.3f}  {printable(card.labels[number])}  {left} {top} {right} {bottom}")
    nothing = f"nothing found with a score of at least {LEAST if least is None else least:g}"
    return Answer(lines or [nothing], written)


def find_boxes(path: Path, model: Model, card: Card) -> Found:
    """Boxes [D, 4] in 0..1 of the image as shown, scores [D] and classes [D], the best first. Raises Stop."""
    return decode_boxes(output_of(path, model, card, axes=3, box_channels=4))


def above(found: Found, least: float) -> Found:
    """Those with a score of at least `least`."""
    boxes, scores, classes = found
    is_shown = scores >= least
    return boxes[is_shown], scores[is_shown], classes[is_shown]


def described(found: Found, labels: list[str]) -> list[dict[str, object]]:
    """As JSON values."""
    rows = zip(*(array.tolist() for array in found), strict=True)
    return [{"label": labels[number], "score": score, "box": box} for box, score, number in rows]


if __name__ == "__main__":
    main()
