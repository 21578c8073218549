"""How long our training step waits for its images: with all on the device, and as the package runs it.

Letters: B batch, S the images' side.
"""

import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks.supernet.speed.workload import Workload
from hytnas_jax.data import LabelledImages, batches
from hytnas_jax.tasks import vision_task
from hytnas_jax.training.step import compiled_step, held, holds, sent, step_key
from supernet import training
from supernet.model import Model
from supernet.supernet import controls

DATA_SET_BATCHES = 8  # batches in the data set that is drawn from
Inputs = Callable[[int], tuple[Any, ...]]  # number of a step -> key, images, labels, subnets


def input_waits(workload: Workload, model: Model, params: Any, *, rounds: int, steps: int) -> dict[str, Any]:
    """Seconds of a step, the median of rounds of `steps` steps that are not waited for one by one.

    One compiled program, which augments too, is given its inputs in three ways, in turns: all on the device
    before; drawn by the host for each step, the images cut on the device ("held"), or sent ("sent"). The
    package does what "as the package" names. "share" of a way's step is waiting: it is not there with
    inputs on the device.
    """
    recipe = training.Recipe(num_steps=workload.num_steps)
    task = vision_task("classification", workload.num_classes)
    train = compiled_step(model, recipe, task, mean=(0.5,) * 3, std=(0.25,) * 3, mirror=True)
    images = _data_set(workload)
    takes = {"held": held(images), "sent": sent(images)}
    drawn = {way: _drawn(workload, images, take) for way, take in takes.items()}
    ready = [jax.device_put(drawn["sent"](number)) for number in range(steps)]
    ways: dict[str, Inputs] = {"on the device": ready.__getitem__, **drawn}
    state = training.init(recipe, params)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):  # the first compiles
        for way, inputs in ways.items():
            started = time.perf_counter()
            for step in range(steps):
                state, _ = train(state, *inputs(step), resolution=workload.resolution)
            jax.block_until_ready(state)
            if number:
                seconds[way].append((time.perf_counter() - started) / steps)
    medians = {way: float(np.median(of_way)) for way, of_way in seconds.items()}
    return {
        "as the package": "held" if holds(images) else "sent",
        "steps in a row": steps,
        "seconds of a step": medians,
        "share": {way: 1 - medians["on the device"] / medians[way] for way in drawn},
    }


def _data_set(workload: Workload) -> LabelledImages:
    """uint8 noise, of the side that is trained with."""
    rng = np.random.default_rng(0)
    count, side = DATA_SET_BATCHES * workload.batch, workload.resolution
    images = rng.integers(0, 256, (count, side, side, workload.channels), np.uint8)
    return LabelledImages(images, rng.integers(0, workload.num_classes, count, np.int32))


def _drawn(
    workload: Workload, images: LabelledImages, take: Callable[[np.ndarray], tuple[Any, Any]]
) -> Inputs:
    """What `train_supernet` does before each step, in the same order."""
    choose = functools.partial(batches, 0, len(images), workload.batch)

    def inputs(number: int) -> tuple[Any, ...]:
        chosen, subnets = choose(step=number), workload.subnets(number)
        return step_key(0, 0, number), *take(chosen), controls(workload.space, subnets)

    return inputs
