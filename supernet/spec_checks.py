"""What makes a `NetworkSpec` one that can be built, said in the words of its fields."""

import dataclasses
import itertools
from typing import get_args

from supernet.errors import UserError
from supernet.network_spec import (
    Activation,
    BlockSpec,
    DenseHeadSpec,
    HeadSpec,
    InvertedResidualSpec,
    MobileViTSpec,
    NetworkSpec,
    PatchEmbedSpec,
    TransformerSpec,
)


def check_network_spec(spec: NetworkSpec) -> None:
    """Raises UserError for a specification that no network can have: heads that do not divide the
    embedding, an even kernel, a width that does not fit the block before ..."""
    for field in ("resolution", "channels", "num_classes"):
        _check_at_least(f"network {spec.name!r}", field, getattr(spec, field), 1)
    if not spec.blocks:
        raise UserError(f"network {spec.name!r}: blocks is empty; give it at least one block")
    side, channels, maps = spec.resolution, spec.channels, []
    for index, block in enumerate(spec.blocks):
        where = f"network {spec.name!r}, blocks/{index}"
        _check_block(where, block, channels)
        if isinstance(block, PatchEmbedSpec):
            _check_patches(where, block, side)
        side, channels = -(-side // getattr(block, "stride", 1)), block.width
        maps.append(side)
    where = f"network {spec.name!r}, head"
    _check_block(where, spec.head, channels)
    if isinstance(spec.head, DenseHeadSpec):
        _check_taps(where, spec.head.taps, maps)


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
    for kind in (*get_args(BlockSpec), HeadSpec, DenseHeadSpec)
}


def _check_block(where: str, spec: BlockSpec | HeadSpec | DenseHeadSpec, channels: int) -> None:
    """Raises UserError for a block that cannot follow `channels` channels."""
    for field, least in _LEAST[type(spec)]:
        _check_at_least(where, field, getattr(spec, field), least)
    kernel, activation = getattr(spec, "kernel", 1), getattr(spec, "activation", "none")
    if kernel % 2 == 0:
        raise UserError(f"{where}: kernel is {kernel}, but must be odd; try {kernel + 1}")
    if activation not in _ACTIVATIONS:
        raise UserError(f"{where}: activation is {activation!r}; choose one of {', '.join(_ACTIVATIONS)}")
    match spec:
        case MobileViTSpec():
            _check_attention(where, "MobileViT", spec, "embed", channels)
        case TransformerSpec():
            _check_attention(where, "transformer", spec, "width", channels)
        case PatchEmbedSpec() if spec.width % 4 or spec.width < 8:
            raise UserError(
                f"{where}: width is {spec.width}, but sine-cosine positions need a multiple of 4 from 8 on; "
                f"set width to {max(8, -(-spec.width // 4) * 4)}"
            )
        case InvertedResidualSpec() if not spec.expand and spec.hidden != channels:
            raise UserError(
                f"{where}: expand is off, so hidden must be the input's {channels} channels, "
                f"not {spec.hidden}; set hidden to {channels} or turn expand on"
            )


def _check_attention(
    where: str, kind: str, spec: MobileViTSpec | TransformerSpec, field: str, channels: int
) -> None:
    """`field` names what the heads share."""
    embed = getattr(spec, field)
    if embed % spec.heads:
        raise UserError(
            f"{where}: heads is {spec.heads}, which does not divide {field} {embed}; "
            f"choose a multiple of {spec.heads}"
        )
    if spec.width != channels:
        raise UserError(
            f"{where}: a {kind} block keeps its width, but width is {spec.width} and its "
            f"input has {channels} channels; set width to {channels}"
        )


def _check_patches(where: str, spec: PatchEmbedSpec, side: int) -> None:
    """Raises UserError where a map of `side` is no whole number of patches."""
    if side % spec.patch:
        above = -(-side // spec.patch) * spec.patch
        raise UserError(
            f"{where}: patch is {spec.patch}, which does not divide the side of its {side} x {side} map; "
            f"choose a resolution that makes it a multiple of {spec.patch}, such as {above}"
        )


def _check_taps(where: str, taps: tuple[int, ...], sides: list[int]) -> None:
    """Raises UserError for taps that are no blocks, or whose maps, of these `sides`, do not halve."""
    numbers = range(len(sides))
    if not taps or list(taps) != sorted(set(taps)) or not set(taps) <= set(numbers):
        raise UserError(
            f"{where}: taps is {taps}, but must be ascending numbers of blocks, of 0 to {len(sides) - 1}"
        )
    for before, tap in itertools.pairwise(taps):
        if sides[tap] != -(-sides[before] // 2):
            raise UserError(
                f"{where}: taps {before} and {tap} have maps of {sides[before]} and {sides[tap]} pixels; "
                "each must be half of the one before: choose blocks with one stride of 2 between them"
            )


def _check_at_least(where: str, field: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:  # a bool is no number here
        raise UserError(f"{where}: {field} is {value!r}, but must be an integer of {least} or more")
