"""The card beside an exported model: what it is, how images go in, how good and how quick it is."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from hytnas_jax.data.decode import ImageRule
from hytnas_jax.model_files.microcontroller import verdict
from hytnas_jax.model_files.onnx_graph import INPUT, OUTPUT
from hytnas_jax.model_files.parity import TOLERANCE
from hytnas_jax.model_files.registry import FORMATS
from hytnas_jax.on_device.measure import Timing
from hytnas_jax.retrain.retrained import Retrained
from hytnas_jax.runtime.environment import environment, package_version
from hytnas_jax.workspace.project import Project
from proxies.complexity import complexity
from supernet.network import stand_alone

LICENCE = (
    "The weights were trained on the images of data.source{}, whose licence hytnas_jax does not know. "
    "Check that it allows what you do with this model, and write it here before you pass the model on."
)
_MEANINGS = {
    "classification": "logits, in the order of labels; softmax makes them probabilities",
    "detection": "for each cell logits in the order of labels, of which a sigmoid makes scores, then the "
    "logarithms of the distances in cells from its centre to the left, top, right and bottom of a box",
    "segmentation": "for each cell logits in the order of labels; enlarged bilinearly, the largest is the "
    "class",
}
_FITS = {
    "crop": "the middle square, resized to",
    "stretch": "stretched to",
    "pad": "padded with black to a square, and resized to",
}


def model_card(
    network: Retrained,
    project: Project,
    *,
    rule: ImageRule,
    files: Mapping[str, Mapping[str, Any]],
    timing: Timing,
) -> dict[str, Any]:
    """The card as JSON values.

    Args:
        network: what was exported.
        project: the data that it was trained on.
        rule: how its images became arrays.
        files: what is known of each file beside the card: its format, its size, the fields of its `Check`,
            the peak memory of TFLite ones, and the `Timing` of those that are timed.
        timing: of the ONNX file, measured on this machine.
    """
    return {
        "name": network.name,
        "task": project.task.name,
        "labels": list(project.class_names),
        "input": _input(network, project, rule),
        "output": {
            "name": OUTPUT,
            "shape": ["N", *stand_alone(network.spec).output_shape(network.spec.resolution)],
            "meaning": _MEANINGS[project.task.name],
        },
        "quality": _quality(network, project),
        "latency": _latency(network, timing),
        "size": {
            **_counted(network),
            "file_bytes": files[FORMATS["onnx"].file]["bytes"],
        },
        "files": files,
        "checked": f"against JAX, on images of the validation split; tolerance of float files: {TOLERANCE}",
        "data": _data(network, project),
        "training": {
            "mirror": "each image left to right, with probability 1/2" if project.mirror else "off",
            **_augmented(project),
        },
        "role": network.role,
        "architecture": network.architecture,
        "versions": environment(),
    }


def _input(network: Retrained, project: Project, rule: ImageRule) -> dict[str, Any]:
    """How an image becomes the model's input; `on_device/infer.py` does what this says."""
    spec = network.spec
    side = spec.resolution
    stored = f"{rule.side}x{rule.side} pixels (bilinear, antialiased)"
    return {
        "name": INPUT,
        "dtype": "float32",
        "shape": ["N", side, side, spec.channels],
        "layout": "NHWC",
        "colour": "grey" if spec.channels == 1 else "RGB",
        "steps": [
            "turned as EXIF says; of several frames the first",
            f"scaled to 8 bits: white is {rule.integer_white} in images of integers of more than 8 bits, "
            f"{rule.float_white} in those of floats; other values are refused",
            f"{_FITS[rule.fit]} {stored}",
            f"resized to {side}x{side} pixels (bilinear, antialiased), where it is not that yet",
            "(pixel / 255 - mean) / std, with pixel in 0..255",
        ],
        "image": dataclasses.asdict(rule),
        "resolution": side,
        "mean": list(project.mean),
        "std": list(project.std),
    }


def _quality(network: Retrained, project: Project) -> dict[str, Any]:
    """On whole splits; `test_deviation` is what the test one would vary by with other images."""
    return {
        "measure": project.task.quality,
        "test": 1 - network.test_error,
        "test_deviation": network.test_deviation,
        "test_images": network.result["test_images"],
        "validation": 1 - network.validation_error,
        **network.test_details,
    }


def _augmented(project: Project) -> dict[str, str]:
    drawn = project.task.augmentation
    crop = {"crop": f"a random square of {drawn.smallest:g} to {drawn.largest:g} times the side"}
    return crop | ({"colour": f"brightness and contrast by up to {drawn.colour:.0%}"} if drawn.colour else {})


def _data(network: Retrained, project: Project) -> dict[str, Any]:
    """Whose images the weights come from: `begun_with` are those before, the nearest first."""
    before = network.result.get("begun_with", [])
    licence = LICENCE.format(" and, before, of data.begun_with" if before else "")
    return {"source": project.source, "begun_with": before, "licence": licence}


def _counted(network: Retrained) -> dict[str, Any]:
    """What is counted of it, of TFLite files that need not be there too, and what fits a microcontroller."""
    counts = complexity(network.spec)
    return {
        **dataclasses.asdict(counts),
        "fit": verdict(counts.peak_activation_bytes, counts.model_bytes),
        "fit_int8": verdict(counts.peak_activation_bytes_int8, counts.model_bytes_int8),
    }


def _latency(network: Retrained, timing: Timing) -> dict[str, Any]:
    machine = environment()
    return {
        "measured_ms": timing.latency_ms,
        "low_ms": timing.low_ms,
        "high_ms": timing.high_ms,
        "predicted_ms": network.estimates.get("latency_ms"),
        "cpu": machine["cpu"],
        "platform": machine["platform"],
        "runtime": f"ONNX Runtime {package_version('onnxruntime')}, one thread, one image at a time",
    }
