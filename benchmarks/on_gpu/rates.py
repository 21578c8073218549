"""What our training step and our evaluation reach of the chip, and what waiting for images costs.

*Needed*, *computed* and bytes are those of `benchmarks.supernet.speed.phases`. *Expected* is the arithmetic
of `benchmarks.scale.imagenet`: all subnets cost what the largest does, and so many times are its maps moved.
"""

import os
from typing import Any

import numpy as np

from benchmarks.on_gpu.ceilings import both, seconds_of
from benchmarks.on_gpu.record import Run
from benchmarks.on_gpu.sizes import Sizes
from benchmarks.scale.imagenet import counts
from benchmarks.supernet.speed.device import ALONE, choose_device
from benchmarks.supernet.speed.input import input_waits
from benchmarks.supernet.speed.ours import Ours
from benchmarks.supernet.speed.phases import TRAINING_PASSES, phases

DRAWN = 50  # sandwiches of which the largest network is counted
Ceilings = dict[str, float]


def measure(run: Run) -> None:
    """The ceilings, the step's time, the evaluation's, then what the programs compute."""
    sizes = run.sizes
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", ALONE)
    choose_device(sizes.device)
    ceilings = both(sizes)
    run.report(ceilings=ceilings)
    workload = sizes.workload()
    ours = Ours(workload)
    waits = input_waits(workload, ours.model, ours.params, rounds=sizes.rounds, steps=sizes.steps_in_a_row)
    seconds = waits["seconds of a step"]
    step = seconds["on the device"]
    expected = expected_of_a_step(sizes)
    run.report(
        input=waits,
        images_per_s={way: workload.batch / of for way, of in seconds.items()},
        expected={**expected, "shares of the measured ceilings": of_ceilings(expected, step, ceilings)},
    )
    members = workload.evaluated(sizes.subnets, 0)
    evaluating = seconds_of(lambda: ours.evaluate(members), calls=1)
    run.report(evaluated_subnets_per_s=len(members) / evaluating)
    found = phases(
        workload,
        ours.model,
        ours.params,
        trained=workload.batch / step,
        evaluated=len(members) / evaluating,
        population=len(members),
    )
    run.report(phases=with_measured_shares(found, ceilings["measured"]))


def expected_of_a_step(sizes: Sizes) -> dict[str, float]:
    """FLOP, and bytes that are moved, of a training step by arithmetic."""
    workload = sizes.workload()
    largest = [
        counts(workload.space.network_spec(workload.subnets(number)[0], num_classes=workload.num_classes))
        for number in range(DRAWN)
    ]
    images = workload.batch * len(workload.subnets(0))
    macs, moved = (float(np.mean([one[name] for one in largest])) for name in ("macs", "bytes_moved"))
    return {"FLOP": 2 * TRAINING_PASSES * images * macs, "bytes": images * moved}


def of_ceilings(expected: dict[str, float], seconds: float, ceilings: dict[str, Any]) -> dict[str, float]:
    """The shares of the ceilings that are reached if a step does what is expected of it."""
    measured = ceilings["measured"]
    return {
        "compute": expected["FLOP"] / seconds / measured["flops_per_s"],
        "bandwidth": expected["bytes"] / seconds / measured["bytes_per_s"],
    }


def with_measured_shares(found: dict[str, Any], measured: Ceilings) -> dict[str, Any]:
    """`phases`, whose shares are of the maker's ceilings, with those of the measured ones beside them."""
    limits = {"computed FLOP/s": measured["flops_per_s"], "bytes/s": measured["bytes_per_s"]}

    def shares(phase: dict[str, Any]) -> dict[str, float | None]:
        return {rate: phase[rate] and phase[rate] / limit for rate, limit in limits.items()}

    timed = {name for name, value in found.items() if isinstance(value, dict) and "seconds" in value}
    more = {name: {**found[name], "shares of the measured ceilings": shares(found[name])} for name in timed}
    return {**found, **more}
