"""The supernet: controls, one trace, batches of controls, gradients."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from supernet.model import Tree
from supernet.spaces import built_in_space
from supernet.subnet import slice_subnet
from supernet.supernet import Control, controls, stage_sizes, supernet


def test_the_same_arguments_give_the_same_model(tiny: Any) -> None:
    """What is compiled for it once is compiled for all steps of a process."""
    model = supernet(tiny.space, channels=3, num_classes=2)
    assert supernet(dataclasses.replace(tiny.space), channels=3, num_classes=2) is model
    assert supernet(tiny.space, channels=3, num_classes=3) is not model


def test_controls_by_hand(tiny: Any) -> None:
    conv = tiny.member(stage1_depth=2, stage1_width=6, stage1_kernel=5, stage2_growth=1.5, stage2_patch=2)
    attention = tiny.member(
        stage1_block="attention",
        stage1_embed=8,
        stage1_heads=4,
        stage1_ffn_ratio=2,
        stage1_expansion=2,
        stage1_patch=4,
        stage2_patch=4,
    )
    batch = controls(tiny.space, [conv, attention])
    expected = {
        "attention": [[0, 1], [1, 1]],
        "depth": [[2, 1], [1, 1]],
        "width": [[6, 8], [4, 4]],  # 6 * 1.5 = 9 is over the cap of 8
        "expansion": [[1, 1], [2, 1]],
        "kernel": [[5, 3], [3, 3]],
        "embed": [[1, 8], [8, 4]],
        "heads": [[1, 1], [4, 1]],
        "ffn": [[1, 8], [16, 4]],
        "patch": [[1, 2], [4, 4]],
        "head": [5, 5],
        "head_depth": [1, 1],
    }
    assert {name: value.tolist() for name, value in dataclasses.asdict(batch).items()} == expected
    assert {leaf.dtype for leaf in jax.tree.leaves(batch)} == {np.dtype(np.int32)}
    assert batch.at(1).width.tolist() == [4, 4]


def test_a_patch_over_the_map_stays_a_multiple_of_the_unit(tiny: Any) -> None:
    """Stage 2 at a resolution of 5: a map of 3x3 with patches of 2 and 4, the unit of which is 2."""
    space = tiny.space.with_resolutions((5,))
    codes = space.canonical(space.cardinalities[None] - 1)
    assert space.columns(codes)["stage2.patch"].tolist() == [3]
    assert controls(space, space.decode_all(codes)).patch[0, 1] == 4


@pytest.mark.parametrize("name", ["hytnas", "hybrid-small"])
def test_stage_sizes(name: str) -> None:
    expected = {
        "hytnas": [(32, 32), (64, 64), (96, 64), (128, 128), (256, 256)],
        "hybrid-small": [(12, 8), (24, 32), (32, 48)],
    }
    sizes = stage_sizes(built_in_space(name))
    assert [(s.width[-1], s.embed[-1]) for s in sizes] == expected[name]


def test_one_trace_serves_twenty_architectures(tiny: Any) -> None:
    members = tiny.space.decode_all(tiny.space.sample(np.random.default_rng(3), 20))
    assert len(set(members)) == 20
    batch = controls(tiny.space, members)
    outputs = []
    for index in range(20):
        (logits, stats), (used, _) = tiny.forward(tiny.params, tiny.stats, tiny.images, batch.at(index))
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((logits, stats, used)))
        outputs.append(np.asarray(logits))
    assert tiny.num_traces == [1]
    assert len(np.unique(np.round(outputs, 4), axis=0)) == 20

    @tiny.jit
    def all_at_once(batch: Control) -> jax.Array:
        def logits(control: Control) -> jax.Array:
            return tiny.model.apply(tiny.params, tiny.stats, tiny.images, control, train=True)[0]

        return jax.vmap(logits)(batch)

    np.testing.assert_allclose(all_at_once(batch), outputs, atol=1e-4)


MEMBERS = {
    "convolution": {"stage1_depth": 2, "stage1_expansion": 2, "stage2_growth": 1.5},
    "expansion 1": {"stage1_width": 6, "stage2_patch": 4},
    "attention": {"stage1_block": "attention", "stage1_heads": 2, "stage1_patch": 2, "stage2_heads": 2},
}


@pytest.fixture(scope="module")
def gradient(tiny: Any) -> Any:
    def loss(params: Tree, control: Control) -> jax.Array:
        logits, _ = tiny.model.apply(params, tiny.stats, tiny.images, control, train=True)
        return jnp.sum(jax.nn.log_softmax(logits)[jnp.arange(3), jnp.array([0, 2, 1])])

    return tiny.jit(jax.grad(loss))


@pytest.mark.parametrize("case", MEMBERS)
def test_gradients_are_finite_and_zero_where_inactive(tiny: Any, gradient: Any, case: str) -> None:
    """The subnet's own parameters are found by slicing a tree of places."""
    member = tiny.member(**MEMBERS[case])
    gradients, structure = jax.tree.flatten(gradient(tiny.params, tiny.control(member)))
    starts = np.cumsum([0, *(g.size for g in gradients)])
    places = [np.arange(s, s + g.size).reshape(g.shape) for s, g in zip(starts, gradients, strict=False)]
    _, own, _ = slice_subnet(tiny.space, member, jax.tree.unflatten(structure, places), tiny.stats)
    used = np.zeros(starts[-1], bool)
    for place in jax.tree.leaves(own):
        used[place.ravel()] = True
    flat = np.concatenate([np.ravel(g) for g in gradients])
    assert np.isfinite(flat).all()
    assert not flat[~used].any()
    assert 0 < np.mean(~used) < 1
    # Where one token is alone in its group, query and key have no effect; everything else has.
    assert np.mean(flat[used] != 0) > 0.75
