"""ONNX graphs in onnxruntime against the Flax network, with random parameters and statistics."""

import numpy as np
import onnx
import onnxruntime
import pytest
from graph_networks import NETWORKS, assert_same_outputs, example, random_trees

from hytnas_jax.model_files.onnx_graph import build_onnx, padding_keys
from supernet.errors import UserError
from supernet.named import NAMES, named_network
from supernet.network import stand_alone
from supernet.network_spec import ConvSpec, HeadSpec, NetworkSpec


def run_onnx(model: bytes, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"images": images})[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_those_of_the_network(name: str) -> None:
    spec, params, stats, images, expected = example(name)
    model = build_onnx(spec, params, stats)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    assert_same_outputs(run_onnx(model, images), expected)
    assert_same_outputs(run_onnx(model, images[:1]), expected[:1])


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_give_finite_logits(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    model = build_onnx(named_network(name, num_classes=3, resolution=32))
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    images = np.random.default_rng(2).normal(size=(2, 32, 32, 3)).astype(np.float32)
    logits = run_onnx(model, images)
    assert logits.shape == (2, 3)
    assert np.isfinite(logits).all()
    assert 1e-4 < np.abs(logits).max() < 1e4
    assert "W:onnxruntime" not in capfd.readouterr().err


def test_input_and_output() -> None:
    model = onnx.load_from_string(
        build_onnx(named_network("hyt-nas-bl", num_classes=3, resolution=32, channels=1))
    )
    (images,), (logits,) = model.graph.input, model.graph.output
    assert (images.name, logits.name) == ("images", "logits")
    sizes = [d.dim_param or d.dim_value for d in images.type.tensor_type.shape.dim]
    assert sizes == ["N", 32, 32, 1]
    assert [d.dim_param or d.dim_value for d in logits.type.tensor_type.shape.dim] == ["N", 3]


def test_seed_decides_the_random_weights() -> None:
    spec = named_network("hyt-nas-bl", num_classes=2, resolution=32)
    assert build_onnx(spec, seed=3) == build_onnx(spec, seed=3)
    assert build_onnx(spec, seed=3) != build_onnx(spec, seed=4)


def test_list_indices_may_be_texts() -> None:
    """As they are after weights were saved under paths."""
    spec = NetworkSpec("texts", 4, 3, 2, (ConvSpec(4),), HeadSpec(0))
    params, stats = random_trees(spec)
    named = [{**tree, "blocks": {"0": tree["blocks"][0]}} for tree in (params, stats)]
    named[1].setdefault("head", {})
    assert build_onnx(spec, *named) == build_onnx(spec, params, stats)


def test_weights_of_another_network_are_refused() -> None:
    spec = NetworkSpec("small", 4, 3, 2, (ConvSpec(4),), HeadSpec(0))
    params, stats = random_trees(spec)
    wider = NetworkSpec("wide", 4, 3, 2, (ConvSpec(5),), HeadSpec(0))
    with pytest.raises(UserError, match=r"blocks/0/conv/kernel has shape \(3, 3, 3, 4\)"):
        build_onnx(wider, params, stats)
    deeper = NetworkSpec("deep", 4, 3, 2, (ConvSpec(4), ConvSpec(4)), HeadSpec(0))
    with pytest.raises(UserError, match="blocks/1/conv/kernel is missing"):
        build_onnx(deeper, params, stats)
    with pytest.raises(ValueError, match="both params and stats"):
        build_onnx(spec, params)


def test_padding_keys() -> None:
    # A 3 x 3 map in patches of 2: place (0, 0) holds 4 pixels, (1, 1) one and three of padding.
    expected = [
        [False, False, False, False],
        [False, True, False, True],
        [False, False, True, True],
        [False, True, True, True],
    ]
    assert padding_keys(3, 2).tolist() == expected


def test_padding_is_forgotten_where_scores_are_large() -> None:
    """Of a trained network scores differed by more than 60, and a key of padding outdid the image's own."""
    spec, params, stats, images, _ = example("padded, two layers")
    layers = {
        number: {**layer, "qkv": {"kernel": 5 * layer["qkv"]["kernel"], "bias": 5 * layer["qkv"]["bias"]}}
        for number, layer in params["blocks"][0]["layers"].items()
    }
    sharp = {**params, "blocks": {0: {**params["blocks"][0], "layers": layers}}}
    expected = np.asarray(stand_alone(spec).apply(sharp, stats, images, train=False)[0])
    found = run_onnx(build_onnx(spec, sharp, stats), images)
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())
