"""Our supernet beside the PyTorch peer of `benchmarks.supernet.speed`, in turns in one process.

Eagerly, in PyTorch's usual order of a map and in its channels-last order; and by `torch.compile`, in a part
of its own, since that may compile for minutes. On a GPU all compute in bfloat16.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.common import show
from benchmarks.on_gpu.record import Run
from benchmarks.supernet.speed.device import choose_device, require_torch
from benchmarks.supernet.speed.rounds import EVALUATED, INDUCTOR, TRAINED, Measured, turns, warm_up
from benchmarks.supernet.speed.workload import Workload
from hytnas_jax import console

OURS = "ours"
TARGETS = {TRAINED: 2.0, EVALUATED: 5.0}  # times the fastest peer
LAST = {"channels_last": True}


def eager(run: Run) -> None:
    """Ours beside the eager peer, in both orders of a map."""
    _measure(run, {"peer": {}, "peer channels-last": LAST}, compiled=False)


def compiled(run: Run) -> None:
    """Ours beside the compiled peer and the eager one.

    One order of a map only: PyTorch's limit of variants of a kind of block is one for the whole process.
    """
    by_compiler = {"compiled": run.sizes.backend, **LAST}
    _measure(run, {"peer channels-last": LAST, "peer compiled channels-last": by_compiler}, compiled=True)


def _measure(run: Run, peers: Mapping[str, Mapping[str, Any]], *, compiled: bool) -> None:
    """Rounds until the time is up; the file has all that were made."""
    sizes = run.sizes
    choose_device(sizes.device)
    require_torch(sizes.device, compiled=compiled and sizes.backend == INDUCTOR)
    from benchmarks.supernet.speed.ours import Ours
    from benchmarks.supernet.speed.peer import Peer, compiling

    workload = sizes.workload()
    ours = Ours(workload)
    sides: dict[str, Any] = {
        OURS: ours,
        **{name: Peer(workload, params=ours.params, **options) for name, options in peers.items()},
    }
    run.report(targets={f"{quantity}, times the fastest peer": of for quantity, of in TARGETS.items()})
    warm = _warm(run, sides, workload)
    endless = turns(warm, workload, steps=sizes.steps, subnets=sizes.subnets)
    for _ in range(sizes.rounds):
        started = time.monotonic()
        measured = next(endless)
        run.report(rounds=measured, summary=summary(measured))
        if compiled:
            run.report(torch_compile=compiling())
        if run.left() < 1.2 * (time.monotonic() - started):
            console.say(f"no further round: {run.left():.0f} s are left")
            break
    show(summary(measured))


def _warm(run: Run, sides: Mapping[str, Any], workload: Workload) -> dict[str, Any]:
    """The sides that work, warmed up. One that the compiler fails at is left out, and the file says so.

    Raises RuntimeError where no peer is left, or ours does not work.
    """
    warm, seconds, failed = dict[str, Any](), dict[str, float](), dict[str, str]()
    for name, side in sides.items():
        started = time.perf_counter()
        try:
            warm_up(side, workload)
        except Exception as error:
            if name == OURS:
                raise
            failed[name] = f"{type(error).__name__}: {error}"[:1000]
            console.warn(f"{name} is left out: {failed[name].splitlines()[0]}")
        else:
            warm[name], seconds[name] = side, time.perf_counter() - started
            console.say(f"{name}: warm after {seconds[name]:.1f} s")
        run.report(seconds_to_warm_up=seconds, failed=failed)
    if len(warm) < 2:
        raise RuntimeError(f"no peer works: {failed}")
    return warm


def summary(measured: Measured) -> list[dict[str, Any]]:
    """Medians of each side, and ours as a ratio of the fastest peer: median, quartiles, target."""
    rows = []
    for quantity, of in measured.items():
        medians = {side: float(np.median(of_side)) for side, of_side in of.items()}
        fastest = max((side for side in of if side != OURS), key=medians.__getitem__)
        ratios = np.divide(of[OURS], of[fastest])
        rows.append(
            {
                "quantity": quantity,
                **{side: round(median, 3) for side, median in medians.items()},
                "fastest peer": fastest,
                **_quartiles(ratios.tolist()),
                "target": TARGETS[quantity],
                "reached": bool(np.median(ratios) >= TARGETS[quantity]),
                "rounds": len(ratios),
            }
        )
    return rows


def _quartiles(ratios: Sequence[float]) -> dict[str, float]:
    names = ("ratio", "lower quartile", "upper quartile")
    return dict(zip(names, np.quantile(ratios, [0.5, 0.25, 0.75]).round(3).tolist(), strict=True))
