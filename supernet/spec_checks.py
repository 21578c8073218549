"""What makes a `NetworkSpec` one that can be built, said in the words of its fields."""

import dataclasses
from typing import get_args

from supernet.errors import UserError
from supernet.network_spec import (
    Activation,
    BlockSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
)


def check_network_spec(spec: NetworkSpec) -> None:
    """Raises UserError for a specification that no network can have: heads that do not divide the
    embedding, an even kernel, a width that does not fit the block before ..."""
    for field in ("resolution", "channels", "num_classes"):
        _check_at_least(f"network {spec.name!r}", field, getattr(spec, field), 1)
    if not spec.blocks:
        raise UserError(f"network {spec.name!r}: blocks is empty; give it at least one block")
    channels = spec.channels
    for index, block in enumerate(spec.blocks):
        _check_block(f"network {spec.name!r}, blocks/{index}", block, channels)
        channels = block.width
    _check_block(f"network {spec.name!r}, head", spec.head, channels)


_ACTIVATIONS = get_args(Activation)
_MINIMUM = {
    "width": 1,
    "hidden": 1,
    "kernel": 1,
    "stride": 1,
    "squeeze": 0,
    "embed": 1,
    "heads": 1,
    "ffn": 1,
    "depth": 1,
    "patch": 1,
}
# The search checks thousands of networks a batch: by class, the fields that are numbers and their least.
_LEAST: dict[type, tuple[tuple[str, int], ...]] = {
    kind: tuple(
        (field.name, 0 if kind is HeadSpec else _MINIMUM[field.name])
        for field in dataclasses.fields(kind)
        if field.name in _MINIMUM
    )
    for kind in (*get_args(BlockSpec), HeadSpec)
}


def _check_block(where: str, spec: BlockSpec | HeadSpec, channels: int) -> None:
    """Raises UserError for a block that cannot follow `channels` channels."""
    for field, least in _LEAST[type(spec)]:
        _check_at_least(where, field, getattr(spec, field), least)
    kernel, activation = getattr(spec, "kernel", 1), getattr(spec, "activation", "none")
    if kernel % 2 == 0:
        raise UserError(f"{where}: kernel is {kernel}, but must be odd; try {kernel + 1}")
    if activation not in _ACTIVATIONS:
        raise UserError(f"{where}: activation is {activation!r}; choose one of {', '.join(_ACTIVATIONS)}")
    if isinstance(spec, MobileViTSpec):
        if spec.embed % spec.heads:
            raise UserError(
                f"{where}: heads is {spec.heads}, which does not divide embed {spec.embed}; "
                "choose an embed that is a multiple of heads"
            )
        if spec.width != channels:
            raise UserError(
                f"{where}: a MobileViT block keeps its width, but width is {spec.width} and its "
                f"input has {channels} channels; set width to {channels}"
            )
    if isinstance(spec, InvertedResidualSpec) and not spec.expand and spec.hidden != channels:
        raise UserError(
            f"{where}: expand is off, so hidden must be the input's {channels} channels, "
            f"not {spec.hidden}; set hidden to {channels} or turn expand on"
        )


def _check_at_least(where: str, field: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:  # a bool is no number here
        raise UserError(f"{where}: {field} is {value!r}, but must be an integer of {least} or more")
