"""StableHLO files: one for every platform, any number of images."""

import numpy as np
from graph_networks import example
from jax import export

from hytnas_jax.model_files.stablehlo import PLATFORMS, build_stablehlo, run_stablehlo


def test_logits_platforms_and_free_batch() -> None:
    spec, params, stats, images, expected = example("patch divides")
    model = build_stablehlo(spec, params, stats)
    np.testing.assert_allclose(run_stablehlo(model, images), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run_stablehlo(model, images[:1]), expected[:1], rtol=1e-5, atol=1e-6)
    loaded = export.deserialize(bytearray(model))
    assert loaded.platforms == PLATFORMS
    assert str(loaded.in_avals[0].shape[0]) == "N"
