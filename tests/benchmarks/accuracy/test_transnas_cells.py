"""The networks of `benchmarks/accuracy/zen_reference.py` are those that the published scores are of."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.accuracy.transnas_cells import (
    OPERATIONS,
    OUTPUT,
    Edge,
    cell_networks,
    count,
    encode,
    norm_widths,
    reached,
)
from benchmarks.accuracy.zen_reference import read_published, readings
from proxies.zen_score import draw
from supernet.errors import UserError
from supernet.layers import Initializer
from supernet.model import Model

# Compiling takes longer than running by far here.
jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
NONE, SKIP, CONV1, CONV3 = "none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3"

# NAS-Bench-Suite-Zero: cell, parameters and FLOPs in millions, Zen-score of class_scene (None: disconnected).
PUBLISHED = (
    ((NONE, NONE, NONE, SKIP, NONE, NONE), 0.225631, 117.9075, 11.99749),
    ((NONE, NONE, NONE, SKIP, CONV1, NONE), 1.082719, 288.2355, 10.96031),
    ((SKIP, NONE, SKIP, NONE, NONE, CONV1), 1.082719, 288.2355, 27.53170),
    ((CONV3, NONE, NONE, NONE, CONV1, CONV3), 14.706271, 3060.8999, 47.40870),
    ((CONV1, SKIP, SKIP, NONE, CONV1, CONV3), 9.440607, 1946.1324, 74.04986),
    ((SKIP, CONV3, CONV3, CONV1, CONV3, CONV3), 30.053726, 6087.0576, 145.18649),
    ((NONE, NONE, NONE, NONE, CONV1, CONV3), 8.581727, 1774.6576, None),
    ((CONV3, CONV3, CONV1, NONE, NONE, NONE), 13.157983, 2834.6367, None),
)
CONNECTED = [row for row in PUBLISHED if row[3] is not None]


@pytest.fixture(scope="module")
def model() -> Model:
    return cell_networks()


@pytest.mark.parametrize(("operations", "params_m", "flops_m", "score"), PUBLISHED)
def test_counts_are_the_published_ones(
    model: Model, operations: tuple[str, ...], params_m: float, flops_m: float, score: float | None
) -> None:
    num_params, flops = count(model.abstract_params, encode(operations))
    assert num_params / 1e6 == pytest.approx(params_m, abs=1.1e-6)
    assert flops / 1e6 == pytest.approx(flops_m, abs=3e-4)


@pytest.mark.parametrize(("operations", "params_m", "flops_m", "score"), PUBLISHED)
def test_disconnected_cells_are_told_apart(
    operations: tuple[str, ...], params_m: float, flops_m: float, score: float | None
) -> None:
    assert reached(encode(operations))[OUTPUT] == (score is not None)


def test_scores_rank_as_the_published_ones(model: Model) -> None:
    """At a quarter of their resolution, with 2 images."""
    params, pair = jit(lambda key: draw(key, model, (2, 64, 64, 3)))(jax.random.key(0))
    score = jit(functools.partial(readings, model))
    scores = np.array([score(params, pair, encode(row[0])) for row in PUBLISHED])
    assert np.isneginf(scores[[row[3] is None for row in PUBLISHED]]).all()
    published = np.array([row[3] for row in CONNECTED])
    ours, released = scores[[row[3] is not None for row in PUBLISHED]].T
    # The first two cells differ by norms that see zeros: ours leaves out what counts log sqrt(0.81) each.
    assert ours[0] == ours[1]
    assert released[0] - released[1] == pytest.approx(-5 * np.log(0.81), abs=1e-4)
    assert (np.argsort(released) == np.argsort(published)).all()
    assert (np.argsort(ours[1:]) == np.argsort(published[1:])).all()


def test_norms_that_count() -> None:
    """Of the first cell, which halves the map, the skip connection has one; node 1 is not reached."""
    cell = encode((NONE, NONE, NONE, SKIP, CONV1, NONE))

    def counted(**options: bool) -> list[tuple[int, int, int]]:
        cells = norm_widths(jnp.asarray(cell), **options)["cells"]
        edges = [(c, e, int(edge["norm"])) for c in cells for e, edge in cells[c]["edges"].items()]
        return [edge for edge in edges if edge[2]]

    assert counted(unreached=False) == [(0, 3, 128), (4, 3, 256), (8, 3, 512)]
    widths = np.repeat([128, 256, 512], [4, 4, 2])
    expected = sorted(counted(unreached=False) + [(c, 4, int(width)) for c, width in enumerate(widths)])
    assert counted(unreached=True) == expected


def numpy_norm(x: np.ndarray) -> np.ndarray:
    return (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)


def test_skip_connection_that_halves() -> None:
    edge = Edge(2, 4, 2, Initializer(np.random.default_rng(0)))
    x = np.random.default_rng(1).standard_normal((3, 4, 4, 2)).astype(np.float32)
    positive = np.maximum(x, 0)
    first, second = (np.asarray(conv.kernel[...])[0, 0] for conv in edge.skip)
    expected = np.concatenate([positive[:, ::2, ::2] @ first, positive[:, 1::2, 1::2] @ second], -1)
    made = edge(jnp.asarray(x), jnp.asarray(OPERATIONS.index(SKIP)), train=True)
    np.testing.assert_allclose(made, numpy_norm(expected), atol=1e-4)
    np.testing.assert_array_equal(edge(jnp.asarray(x), jnp.asarray(OPERATIONS.index(NONE)), train=True), 0)


def test_convolution() -> None:
    """3x3 with padding; without a change of size, a skip connection is the map itself."""
    edge = Edge(2, 2, 1, Initializer(np.random.default_rng(0)))
    x = np.random.default_rng(1).standard_normal((2, 2, 2, 2)).astype(np.float32)
    padded = np.pad(np.maximum(x, 0), ((0, 0), (1, 1), (1, 1), (0, 0)))
    kernel = np.asarray(edge.conv3.kernel[...])
    expected = sum(padded[:, i : i + 2, j : j + 2] @ kernel[i, j] for i in range(3) for j in range(3))
    made = edge(jnp.asarray(x), jnp.asarray(OPERATIONS.index(CONV3)), train=True)
    np.testing.assert_allclose(made, numpy_norm(np.asarray(expected)), atol=1e-4)
    skipped = edge(jnp.asarray(x), jnp.asarray(OPERATIONS.index(SKIP)), train=True)
    np.testing.assert_array_equal(skipped, x)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("edge_0_1,zen_class_scene\nnone,1.0\n")
    with pytest.raises(UserError, match="has no column edge_0_2, edge_0_3"):
        read_published(path)
