"""Features and back."""

import numpy as np
import pytest

from supernet.encoding import feature_names, from_features, to_features
from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.spaces import SPACE_NAMES, built_in_space
from supernet.stage_space import StageSpace

TINY = SearchSpace(
    "tiny",
    (
        StageSpace(stride=1, width=(4, 8, 12)),
        StageSpace(
            block=("conv", "attention"),
            width=(8,),
            embed=(8,),
            heads=(1, 2),
            ffn_ratio=(1,),
            patch=(2,),
        ),
    ),
    resolution=(8,),
    stem_stride=1,
)


def test_values_by_hand() -> None:
    assert [gene.name for gene in TINY.genes] == ["stage2.block", "stage1.width", "stage2.heads"]
    assert feature_names(TINY) == (
        "stage2.block=conv",
        "stage2.block=attention",
        "stage1.width",
        "stage2.heads",
    )
    features = to_features(TINY, np.array([[1, 1, 1], [0, 2, 0]]))
    assert features.dtype == np.float64
    assert features.tolist() == [[0, 1, 0.5, 1], [1, 0, 1, 0]]


@pytest.mark.parametrize("name", SPACE_NAMES)
def test_round_trip(name: str) -> None:
    space = built_in_space(name)
    codes = space.sample(np.random.default_rng(1), 200)
    features = to_features(space, codes)
    assert features.shape == (200, len(feature_names(space)))
    assert features.min() >= 0
    assert features.max() <= 1
    np.testing.assert_array_equal(from_features(space, features), codes)


def test_equal_networks_have_equal_features() -> None:
    # In a convolution stage the number of heads is without effect.
    same = to_features(TINY, np.array([[0, 1, 0], [0, 1, 1]]))
    np.testing.assert_array_equal(same[0], same[1])


def test_nearest_canonical_code() -> None:
    features = np.array([[0.3, 0.9, 0.7, 0.6], [0.9, 0.1, -3.0, 1.0]])
    # The second is a convolution stage, so its heads gene is canonical at 0.
    assert from_features(TINY, features).tolist() == [[1, 1, 1], [0, 0, 0]]


def test_none_at_all() -> None:
    assert to_features(TINY, np.zeros((0, 3), int)).shape == (0, 4)
    assert from_features(TINY, np.zeros((0, 4))).shape == (0, 3)


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(UserError, match=r"shape \(1, 3\): expected \[N, 4\]"):
        from_features(TINY, np.zeros((1, 3)))
    with pytest.raises(UserError, match=r"stage1\.width=nan"):
        from_features(TINY, np.array([[0, 1, np.nan, 0]]))
    with pytest.raises(UserError, match=r"stage1\.width: index 3"):
        to_features(TINY, np.array([[0, 3, 0]]))
