"""The `infer.py` beside an exported model, as a module, and how good it is on images in files."""

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.export.script_quality import load_script


def script_accuracy(
    folder: Path, file: str, images: np.ndarray, labels: np.ndarray, *, scratch: Path
) -> float:
    """Share of grey images uint8 [N, S, S, 1], each in a PNG file, that the script classifies rightly."""
    script = load_script(folder)
    card, model = script.read_card(folder / "card.json"), script.load_model(folder / file)
    right = 0
    for image, label in zip(images, labels, strict=True):
        Image.fromarray(image[..., 0]).save(scratch / "image.png")
        right += int(script.classify(scratch / "image.png", model, card).argmax()) == label
    return right / len(labels)
