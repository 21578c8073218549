"""A model file as a function of one image, in the runtime that the file is for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.on_device.stop import Stop

# Of one normalised image [1, R, R, C]: logits [num_classes], or a map [h, w, channels].
Model = Callable[[np.ndarray], np.ndarray]


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

    options = ort.SessionOptions()
    # Eight bits: sums of products overflow on x86 processors without VNNI otherwise.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
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
        output: Any = interpreter.get_tensor(result["index"])[0]
        scale, zero = result["quantization"]
        return (output.astype(np.float32) - zero) * scale if output.dtype == np.int8 else output

    return run
