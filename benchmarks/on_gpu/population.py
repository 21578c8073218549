"""How many subnets one program should evaluate: seconds, memory and compiling by the size of a population.

A program of a size evaluates no fewer: a batch of 8 takes as long as one that fills it up. A program that the
device's memory does not hold is halved until it does, as the package has it.
"""

import os
import time
from typing import Any

import jax

from benchmarks.common import show
from benchmarks.on_gpu.ceilings import seconds_of
from benchmarks.on_gpu.record import Run
from benchmarks.supernet.speed.device import ALONE, choose_device
from benchmarks.supernet.speed.workload import Workload
from hytnas_jax import console
from hytnas_jax.runtime.hardware import compute_dtype
from proxies.evaluation.classification import CLASSIFICATION
from proxies.evaluation.together import MOST_TOGETHER, BatchEvaluator
from supernet.device_memory import free_bytes
from supernet.supernet import SupernetModel, controls, supernet


def measure(run: Run) -> None:
    """A row for each size, the important ones first, until the time is up."""
    sizes = run.sizes
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", ALONE)
    choose_device(sizes.device)
    workload = sizes.workload()
    model = supernet(
        workload.space, channels=workload.channels, num_classes=workload.num_classes, dtype=compute_dtype()
    )
    params, _ = model.init(jax.random.key(0))
    run.report(most_in_the_package=MOST_TOGETHER, free_bytes=free_bytes(jax.local_devices()[0]))
    rows: list[dict[str, Any]] = []
    for size in sizes.populations:
        started = time.monotonic()
        rows.append(row(workload, model, params, size))
        run.report(sizes=rows)
        if run.left() < 1.2 * (time.monotonic() - started):
            console.say(f"no further size: {run.left():.0f} s are left")
            break
    show(rows)
    run.report(not_measured=list(sizes.populations[len(rows) :]))


def row(workload: Workload, model: SupernetModel, params: Any, size: int) -> dict[str, Any]:
    """Of populations of `size` subnets."""
    evaluator = BatchEvaluator(model, params, workload.evaluation_images(), CLASSIFICATION, most=size)
    members = workload.evaluated(size, 0)
    batch, started = controls(workload.space, members), time.perf_counter()
    together, program = evaluator.compiled(batch)
    compiling = time.perf_counter() - started
    memory = program.memory_analysis()
    same = workload.evaluated(1, 1)
    loss = float(evaluator(same, controls(workload.space, same), lambda: None)[0, 1])
    seconds = seconds_of(lambda: evaluator(members, batch, lambda: None), calls=1)
    return {
        "subnets": size,
        "in one program": together,
        "s to compile": round(compiling, 1),
        "s": seconds,
        "subnets/s": size / seconds,
        "MiB beside weights and images": (memory.temp_size_in_bytes + memory.output_size_in_bytes) / 2**20,
        "loss of the same subnet": loss,
    }
