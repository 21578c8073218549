"""Numbers of classes, and shades of grey that are none."""

from collections.abc import Callable
from typing import Any

import pytest

from hytnas_jax.data.readers.mask_values import refuse_levels

Refusal = Callable[[Callable[[], Any]], str]


@pytest.mark.parametrize(
    "values",
    [
        [0, 127, 255],
        [0, 50, 100],
        [0, 85, 170],
        [0, 36, 73, 109, 146, 182, 219, 255],
        [4 * level for level in range(64)],
    ],
)
def test_greys_to_look_at(values: list[int], refusal: Refusal) -> None:
    assert refusal(lambda: refuse_levels(values, "DATA: the values")).startswith("DATA: the values are 0, ")


@pytest.mark.parametrize(
    "values",
    [
        [0, 1, 2, 255],
        [0, 8, 15, 255],  # Pascal VOC: cats and people
        [7, 8, 11, 21, 23, 26, 33],  # Cityscapes: a street
        [1, 3, 5, 13, 21, 127, 137],  # ADE20K: a street
        [0, 1, 123, 124, 157, 169],  # COCO-Stuff: people on grass
    ],
)
def test_few_of_many_classes(values: list[int]) -> None:
    refuse_levels(values, "DATA: the values")
