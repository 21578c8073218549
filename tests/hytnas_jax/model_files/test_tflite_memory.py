"""What is counted of a network beside what its TFLite files hold, operator by operator."""

import functools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from graph_networks import NETWORKS

from hytnas_jax.model_files.tflite_file import TFLiteFile, read_model
from hytnas_jax.model_files.tflite_graph import build_tflite
from hytnas_jax.model_files.tflite_int8 import quantise_tflite
from hytnas_jax.model_files.tflite_memory import live_tensors, peak_bytes
from proxies.complexity import complexity
from proxies.tflite_operators import tflite_operators
from supernet.graph import build_graph
from supernet.named import NAMES, named_network
from supernet.network_spec import NetworkSpec
from supernet.spaces import SPACE_NAMES, built_in_space

pytest.importorskip("ai_edge_litert", reason="hytnas_jax[tflite] is not installed")


def drawn(name: str, count: int) -> Iterator[NetworkSpec]:
    """Networks of a space."""
    space = built_in_space(name)
    for architecture in space.decode_all(space.sample(np.random.default_rng(3), count)):
        yield space.network_spec(architecture, num_classes=3, channels=3)


SPECS = {
    **{name: NetworkSpec(name, 11, 4, 3, *network) for name, network in NETWORKS.items()},
    **{name: named_network(name, num_classes=2, resolution=64) for name in NAMES},
    **{f"{space} {i}": spec for space in SPACE_NAMES for i, spec in enumerate(drawn(space, 4))},
}
QUANTISED = (*NETWORKS, "mobilenetv2-0.35", "hybrid 0", "hybrid-small 1")


@functools.cache
def files(name: str) -> tuple[bytes, bytes]:
    """The float file, and that in int8."""
    pytest.importorskip("litert_quantizer", reason="hytnas_jax[tflite] is not installed")
    spec, model = SPECS[name], build_tflite(SPECS[name])
    shape = (2, spec.resolution, spec.resolution, spec.channels)
    return model, quantise_tflite(model, np.random.default_rng(0).normal(size=shape).astype(np.float32))


def test_peak_by_hand() -> None:
    file = TFLiteFile("by hand")
    source = file.tensor("source", (1, 10))
    small = file.operator("LOGISTIC", [source], "small", (1, 10))
    large = file.operator("CONCATENATION", [small, small, source], "large", (1, 30), axis=1)
    shaped = [large, file.constant("shape", np.array([2, 15], np.int32))]
    result = file.operator("RESHAPE", shaped, "result", (2, 15), new_shape=(2, 15))
    model = file.serialise(source, result)
    assert [(live.output, live.nbytes) for live in live_tensors(model)] == [
        ("small", 4 * 20),
        ("large", 4 * 50),
        ("result", 4 * 60),
    ]
    assert peak_bytes(model) == 240


@pytest.mark.parametrize("name", SPECS)
def test_operators_are_those_of_the_file(name: str) -> None:
    """So that the memory that a search counts is what the exported file needs."""
    graph = build_graph(SPECS[name])
    counted, live = tflite_operators(graph), live_tensors(build_tflite(SPECS[name]))
    assert [4 * elements for elements in counted.live_elements()] == [found.nbytes for found in live]
    names = [operator.name for operator in counted.operators]
    assert [*names[:-1], "logits"] == [found.output for found in live]
    assert complexity(SPECS[name]).peak_activation_bytes == max(found.nbytes for found in live)


@pytest.mark.parametrize("name", SPECS)
def test_constants_are_those_of_the_file(name: str) -> None:
    model = read_model(build_tflite(SPECS[name]))
    tensors = [
        tensor for tensor in model.subgraphs[0].tensors if model.buffers[tensor.buffer].data is not None
    ]
    counted = tflite_operators(build_graph(SPECS[name])).constants
    assert {c.name: c.size for constants in counted for c in constants} == {
        tensor.name.decode(): math.prod(tensor.shape) for tensor in tensors
    }


@pytest.mark.parametrize("name", QUANTISED)
def test_a_file_in_int8_needs_a_quarter(name: str) -> None:
    assert peak_bytes(files(name)[1]) == complexity(SPECS[name]).peak_activation_bytes_int8


@pytest.mark.parametrize("name", SPECS)
def test_size_of_a_float_file(name: str) -> None:
    size = len(build_tflite(SPECS[name]))
    assert complexity(SPECS[name]).model_bytes == pytest.approx(size, rel=0.005, abs=300)


@pytest.mark.parametrize("name", QUANTISED)
def test_size_of_a_file_in_int8(name: str) -> None:
    size = len(files(name)[1])
    assert complexity(SPECS[name]).model_bytes_int8 == pytest.approx(size, rel=0.005, abs=300)
