"""The flags of `study_efficiency`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.shared_flags.format_names import RuntimeName
from hytnas_jax.shared_flags.ranges import (
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_NETWORKS,
    MOST_PIXELS,
    SEED,
    above,
    check_ranges,
    within,
)
from hytnas_jax.study_efficiency.parts import PARTS, StudyPart


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare networks, operations and hyperparameters in latency, memory and size."""

    workdir: Path
    """The work folder; it may be a new one."""
    space: str | None = None
    """The search space whose hyperparameters are studied, by name or file. If not given, here and for the
    flags down to --seed: what the study was begun with, else hytnas-initial, where HyT-NAS began."""
    resolution: Annotated[int | None, within(1, MOST_PIXELS)] = None
    """Side of the published networks' images in pixels, else 224. Those of the space have its own."""
    num_classes: Annotated[int | None, within(1, MOST_CLASSES)] = None
    """Classes, else 2."""
    channels: Annotated[int | None, within(1, MOST_CHANNELS)] = None
    """Channels of the images, else 3."""
    networks: Annotated[int | None, within(0, MOST_NETWORKS)] = None
    """How many networks to draw from the space, else 60. The largest of hytnas-initial take seconds each."""
    seed: Annotated[int | None, SEED] = None
    """Of the draw, else 0."""
    runtimes: tuple[RuntimeName, ...] = ("onnxruntime",)
    """What to measure with on this machine, one thread each: onnxruntime, tflite (needs hytnas_jax[tflite]).
    Each counts as a device. Give none to measure nothing here."""
    parts: tuple[StudyPart, ...] = PARTS
    """What to measure now: published networks, single operations, attention blocks, networks of the space."""
    measurements: tuple[Path, ...] = ()
    """Tables that measure.py has written on other devices, from a kit of this study (device_kit --study)."""
    seconds: Annotated[float, above(0, 3600)] = 0.5
    """For each model that is measured here."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be."""
    check_ranges(config)
