"""How fast our supernet trains and evaluates, beside the same supernet in PyTorch with sliced weights.

    pip install -e ".[benchmark]"
    python benchmarks/supernet_speed.py
    python benchmarks/supernet_speed.py --quick
    python benchmarks/supernet_speed.py --device gpu --batch 256 --subnets 64

The peer (`torch_supernet`, `torch_training`) is written as once-for-all and AutoFormer are. Both get the same
images, batches, architectures and start weights: on the processor in float32, with the threads that their
libraries take by themselves; on a GPU in bfloat16, and there the peer by `torch.compile` is a third side
(`--compiled-peer`: on the processor too). What that still compiles in the rounds is in their time.

First it is checked that both compute the same, in float32; then, in processes of their own one after the
other, how soon each has trained a first step (ours compiles before) and what memory of the host it takes;
then they, warmed up, train and evaluate alternately in this process, each waiting for the end of every step.
A ratio above 1 is in our favour. Last, what of the chip ours uses (`supernet_speed_phases`) and, on a GPU,
how long its step waits for images (`supernet_speed_input`).

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
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.common import require_at_least, save_result
from benchmarks.supernet.speed.device import Device, choose_device, require_torch
from benchmarks.supernet.speed.rounds import COMPILED, SPEEDS, in_turn, in_turns, summarise
from benchmarks.supernet.speed.workload import Contender, Workload

from hytnas_jax import console
from hytnas_jax.flags.settings import flags_of, settings_of
from hytnas_jax.runtime.command_line import run
from hytnas_jax.runtime.environment import package_version
from hytnas_jax.training.evaluation_images import BATCH, NUM_CALIBRATION_BATCHES
from hytnas_jax.training.loop import CHECK_EVERY
from hytnas_jax.workspace.space_file import load_space
from supernet.errors import UserError

IDLE = 0.5  # load average; --quick has given a ratio of 12.6 on a busy machine, 1.2 on an idle one
FIRST_CALLS = "s to the first step", "s to evaluate a first subnet"


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare our supernet's speed with that of a PyTorch one."""

    space: str = "hybrid"
    """The search space: a built-in name or a file."""
    resolution: int = 48
    """Side of the images in pixels; one that the space has."""
    batch: int = 64
    """Images in a training step."""
    random_subnets: int = 2
    """Random networks trained in each step, beside the largest and the smallest."""
    validation_images: int = 512
    """Images that a subnet is evaluated by."""
    rounds: int = 8
    """How often each trains and evaluates, in turns."""
    steps: int = 4
    """Training steps in a round."""
    subnets: int = 16
    """Subnets evaluated in a round, as one population; never the same, but ours remembers what they share."""
    starts: int = 3
    """Fresh processes of each, for the first step and the memory."""
    checked: int = 8
    """Architectures whose outputs must be equal."""
    device: Device = "cpu"
    """Where both run; the results of a GPU have a file of their own, named _gpu."""
    compiled_peer: bool = False
    """Compare with the peer by torch.compile too; on a GPU that is always done. It compiles for minutes."""
    channels_last: bool = False
    """Give the peer its maps in PyTorch's channels-last order, not in the usual one."""
    quick: bool = False
    """See that it works: a small space and few of everything; overrules the flags of sizes and counts."""
    name: str = "supernet_speed"
    """Of the result's file."""

    @property
    def sides(self) -> dict[str, str]:
        """Side -> the name that `supernet_speed_process` knows it by."""
        peers = ("peer", COMPILED) if self.compiled_peer or self.device == "gpu" else ("peer",)
        return {"ours": "ours", **{p: f"{p} channels-last" if self.channels_last else p for p in peers}}


QUICK: dict[str, Any] = {
    "space": "hybrid-small", "resolution": 12, "batch": 16, "validation_images": 64, "rounds": 3, "steps": 1,
    "subnets": 2, "starts": 1, "checked": 4, "name": "supernet_speed_quick",
}  # fmt: skip


def workload_of(config: Config) -> Workload:
    """What both are given. Raises UserError for what cannot be."""
    space = load_space(config.space)
    if config.resolution not in space.resolution:
        raise UserError(f"--resolution {config.resolution}: must be one of {list(space.resolution)}")
    batch = min(BATCH, config.validation_images)
    if config.validation_images % batch:
        raise UserError(f"--search-images {config.validation_images}: must be a multiple of {batch}")
    return Workload(
        space=space.with_resolutions([config.resolution]),
        batch=config.batch,
        random_subnets=config.random_subnets,
        evaluation_batch=batch,
        calibration_batches=NUM_CALIBRATION_BATCHES,
        validation_images=config.validation_images,
        device=config.device,
    )


def in_fresh_processes(config: Config, workload: Workload) -> dict[str, list[dict[str, float]]]:
    """Side -> what `supernet_speed_process` measured, for each start; the sides take turns.

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
    script = Path(__file__).with_name("supernet_speed_process.py")
    # This process has said where its programs are kept, for its children too: not for these.
    inherited = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    ended = subprocess.run(
        [sys.executable, script, side, repr(time.time())],
        input=pickle.dumps(workload),
        env={**inherited, "HYTNAS_JAX_CACHE": cache},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(ended.stdout.splitlines()[-1])


def main(config: Config) -> None:
    """Check, measure, print the table and write the JSON file."""
    command = f"python benchmarks/supernet_speed.py {flags_of(config)}".strip()
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
    console.table([tuple(row.values()) for row in rows], tuple(rows[0]))
    data = {
        "command": command,
        "settings": settings_of(config),
        "torch": package_version("torch"),
        "load_average_before": load,
        "summary": rows,
        **measured,
    }
    save_result(config.name if config.device == "cpu" else f"{config.name}_gpu", data)


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
        sides[COMPILED] = peer_of(compiled=True)
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
    run(main, Config)
