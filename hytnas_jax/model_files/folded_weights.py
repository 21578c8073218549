"""The weights of a network's operations for inference: BatchNorm folded in, or random ones."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from supernet.errors import UserError
from supernet.operations import VALUE, Op, Shape

EPSILON = 1e-5  # of BatchNorm and LayerNorm

Array = NDArray[np.float32]
Tree = Mapping[Any, Any]


class FoldedWeights:
    """Kernels and biases by operation, from a network's trees or, where there are none, random.

    Random kernels keep the scale of activations (He et al., arXiv 1502.01852): overflow or denormal
    numbers would falsify a measured latency.
    """

    def __init__(self, params: Tree | None, stats: Tree | None, seed: int) -> None:
        if (params is None) != (stats is None):
            raise ValueError("give both params and stats, or neither for random weights")
        self._params = params
        self._stats = stats
        self._rng = np.random.default_rng(seed)

    def kernel_and_bias(self, op: Op, in_shape: Shape) -> tuple[Array, Array]:
        """Kernel and bias [out] of a convolution or linear layer, its BatchNorm folded in.

        The kernel is [k, k, in, out] for "conv", [k, k, C] for "depthwise" and [in, out] otherwise.

        Raises:
            UserError: where the trees lack the operation or hold another shape.
        """
        width = op.shape[-1]
        shape: Shape
        match op.kind:
            case "conv":
                shape = (op.kernel, op.kernel, in_shape[-1], width)
            case "depthwise":
                shape = (op.kernel, op.kernel, width)
            case _:
                shape = (in_shape[-1], width)
        if self._params is None or self._stats is None:
            kernel = self._rng.standard_normal(shape, np.float32)
            kernel *= math.sqrt(2 / math.prod(shape[:-1]))
            return kernel, np.zeros(width, np.float32)
        if op.kind == "linear" and op.part == VALUE:
            # Query, key and value side by side, of which only the value is computed.
            kernel = _leaf(self._params, f"{op.weights}/kernel", (shape[0], 3, width))[:, VALUE]
            return kernel, _leaf(self._params, f"{op.weights}/bias", (3, width))[VALUE]
        kernel = _leaf(self._params, f"{op.weights}/kernel", shape)
        bias = np.zeros(width, np.float32)
        if op.bias:
            bias = _leaf(self._params, f"{op.weights}/bias", (width,))
        if not op.norm:
            return kernel, bias
        scale, shift = self.scale_and_bias(op.norm, width)
        mean = _leaf(self._stats, f"{op.norm}/mean", (width,))
        variance = _leaf(self._stats, f"{op.norm}/var", (width,))
        factor = scale / np.sqrt(variance + EPSILON)
        return kernel * factor, (bias - mean) * factor + shift

    def scale_and_bias(self, path: str, width: int) -> tuple[Array, Array]:
        """Scale and bias [width] of the normalisation at `path`."""
        if self._params is None:
            return np.ones(width, np.float32), np.zeros(width, np.float32)
        scale = _leaf(self._params, f"{path}/scale", (width,))
        return scale, _leaf(self._params, f"{path}/bias", (width,))


def _leaf(tree: Tree, path: str, shape: Shape) -> Array:
    """The array at `path` as float32 of `shape`; a tree's list indices may be ints or texts."""
    node: Any = tree
    for key in path.split("/"):
        if key.isdecimal() and key not in node:
            key = int(key)  # type: ignore[assignment]
        if key not in node:
            raise UserError(f"the weights do not fit the network: {path} is missing")
        node = node[key]
    array = np.asarray(node, np.float32)
    if array.size != math.prod(shape):
        raise UserError(f"the weights do not fit the network: {path} has shape {array.shape}, not {shape}")
    return array.reshape(shape)
