"""Training and evaluating in turns, and the table of what came out."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.supernet.speed.workload import Contender, Workload
from hytnas_jax import console

NUM_WARM_STEPS = 2
SPEEDS = TRAINED, EVALUATED = "training images/s", "evaluated subnets/s"
COMPILED, INDUCTOR = "peer compiled", "inductor"  # the side, and PyTorch's usual backend
Measured = dict[str, dict[str, list[float]]]  # quantity -> side -> its value in each round


def in_turns(
    sides: Mapping[str, Contender], workload: Workload, *, rounds: int, steps: int, subnets: int
) -> Measured:
    """What `turns` gives after so many rounds, the sides warmed up before."""
    for side in sides.values():
        warm_up(side, workload)
    measured, endless = Measured(), turns(sides, workload, steps=steps, subnets=subnets)
    with console.progress(range(rounds), "rounds") as bar:
        for _ in bar:
            measured = next(endless)
    return measured


def warm_up(side: Contender, workload: Workload) -> None:
    """What is compiled, allocated or cached at first is so afterwards."""
    for number in range(NUM_WARM_STEPS):
        side.train(side.put(*workload.training_batch(number)), workload.subnets(number))
    side.evaluate(workload.evaluated(1, 0))


def turns(
    sides: Mapping[str, Contender], workload: Workload, *, steps: int, subnets: int
) -> Iterator[Measured]:
    """After each round all that was measured so far, without end.

    All do the same in a round; who is first alternates.
    """
    measured: Measured = {quantity: {name: [] for name in sides} for quantity in SPEEDS}
    for number in itertools.count():
        first = NUM_WARM_STEPS + number * steps
        trained = [(workload.training_batch(n), workload.subnets(n)) for n in range(first, first + steps)]
        evaluated = workload.evaluated(subnets, number + 1)
        for name, side in in_turn(sides, number):
            seconds = _seconds_of_training(side, trained)
            measured[TRAINED][name].append(steps * workload.batch / seconds)
        for name, side in in_turn(sides, number):
            started = time.perf_counter()
            side.evaluate(evaluated)
            measured[EVALUATED][name].append(len(evaluated) / (time.perf_counter() - started))
        yield measured


def summarise(
    speeds: Mapping[str, Mapping[str, Sequence[float]]], starts: Mapping[str, Sequence[Mapping[str, float]]]
) -> list[dict[str, Any]]:
    """A row for each quantity: the medians, and the ratios' median and spread; above 1 is in our favour.

    The ratios are to the eager peer; of those to the compiled one, where there is one, there is the median.
    """
    rows = [_row(q, of, lambda ours, peer: np.divide(ours, peer)) for q, of in speeds.items()]
    for quantity in starts["ours"][0]:
        of = {side: [start[quantity] for start in many] for side, many in starts.items()}
        rows.append(_row(quantity, of, lambda ours, peer: np.divide(peer, ours)))
    return rows


def in_turn(sides: Mapping[str, Any], number: int) -> list[tuple[str, Any]]:
    """The sides, the other way round in every second round."""
    items = list(sides.items())
    return items[::-1] if number % 2 else items


def _seconds_of_training(side: Contender, steps: Sequence[tuple[Any, Any]]) -> float:
    batches = [side.put(*batch) for batch, _ in steps]
    started = time.perf_counter()
    for batch, (_, subnets) in zip(batches, steps, strict=True):
        side.train(batch, subnets)
    return time.perf_counter() - started


def _row(
    quantity: str, values: Mapping[str, Sequence[float]], ratios_of: Callable[..., np.ndarray]
) -> dict[str, Any]:
    medians = {side: round(float(np.median(of_side)), 3) for side, of_side in values.items()}
    ratios = ratios_of(values["ours"], values["peer"])
    quantiles = np.quantile(ratios, [0.5, 0.25, 0.75, 0, 1]).round(3).tolist()
    names = ("ratio", "lower quartile", "upper quartile", "least", "most")
    row = {"quantity": quantity, **medians, **dict(zip(names, quantiles, strict=True))}
    if COMPILED in values:
        to_compiled = np.median(ratios_of(values["ours"], values[COMPILED]))
        row["ratio to compiled"] = round(float(to_compiled), 3)
    return row
