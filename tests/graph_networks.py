"""Small networks with every kind of operation, which exported graphs must compute as Flax does."""

import functools
from typing import Any

import jax
import numpy as np

from supernet.network import stand_alone
from supernet.network_spec import (
    BlockSpec,
    ConvSpec,
    DenseHeadSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    SeparableSpec,
    TransformerSpec,
)

HEAD = HeadSpec(0)
# On images of 11 x 11 with 4 channels.
NETWORKS: dict[str, tuple[tuple[BlockSpec, ...], HeadSpec | DenseHeadSpec]] = {
    "conv, head": (
        (
            ConvSpec(6, kernel=7, stride=2, activation="hardswish", bias=True),
            ConvSpec(8, kernel=1, stride=2, activation="none"),
        ),
        HeadSpec(12, hidden=7, activation="hardswish"),
    ),
    "separable": (
        (SeparableSpec(8, 5, stride=2, bias=True), SeparableSpec(6, activation="relu6")),
        HEAD,
    ),
    "inverted residual": ((InvertedResidualSpec(4, 12), InvertedResidualSpec(6, 8, 5, 2)), HEAD),
    "without expansion": (
        (InvertedResidualSpec(4, 4, 7, expand=False, activation="relu"),),
        HeadSpec(5),
    ),
    "squeeze": ((InvertedResidualSpec(4, 8, squeeze=4, activation="hardswish"),), HEAD),
    "one token a group": ((MobileViTSpec(4, 8, heads=2, ffn=12, depth=1, patch=16),), HEAD),
    "one group, plain embedding": (
        (MobileViTSpec(4, 8, heads=4, ffn=6, depth=1, patch=1, embed_norm=False),),
        HEAD,
    ),
    "padded, two layers": (
        (MobileViTSpec(4, 8, heads=2, ffn=12, depth=2, patch=4, kernel=5),),
        HEAD,
    ),
    "patch divides": (
        (ConvSpec(4, stride=2), MobileViTSpec(4, 6, heads=1, ffn=12, depth=1, patch=2)),
        HEAD,
    ),
    "patches, transformer": (
        (ConvSpec(4, stride=2), PatchEmbedSpec(12, patch=2), TransformerSpec(12, heads=3, ffn=16, depth=2)),
        HEAD,
    ),
    # Maps of 6 and 3 pixels: enlarged exactly. Of 11, 6 and 3: cut from 12.
    "dense head": (
        (ConvSpec(4, stride=2), ConvSpec(6, stride=2)),
        DenseHeadSpec(5, depth=1, taps=(0, 1), kernel=3, box_channels=4),
    ),
    "dense head, three maps": (
        (ConvSpec(4), InvertedResidualSpec(6, 8, stride=2), ConvSpec(4), ConvSpec(3, stride=2)),
        DenseHeadSpec(4, depth=2, taps=(0, 2, 3)),
    ),
    "one patch": ((PatchEmbedSpec(8, patch=11), TransformerSpec(8, heads=2, ffn=12, depth=1)), HEAD),
}


def random_trees(spec: NetworkSpec) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and statistics that leave nothing at its initial value."""
    rng = np.random.default_rng(1)
    model = stand_alone(spec)

    def draw(path: Any, leaf: Any) -> np.ndarray:
        name = path[-1].key
        if name == "kernel":
            fan_in = leaf.size // leaf.shape[-1]
            return rng.normal(0, 2 * fan_in**-0.5, leaf.shape).astype(np.float32)
        low = 0.5 if name in ("scale", "var") else -0.5
        return rng.uniform(low, low + 1, leaf.shape).astype(np.float32)

    params = jax.tree_util.tree_map_with_path(draw, model.abstract_params)
    return params, jax.tree_util.tree_map_with_path(draw, model.abstract_stats)


@functools.cache
def example(name: str) -> tuple[NetworkSpec, dict[str, Any], dict[str, Any], np.ndarray, np.ndarray]:
    """One of `NETWORKS` with random trees, five images, and their logits."""
    blocks, head = NETWORKS[name]
    spec = NetworkSpec(name, 11, 4, 3, blocks, head)
    params, stats = random_trees(spec)
    images = np.random.default_rng(2).normal(size=(5, 11, 11, 4)).astype(np.float32)
    apply = jax.jit(lambda images: stand_alone(spec).apply(params, stats, images, train=False)[0])
    logits = np.asarray(apply(images))
    assert np.ptp(logits, axis=0).max() > 0.1  # the images do tell
    return spec, params, stats, images, logits


def assert_same_outputs(found: np.ndarray, expected: np.ndarray) -> None:
    """To the rounding of float32, by the largest output: the others come from sums as large."""
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-6 * max(np.abs(expected).max(), 5.0))
