"""Slice a subnet out of a supernet: the stand-alone network's parameters, cut from the shared ones."""

from typing import Any

from supernet.architecture import Architecture
from supernet.model import Tree
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec
from supernet.search_space import SearchSpace


def slice_subnet(
    space: SearchSpace, architecture: Architecture, params: Tree, stats: Tree
) -> tuple[NetworkSpec, Tree, Tree]:
    """The stand-alone network of `architecture` with its part of the supernet's weights.

    `stats` are the statistics calibrated for this subnet. The result fits `stand_alone(spec)` and gives
    the masked subnet's outputs: active channels lead in every array, so each is cut to the stand-alone's
    shape, and depthwise kernels keep their centre.

    Examples:
      >>> import jax
      >>> from supernet import SearchSpace, StageSpace, slice_subnet
      >>> from supernet import supernet as shared
      >>> space = SearchSpace("mine", (StageSpace(width=(4, 8)),), resolution=(16,))
      >>> params, stats = shared.supernet(space, channels=3, num_classes=2).init(jax.random.key(0))
      >>> spec, own_params, own_stats = slice_subnet(space, space.decode([0]), params, stats)
      >>> [block.width for block in spec.blocks]
      [16, 4]
    """
    channels = params["stem"]["conv"]["kernel"].shape[2]
    num_classes = params["head"]["classifier"]["bias"].shape[0]
    if space.dense_head is not None:
        num_classes -= space.dense_head.box_channels
    spec = space.network_spec(architecture, num_classes=num_classes, channels=channels)
    model = stand_alone(spec)
    cut = [
        _cut(wanted, _used_blocks(architecture, shared))
        for wanted, shared in ((model.abstract_params, params), (model.abstract_stats, stats))
    ]
    return spec, cut[0], cut[1]


def _used_blocks(architecture: Architecture, shared: Tree) -> Tree:
    """The supernet's tree in the order of the stand-alone's blocks."""
    blocks = [shared["stem"]]
    for number, choice in enumerate(architecture.stages):
        stage = shared["stages"][number]
        blocks.append(stage["first"])
        if choice.block == "attention":
            blocks.append(stage["transformer"])
        else:
            blocks += [stage["more"][i] for i in range(choice.depth - 1)]
    return {"blocks": dict(enumerate(blocks)), "head": shared["head"]}


def _cut(wanted: Tree, shared: Tree, name: str = "") -> Tree:
    return {
        key: _cut(part, shared[key], key) if isinstance(part, dict) else _cut_array(part, shared[key], name)
        for key, part in wanted.items()
    }


def _cut_array(wanted: Any, shared: Any, module: str) -> Any:
    starts = [0] * len(wanted.shape)
    if module == "depthwise":
        starts[:2] = [
            (big - small) // 2 for big, small in zip(shared.shape[:2], wanted.shape[:2], strict=True)
        ]
    return shared[tuple(slice(s, s + n) for s, n in zip(starts, wanted.shape, strict=True))]
