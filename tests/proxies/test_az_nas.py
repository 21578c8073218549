"""Expressivity and progressivity by hand, and of subnets against their stand-alone networks."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import one_stage_space
import pytest
from flax import nnx
from tiny_space import SPACE

from proxies.az_nas import (
    AzNas,
    block_entropies,
    entropy,
    expressivity,
    progressivity,
    recorded_supernet,
    supernet_program,
)
from proxies.base import Estimator
from proxies.untrained import random_weights
from supernet.errors import UserError
from supernet.layers import Initializer
from supernet.network import Network
from supernet.subnet import slice_subnet
from supernet.supernet import controls, supernet

pytestmark = pytest.mark.usefixtures("quick_compiling")


def architecture(**genes: Any) -> Any:
    values = {gene.name: gene.choices[0] for gene in SPACE.genes}
    values |= {name.replace("_", ".", 1): value for name, value in genes.items()}
    return SPACE.from_json({"space": "tiny", "genes": values})


ATTENTION = architecture(stage1_block="attention", stage1_patch=2, stage1_depth=2, stage2_growth=1.5)
CONV = architecture(stage1_depth=2, stage1_expansion=2, stage1_kernel=5)


def test_entropy_by_hand() -> None:
    """Two uncorrelated channels of variances 3 and 1: eigenvalues 3/4 and 1/4, whatever the axes."""
    signs = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], np.float32)
    features = (signs * np.sqrt([3, 1]) + 7).astype(np.float32)
    expected = -0.75 * np.log(0.75) - 0.25 * np.log(0.25)
    assert float(entropy(features.reshape(1, 2, 2, 2))) == pytest.approx(expected, rel=1e-5)
    turned = features @ np.array([[0.6, 0.8], [-0.8, 0.6]], np.float32)
    assert float(entropy(jnp.asarray(turned).reshape(2, 2, 1, 2))) == pytest.approx(expected, rel=1e-5)
    assert float(entropy(jnp.asarray(5 * features).reshape(4, 1, 1, 2))) == pytest.approx(expected, rel=1e-5)
    with_zeros = np.pad(features, ((0, 0), (0, 3)))
    assert float(entropy(jnp.asarray(with_zeros).reshape(1, 4, 1, 5))) == pytest.approx(expected, rel=1e-5)
    alike = jnp.asarray(features[:, :1] * np.ones((1, 6), np.float32)).reshape(4, 1, 1, 6)
    assert float(entropy(alike)) == pytest.approx(0, abs=1e-4)
    assert float(entropy(jnp.ones((2, 2, 2, 3)))) == 0


def test_parts_by_hand() -> None:
    entropies = [np.array([1.0, 1.5, 1.25, 2.0]), np.array([2.0]), np.array([1.0, 2.0, 4.0])]
    np.testing.assert_array_equal(expressivity(entropies), [5.75, 2, 7])
    np.testing.assert_array_equal(progressivity(entropies), [-0.25, 0, 1])


def alone(member: Any, weights: Any, images: jax.Array) -> list[float]:
    """The entropies of the blocks of the stand-alone network after the stem."""
    no_stats = supernet(SPACE, channels=1, num_classes=1).no_stats()
    spec, sliced, _ = slice_subnet(SPACE, member, weights, no_stats)
    network = Network(spec, Initializer(np.random.default_rng(0)))
    state = nnx.state(network, nnx.Param)
    nnx.replace_by_pure_dict(state, sliced)
    nnx.update(network, state)
    x, found = network.blocks[0](images, train=True), []
    for block in list(network.blocks)[1:]:
        x = block(x, train=True)
        found.append(float(entropy(x)))
    return found


@pytest.mark.parametrize(("tiers", "members"), [(1, (ATTENTION, CONV)), (2, (ATTENTION,))])
def test_subnet_is_its_stand_alone_network(tiers: int, members: tuple[Any, ...]) -> None:
    """What is inactive counts nowhere, and a block that is not part of the subnet is none."""
    images = jax.random.normal(jax.random.key(0), (3, 7, 7, 1))
    weights = random_weights(SPACE, 1, jax.random.key(3))
    model = recorded_supernet(SPACE, channels=1, resolution=7, tiers=tiers)
    masked = jax.jit(lambda control: block_entropies(model, weights, images, control))
    for member in members:
        found = np.asarray(masked(controls(SPACE, [member]).at(0)))
        np.testing.assert_allclose(found[~np.isnan(found)], alone(member, weights, images), atol=1e-4)


@pytest.fixture(scope="module")
def estimator() -> AzNas:
    return AzNas(one_stage_space.SPACE, "expressivity", channels=1, batch=4)


def test_estimator(estimator: AzNas) -> None:
    as_protocol: Estimator = estimator
    assert (as_protocol.name, as_protocol.unit, as_protocol.direction) == ("az_nas_expressivity", "", "max")
    space = one_stage_space.SPACE
    members = space.decode_all(space.sample(np.random.default_rng(0), 12))
    assert {member.resolution for member in members} == {4, 6}
    scores = estimator(members)
    assert (scores.dtype, scores.shape) == (np.float64, (12,))
    assert (scores > 0).all()
    # In another order and other company: the same.
    np.testing.assert_array_equal(estimator(members[::-2]), scores[::-2])
    assert estimator([]).shape == (0,)
    assert (dataclasses.replace(estimator, seed=1)(members) != scores).all()
    steps = dataclasses.replace(estimator, part="progressivity")
    assert steps.name == "az_nas_progressivity"
    entropies = estimator.entropies(members)
    np.testing.assert_array_equal(scores, expressivity(entropies))
    np.testing.assert_array_equal(steps(members), progressivity(entropies))
    lengths = [2 if m.stages[0].block == "attention" else m.stages[0].depth for m in members]
    assert [len(row) for row in entropies] == lengths
    for resolution in (4, 6):
        assert supernet_program(space, 1, resolution, 4)._cache_size() == 1  # type: ignore[attr-defined]


def test_errors_name_what_is_wrong(estimator: AzNas) -> None:
    with pytest.raises(UserError, match="part='trainability': must be one of"):
        AzNas(SPACE, "trainability", channels=1)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="channels=0: must be at least 1"):
        AzNas(SPACE, "expressivity", channels=0)
    with pytest.raises(UserError, match="space='tiny': this AZ-NAS is of 'one'"):
        estimator([CONV])
