"""Statistics over batches are those of all images at once."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from supernet import ops
from supernet.calibration import calibrate
from supernet.network import stand_alone
from supernet.network_spec import ConvSpec, HeadSpec, NetworkSpec


@pytest.fixture(scope="module")
def batches() -> jax.Array:
    """Four batches of three whose means differ much: most of the variance is between them."""
    images = np.random.default_rng(1).standard_normal((4, 3, 7, 7, 2)) + np.arange(4).reshape(4, 1, 1, 1, 1)
    return jnp.asarray(images, jnp.float32)


def test_the_first_norm_by_hand(tiny: Any, batches: jax.Array) -> None:
    spec = NetworkSpec("line", 7, 2, 3, (ConvSpec(4), ConvSpec(4)), HeadSpec(width=4))
    model = stand_alone(spec)
    params, stats = model.init(jax.random.key(0))
    calibrated = tiny.jit(lambda: calibrate(model, params, stats, batches))()
    everything = np.asarray(batches).reshape(12, 7, 7, 2)
    maps = np.asarray(
        ops.full_conv(jnp.asarray(everything), params["blocks"][0]["conv"]["kernel"], 1), np.float64
    )
    first = calibrated["blocks"][0]["norm"]
    np.testing.assert_allclose(first["mean"], maps.mean((0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first["var"], maps.var((0, 1, 2)), rtol=1e-4)
    # The mean variance within batches alone would be less.
    within = maps.reshape(4, -1, 4).var(1).mean(0)
    assert np.all(maps.var((0, 1, 2)) > 1.02 * within)
    # The second norm sees maps that each batch normalised by itself; it has finite statistics too.
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(calibrated))
    assert jax.tree.structure(calibrated) == jax.tree.structure(stats)


def test_one_batch_gives_its_own_statistics(tiny: Any) -> None:
    member = tiny.member(stage1_block="attention", stage1_patch=2)
    control = tiny.control(member)
    (_, expected), _ = tiny.forward(tiny.params, tiny.stats, tiny.images, control)
    calibrated = tiny.jit(
        lambda control: calibrate(tiny.model, tiny.params, tiny.stats, tiny.images[None], control)
    )(control)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), calibrated, expected)


def test_equal_batches_add_no_variance(tiny: Any, batches: jax.Array) -> None:
    spec = NetworkSpec("line", 7, 2, 3, (ConvSpec(4),), HeadSpec(width=4))
    model = stand_alone(spec)
    params, stats = model.init(jax.random.key(0))
    run = tiny.jit(lambda batches: calibrate(model, params, stats, batches))
    once, thrice = run(batches[:1]), run(jnp.repeat(batches[:1], 3, axis=0))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), once, thrice)
