"""The flags of `main_job`."""

import dataclasses
from pathlib import Path
from typing import Annotated

from hytnas_jax.export.config import Config as ExportConfig
from hytnas_jax.search import config as search
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.shared_flags.format_names import FormatName, check_formats
from hytnas_jax.shared_flags.limits import Limits
from hytnas_jax.shared_flags.ranges import MOST_EPOCHS, MOST_NETWORKS, SEED, check_ranges, within


@dataclasses.dataclass(frozen=True)
class Config(DataConfig, Limits):
    """Find, train and export the networks with the best trade-offs for your images and this machine.

    Runs train_supernet, measure_latency, search, retrain, export and report, one after the other. The same
    command again goes on where it stopped.
    """

    epochs: Annotated[int | None, within(1, MOST_EPOCHS)] = None
    """How many times the supernet sees each training image. If not given: 30, and more of few images
    with boxes or masks."""
    init_from: Path | None = None
    """Another work folder, for few images: the supernet begins with the weights of that one's, all but the
    classifier's. The space is that one's too; images, classes and resolutions may be others."""
    retrain_epochs: Annotated[int | None, within(1, MOST_EPOCHS)] = None
    """How many times each chosen network sees each training image. If not given: 20, and more of few images
    with boxes or masks."""
    objectives: tuple[str, ...] = ("blended_error", "latency_ms")
    """What to trade off, two to four of: blended_error, error, latency_ms, parameters, macs, peak_memory,
    model_bytes, peak_memory_int8, model_bytes_int8, zen_score, or trained_error, for which 40 networks are
    trained first (study_ranking)."""
    evaluations: Annotated[int, within(4, MOST_NETWORKS)] = 80
    """Networks that the search evaluates."""
    networks: Annotated[int, within(10, MOST_NETWORKS)] = 64
    """Networks that are timed on this machine to learn how latency comes about."""
    count: Annotated[int | None, within(1, MOST_NETWORKS)] = None
    """The most networks that are retrained and exported; fewer where the next would add little. If not given:
    8, and 3 with boxes or masks."""
    formats: tuple[FormatName, ...] = ExportConfig.formats
    """What to export; onnx is always among them. The tflite ones need: pip install 'hytnas_jax[tflite]'."""
    seed: Annotated[int, SEED] = 0
    """Of everything random."""


def check(config: Config) -> None:
    """Raises UserError for values that cannot be: those of the later steps too, before the training."""
    check_ranges(config)
    search.check(search_config(config))
    check_formats(config.formats)


def search_config(config: Config) -> search.Config:
    """The flags of the search among those of the main job."""
    return search.Config(
        config.workdir,
        objectives=config.objectives,
        **config.given(),
        evaluations=config.evaluations,
        initial=min(search.Config.initial, config.evaluations // 2),
        seed=config.seed,
    )
