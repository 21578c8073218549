"""TFLite graphs in LiteRT against the Flax network, with random parameters and statistics."""

import numpy as np
import pytest
from graph_networks import NETWORKS, assert_same_outputs, example, random_trees

from hytnas_jax.model_files.onnx_graph import build_onnx, build_onnx_part
from hytnas_jax.model_files.runtimes import run_model
from hytnas_jax.model_files.tflite_graph import build_tflite, build_tflite_part
from hytnas_jax.on_device.measure import load
from supernet.graph import block_graph
from supernet.named import NAMES, named_network
from supernet.network_spec import ConvSpec, HeadSpec, InvertedResidualSpec, MobileViTSpec, NetworkSpec
from supernet.operations import Graph
from supernet.single_operations import SINGLE_OPERATIONS

interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="hytnas_jax[tflite] is not installed")


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_those_of_the_network(name: str) -> None:
    spec, params, stats, images, expected = example(name)
    model = build_tflite(spec, params, stats)
    assert_same_outputs(run_model(model, images), expected)


@pytest.mark.parametrize("side", [10, 11])
@pytest.mark.parametrize("kernel", [3, 5])
def test_strided_convolutions_pad_as_ours_do(side: int, kernel: int) -> None:
    """Of a map that the stride divides TFLite's own padding is another; ONNX says what is right."""
    blocks = (ConvSpec(4, kernel, stride=2), InvertedResidualSpec(6, 8, kernel, 2))
    spec = NetworkSpec("strided", side, 3, 2, blocks, HeadSpec(0))
    trees = random_trees(spec)
    images = np.random.default_rng(0).normal(size=(3, side, side, 3)).astype(np.float32)
    found, expected = (run_model(build(spec, *trees), images) for build in (build_tflite, build_onnx))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_give_finite_logits(name: str) -> None:
    model = build_tflite(named_network(name, num_classes=3, resolution=32))
    images = np.random.default_rng(2).normal(size=(2, 32, 32, 3)).astype(np.float32)
    logits = run_model(model, images)
    assert logits.shape == (2, 3)
    assert np.isfinite(logits).all()


def test_input_and_output() -> None:
    model = build_tflite(named_network("hyt-nas-bl", num_classes=3, resolution=32, channels=1))
    loaded = interpreter.Interpreter(model_content=model)
    signature = loaded.get_signature_runner("serving_default")
    (source,) = signature.get_input_details().items()
    (result,) = signature.get_output_details().items()
    assert (source[0], source[1]["shape"].tolist()) == ("images", [1, 32, 32, 1])
    assert (result[0], result[1]["shape"].tolist()) == ("logits", [1, 3])


def test_no_tensor_has_more_than_four_axes() -> None:
    """As the kernels of microcontrollers want it."""
    loaded = interpreter.Interpreter(model_content=build_tflite(example("padded, two layers")[0]))
    assert max(len(tensor["shape"]) for tensor in loaded.get_tensor_details()) == 4


def test_seed_decides_the_random_weights() -> None:
    spec = named_network("hyt-nas-bl", num_classes=2, resolution=32)
    assert build_tflite(spec, seed=3) == build_tflite(spec, seed=3)
    assert build_tflite(spec, seed=3) != build_tflite(spec, seed=4)


PARTS = {name: make(8, 16) for name, make in SINGLE_OPERATIONS.items()}
PARTS["block"] = block_graph(MobileViTSpec(16, embed=8, heads=2, ffn=16, depth=1, patch=4), 7, 16)


@pytest.mark.parametrize("graph", PARTS.values(), ids=PARTS)
def test_a_part_computes_the_same_in_both_runtimes(graph: Graph) -> None:
    """The weights are random and of one seed; ONNX has the channels of maps first."""
    images = np.random.default_rng(0).normal(size=(1, *graph.input_shape)).astype(np.float32)
    tokens = images.reshape(-1, images.shape[-1])
    reads_tokens = graph.ops[0].kind == "linear"
    onnx, tflite = load(build_onnx_part(graph)), load(build_tflite_part(graph)).interpreter
    fed = tokens if reads_tokens else images.transpose(0, 3, 1, 2)
    expected = onnx.session.run(None, {onnx.input: fed})[0]
    tflite.set_tensor(tflite.get_input_details()[0]["index"], tokens if reads_tokens else images)
    tflite.invoke()
    found = tflite.get_tensor(tflite.get_output_details()[0]["index"])
    expected = expected if reads_tokens else expected.transpose(0, 2, 3, 1)
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
