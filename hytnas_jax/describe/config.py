"""The flags of `describe`."""

import dataclasses
from typing import Annotated

import tyro

from hytnas_jax.shared_flags.ranges import MOST_CHANNELS, MOST_CLASSES, MOST_PIXELS, check_ranges, within


@dataclasses.dataclass(frozen=True)
class Config:
    """Print a network block by block: shapes, parameters, MACs, peak memory; and whether its TFLite files
    fit a microcontroller with 256 kB of memory and 1 MB of flash."""

    network: tyro.conf.Positional[str]
    """A published network's name, or a JSON file: a network (or {"network": network}), or
    {"space": name, "genes": {gene: value}}.

    The names: hyt-nas-bl, hyt-nas-o, hyt-nas-ba, mobilevit-xxs, mobilevit-xs, mobilevit-s, mobilenetv1-0.25,
    mobilenetv2-0.35, mobilenetv2, mobilenetv3-small, mobilenetv3-large, vit-tiny (of multiples of 16 pixels).
    """
    num_classes: Annotated[int | None, within(1, MOST_CLASSES)] = None
    """Classes; if not given, what the file says, or 2."""
    resolution: Annotated[int | None, within(1, MOST_PIXELS)] = None
    """Side of the images in pixels; if not given, what the file or the space says, or 224."""
    channels: Annotated[int | None, within(1, MOST_CHANNELS)] = None
    """Channels of the images; if not given, what the file says, or 3."""
    as_json: Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff] = False
    """Print JSON instead of a table."""


def check(config: Config) -> None:
    """Raises UserError for numbers that cannot be."""
    check_ranges(config)
