"""The main job: from pictures to a trained, exported Pareto set and a report, in one command.

    python -m hytnas_jax --workdir runs/digits
    python -m hytnas_jax --workdir runs/mine --data path/to/pictures
    python -m hytnas_jax --workdir runs/mine --data path/to/pictures --init-from runs/cifar
    python -m hytnas_jax --workdir runs/small --max-peak-memory-int8 262144 --max-model-bytes-int8 1048576 \\
        --formats onnx tflite-int8

Each step is also a command of its own with more flags, on the same work folder.
"""

import dataclasses
import shlex
import time
from pathlib import Path
from typing import Annotated

from hytnas_jax import (
    console,
    export,
    measure_latency,
    report,
    retrain,
    search,
    study_ranking,
    train_supernet,
)
from hytnas_jax.command import run
from hytnas_jax.data_config import DataConfig
from hytnas_jax.format_names import FormatName, check_formats
from hytnas_jax.ranges import (
    MOST_BYTES,
    MOST_EPOCHS,
    MOST_MS,
    MOST_NETWORKS,
    SEED,
    above,
    check_ranges,
    within,
)


@dataclasses.dataclass(frozen=True)
class Config(DataConfig):
    """Find, train and export the networks with the best trade-offs for your pictures and this machine.

    Runs train_supernet, measure_latency, search, retrain, export and report, one after the other. The same
    command again goes on where it stopped.
    """

    epochs: Annotated[int, within(1, MOST_EPOCHS)] = 30
    """How many times the supernet sees each training picture."""
    init_from: Path | None = None
    """Another work folder, for few pictures: the supernet begins with the weights of that one's, all but the
    classifier's. The space is that one's too; pictures, classes and resolutions may be others."""
    retrain_epochs: Annotated[int, within(1, MOST_EPOCHS)] = 20
    """How many times each chosen network sees each training picture."""
    objectives: tuple[str, ...] = ("blended_error", "latency_ms")
    """What to trade off, two to four of: blended_error, error, latency_ms, parameters, macs, peak_memory,
    model_bytes, peak_memory_int8, model_bytes_int8, zen_score, or trained_error, for which 40 networks are
    trained first (study_ranking)."""
    max_latency_ms: Annotated[float | None, above(0, MOST_MS)] = None
    """No network above this predicted latency in milliseconds."""
    max_params: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network with more parameters."""
    max_peak_memory: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network that needs more bytes for its activations (float32, one picture)."""
    max_peak_memory_int8: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network whose activations need more bytes in int8. Of 256 kB of memory (SRAM) that is 262144, less
    what the program and its runtime need (docs/memory.md)."""
    max_model_bytes: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network whose TFLite file in float32 has more bytes."""
    max_model_bytes_int8: Annotated[int | None, within(1, MOST_BYTES)] = None
    """No network whose TFLite file in int8 has more bytes. Of 1 MB of flash that is 1048576, less the
    program."""
    evaluations: Annotated[int, within(4, MOST_NETWORKS)] = 80
    """Networks that the search evaluates."""
    networks: Annotated[int, within(10, MOST_NETWORKS)] = 64
    """Networks that are timed on this machine to learn how latency comes about."""
    count: Annotated[int, within(1, MOST_NETWORKS)] = retrain.Config.count
    """The most networks that are retrained and exported; fewer where the next would add little."""
    formats: tuple[FormatName, ...] = export.Config.formats
    """What to export; onnx is always among them. The tflite ones need: pip install 'hytnas_jax[tflite]'."""
    seed: Annotated[int, SEED] = 0
    """Of everything random."""


def main(config: Config) -> None:
    """Run every step that is not done yet."""
    check_ranges(config)
    workdir, seed = config.workdir, config.seed
    search_config = search.Config(
        workdir,
        objectives=config.objectives,
        max_latency_ms=config.max_latency_ms,
        max_params=config.max_params,
        max_peak_memory=config.max_peak_memory,
        max_peak_memory_int8=config.max_peak_memory_int8,
        max_model_bytes=config.max_model_bytes,
        max_model_bytes_int8=config.max_model_bytes_int8,
        evaluations=config.evaluations,
        initial=min(search.Config.initial, config.evaluations // 2),
        seed=seed,
    )
    search.check(search_config)  # now, and not after the training
    check_formats(config.formats)
    study = (study_ranking, study_ranking.Config(workdir, seed=seed))
    steps = (
        (
            train_supernet,
            train_supernet.Config(
                workdir,
                **config.data_flags(),
                epochs=config.epochs,
                init_from=config.init_from,
                seed=seed,
            ),
        ),
        (measure_latency, measure_latency.Config(workdir, networks=config.networks, seed=seed)),
        *([study] if "trained_error" in config.objectives else []),
        (search, search_config),
        (retrain, retrain.Config(workdir, count=config.count, epochs=config.retrain_epochs, seed=seed)),
        (export, export.Config(workdir, formats=config.formats)),
        (report, report.Config(workdir)),
    )
    started = time.monotonic()
    for number, (module, step_config) in enumerate(steps, 1):
        name = module.__name__.rpartition(".")[2]
        console.say(f"\n[{number}/{len(steps)}] {name}")
        with console.without_next():
            module.main(step_config)
    minutes = (time.monotonic() - started) / 60
    report_path = shlex.quote(str(workdir / "report.html"))
    console.say(f"\nall done in {minutes:.1f} min; open {report_path} in a browser")


if __name__ == "__main__":
    run(main, Config)
