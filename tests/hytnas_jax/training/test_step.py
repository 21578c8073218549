"""Images reach the device one by one or lie there: the same ones."""

import jax
import numpy as np
import pytest

from hytnas_jax.data import LabelledImages
from hytnas_jax.training import step
from hytnas_jax.training.step import held, holds, sent

IMAGES = LabelledImages(
    np.random.default_rng(0).integers(0, 256, (7, 2, 2, 3), np.uint8), np.arange(7, dtype=np.int32)
)

NEEDED = IMAGES.images.nbytes + IMAGES.labels.nbytes


def test_held_images_are_those_that_would_be_sent() -> None:
    chosen = np.array([5, 0, 5])
    leaves = (jax.tree.leaves(take(IMAGES)(chosen)) for take in (held, sent))
    for ours, expected in zip(*leaves, strict=True):
        assert isinstance(ours, jax.Array)
        assert ours.dtype == expected.dtype
        np.testing.assert_array_equal(ours, expected)
    np.testing.assert_array_equal(sent(IMAGES)(chosen)[0], IMAGES.images[[5, 0, 5]])


def test_an_accelerator_holds_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not holds(IMAGES)  # a processor reads the host's memory anyway
    monkeypatch.setattr(step.jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(step, "free_bytes", lambda device: 4 * NEEDED)
    assert holds(IMAGES)
    monkeypatch.setattr(step, "free_bytes", lambda device: 4 * NEEDED - 1)
    assert not holds(IMAGES)
