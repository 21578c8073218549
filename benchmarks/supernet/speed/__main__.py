"""How fast our supernet trains and evaluates, beside the same supernet in PyTorch with sliced weights.

    pip install -e ".[benchmark]"
    python -m benchmarks.supernet.speed
    python -m benchmarks.supernet.speed --quick
    python -m benchmarks.supernet.speed --device gpu --batch 256 --subnets 64

The peer (`torch_supernet`, `torch_training`) is written as once-for-all and AutoFormer are. Both get the same
images, batches, architectures and start weights: on the processor in float32, with the threads that their
libraries take by themselves; on a GPU in bfloat16, and there the peer by `torch.compile` is a third side
(`--compiled-peer`: on the processor too). What that still compiles in the rounds is in their time.

First it is checked that both compute the same, in float32; then, in processes of their own one after the
other, how soon each has trained a first step (ours compiles before) and what memory of the host it takes;
then they, warmed up, train and evaluate alternately in this process, each waiting for the end of every step.
A ratio above 1 is in our favour. Last, what of the chip ours uses (`phases`) and, on a GPU,
how long its step waits for images (`input`).

Memory that was freed stays with the process, as in all our commands (`preparation.keep_memory`): the peer, in
the same process, has that too. The machine must have nothing else to do: it warns where it has.
"""

import contextlib
import dataclasses
import functools
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks.common import main, require_at_least, show
from benchmarks.supernet.speed import process
from benchmarks.supernet.speed.config import QUICK, Config, workload_of
from benchmarks.supernet.speed.device import choose_device, require_torch
from benchmarks.supernet.speed.rounds import COMPILED, INDUCTOR, SPEEDS, in_turn, in_turns, summarise
from benchmarks.supernet.speed.workload import Contender, Workload
from hytnas_jax import console
from hytnas_jax.runtime.environment import package_version
from hytnas_jax.shared_flags.settings import settings_of
from hytnas_jax.training.loop import CHECK_EVERY
from supernet.errors import UserError

IDLE = 0.5  # load average; --quick has given a ratio of 12.6 on a busy machine, 1.2 on an idle one
FIRST_CALLS = "s to the first step", "s to evaluate a first subnet"


def in_fresh_processes(config: Config, workload: Workload) -> dict[str, list[dict[str, float]]]:
    """Side -> what `process` measured, for each start; the sides take turns.

    Each start is made twice: ours then finds the programs that it compiled the first time.
    """
    measured: dict[str, list[dict[str, float]]] = {side: [] for side in config.sides}
    for number in range(config.starts):
        for side, name in in_turn(config.sides, number):
            with tempfile.TemporaryDirectory() as folder:
                first, second = (_fresh_process(name, workload, folder) for _ in range(2))
            again = {f"{what}, second start": second[what] for what in FIRST_CALLS}
            measured[side].append({**first, **again})
            console.say(f"a fresh process, {side}: {measured[side][-1]}")
    return measured


def _fresh_process(side: str, workload: Workload, cache: str) -> dict[str, float]:
    # This process has said where its programs are kept, for its children too: not for these.
    inherited = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    ended = subprocess.run(
        [sys.executable, "-m", process.__name__, side, repr(time.time())],
        input=pickle.dumps(workload),
        env={**inherited, "HYTNAS_JAX_CACHE": cache},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(ended.stdout.splitlines()[-1])


def result_name(config: Config) -> str:
    """What was tried quickly and what a GPU did have files of their own."""
    return config.name + "_quick" * config.quick + "_gpu" * (config.device == "gpu")


def benchmark(config: Config) -> dict[str, Any]:
    """Check that both compute the same, measure, and print the table."""
    if config.quick:
        config = dataclasses.replace(config, **QUICK)
    least = {"batch": 2, "random_subnets": 1, "validation_images": 1, "checked": 2}
    require_at_least(config, {**least, **dict.fromkeys(("rounds", "steps", "subnets", "starts"), 1)})
    if package_version("torch") is None:
        raise UserError('the peer needs PyTorch: pip install -e ".[benchmark]"')
    workload = workload_of(config)
    choose_device(config.device)
    require_torch(config.device, compiled=COMPILED in config.sides)
    load = os.getloadavg()[0]
    if load > IDLE:
        console.warn(
            f"other programs are computing (load average {load:.2f}): PyTorch may then slow down "
            "many times more than ours, and such ratios mean nothing"
        )
    measured = measure(config, workload)
    rows = summarise(measured["rounds"], measured["fresh_processes"])
    show(rows)
    return {
        "settings": settings_of(config, without=("name",)),
        "torch": package_version("torch"),
        "load_average_before": load,
        "summary": rows,
        **measured,
    }


def measure(config: Config, workload: Workload) -> dict[str, Any]:
    """All that is measured, for the JSON file.

    PyTorch is imported only here, so that a missing one is a message and no traceback.
    """
    import torch

    from benchmarks.supernet.speed.equality import check_equality, full_precision
    from benchmarks.supernet.speed.input import input_waits
    from benchmarks.supernet.speed.ours import Ours
    from benchmarks.supernet.speed.peer import Peer, compiling
    from benchmarks.supernet.speed.phases import phases

    ours = Ours(workload, exact=True)
    peer_of = functools.partial(Peer, workload, channels_last=config.channels_last, params=ours.params)
    peer = peer_of(exact=True)
    with full_precision() if config.device == "gpu" else contextlib.nullcontext():
        differences = check_equality(ours, peer, workload, num_architectures=config.checked)
    console.say(f"both compute the same: {differences}")
    starts = in_fresh_processes(config, workload)
    if config.device == "gpu":  # in bfloat16 from here on
        ours, peer = Ours(workload), peer_of()
    sides: dict[str, Contender] = {"ours": ours, "peer": peer}
    if COMPILED in config.sides:
        sides[COMPILED] = peer_of(compiled=INDUCTOR)
    rounds = in_turns(sides, workload, rounds=config.rounds, steps=config.steps, subnets=config.subnets)
    trained, evaluated = (float(np.median(rounds[speed]["ours"])) for speed in SPEEDS)
    return {
        "torch_threads": torch.get_num_threads(),
        "differences": differences,
        "fresh_processes": starts,
        "rounds": rounds,
        "torch_compile": compiling() if COMPILED in sides else None,
        "input": input_waits(workload, ours.model, ours.params, rounds=config.rounds, steps=CHECK_EVERY)
        if config.device == "gpu"
        else None,
        "phases": phases(
            workload, ours.model, ours.params, trained=trained, evaluated=evaluated, population=config.subnets
        ),
    }


if __name__ == "__main__":
    main(benchmark, Config, result_name=result_name)
