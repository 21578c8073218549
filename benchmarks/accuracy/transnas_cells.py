"""The micro networks of TransNAS-Bench-101 (arXiv 2105.11871): one program, whatever the cell.

    stem       3x3/2 convolution to 32 channels, BatchNorm, ReLU, 3x3/2 convolution to 64, BatchNorm
    5 modules  of 2 cells each; the first cell of modules 1, 3 and 5 halves the map and doubles the channels
    head       mean over the map, linear classifier

A cell has nodes 0 (its input) to 3 (its output). A node is the sum over its edges of an operation on an
earlier node: `none` is zero; `nor_conv` is ReLU, convolution, BatchNorm; `skip_connect` is the node itself,
or where it halves the map ReLU, two 1x1/2 convolutions of half the channels each, the second of them over the
map shifted by one pixel, and BatchNorm. In a cell that halves the map, the edges from node 0 do it.

A cell is the place in `OPERATIONS` of each edge's operation, int32 [6], a traced value. The classifier, which
the Zen-score does not use, is counted but not built. Letters: B batch, H W map, C channels.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from supernet.blocks import ConvBlock
from supernet.layers import BatchNorm, Conv, Initializer
from supernet.model import Model, Tree
from supernet.network_spec import ConvSpec
from supernet.ops import Train

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
NONE, SKIP = 0, 1
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # (source, target) nodes
OUTPUT = 3
STEM = (ConvSpec(32, stride=2, activation="relu"), ConvSpec(64, stride=2, activation="none"))
MODULES = ((128, 2), (128, 1), (256, 2), (256, 1), (512, 2))  # (channels, stride of the first cell)
# (channels of the input, channels, stride) of the ten cells.
CELLS = [
    cell
    for (before, _), (width, stride) in zip(((64, 1), *MODULES), MODULES, strict=False)
    for cell in ((before, width, stride), (width, width, 1))
]
RESOLUTION = 256  # of the published FLOPs and scores
NUM_CLASSES = 63  # of class_scene, of which the published parameters and FLOPs are


class Edge(nnx.Module):
    """All operations from one node to another; one BatchNorm serves whichever is asked for."""

    def __init__(self, in_width: int, width: int, stride: int, init: Initializer):
        self.halves = stride == 2
        if self.halves:
            self.skip = nnx.List([Conv(in_width, width // 2, 1, 2, init) for _ in range(2)])
        self.conv1 = Conv(in_width, width, 1, stride, init)
        self.conv3 = Conv(in_width, width, 3, stride, init)
        self.norm = BatchNorm(width)

    def __call__(self, x: jax.Array, operation: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H / stride, W / stride, C]."""
        out = jax.eval_shape(self.conv1, x)
        branches = (
            lambda x: jnp.zeros(out.shape, out.dtype),
            self._skip,
            lambda x: self.conv1(jax.nn.relu(x)),
            lambda x: self.conv3(jax.nn.relu(x)),
        )
        y = jax.lax.switch(operation, branches, x)
        return jnp.where(has_norm(operation, self.halves), self.norm(y, train=train), y)

    def _skip(self, x: jax.Array) -> jax.Array:
        if not self.halves:
            return x
        x = jax.nn.relu(x)
        shifted = jnp.pad(x[:, 1:, 1:], ((0, 0), (0, 1), (0, 1), (0, 0)))
        return jnp.concatenate([self.skip[0](x), self.skip[1](shifted)], -1)


class Cell(nnx.Module):
    """Four nodes, six edges."""

    def __init__(self, in_width: int, width: int, stride: int, init: Initializer):
        self.edges = nnx.List(
            [
                Edge(width, width, 1, init) if source else Edge(in_width, width, stride, init)
                for source, _ in EDGES
            ]
        )

    def __call__(self, x: jax.Array, cell: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, in] -> [B, H / stride, W / stride, C]."""
        nodes: list[Any] = [x, 0, 0, 0]
        for (source, target), edge, operation in zip(EDGES, self.edges, cell, strict=True):
            nodes[target] += edge(nodes[source], operation, train=train)
        return nodes[OUTPUT]


class CellNetwork(nnx.Module):
    """The network of a cell that is given with the images, up to its feature map."""

    def __init__(self, init: Initializer):
        widths = (3, STEM[0].width)
        self.stem = nnx.List([ConvBlock(w, spec, init) for w, spec in zip(widths, STEM, strict=True)])
        self.cells = nnx.List([Cell(*sizes, init) for sizes in CELLS])

    def features(self, images: jax.Array, cell: jax.Array, *, train: Train) -> jax.Array:
        """[B, H, W, 3] -> [B, H / 32, W / 32, 512]."""
        x = images
        for block in self.stem:
            x = block(x, train=train)
        for module in self.cells:
            x = module(x, cell, train=train)
        return x


def cell_networks() -> Model:
    """The pure functions of `CellNetwork`."""
    return Model(CellNetwork)


def encode(operations: Sequence[str]) -> np.ndarray:
    """The cell int32 [6] of its edges' operations by name."""
    return np.array([OPERATIONS.index(name) for name in operations], np.int32)


def has_norm(operation: Any, halves: bool) -> Any:
    """Whether an edge with this operation has a BatchNorm."""
    return operation >= (SKIP if halves else SKIP + 1)


def reached(cell: Any) -> list[Any]:
    """Which nodes the cell's input reaches; where it does not reach `OUTPUT` the cell is disconnected."""
    nodes: list[Any] = [True, False, False, False]
    for (source, target), operation in zip(EDGES, cell, strict=True):
        nodes[target] |= nodes[source] & (operation != NONE)
    return nodes


def norm_widths(cell: jax.Array, *, unreached: bool) -> Tree:
    """How many channels of each BatchNorm count, by module name: 0 for a norm that the cell does not have.

    Norms of edges from nodes that the input does not reach see zeros; they count only with `unreached`.
    """
    nodes = reached(cell)

    def edges(width: int, stride: int) -> Any:
        used = [
            has_norm(operation, stride == 2 and source == 0) & (nodes[source] | unreached)
            for (source, _), operation in zip(EDGES, cell, strict=True)
        ]
        return {number: {"norm": jnp.where(is_used, width, 0)} for number, is_used in enumerate(used)}

    cells: dict[Any, Any] = {
        number: {"edges": edges(width, stride)} for number, (_, width, stride) in enumerate(CELLS)
    }
    return {"stem": {number: {"norm": spec.width} for number, spec in enumerate(STEM)}, "cells": cells}


def count(params: Tree, cell: np.ndarray) -> tuple[int, int]:
    """Parameters and FLOPs of a cell's network, from the arrays that `cell_networks` has for it.

    FLOPs as NAS-Bench-Suite-Zero counts them, at 256 x 256 pixels: a convolution's multiply-accumulates, two
    for each value that a BatchNorm makes, one for each that a ReLU reads. The head's are the published ones
    if the mean over a channel's 8 x 8 map counts 9 x 9.
    """
    width = CELLS[-1][1]
    num_params = (width + 1) * NUM_CLASSES
    flops = width * (NUM_CLASSES + 9 * 9)
    for kernels, in_side, side in _layers(params, cell):
        in_width, width = kernels[0].shape[2], sum(kernel.shape[3] for kernel in kernels)
        weights = sum(kernel.size for kernel in kernels)
        num_params += weights + 2 * width
        flops += side**2 * (weights + 2 * width) + in_side**2 * in_width
    return num_params, flops


def _layers(params: Tree, cell: np.ndarray) -> Iterator[tuple[list[Any], int, int]]:
    """Each convolution with BatchNorm: kernels of the outputs side by side, sides of the map that a ReLU
    reads, 0 for none, and of the one that is made."""
    first, second = (block["conv"]["kernel"] for block in params["stem"].values())
    yield [first], 0, RESOLUTION // 2
    yield [second], RESOLUTION // 2, RESOLUTION // 4
    in_side = RESOLUTION // 4
    for (_, _, stride), parts in zip(CELLS, params["cells"].values(), strict=True):
        side = in_side // stride
        for (source, _), operation, edge in zip(EDGES, cell, parts["edges"].values(), strict=True):
            if kernels := _kernels(edge, operation):
                yield kernels, side if source else in_side, side
        in_side = side


def _kernels(edge: Tree, operation: int) -> list[Any]:
    by_operation: tuple[Iterable[Any], ...] = (
        [],
        edge.get("skip", {}).values(),
        [edge["conv1"]],
        [edge["conv3"]],
    )
    return [conv["kernel"] for conv in by_operation[operation]]
