"""The Zen-score against NumPy, and of subnets against their stand-alone networks."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from proxies.base import Estimator
from proxies.zen_network import LayerNormRule, norm_widths, scored_network, scored_supernet
from proxies.zen_score import GAMMA, ZenScore, draw, score_once, supernet_program, zen_score
from supernet.errors import UserError
from supernet.model import Model
from supernet.network_spec import ConvSpec, HeadSpec, InvertedResidualSpec, NetworkSpec
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace
from supernet.subnet import slice_subnet
from supernet.supernet import controls, supernet

pytestmark = pytest.mark.usefixtures("quick_compiling")

EPSILON = 1e-5

# Maps of 7x7 in stage 1 and 4x4 in stage 2: patches of 2 leave a border in the first.
SPACE = SearchSpace(
    "tiny",
    (
        StageSpace(
            stride=1,
            block=("conv", "attention"),
            depth=(1, 2),
            expansion=(1, 2),
            kernel=(3, 5),
            width=(4, 6),
            embed=(4, 8),
            heads=(1, 2),
            ffn_ratio=(1, 2),
            patch=(1, 2, 3),
        ),
        StageSpace(block=("conv",), depth=(1, 2), expansion=(1, 2), width=(4, 6)),
    ),
    resolution=(5, 7),
    stem_width=4,
    stem_stride=1,
    head_min=6,
)


def architecture(**genes: Any) -> Any:
    values = {gene.name: gene.choices[0] for gene in SPACE.genes}
    values |= {name.replace("_", ".", 1): value for name, value in genes.items()}
    return SPACE.from_json({"space": "tiny", "genes": values})


# Width and embedding differ, and so do the depths: each would show where another is counted in its place.
NARROW_ATTENTION = architecture(
    resolution=7, stage1_block="attention", stage1_heads=2, stage1_patch=2, stage1_width=6, stage2_depth=2
)
DEEP_ATTENTION = architecture(
    resolution=7, stage1_block="attention", stage1_depth=2, stage1_patch=1, stage1_width=6
)
NARROW_CONV = architecture(resolution=7, stage1_depth=2, stage1_expansion=2, stage2_width=6)
OTHERS = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 18))


def drawn(seed: int, model: Model, images: tuple[int, int, int, int]) -> tuple[Any, jax.Array]:
    return jax.jit(lambda key: draw(key, model, images))(jax.random.key(seed))


def score_of(model: Model) -> Callable[[Any, jax.Array], jax.Array]:
    return jax.jit(lambda params, pair: score_once(model, params, pair))


def numpy_batch_norm(x: np.ndarray) -> tuple[np.ndarray, float]:
    """The normalised map and log sqrt of the mean channel variance."""
    variance = x.var((0, 1, 2))
    return (x - x.mean((0, 1, 2))) / np.sqrt(variance + EPSILON), 0.5 * np.log(variance.mean())


def numpy_conv3(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = x.shape[1:3]
    return sum(padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3))  # type: ignore[return-value]


def test_plain_network_by_hand() -> None:
    spec = NetworkSpec("plain", 4, 2, 5, (ConvSpec(3, activation="relu"),), HeadSpec(4, activation="relu"))
    model = scored_network(spec, layer_norm="published", shortcuts=False)
    params, pair = drawn(1, model, (6, 4, 4, 2))
    conv, head = params["blocks"][0]["conv"]["kernel"], params["head"]["conv"]["kernel"]

    def features(x: np.ndarray) -> tuple[np.ndarray, float]:
        h, first = numpy_batch_norm(numpy_conv3(x, np.asarray(conv)))
        h, second = numpy_batch_norm(np.maximum(h, 0) @ np.asarray(head))
        return np.maximum(h, 0), first + second

    (of_x, log_scale), (of_changed, _) = (features(np.asarray(images, np.float64)) for images in pair)
    expected = np.log(np.abs(of_x - of_changed).sum((1, 2, 3)).mean()) + log_scale
    assert score_of(model)(params, pair) == pytest.approx(expected, abs=5e-5)  # of logarithms near 1


def test_one_weight_by_hand() -> None:
    """f(x) = w (x - mean) / (w std): the weight's size comes back through the correction alone."""
    spec = NetworkSpec("one", 2, 1, 2, (ConvSpec(1, kernel=1, activation="none"),), HeadSpec(0))
    model = scored_network(spec, layer_norm="published", shortcuts=False)
    params, _ = drawn(0, model, (2, 2, 2, 1))
    params["blocks"][0]["conv"]["kernel"] = jnp.full((1, 1, 1, 1), 3.0)
    x = jnp.array([1.0, -1, 1, -1, 1, -1, 1, -1]).reshape(2, 2, 2, 1)  # mean 0, variance 1
    changed = x * 1.5  # mean 0, variance 2.25: normalised, it is x again
    shifted = x.at[0, 0, 0, 0].add(0.8)  # mean 0.1, mean square (1.8^2 + 7) / 8
    deviation = np.sqrt((1.8**2 + 7) / 8 - 0.01)
    ones, moved = np.array([1.0, 1, 1, -1, -1, -1, -1]), 1.8
    total = np.abs(ones - (ones - 0.1) / deviation).sum() + abs(1 - (moved - 0.1) / deviation)
    score = score_of(model)
    assert score(params, jnp.stack([x, shifted])) == pytest.approx(np.log(total / 2) + np.log(3), rel=1e-4)
    assert score(params, jnp.stack([x, changed])) < -9  # nothing but epsilon is left


def test_draw() -> None:
    spec = NetworkSpec("wide", 8, 3, 10, (ConvSpec(64), InvertedResidualSpec(64, 128)), HeadSpec(64))
    model = scored_network(spec, layer_norm="published", shortcuts=False)
    params, pair = drawn(0, model, (16, 8, 8, 3))
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(lambda a: a.shape, model.abstract_params)
    kernels = [leaf for path, leaf in jax.tree.leaves_with_path(params) if path[-1].key == "kernel"]
    for kernel in kernels:
        assert float(jnp.std(kernel)) == pytest.approx(1, abs=0.1)
    assert abs(np.corrcoef(kernels[0].ravel()[:500], kernels[1].ravel()[:500])[0, 1]) < 0.2
    assert set(np.unique(params["head"]["norm"]["scale"])) == {1.0}
    assert set(np.unique(params["head"]["classifier"]["bias"])) == {0.0}
    assert float(jnp.std((pair[1] - pair[0]) / GAMMA)) == pytest.approx(1, abs=0.1)
    assert float(jnp.std(pair[0])) == pytest.approx(1, abs=0.1)


def restricted(tree: Any, wanted: Any) -> Any:
    """The part of `tree` that `wanted` has."""
    if not isinstance(wanted, dict):
        return tree
    return {name: restricted(tree[name], part) for name, part in wanted.items()}


@pytest.fixture(scope="module")
def shared_draw() -> tuple[Any, Any]:
    return drawn(5, supernet(SPACE, channels=1, num_classes=1), (3, 7, 7, 1))


@pytest.mark.parametrize(
    ("layer_norm", "shortcuts", "tiers", "chosen"),
    [
        ("published", False, 1, (DEEP_ATTENTION, NARROW_CONV)),
        ("published", True, 1, (NARROW_CONV,)),
        ("corrected", False, 2, (NARROW_ATTENTION,)),
        ("skip", False, 1, (NARROW_ATTENTION,)),
    ],
)
def test_subnet_is_its_stand_alone_network(
    shared_draw: tuple[Any, Any],
    layer_norm: LayerNormRule,
    shortcuts: bool,
    tiers: int,
    chosen: tuple[Any, ...],
) -> None:
    """What is inactive counts nowhere: neither in the difference nor in the variances."""
    params, pair = shared_draw
    model = scored_supernet(
        SPACE, channels=1, resolution=7, layer_norm=layer_norm, shortcuts=shortcuts, tiers=tiers
    )
    masked = jax.jit(
        lambda control: score_once(
            model, restricted(params, model.abstract_params), pair, control, norm_widths(SPACE, control)
        )
    )
    for member in chosen:
        spec, sliced, _ = slice_subnet(SPACE, member, params, supernet_stats())
        alone = scored_network(spec, layer_norm=layer_norm, shortcuts=shortcuts)
        expected = float(score_of(alone)(restricted(sliced, alone.abstract_params), pair))
        assert float(masked(controls(SPACE, [member]).at(0))) == pytest.approx(expected, abs=1e-3)


def supernet_stats() -> Any:
    stats = supernet(SPACE, channels=1, num_classes=1).abstract_stats
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), stats)


@pytest.fixture(scope="module")
def estimator() -> ZenScore:
    return ZenScore(SPACE, channels=1, repeats=4, batch=3)


def test_estimator(estimator: ZenScore) -> None:
    as_protocol: Estimator = estimator
    assert (as_protocol.name, as_protocol.unit, as_protocol.direction) == ("zen_score", "", "max")
    members = [NARROW_ATTENTION, NARROW_CONV, *OTHERS]
    scores = estimator(members)
    assert (scores.dtype, scores.shape) == (np.float64, (20,))
    assert np.isfinite(scores).all()
    assert {member.resolution for member in members} == {5, 7}
    # In another order and other company: the same.
    np.testing.assert_array_equal(estimator(members[::-2]), scores[::-2])
    assert estimator([]).shape == (0,)
    other_seed = dataclasses.replace(estimator, seed=1)(members)
    assert (other_seed != scores).all()
    for resolution in (5, 7):
        program = supernet_program(SPACE, 1, resolution, 3, "published", False)
        assert program._cache_size() == 1  # type: ignore[attr-defined]


def test_estimator_agrees_with_the_stand_alone_score(estimator: ZenScore) -> None:
    """Two means of 64 draws, each with a standard error of its standard deviation / 8."""
    many = dataclasses.replace(estimator, repeats=64)
    single = [dataclasses.replace(estimator, repeats=1, seed=s)([NARROW_CONV])[0] for s in range(20)]
    alone = zen_score(
        SPACE.network_spec(NARROW_CONV, num_classes=2, channels=1), jax.random.key(9), repeats=64, batch=3
    )
    assert abs(many([NARROW_CONV])[0] - alone) < 4 * np.sqrt(2) * np.std(single) / 8


def test_depth_raises_the_score(estimator: ZenScore) -> None:
    """Each further layer multiplies the reaction (section 3 of the paper)."""
    shallow = architecture(resolution=7)
    deep = architecture(resolution=7, stage1_depth=2, stage2_depth=2)
    scores = dataclasses.replace(estimator, repeats=16)([shallow, deep])
    assert scores[1] > scores[0]


def test_errors_name_what_is_wrong(estimator: ZenScore) -> None:
    with pytest.raises(UserError, match="repeats=0"):
        ZenScore(SPACE, channels=1, repeats=0)
    with pytest.raises(UserError, match="layer_norm='none': must be one of"):
        ZenScore(SPACE, channels=1, layer_norm="none")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="space='other': this Zen-score is of 'tiny'"):
        estimator([dataclasses.replace(NARROW_CONV, space="other")])
