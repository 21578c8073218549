"""Outputs come in parts of one shape, so that one program makes them all."""

from types import SimpleNamespace
from typing import Any, cast

import jax
import numpy as np

from hytnas_jax.data import LabelledImages
from hytnas_jax.model_files.parity import jax_outputs
from hytnas_jax.model_files.runtimes import BATCH
from hytnas_jax.training.outputs import Outputs
from hytnas_jax.workspace.project import Project
from supernet.network import compiled_outputs, stand_alone
from supernet.network_spec import ConvSpec, HeadSpec, NetworkSpec

NUM_IMAGES = 2 * BATCH + 22


def prepared(images: LabelledImages, resolution: int, *, multiple_of: int) -> np.ndarray:
    """As `Project.prepared`, of images that have the resolution."""
    missing = -len(images) % multiple_of
    return np.pad(images.images / np.float32(255), ((0, missing), (0, 0), (0, 0), (0, 0)))


def test_one_program_serves_all_parts_and_the_export() -> None:
    spec = NetworkSpec("parts", 8, 3, 2, (ConvSpec(4, stride=2),), HeadSpec(8))
    model = stand_alone(spec)
    weights = model.init(jax.random.key(0))
    pixels = np.random.default_rng(0).integers(0, 256, (NUM_IMAGES, 8, 8, 3), dtype=np.uint8)
    images = LabelledImages(pixels, np.arange(NUM_IMAGES, dtype=np.int32))
    outputs = Outputs(cast(Project, SimpleNamespace(prepared=prepared)), spec, weights, images)

    found, targets = zip(*outputs, strict=True)
    assert [len(part) for part in found] == [BATCH, BATCH, 22]
    np.testing.assert_array_equal(np.concatenate([t["label"] for t in targets]), images.labels)
    inputs = prepared(images, 8, multiple_of=1)
    expected, _ = model.apply(*weights, inputs, train=False)
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)
    np.testing.assert_array_equal(outputs.of_row(NUM_IMAGES - 1), found[-1][-1])

    np.testing.assert_allclose(jax_outputs(spec, *weights, inputs), expected, atol=1e-5)
    assert cast(Any, compiled_outputs(spec))._cache_size() == 1
