"""Classifies an image with the exported network beside this file.

    python infer.py image.png
    python infer.py image.png --model model.int8.tflite

Needs the model and card.json in the same folder, and the packages numpy, pillow and onnxruntime; for a
.tflite model ai-edge-litert in place of onnxruntime. What cannot be read is named, and the exit status is 2.
"""

# ruff: noqa: E402
import argparse
import contextlib
import dataclasses
import functools
import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

for module, package in (("numpy", "numpy"), ("PIL", "pillow")):
    if importlib.util.find_spec(module) is None:
        print(f"the package {package} is needed: pip install {package}", file=sys.stderr)
        sys.exit(2)

import numpy as np
from PIL import Image

from hytnas_jax.data.decode import ImageRule, Unreadable, open_image, quiet, read_image

FOLDER = Path(__file__).resolve().parent
Model = Callable[[np.ndarray], np.ndarray]  # of one normalised image [1, R, R, C]: logits [num_classes]


class Stop(Exception):
    """The text says in one line why no image can be classified."""


def main() -> None:
    """Print each class and its probability, the most probable first."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # labels may have letters that a console lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(description="Classify an image.")
    parser.add_argument("image", type=Path)
    parser.add_argument("--model", default="model.onnx", help="a file beside this one")
    arguments = parser.parse_args()
    try:
        with quiet(), contextlib.redirect_stdout(io.StringIO()):  # the runtimes print, too
            card = read_card(FOLDER / "card.json")
            model = load_model(FOLDER / arguments.model)
            probabilities = classify(arguments.image, model, card)
    except Stop as stop:
        parser.exit(2, " ".join(str(stop).split()) + "\n")
    ranking = sorted(zip(card.labels, probabilities, strict=True), key=lambda pair: -pair[1])
    lines = [f"{probability:.4f}  {printable(label)}" for label, probability in ranking]
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:  # the reader (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclasses.dataclass(frozen=True)
class Card:
    """What card.json says of the labels and of the input; mean and std: [C]."""

    labels: list[str]
    rule: ImageRule
    resolution: int
    mean: np.ndarray
    std: np.ndarray


def read_card(path: Path) -> Card:
    """Raises Stop."""
    try:
        card = json.loads(path.read_text(encoding="utf-8-sig"))
        given = card["input"]
        mean, std = (np.array(given[key], np.float32) for key in ("mean", "std"))
        return Card(card["labels"], ImageRule(**given["image"]), int(given["resolution"]), mean, std)
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}; it belongs beside this script") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Stop(f"{path} is no whole model card ({type(error).__name__}: {error})") from error


def classify(path: Path, model: Model, card: Card) -> np.ndarray:
    """Probabilities [num_classes] of the image in a file. Raises Stop."""
    try:
        pixels = read_image(functools.partial(open_image, path), card.rule)
    except Unreadable as error:
        raise Stop(f"{path} cannot be read as an image: {error}") from error
    try:
        logits = model(model_input(pixels, card)[None])
    except Exception as error:  # of another network: each runtime has its own kinds
        raise Stop(f"the model does not take what card.json says: {error}") from error
    if len(logits) != len(card.labels):
        raise Stop(f"the model has {len(logits)} classes, card.json has {len(card.labels)} labels")
    return softmax(logits)


def model_input(pixels: np.ndarray, card: Card) -> np.ndarray:
    """uint8 [S, S, C] as the model takes it: resized, (pixel / 255 - mean) / std, float32 [R, R, C]."""
    size = card.resolution, card.resolution
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(pixels, -1, 0)]
    resized = np.stack([np.asarray(plane.resize(size, Image.Resampling.BILINEAR)) for plane in planes], -1)
    return (resized / 255 - card.mean) / card.std


def load_model(path: Path) -> Model:
    """Raises Stop where that is no model, or what runs it is missing."""
    loaders = {".onnx": (load_onnx, "onnxruntime"), ".tflite": (load_tflite, "ai-edge-litert")}
    if not path.exists():
        raise Stop(f"{path}: no such file; --model takes a .onnx or .tflite file beside this script")
    if path.suffix.lower() not in loaders or not path.is_file():
        raise Stop(f"{path} is no .onnx or .tflite file, which --model takes")
    load, package = loaders[path.suffix.lower()]
    try:
        return load(path.read_bytes())
    except ImportError as error:
        raise Stop(f"{path.name} needs the package {package} (pip install {package}): {error}") from error
    except Exception as error:  # each runtime has its own kinds
        raise Stop(f"{path} cannot be read as a model: {error}") from error


def load_onnx(content: bytes) -> Model:
    import onnxruntime as ort

    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    (source,) = session.get_inputs()
    return lambda image: session.run(None, {source.name: image})[0][0]


def load_tflite(content: bytes) -> Model:
    """An int8 model's numbers are value / scale + zero point."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(image: np.ndarray) -> np.ndarray:
        if source["dtype"] == np.int8:
            scale, zero = source["quantization"]
            image = np.clip(np.rint(image / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(source["index"], image)
        interpreter.invoke()
        logits: Any = interpreter.get_tensor(result["index"])[0]
        scale, zero = result["quantization"]
        return (logits.astype(np.float32) - zero) * scale if logits.dtype == np.int8 else logits

    return run


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities [num_classes]."""
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


def printable(label: str) -> str:
    """A folder's name may hold a line's end, or bytes that are no letters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in label)


if __name__ == "__main__":
    main()
