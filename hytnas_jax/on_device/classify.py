"""Classifies an image with the exported network beside this file.

    python infer.py image.png
    python infer.py image.png --model model.int8.tflite
    python infer.py image.png --json

Needs the model and card.json in the same folder, and the packages numpy, pillow and onnxruntime; for a
.tflite model ai-edge-litert in place of onnxruntime. What cannot be read is named, and the exit status is 2.
"""

import argparse
from pathlib import Path

import numpy as np

from hytnas_jax.on_device.infer import (
    Answer,
    Card,
    as_json,
    new_parser,
    output_of,
    printable,
    ranked,
    run_script,
)
from hytnas_jax.on_device.load_model import Model


def main() -> None:
    """Print each class and its probability, the most probable first."""
    run_script(new_parser("Classify an image."), "classification", answer)


def answer(arguments: argparse.Namespace, model: Model, card: Card) -> Answer:
    ranking = ranked(card.labels, classify(arguments.image, model, card))
    if arguments.json:
        return Answer([as_json(dict(ranking))])
    return Answer([f"{probability:.4f}  {printable(label)}" for label, probability in ranking])


def classify(path: Path, model: Model, card: Card) -> np.ndarray:
    """Probabilities [num_classes] of the image in a file. Raises Stop."""
    return softmax(output_of(path, model, card, axes=1))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities [num_classes]."""
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


if __name__ == "__main__":
    main()
