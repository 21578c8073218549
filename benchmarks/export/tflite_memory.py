"""What is counted of a network's TFLite files beside the files and the arena of TensorFlow Lite Micro.

    python -m benchmarks.export.tflite_memory
    pip install tflite-micro   # before, to have its arena too; x86-64

Networks drawn from a space, and the published ones, with random weights: float32 and int8. Peak memory: what
`complexity` counts, what is alive in the file, what TensorFlow Lite Micro plans for its activations and what
it keeps beside them. Sizes: what `complexity` estimates, and the files.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least
from benchmarks.export.tflite_micro_arena import IS_INSTALLED, run_in_arena
from hytnas_jax import console
from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.model_files.onnx_int8 import quantise_onnx
from hytnas_jax.model_files.tflite_graph import build_tflite
from hytnas_jax.model_files.tflite_int8 import quantise_tflite
from hytnas_jax.model_files.tflite_memory import peak_bytes
from hytnas_jax.runtime.environment import package_version
from proxies.complexity import complexity
from supernet.named import NAMES, named_network
from supernet.network_spec import NetworkSpec
from supernet.spaces import built_in_space

KINDS = ("float32", "int8")
IMAGES = 2  # that the ranges of int8 come from
BESIDE = 8 * 2**20  # bytes of an arena for all but the activations


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare counted memory and sizes with files and with TensorFlow Lite Micro."""

    space: str = "hybrid"
    """The space that networks are drawn from."""
    networks: int = 50
    """How many."""
    num_classes: int = 10
    """Of the drawn networks; the published ones have 2, for images of 96 x 96."""
    seed: int = 11
    """Another seed draws others."""
    name: str = "tflite_memory"
    """Of the result's file."""


def benchmark(config: Config) -> dict[str, Any]:
    """Compare and print the summary."""
    require_at_least(config, {"networks": 1, "num_classes": 2, "seed": 0})
    if not IS_INSTALLED:
        console.warn("tflite-micro is not installed: its arenas are left out")
    rows = []
    with console.progress(list(specs(config)), "networks") as bar:
        for spec in bar:
            rows.append(compare(spec))
    summary = {kind: summarise([row[kind] for row in rows]) for kind in KINDS}
    for kind, found in summary.items():
        console.say(kind)
        console.table([(key, value) for key, value in found.items()], ("what", "value"))
    return {
        "tflite-micro": package_version("tflite-micro") if IS_INSTALLED else None,
        "summary": summary,
        "networks": rows,
    }


def specs(config: Config) -> Iterator[NetworkSpec]:
    """The networks."""
    space = built_in_space(config.space)
    drawn = space.sample(np.random.default_rng(config.seed), config.networks)
    for architecture in space.decode_all(drawn):
        yield space.network_spec(architecture, num_classes=config.num_classes, channels=3)
    for name in NAMES:
        if name != "vit-tiny":  # TensorFlow Lite Micro has no GELU
            yield named_network(name, num_classes=2, resolution=96)


def compare(spec: NetworkSpec) -> dict[str, Any]:
    """What is counted and what is found of one network."""
    shape = (IMAGES, spec.resolution, spec.resolution, spec.channels)
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    counts = complexity(spec)
    floats, onnx = build_tflite(spec), build_onnx(spec)
    eight_bits = quantise_tflite(floats, images)
    onnx_int8 = quantise_onnx(onnx, images)
    counted = (
        (floats, onnx, counts.peak_activation_bytes, counts.model_bytes),
        (eight_bits, onnx_int8, counts.peak_activation_bytes_int8, counts.model_bytes_int8),
    )
    row: dict[str, Any] = {"name": spec.name, "side": spec.resolution, "parameters": counts.num_parameters}
    for kind, (model, other, peak, size) in zip(KINDS, counted, strict=True):
        row[kind] = {
            "counted_peak": peak,
            "peak_of_file": peak_bytes(model),
            "estimated_bytes": size,
            "bytes": len(model),
            "onnx_bytes": len(other),
            **(in_arena(model, images[:1], peak) if IS_INSTALLED else {}),
        }
    return row


def in_arena(model: bytes, image: np.ndarray, peak: int) -> dict[str, Any]:
    """The arena that TensorFlow Lite Micro needs, and how far its logits are from LiteRT's reference ones.

    In the steps of the file's output where it is int8, else as a part of the largest logit.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    from hytnas_jax.model_files.quiet import quiet
    from hytnas_jax.model_files.runtimes import quantised

    with quiet():
        kernels = OpResolverType.BUILTIN_REF
        interpreter = Interpreter(model_content=model, experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    given = quantised(image, source)
    interpreter.set_tensor(source["index"], given)
    interpreter.invoke()
    expected = interpreter.get_tensor(result["index"])[0].astype(np.float64)
    arena = run_in_arena(model, given, 2 * peak + BESIDE)
    scale = np.abs(expected).max() if result["dtype"] == np.float32 else 1.0
    return {
        "arena": arena.planned,
        "persistent": arena.persistent,
        "logits_differ": float(np.abs(arena.logits - expected).max() / scale),
    }


def summarise(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Over all networks."""
    column = {key: np.array([row[key] for row in rows], np.float64) for key in rows[0]}
    size = np.abs(column["estimated_bytes"] / column["bytes"] - 1)
    found = {
        "networks": len(rows),
        "peak of file = counted": int(np.sum(column["peak_of_file"] == column["counted_peak"])),
        "size, mean error %": round(100 * size.mean(), 2),
        "size, largest error %": round(100 * size.max(), 2),
        "ONNX file / TFLite file, least": round((column["onnx_bytes"] / column["bytes"]).min(), 3),
        "ONNX file / TFLite file, most": round((column["onnx_bytes"] / column["bytes"]).max(), 3),
    }
    if "arena" in column:
        over = column["arena"] / column["counted_peak"]
        persistent = column["persistent"]
        found |= {
            "arena of activations = counted": int(np.sum(np.abs(over - 1) < 1e-3)),
            "arena of activations / counted, mean": round(over.mean(), 4),
            "arena of activations / counted, most": round(over.max(), 4),
            "persistent bytes, least": int(persistent.min()),
            "persistent bytes, median": int(np.median(persistent)),
            "persistent bytes, most": int(persistent.max()),
            "logits differ from LiteRT's, median": float(f"{np.median(column['logits_differ']):.3g}"),
            "logits differ from LiteRT's, most": float(f"{column['logits_differ'].max():.3g}"),
        }
    return found


if __name__ == "__main__":
    main(benchmark, Config)
