"""How fast our supernet trains and judges, beside the same supernet in eager PyTorch with sliced weights.

    pip install -e ".[benchmark]"
    python benchmarks/supernet_speed.py
    python benchmarks/supernet_speed.py --quick

The peer (`torch_supernet`, `torch_training`) is written as once-for-all and AutoFormer are. Both get the same
pictures, batches, architectures and start weights, in float32 on the processor, with the threads that their
libraries take by themselves. First it is checked that they compute the same; then, in processes of their own
one after the other, how soon each has trained a first step (ours compiles before) and what memory it takes;
then both, warmed up, train and judge alternately in this process. A ratio above 1 is in our favour.

Memory that was freed stays with the process, as in all our commands (`preparation.keep_memory`): the peer, in
the same process, has that too. The machine must have nothing else to do: it warns where it has.
"""

import dataclasses
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import save_result
from supernet_speed_workload import Contender, Workload

from hytnas_jax import console
from hytnas_jax.command import flags_of, require_at_least, run, settings_of
from hytnas_jax.environment import package_version
from hytnas_jax.judging import BATCH, NUM_CALIBRATION_BATCHES
from hytnas_jax.space_file import load_space
from supernet.errors import UserError

NUM_WARM_STEPS = 2
IDLE = 0.5  # load average; --quick has given a ratio of 12.6 on a busy machine, 1.2 on an idle one
SPEEDS = TRAINED, JUDGED = "training pictures/s", "judged subnets/s"
FIRST_CALLS = "s to the first step", "s to judge a first subnet"


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare our supernet's speed with that of a PyTorch one."""

    space: str = "hybrid"
    """The search space: a built-in name or a file."""
    resolution: int = 48
    """Side of the pictures in pixels; one that the space has."""
    batch: int = 64
    """Pictures in a training step."""
    random_subnets: int = 2
    """Random networks trained in each step, beside the largest and the smallest."""
    search_pictures: int = 512
    """Pictures that a subnet is judged by."""
    rounds: int = 8
    """How often each trains and judges, in turns."""
    steps: int = 4
    """Training steps in a round."""
    subnets: int = 16
    """Subnets judged in a round, as one population; never the same, but ours remembers what they share."""
    starts: int = 3
    """Fresh processes of each, for the first step and the memory."""
    checked: int = 8
    """Architectures whose outputs must be equal."""
    channels_last: bool = False
    """Give the peer its maps in PyTorch's channels-last order, not in the usual one."""
    quick: bool = False
    """See that it works: a small space and few of everything; overrules the flags of sizes and counts."""
    name: str = "supernet_speed"
    """Of the result's file."""

    @property
    def sides(self) -> tuple[str, str]:
        """The names that `supernet_speed_process` knows."""
        return "ours", "peer channels-last" if self.channels_last else "peer"


QUICK: dict[str, Any] = {
    "space": "hybrid-small", "resolution": 12, "batch": 16, "search_pictures": 64, "rounds": 3, "steps": 1,
    "subnets": 2, "starts": 1, "checked": 4, "name": "supernet_speed_quick",
}  # fmt: skip


def workload_of(config: Config) -> Workload:
    """What both are given. Raises UserError for what cannot be."""
    space = load_space(config.space)
    if config.resolution not in space.resolution:
        raise UserError(f"--resolution {config.resolution}: must be one of {list(space.resolution)}")
    batch = min(BATCH, config.search_pictures)
    if config.search_pictures % batch:
        raise UserError(f"--search-pictures {config.search_pictures}: must be a multiple of {batch}")
    return Workload(
        space=space.with_resolutions([config.resolution]),
        batch=config.batch,
        random_subnets=config.random_subnets,
        judging_batch=batch,
        calibration_batches=NUM_CALIBRATION_BATCHES,
        search_pictures=config.search_pictures,
    )


def in_fresh_processes(config: Config, workload: Workload) -> dict[str, list[dict[str, float]]]:
    """Side -> what `supernet_speed_process` measured, for each start; the sides take turns.

    Each start is made twice: ours then finds the programs that it compiled the first time.
    """
    measured: dict[str, list[dict[str, float]]] = {side: [] for side in ("ours", "peer")}
    for number in range(config.starts):
        for side, name in _in_turn(dict(zip(measured, config.sides, strict=True)), number):
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


def in_turns(
    sides: Mapping[str, Contender], config: Config, workload: Workload
) -> dict[str, dict[str, list[float]]]:
    """Quantity -> side -> its value in each round. Both do the same in a round; who is first alternates."""
    for side in sides.values():  # what is compiled, allocated or cached at first is so afterwards
        for number in range(NUM_WARM_STEPS):
            side.train(side.put(*workload.training_batch(number)), workload.subnets(number))
        side.judge(workload.judged(1, 0))
    measured: dict[str, dict[str, list[float]]] = {q: {name: [] for name in sides} for q in SPEEDS}
    with console.progress(range(config.rounds), "rounds") as bar:
        for number in bar:
            first = NUM_WARM_STEPS + number * config.steps
            steps = [
                (workload.training_batch(n), workload.subnets(n)) for n in range(first, first + config.steps)
            ]
            judged = workload.judged(config.subnets, number + 1)
            for name, side in _in_turn(sides, number):
                seconds = _seconds_of_training(side, steps)
                measured[TRAINED][name].append(config.steps * config.batch / seconds)
            for name, side in _in_turn(sides, number):
                started = time.perf_counter()
                side.judge(judged)
                measured[JUDGED][name].append(len(judged) / (time.perf_counter() - started))
    return measured


def summarise(
    speeds: Mapping[str, Mapping[str, Sequence[float]]], starts: Mapping[str, Sequence[Mapping[str, float]]]
) -> list[dict[str, Any]]:
    """A row for each quantity: both medians, and the ratios' median and spread; above 1 is in our favour."""
    rows = [_row(q, of, np.divide(of["ours"], of["peer"])) for q, of in speeds.items()]
    for quantity in starts["ours"][0]:
        of = {side: [start[quantity] for start in many] for side, many in starts.items()}
        rows.append(_row(quantity, of, np.divide(of["peer"], of["ours"])))
    return rows


def main(config: Config) -> None:
    """Check, measure, print the table and write the JSON file."""
    command = f"python benchmarks/supernet_speed.py {flags_of(config)}".strip()
    if config.quick:
        config = dataclasses.replace(config, **QUICK)
    least = {"batch": 2, "random_subnets": 1, "search_pictures": 1, "checked": 2}
    require_at_least(config, {**least, **dict.fromkeys(("rounds", "steps", "subnets", "starts"), 1)})
    if package_version("torch") is None:
        raise UserError('the peer needs PyTorch: pip install -e ".[benchmark]"')
    workload = workload_of(config)
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
    save_result(config.name, data)


def measure(config: Config, workload: Workload) -> dict[str, Any]:
    """All that is measured, for the JSON file.

    PyTorch is imported only here, so that a missing one is a message and no traceback.
    """
    import torch
    from supernet_speed_equality import check_equality
    from supernet_speed_ours import Ours
    from supernet_speed_peer import Peer

    ours = Ours(workload)
    peer = Peer(workload, channels_last=config.channels_last, params=ours.params)
    differences = check_equality(ours, peer, workload, num_architectures=config.checked)
    console.say(f"both compute the same: {differences}")
    starts = in_fresh_processes(config, workload)
    return {
        "torch_threads": torch.get_num_threads(),
        "differences": differences,
        "fresh_processes": starts,
        "rounds": in_turns({"ours": ours, "peer": peer}, config, workload),
    }


def _in_turn(sides: Mapping[str, Any], number: int) -> list[tuple[str, Any]]:
    """The sides, the other way round in every second round."""
    items = list(sides.items())
    return items[::-1] if number % 2 else items


def _seconds_of_training(side: Contender, steps: Sequence[tuple[Any, Any]]) -> float:
    batches = [side.put(*batch) for batch, _ in steps]
    started = time.perf_counter()
    for batch, (_, subnets) in zip(batches, steps, strict=True):
        side.train(batch, subnets)
    return time.perf_counter() - started


def _row(quantity: str, values: Mapping[str, Sequence[float]], ratios: np.ndarray) -> dict[str, Any]:
    medians = {side: round(float(np.median(of_side)), 3) for side, of_side in values.items()}
    quantiles = np.quantile(ratios, [0.5, 0.25, 0.75, 0, 1]).round(3).tolist()
    names = ("ratio", "lower quartile", "upper quartile", "least", "most")
    return {"quantity": quantity, **medians, **dict(zip(names, quantiles, strict=True))}


if __name__ == "__main__":
    run(main, Config)
