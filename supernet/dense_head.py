"""The head of detection and segmentation: one output for each cell of a map, read from several stages.

Letters: B batch, T taps, H W map, C channels, K outputs of a cell.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from supernet import ops
from supernet.blocks import Separable
from supernet.control_flow import chain, either
from supernet.layers import BatchNorm, Initializer, Linear
from supernet.network_spec import DenseHeadSpec, SeparableSpec
from supernet.ops import Train
from supernet.widths import HeadWidths

RARE = -3.0  # what a class's logits start at in detection: most cells hold nothing (arXiv 1708.02002, 4.1)


class DenseHead(nnx.Module):
    """`DenseHeadSpec` over taps of `tap_widths` channels; the first tap has `stride` pixels to a cell."""

    def __init__(
        self,
        tap_widths: Sequence[int],
        spec: DenseHeadSpec,
        num_classes: int,
        init: Initializer,
        *,
        stride: int,
    ):
        width = spec.width
        block = SeparableSpec(width, spec.kernel, activation=spec.activation)
        self.stride, self.num_outputs = stride, num_classes + spec.box_channels
        self.laterals = nnx.List([Linear(tap, width, init, gain=1.0) for tap in tap_widths])
        self.lateral_norms = nnx.List([BatchNorm(width) for _ in tap_widths])
        self.blocks = nnx.List([Separable(width, block, init) for _ in range(spec.depth)])
        self.classifier = Linear(width, self.num_outputs, init, bias=True, gain=1.0)
        if spec.box_channels:
            start = np.where(np.arange(self.num_outputs) < num_classes, RARE, 0)
            self.classifier.bias = nnx.Param(start.astype(np.float32))

    def output_shape(self, resolution: int) -> tuple[int, ...]:
        """Of one image: [H, W, K]."""
        side = -(-resolution // self.stride)
        return (side, side, self.num_outputs)

    def features(self, x: jax.Array, widths: HeadWidths | None = None, *, train: Train) -> jax.Array:
        """The last stage's map [B, H, W, C], as it is: a figure of features is one of the trunk."""
        del widths, train
        return x

    def __call__(
        self, maps: Sequence[jax.Array], widths: HeadWidths | None = None, *, train: Train
    ) -> jax.Array:
        """T maps [B, H, W, C], each of half the side of the one before -> float32 [B, H, W, K]."""
        width = None if widths is None else widths.width
        *finer, x = [
            ops.mask_channels(norm(lateral(tap), train=train), width)
            for tap, lateral, norm in zip(maps, self.laterals, self.lateral_norms, strict=True)
        ]
        for own in reversed(finer):
            x = own + ops.enlarge(x, *own.shape[1:3])
        return self.classifier(self._refined(x, widths, train)).astype(jnp.float32)

    def _refined(self, x: jax.Array, widths: HeadWidths | None, train: Train) -> jax.Array:
        if widths is None:
            for block in self.blocks:
                x = block(x, train=train)
            return x

        def compute(blocks: tuple[Separable], x: jax.Array) -> jax.Array:
            return blocks[0](x, widths.width, train=train)

        def refine(block: Separable, x: jax.Array, number: jax.Array) -> jax.Array:
            return either(number < widths.depth, compute, lambda _, x: x, (block,), x)

        return chain(self.blocks, refine, x)
