"""NASWOT against NumPy, and of subnets against their stand-alone networks."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import one_stage_space
import pytest
from tiny_space import SPACE

from proxies.base import Estimator
from proxies.naswot import Naswot, by_unit, code_kernel, log_determinant, supernet_program
from proxies.naswot_network import _coded, agreement, coded_supernet
from proxies.untrained import adapted_network, random_weights
from proxies.zen_network import norm_widths
from supernet.errors import UserError
from supernet.model import Model
from supernet.network_spec import ConvSpec, HeadSpec, InvertedResidualSpec, NetworkSpec
from supernet.subnet import slice_subnet
from supernet.supernet import controls, supernet

pytestmark = pytest.mark.usefixtures("quick_compiling")


def architecture(**genes: Any) -> Any:
    values = {gene.name: gene.choices[0] for gene in SPACE.genes}
    values |= {name.replace("_", ".", 1): value for name, value in genes.items()}
    return SPACE.from_json({"space": "tiny", "genes": values})


# Every size below the largest somewhere; patches that leave a border of the map.
ATTENTION = architecture(
    stage1_block="attention", stage1_patch=2, stage1_heads=2, stage1_width=6, stage2_growth=1
)
DEEP_ATTENTION = architecture(
    stage1_block="attention", stage1_depth=2, stage1_ffn_ratio=2, stage1_patch=4, stage1_expansion=2
)
CONV = architecture(stage1_depth=2, stage1_expansion=2, stage1_kernel=5, stage2_growth=1.5)


def test_agreement_by_hand() -> None:
    codes = jnp.array([[1.0, -2, 3, -4], [1, 2, -3, -4], [-1, 2, -3, 4]]).reshape(3, 2, 1, 2)
    all_units = [[4, 0, -4], [0, 4, 0], [-4, 0, 4]]
    np.testing.assert_array_equal(agreement(codes, jnp.array([2])), all_units)
    first_channel = [[2, 0, -2], [0, 2, 0], [-2, 0, 2]]  # + +, + -, - -
    np.testing.assert_array_equal(agreement(codes, jnp.array([1])), first_channel)
    first_pixel = [[2, 0, -2], [0, 2, 0], [-2, 0, 2]]  # + -, + +, - +
    inside = jnp.array([1.0, 0]).reshape(1, 2, 1, 1)
    np.testing.assert_array_equal(agreement(codes, jnp.array([jnp.inf]), inside), first_pixel)
    np.testing.assert_array_equal(agreement(codes, jnp.array([0])), np.zeros((3, 3)))


def test_log_determinant_by_hand() -> None:
    """Four units: codes at a distance of 3; at 1, 2 and 3 of one another; equal ones."""
    assert log_determinant(np.array([[[4.0, 1], [1, 4]]])) == pytest.approx([np.log(15)])
    three = np.array([[4.0, 3, 2], [3, 4, 1], [2, 1, 4]])
    assert log_determinant(three[None]) == pytest.approx([np.log(4 * 15 - 3 * 10 + 2 * -5)])
    assert log_determinant(np.full((1, 2, 2), 4.0)) == [-np.inf]
    assert by_unit(np.array([[[4.0, 1], [1, 4]], [[8, 2], [2, 8]]])) == pytest.approx([np.log(15 / 16)] * 2)


def coded_network(spec: NetworkSpec, batch: int) -> Model:
    """The stand-alone network for `batch` images."""
    return adapted_network(spec, lambda block, side, init: _coded(block, side, init, batch))


def numpy_batch_norm(x: np.ndarray) -> np.ndarray:
    return (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)


@pytest.mark.parametrize("activation", ["relu", "relu6", "silu", "hardswish"])
def test_plain_network_by_hand(activation: Any) -> None:
    """What is not activated has no code."""
    blocks = (ConvSpec(5, kernel=1, activation=activation), ConvSpec(4, kernel=1, activation="none"))
    spec = NetworkSpec("plain", 3, 2, 5, blocks, HeadSpec(6, activation=activation))
    model = coded_network(spec, 4)
    params, _ = model.init(jax.random.key(1))
    images = np.random.default_rng(0).standard_normal((4, 3, 3, 2)).astype(np.float32)
    first, second = (params["blocks"][i]["conv"]["kernel"][0, 0] for i in range(2))

    at_first = numpy_batch_norm(images @ np.asarray(first))
    activated = {
        "relu": np.maximum(at_first, 0),
        "relu6": np.clip(at_first, 0, 6),
        "silu": at_first / (1 + np.exp(-at_first)),
        "hardswish": at_first * np.clip(at_first + 3, 0, 6) / 6,
    }[activation]
    at_second = numpy_batch_norm(activated @ np.asarray(second))
    at_head = numpy_batch_norm(at_second @ np.asarray(params["head"]["conv"]["kernel"]))
    codes = np.concatenate([at_first.reshape(4, -1) > 0, at_head.reshape(4, -1) > 0], 1)
    expected = [[int((a == b).sum()) for a in codes] for b in codes]
    assert expected[0][0] == 9 * (5 + 6)
    np.testing.assert_array_equal(code_kernel(model, params, jnp.asarray(images)), expected)


def test_units_are_counted() -> None:
    """An image agrees with itself in all of them."""
    blocks = (ConvSpec(4, stride=2), InvertedResidualSpec(6, 8), InvertedResidualSpec(6, 6, expand=False))
    model = coded_network(NetworkSpec("counted", 8, 1, 2, blocks, HeadSpec(10)), 2)
    kernel = code_kernel(model, model.init(jax.random.key(0))[0], jnp.ones((2, 8, 8, 1)))
    np.testing.assert_array_equal(kernel, np.full((2, 2), 16 * (4 + 8 + 8 + 6 + 10)))


@pytest.fixture(scope="module")
def weights() -> Any:
    """Biases that are not 0 too."""
    rng = np.random.default_rng(0)
    params = random_weights(SPACE, 1, jax.random.key(3))
    return jax.tree.map(lambda a: a + 0.2 * rng.standard_normal(a.shape).astype(np.float32), params)


@pytest.mark.parametrize(
    ("tiers", "members"), [(1, (ATTENTION, DEEP_ATTENTION, CONV)), (2, (DEEP_ATTENTION,))]
)
def test_subnet_is_its_stand_alone_network(weights: Any, tiers: int, members: tuple[Any, ...]) -> None:
    """What is inactive, or only pads a map, counts nowhere."""
    batch, images = 5, jax.random.normal(jax.random.key(0), (5, 7, 7, 1))
    model = coded_supernet(SPACE, channels=1, resolution=7, batch=batch, tiers=tiers)
    masked = jax.jit(
        lambda control: code_kernel(model, weights, images, control, norm_widths(SPACE, control))
    )
    no_stats = supernet(SPACE, channels=1, num_classes=1).no_stats()
    for member in members:
        spec, sliced, _ = slice_subnet(SPACE, member, weights, no_stats)
        alone = coded_network(spec, batch)
        expected = jax.jit(lambda params, alone=alone: code_kernel(alone, params, images))(sliced)
        found = np.asarray(masked(controls(SPACE, [member]).at(0)))
        np.testing.assert_array_equal(np.diag(found), np.diag(expected))  # the number of units
        np.testing.assert_allclose(found, expected, atol=1)  # one unit may be at 0 but for rounding


@pytest.fixture(scope="module")
def estimator() -> Naswot:
    return Naswot(one_stage_space.SPACE, channels=1, batch=4)


def test_estimator(estimator: Naswot) -> None:
    as_protocol: Estimator = estimator
    assert (as_protocol.name, as_protocol.unit, as_protocol.direction) == ("naswot", "", "max")
    space = one_stage_space.SPACE
    members = space.decode_all(space.sample(np.random.default_rng(0), 12))
    assert {member.resolution for member in members} == {4, 6}
    scores = estimator(members)
    assert (scores.dtype, scores.shape) == (np.float64, (12,))
    assert np.isfinite(scores).all()
    # In another order and other company: the same.
    np.testing.assert_array_equal(estimator(members[::-2]), scores[::-2])
    assert estimator([]).shape == (0,)
    other_seed = dataclasses.replace(estimator, seed=1)(members)
    assert (other_seed != scores).any()
    for resolution in (4, 6):
        assert supernet_program(space, 1, resolution, 4)._cache_size() == 1  # type: ignore[attr-defined]


def test_errors_name_what_is_wrong(estimator: Naswot) -> None:
    with pytest.raises(UserError, match="batch=0: must be at least 1"):
        Naswot(SPACE, channels=1, batch=0)
    with pytest.raises(UserError, match="space='tiny': this NASWOT is of 'one'"):
        estimator([CONV])
