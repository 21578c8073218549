"""Classifies a picture with the exported network beside this file.

    python infer.py picture.png

Needs model.onnx and card.json in the same folder, and the packages numpy, pillow and onnxruntime.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps

FOLDER = Path(__file__).resolve().parent
BILINEAR = Image.Resampling.BILINEAR


def main() -> None:
    """Print each class and its probability, the most probable first."""
    parser = argparse.ArgumentParser(description="Classify a picture.")
    parser.add_argument("picture", type=Path)
    path = parser.parse_args().picture
    card = json.loads((FOLDER / "card.json").read_text())
    try:
        with Image.open(path) as image:
            pixels = read_pixels(image, card["input"])
    except OSError as error:
        parser.exit(2, f"{path} cannot be read as a picture: {error}\n")
    probabilities = classify(normalise(pixels, card["input"]))
    pairs = zip(card["labels"], probabilities, strict=True)
    ranking = sorted(pairs, key=lambda pair: -pair[1])
    print("\n".join(f"{probability:.4f}  {label}" for label, probability in ranking))


def read_pixels(image: Image.Image, card: dict[str, Any]) -> np.ndarray:
    """The picture's middle square as the network was trained on it: float32 [R, R, C] in 0..255."""
    side, resolution = card["stored_side"], card["resolution"]
    image.draft(None, (2 * side, 2 * side))
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith(("I", "F")):
        image = eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if card["channels"] == 1 else "RGB")
    width, height = image.size
    shorter = min(width, height)
    left, top = (width - shorter) // 2, (height - shorter) // 2
    box = (left, top, left + shorter, top + shorter)
    square = image.resize((side, side), BILINEAR, box=box, reducing_gap=2.0)
    planes = [Image.fromarray(np.asarray(band, np.float32)) for band in square.split()]
    return np.stack([np.asarray(plane.resize((resolution, resolution), BILINEAR)) for plane in planes], -1)


def eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits (0..65535) or of floats (0..1 or 0..255) as 8 bits."""
    values = np.asarray(image).astype(np.float64)
    if image.mode != "F":
        values /= 257
    elif values.max() <= 1:
        values *= 255
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def normalise(pixels: np.ndarray, card: dict[str, Any]) -> np.ndarray:
    """(pixel / 255 - mean) / std: float32 [R, R, C]."""
    mean, std = np.array(card["mean"], np.float32), np.array(card["std"], np.float32)
    return (pixels / 255 - mean) / std


def classify(picture: np.ndarray) -> np.ndarray:
    """Probabilities [num_classes] of a normalised picture [R, R, C]."""
    session = ort.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: picture[None].astype(np.float32)})
    exponentials = np.exp(logits[0] - logits[0].max())
    return exponentials / exponentials.sum()


if __name__ == "__main__":
    main()
