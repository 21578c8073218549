"""What a supernet takes over from one for other images: arrays, and the maps that its stem makes."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest
from one_stage_space import SPACE

from supernet.errors import UserError
from supernet.inheritance import differences, inherited, is_head_inherited
from supernet.spaces import built_in_space
from supernet.stage_space import DenseHeadSpace
from supernet.supernet import SupernetModel, supernet


def model_of(channels: int, classes: int) -> SupernetModel:
    return supernet(SPACE, channels=channels, num_classes=classes)


def params_of(channels: int, classes: int, seed: int) -> Any:
    return model_of(channels, classes).init(jax.random.key(seed))[0]


def by_name(tree: Any) -> dict[str, np.ndarray]:
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree.leaves_with_path(tree)}


def test_all_but_the_classifier_is_taken_over() -> None:
    theirs, ours = params_of(3, 10, 0), params_of(3, 2, 1)
    before = by_name(jax.tree.map(np.array, theirs))
    found = by_name(inherited(theirs, ours))
    classifier = {"['head']['classifier']['kernel']", "['head']['classifier']['bias']"}
    assert classifier < found.keys() == by_name(ours).keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, by_name(ours if name in classifier else theirs)[name], name)
    assert before.keys() == by_name(theirs).keys()  # and theirs are as they were
    for name, array in before.items():
        np.testing.assert_array_equal(by_name(theirs)[name], array, name)


@pytest.mark.parametrize(("theirs", "ours"), [(3, 1), (1, 3)])
def test_a_grey_image_makes_the_same_maps_in_colour(theirs: int, ours: int) -> None:
    weights = params_of(theirs, 10, 0)
    turned = inherited(weights, params_of(ours, 10, 1))
    grey = np.random.default_rng(0).standard_normal((2, 6, 6, 1)).astype(np.float32)

    def maps(channels: int, params: Any) -> Any:
        return model_of(channels, 10).stem(params, np.repeat(grey, channels, axis=3))

    np.testing.assert_allclose(maps(ours, turned), maps(theirs, weights), rtol=1e-4, atol=1e-5)
    names = [name for name, array in by_name(turned).items() if "'head'" not in name and array.ndim]
    same = [name for name in names if np.array_equal(by_name(turned)[name], by_name(weights).get(name))]
    assert set(names) - set(same) == {"['stem']['conv']['kernel']"}


@pytest.mark.parametrize(("theirs", "ours"), [(2, 3), (3, 2), (1, 4), (4, 3)])
def test_other_channels_are_refused(theirs: int, ours: int) -> None:
    with pytest.raises(UserError, match=f"images of {theirs} channels there, of {ours} here; they must"):
        inherited(params_of(theirs, 2, 0), params_of(ours, 2, 0))


def test_other_shapes_are_refused() -> None:
    wider = dataclasses.replace(SPACE, stages=(dataclasses.replace(SPACE.stages[0], width=(4, 8)),))
    theirs = supernet(wider, channels=1, num_classes=2).init(jax.random.key(0))[0]
    with pytest.raises(UserError, match=r"\['head'\].*shape \(8, 4\) there, \(6, 4\) here"):
        inherited(theirs, params_of(1, 2, 0))


def test_spaces_differ_by_what_makes_genes_and_arrays() -> None:
    space = built_in_space("hybrid-small")
    alike = dataclasses.replace(
        space, name="mine", resolution=(20,), constraints=("stage1.width <= stage2.width",)
    )
    assert differences(space, alike) == []
    stages = (*space.stages[:-1], dataclasses.replace(space.stages[-1], kernel=(3, 7), patch=(2,)))
    other = dataclasses.replace(space, stem_width=16, stages=stages)
    last, old = len(stages), space.stages[-1]
    assert differences(space, other) == [
        f"stem_width: {space.stem_width} there, 16 here",
        f"stage{last}.kernel: {list(old.kernel)} there, [3, 7] here",
        f"stage{last}.patch: {list(old.patch)} there, [2] here",
    ]
    shorter = dataclasses.replace(space, stages=space.stages[:-1])
    assert f"stage{last}.stride: {old.stride} there, none here" in differences(space, shorter)
    assert f"stage{last}.stride: none there, {old.stride} here" in differences(shorter, space)


@pytest.mark.parametrize("ours_is_dense", [True, False])
def test_of_a_head_of_another_kind_nothing_is_taken_over(ours_is_dense: bool) -> None:
    """A detector may begin with what a classifier has learnt, and the other way round."""
    dense = dataclasses.replace(
        SPACE, dense_head=DenseHeadSpace(width=(4,), depth=(1,), stride=min(SPACE.strides), box_channels=4)
    )
    models = [supernet(space, channels=3, num_classes=2) for space in (SPACE, dense)]
    theirs, ours = (model.init(jax.random.key(seed))[0] for seed, model in enumerate(models))
    if not ours_is_dense:
        theirs, ours = ours, theirs
    assert not is_head_inherited(theirs, ours)
    found = by_name(inherited(theirs, ours))
    assert found.keys() == by_name(ours).keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, by_name(ours if "['head']" in name else theirs)[name], name)
    assert differences(SPACE, dense) == differences(dense, SPACE) == []


def test_heads_of_one_kind_must_be_of_one_size() -> None:
    small, large = (
        dataclasses.replace(
            SPACE, dense_head=DenseHeadSpace(width=(width,), depth=(1,), stride=min(SPACE.strides))
        )
        for width in (4, 8)
    )
    assert differences(small, large) == ["dense_head.width: [4] there, [8] here"]
