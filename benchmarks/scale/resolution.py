"""How do time and memory of a supernet's training grow with the images' resolution?

    python -m benchmarks.scale.resolution

The supernet of a space is trained for a few steps of made-up images at each resolution, each in a process of
its own that has nothing compiled before it. "peak MiB" is the most memory that the process held, its
libraries and its compiler included; what libraries alone take is the row of 0 pixels.
"""

import concurrent.futures
import dataclasses
import multiprocessing
import time
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import main, require_at_least, save_plot, show
from benchmarks.supernet.speed.process import peak_memory_mib
from hytnas_jax import console
from hytnas_jax.runtime.hardware import compute_dtype
from hytnas_jax.runtime.preparation import keep_memory
from hytnas_jax.tasks import vision_task
from hytnas_jax.training.step import compiled_step, step_key
from hytnas_jax.workspace.space_file import load_space
from supernet import training
from supernet.sampling import sandwich
from supernet.supernet import controls, supernet

CLASSES = 10


@dataclasses.dataclass(frozen=True)
class Config:
    """Train a few steps at each resolution."""

    space: str = "hybrid"
    """A search space, as --space takes it."""
    resolutions: tuple[int, ...] = (64, 96, 128, 160, 192, 224)
    """In pixels."""
    batch_size: int = 32
    """Images in a step."""
    random_subnets: int = 2
    """Beside the largest and the smallest."""
    steps: int = 6
    """At each resolution, after the one that compiles."""
    name: str = "scale_resolution"
    """Of the result files."""


def benchmark(config: Config) -> dict[str, Any]:
    """A process for each resolution, one after the other."""
    require_at_least(config, {"batch_size": 2, "random_subnets": 1, "steps": 1})
    spawning = multiprocessing.get_context("spawn")
    rows = [{"resolution": 0, "peak MiB": round(peak_memory_mib())}]
    with (
        concurrent.futures.ProcessPoolExecutor(1, spawning, max_tasks_per_child=1) as pool,
        console.progress(config.resolutions, "training", is_even=False) as bar,
    ):
        rows += [pool.submit(_alone, config, resolution).result() for resolution in bar]
    show(rows[1:])
    save_plot(config.name, figure_of(rows[1:]))
    return {"rows": rows}


def trained(config: Config, resolution: int) -> dict[str, Any]:
    """The seconds of a step, of compiling it, and the most memory held."""
    space = load_space(config.space).with_resolutions((resolution,))
    model = supernet(space, channels=3, num_classes=CLASSES, dtype=compute_dtype())
    recipe = training.Recipe(num_steps=1 + config.steps)
    task = vision_task("classification", CLASSES)
    train = compiled_step(model, recipe, task, mean=(0.5,) * 3, std=(0.25,) * 3, mirror=False)
    rng = np.random.default_rng(0)
    shape = (config.batch_size, resolution, resolution, 3)
    state, seconds = training.init(recipe, model.init(jax.random.key(0))[0]), list[float]()
    for number in range(1 + config.steps):
        subnets = sandwich(space, rng, num_random=config.random_subnets, resolution=resolution)
        images = rng.integers(0, 256, shape, np.uint8)
        targets = {"label": rng.integers(0, CLASSES, config.batch_size, np.int32)}
        started = time.perf_counter()
        state, metrics = train(
            state, step_key(0, 0, number), images, targets, controls(space, subnets), resolution=resolution
        )
        jax.block_until_ready(metrics)
        seconds.append(time.perf_counter() - started)
    step = float(np.median(seconds[1:]))
    return {
        "resolution": resolution,
        "seconds a step": round(step, 3),
        "images a second": round(config.batch_size / step, 1),
        "first step s": round(seconds[0], 1),
        "peak MiB": round(peak_memory_mib()),
    }


def _alone(config: Config, resolution: int) -> dict[str, Any]:
    """`trained` in a process of its own, as commands are set up, but for the programs that they find kept."""
    keep_memory()
    jax.config.update("jax_enable_compilation_cache", False)
    return trained(config, resolution)


def figure_of(rows: list[dict[str, Any]]) -> Figure:
    """Seconds a step and peak memory over the pixels of an image."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    pixels = [row["resolution"] ** 2 / 1000 for row in rows]
    for axes, name in zip(figure.subplots(1, 2), ("seconds a step", "peak MiB"), strict=True):
        axes.plot(pixels, [row[name] for row in rows], "o-")
        for row, x in zip(rows, pixels, strict=True):
            axes.annotate(str(row["resolution"]), (x, row[name]), (4, -10), textcoords="offset points")
        axes.set(xlabel="thousand pixels of an image", ylabel=name, xlim=(0, None), ylim=(0, None))
        axes.grid(alpha=0.3)
    return figure


if __name__ == "__main__":
    main(benchmark, Config)
