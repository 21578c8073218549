"""Masks of logits in NumPy are those that evaluating makes of them in JAX."""

import jax
import numpy as np
import pytest

from hytnas_jax.on_device import decode_mask as module
from hytnas_jax.on_device.decode_mask import decode_mask, weights

RNG = np.random.default_rng(0)


def masks_in_jax(output: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Classes [H, W], and by how much each is ahead of the next."""
    logits = np.asarray(jax.image.resize(output, (*size, output.shape[-1]), "bilinear"))
    best = np.sort(logits, -1)
    return logits.argmax(-1), best[..., -1] - best[..., -2]


@pytest.mark.parametrize(
    ("cells", "size"),
    [
        ((8, 8), (64, 64)),
        ((6, 6), (33, 97)),
        ((12, 12), (12, 12)),
        ((12, 12), (5, 40)),
        ((24, 24), (7, 9)),
        ((1, 1), (4, 3)),
        ((3, 5), (1, 1)),
    ],
)
@pytest.mark.parametrize("num_classes", [2, 21])
def test_as_in_jax(cells: tuple[int, int], size: tuple[int, int], num_classes: int) -> None:
    output = RNG.normal(size=(*cells, num_classes)).astype(np.float32)
    expected, ahead = masks_in_jax(output, size)
    found = decode_mask(output, size)
    assert found.dtype == np.uint8
    assert found.shape == size
    is_sure = ahead > 1e-5
    assert is_sure.mean() > 0.99
    np.testing.assert_array_equal(found[is_sure], expected[is_sure])


def test_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a large image is enlarged: three rows at once, and then one."""
    output = RNG.normal(size=(6, 5, 4)).astype(np.float32)
    whole = decode_mask(output, (31, 20))
    for numbers in (3 * 20 * 4, 1):
        monkeypatch.setattr(module, "NUMBERS_AT_ONCE", numbers)
        np.testing.assert_array_equal(decode_mask(output, (31, 20)), whole)


def test_by_hand() -> None:
    """Two cells to four pixels: centres at -1/4, 1/4, 3/4 and 5/4 of a cell from the first's."""
    np.testing.assert_array_equal(weights(2, 4), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    np.testing.assert_allclose(weights(4, 2) * 7, [[3, 3, 1, 0], [0, 1, 3, 3]], rtol=1e-6)
    output = np.zeros((1, 2, 2), np.float32)
    output[0, 0] = 1, 0
    output[0, 1] = 0, 4  # pixels: 1 : 0, 0.75 : 1, 0.25 : 3, 0 : 4
    assert decode_mask(output, (2, 4)).tolist() == [[0, 1, 1, 1]] * 2
