"""Appends operations to a graph one by one, and knows what each weighs and computes.

BatchNorm is folded into its convolution: it is no operation of its own, but its scale and shift count as the
convolution's parameters. Shape letters are those of `operations`.
"""

import math
from typing import Literal

from supernet.network_spec import Activation
from supernet.operations import VALUE, Function, Graph, Kind, Op, Shape


class GraphBuilder:
    """Appends operations; methods take tensor ids and return the id of the tensor they make."""

    def __init__(self, input_shape: Shape, *, counts_statistics: bool = False) -> None:
        """Begin a graph over tensor 0 of `input_shape`; the flag is that of `NetworkSpec`."""
        self.ops: list[Op] = []
        self.scope = ""  # what the names of the operations begin with
        self._input_shape = input_shape
        self._norm_size = 4 if counts_statistics else 2

    def shape(self, tensor: int) -> Shape:
        return self.ops[tensor - 1].shape if tensor else self._input_shape

    def path(self, name: str) -> str:
        return f"{self.scope}/{name}"

    @property
    def next(self) -> int:
        return len(self.ops) + 1

    def graph(self, name: str) -> Graph:
        """All operations so far."""
        return Graph(name, self._input_shape, tuple(self.ops))

    def append(self, op: Op) -> int:
        self.ops.append(op)
        return op.output

    def conv(
        self,
        x: int,
        kind: Literal["conv", "depthwise", "pointwise"],
        name: str,
        width: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = False,
        norm: str = "",
        activation: Activation = "none",
    ) -> int:
        """A convolution of any kind, padded by kernel // 2 if not told, its BatchNorm and its activation."""
        height, side, channels = self.shape(x)
        shape = (math.ceil(height / stride), math.ceil(side / stride), width)
        size = kernel * kernel * width * (1 if kind == "depthwise" else channels)
        parameters = size + width * bias + (self._norm_size * width if norm else 0)
        y = self.append(
            Op(
                kind,
                self.path(name),
                (x,),
                self.next,
                shape,
                weights=self.path(name),
                norm=self.path(norm) if norm else "",
                bias=bias,
                num_parameters=parameters,
                num_macs=shape[0] * shape[1] * size,
                kernel=kernel,
                stride=stride,
                padding=kernel // 2 if padding is None else padding,
            )
        )
        return self.activation(y, name, activation)

    def linear(self, x: int, name: str, width: int, *, value_only: bool = False) -> int:
        """A biased linear layer over the last axis. With `value_only` it is a layer of query, key
        and value side by side of which only the last is computed."""
        *rows, channels = self.shape(x)
        computed = width // 3 if value_only else width
        return self.append(
            Op(
                "linear",
                self.path(name),
                (x,),
                self.next,
                (*rows, computed),
                weights=self.path(name),
                bias=True,
                num_parameters=channels * width + width,
                num_macs=math.prod(rows) * channels * computed,
                part=VALUE if value_only else 0,
            )
        )

    def layer_norm(self, x: int, name: str) -> int:
        shape = self.shape(x)
        path = self.path(name)
        size = 2 * shape[-1]
        return self.append(Op("layer_norm", path, (x,), self.next, shape, weights=path, num_parameters=size))

    def activation(self, x: int, name: str, function: Function) -> int:
        if function == "none":
            return x
        path = self.path(f"{name}/{function}")
        return self.append(Op("activation", path, (x,), self.next, self.shape(x), function=function))

    def move(
        self,
        x: int,
        kind: Kind,
        name: str,
        shape: Shape,
        *,
        patch: int = 1,
        heads: int = 1,
        part: int = 0,
        is_view: bool = False,
    ) -> int:
        """Data carried to other places, nothing computed: pad, crop, (un)fold, split or merge."""
        path = self.path(name)
        return self.append(
            Op(
                kind,
                path,
                (x,),
                self.next,
                shape,
                patch=patch,
                heads=heads,
                part=part,
                is_view=is_view,
            )
        )

    def add(self, x: int, y: int, name: str) -> int:
        return self.append(Op("add", self.path(name), (x, y), self.next, self.shape(x)))

    def global_pool(self, x: int, name: str) -> int:
        return self.append(Op("global_pool", self.path(name), (x,), self.next, self.shape(x)[-1:]))
