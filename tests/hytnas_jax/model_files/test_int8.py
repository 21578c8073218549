"""Eight-bit files beside the float ones that they are made from."""

import importlib.util

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from graph_networks import example

from hytnas_jax.model_files.onnx_graph import INPUT, build_onnx
from hytnas_jax.model_files.onnx_int8 import quantise_onnx
from hytnas_jax.model_files.registry import FORMATS
from hytnas_jax.model_files.runtimes import run_model
from hytnas_jax.model_files.tflite_graph import build_tflite
from hytnas_jax.on_device.load_model import load_onnx
from supernet.named import named_network

NAMES = ("inverted residual", "padded, two layers", "patch divides", "patches, transformer")
IMAGES = np.random.default_rng(5).normal(size=(64, 11, 11, 4)).astype(np.float32)


def formats() -> list[object]:
    missing = pytest.mark.skipif(
        not importlib.util.find_spec("litert_quantizer"),
        reason="hytnas_jax[tflite] is not installed",
    )
    return ["onnx-int8", pytest.param("tflite-int8", marks=missing)]


@pytest.mark.parametrize("kind", formats())
@pytest.mark.parametrize("name", NAMES)
def test_close_to_the_floats(kind: str, name: str) -> None:
    spec, params, stats, _, _ = example(name)
    target = FORMATS[kind]
    assert target.quantise is not None
    model = target.build(spec, params, stats)
    expected = run_model(model, IMAGES)
    found = run_model(target.quantise(model, IMAGES), IMAGES)
    assert found.dtype == np.float32
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9
    assert np.abs(found - expected).max() > 0  # eight bits are not floats


@pytest.mark.parametrize("kind", formats())
def test_a_block_in_floats_comes_nearer(kind: str) -> None:
    spec, params, stats, _, _ = example("padded, two layers")
    target = FORMATS[kind]
    assert target.quantise is not None
    model = target.build(spec, params, stats)
    expected = run_model(model, IMAGES)
    errors = [
        np.square(run_model(target.quantise(model, IMAGES, in_float=block), IMAGES) - expected).mean()
        for block in ("", "blocks/0")
    ]
    assert errors[1] < 0.5 * errors[0]


def test_onnx_quantises_every_convolution() -> None:
    spec, params, stats, _, _ = example("inverted residual")
    graph = onnx.load_from_string(quantise_onnx(build_onnx(spec, params, stats), IMAGES)).graph
    makers = {output: node for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 6
    for node in convolutions:
        assert [makers[name].op_type for name in node.input[:2]] == ["DequantizeLinear"] * 2


def test_tflite_has_no_float_tensor() -> None:
    interpreter = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="hytnas_jax[tflite] is not installed"
    )
    from hytnas_jax.model_files.tflite_int8 import quantise_tflite

    spec, params, stats, _, _ = example("padded, two layers")
    loaded = interpreter.Interpreter(
        model_content=quantise_tflite(build_tflite(spec, params, stats), IMAGES[:8])
    )
    kinds = {tensor["dtype"] for tensor in loaded.get_tensor_details()}
    assert kinds == {np.int8, np.int32}


def test_every_weight_lies_inside_the_flatbuffer() -> None:
    """TensorFlow Lite Micro reads no others; aligned as the schema wants it."""
    pytest.importorskip("litert_quantizer", reason="hytnas_jax[tflite] is not installed")
    from hytnas_jax.model_files.tflite_file import schema
    from hytnas_jax.model_files.tflite_int8 import quantise_tflite

    spec = named_network("mobilenetv2-0.35", num_classes=2, resolution=32)
    floats = build_tflite(spec)
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
    for file in (floats, quantise_tflite(floats, images)):
        model = schema().Model.GetRootAs(bytearray(file), 0)
        buffers = [model.Buffers(index) for index in range(model.BuffersLength())]
        assert all(buffer.Offset() == 0 for buffer in buffers)
        data = [buffer._tab for buffer in buffers if not buffer.DataIsNone()]
        assert max(table.VectorLen(table.Offset(4)) for table in data) > 100_000
        assert {table.Vector(table.Offset(4)) % 16 for table in data} == {0}


@pytest.mark.parametrize("kind", formats())
def test_nothing_is_printed(
    kind: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    spec, params, stats, _, _ = example("patch divides")
    target = FORMATS[kind]
    assert target.quantise is not None
    run_model(target.quantise(target.build(spec, params, stats), IMAGES[:2]), IMAGES[:1])
    said = capfd.readouterr()
    assert (said.out, said.err, caplog.records) == ("", "", [])


@pytest.mark.parametrize("name", NAMES)
def test_sums_of_products_do_not_overflow(name: str) -> None:
    """Processors without VNNI add products in 16 bits: black and white beside large weights overflow."""
    spec, params, stats, _, _ = example(name)
    images = np.sign(IMAGES)
    model = quantise_onnx(build_onnx(spec, params, stats), images)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL  # computes in floats
    exact = np.asarray(ort.InferenceSession(model, options).run(None, {INPUT: images})[0])
    of_script = np.stack([load_onnx(model)(image[None]) for image in images])
    for found in (run_model(model, images), of_script):
        assert np.abs(found - exact).mean() < 0.05 * np.abs(exact).mean()
