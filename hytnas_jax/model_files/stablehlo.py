"""A network as StableHLO, which JAX, XLA, IREE and others run: one file for processors and accelerators."""

import jax
import numpy as np
from jax import export
from numpy.typing import NDArray

from hytnas_jax.model_files.runtimes import batched
from supernet.model import Tree
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec

PLATFORMS = ("cpu", "cuda", "tpu")


def build_stablehlo(spec: NetworkSpec, params: Tree, stats: Tree) -> bytes:
    """The network with its weights, as `jax.export` serialises it.

    Input float32 [N, R, R, C], already normalised, N free; output logits float32 [N, num_classes]. It is
    compiled where it is loaded, for any of `PLATFORMS`.
    """
    model = stand_alone(spec)

    def logits(images: jax.Array) -> jax.Array:
        return model.apply(params, stats, images, train=False)[0]

    (batch,) = export.symbolic_shape("N")
    images = jax.ShapeDtypeStruct((batch, spec.resolution, spec.resolution, spec.channels), np.float32)
    return bytes(export.export(jax.jit(logits), platforms=PLATFORMS)(images).serialize())


def run_stablehlo(model: bytes, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outputs [B, ...] of images [B, R, R, C], on this machine's device."""
    return batched(jax.jit(export.deserialize(bytearray(model)).call), images)
