"""Searches compared: how their hypervolumes grew, and what naming their batches took.

Hypervolume: the objectives are minimised and scaled so that the initial values of ALL searches span 0 to 1
(this changes no ratio of hypervolumes), and the reference point is 1.1 in each, 10% of the range beyond the
worst initial value. Its share is of the hypervolume of all that any of the searches evaluated: 1 is the best
front known, not the best there is. Letters: S searches (seeds), N evaluations, M objectives.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hytnas_jax.mobo import Problem, hypervolume, hypervolume_history
from hytnas_jax.mobo.loop import REFERENCE_MARGIN

COLORS = {"default": "#d62728", "original": "#1f77b4", "nsga2": "#000000", "random": "#808080"}
QUARTILES = {"lower": 0.25, "median": 0.5, "upper": 0.75}
BASELINE = "random"


@dataclasses.dataclass(frozen=True, eq=False)
class Trajectory:
    """A search: values [N, M] in the user's units, in the order of evaluation.

    suggestions: for each batch how many evaluations there were before, and the seconds by phase.
    """

    values: np.ndarray
    suggestions: list[tuple[int, Mapping[str, float]]]


@dataclasses.dataclass(frozen=True, eq=False)
class Volumes:
    """Hypervolumes, scaled as the module says.

    histories: strategy -> [S, N] after each evaluation; where a search ended early its last one holds.
    best: that of everything evaluated. reference: [M], the corner in the user's units.
    """

    histories: dict[str, np.ndarray]
    best: float
    reference: np.ndarray

    @property
    def shares(self) -> dict[str, np.ndarray]:
        """Strategy -> [S, N], the share of the best."""
        return {name: history / self.best for name, history in self.histories.items()}


def measure(
    problem: Problem, searches: Mapping[str, Sequence[Trajectory]], *, initial: int, evaluations: int
) -> Volumes:
    """The hypervolumes of searches that were to make `evaluations`, the first `initial` before any model."""
    runs = [trajectory for of_strategy in searches.values() for trajectory in of_strategy]
    first = problem.minimised(np.concatenate([trajectory.values[:initial] for trajectory in runs]))
    first = first[np.isfinite(first).all(axis=1)]
    low, span = first.min(axis=0), np.ptp(first, axis=0)
    span = np.where(span > 0.0, span, 1.0)
    reference = np.full(len(low), 1.0 + REFERENCE_MARGIN)

    def scaled(trajectory: Trajectory) -> np.ndarray:
        return (problem.minimised(trajectory.values) - low) / span

    def history(trajectory: Trajectory) -> np.ndarray:
        volumes = hypervolume_history(scaled(trajectory), ["min"] * len(low), reference)
        return np.pad(volumes, (0, evaluations - len(volumes)), mode="edge")

    return Volumes(
        {name: np.stack([history(t) for t in of_strategy]) for name, of_strategy in searches.items()},
        hypervolume(np.concatenate([scaled(trajectory) for trajectory in runs]), reference),
        problem.in_user_units(low + reference * span),
    )


def summarise(shares: Mapping[str, np.ndarray], *, initial: int) -> list[dict[str, Any]]:
    """A row for each strategy: median shares where the initial design ends, half way and at the end, there
    the quartiles too, how many seeds end above random search's, and the median number of evaluations until
    they are where that ends (None: not within the budget)."""
    end = shares[BASELINE][:, -1:]
    rows = []
    for name, share in shares.items():
        total = share.shape[1]
        lower, median, upper = np.quantile(share[:, -1], list(QUARTILES.values())).round(4).tolist()
        reached = share >= end
        to_baseline = float(np.median(np.where(reached.any(axis=1), 1.0 + reached.argmax(axis=1), np.inf)))
        rows.append(
            {
                "strategy": name,
                **{
                    f"after {n}": float(np.median(share[:, n - 1]).round(4))
                    for n in (initial, (initial + total) // 2)
                },
                f"after {total}": median,
                "lower": lower,
                "upper": upper,
                "seeds above random": int(np.sum(share[:, -1:] > end)),
                "evaluations to random's end": to_baseline if np.isfinite(to_baseline) else None,
            }
        )
    return rows


def overhead(runs: Sequence[Trajectory]) -> list[dict[str, Any]]:
    """Median seconds by phase that suggesting a batch took, for each number of evaluations before it."""
    seconds: dict[int, list[Mapping[str, float]]] = {}
    for trajectory in runs:
        for evaluations, phases in trajectory.suggestions:
            seconds.setdefault(evaluations, []).append({**phases, "sum": sum(phases.values())})
    return [
        {
            "evaluations": evaluations,
            **{p: round(float(np.median([s[p] for s in of_runs])), 3) for p in of_runs[0]},
        }
        for evaluations, of_runs in sorted(seconds.items())
    ]


def figure(shares: Mapping[str, np.ndarray], *, initial: int, title: str) -> Figure:
    """Median and quartiles of each strategy's shares, from the end of the initial design."""
    drawn = Figure(figsize=(7.5, 4.6), layout="constrained")
    panel = drawn.subplots()
    for name, share in shares.items():
        evaluations = np.arange(initial, share.shape[1] + 1)
        lower, median, upper = np.quantile(share[:, initial - 1 :], list(QUARTILES.values()), axis=0)
        panel.plot(evaluations, median, color=COLORS[name], label=name, linewidth=1.8)
        panel.fill_between(evaluations, lower, upper, color=COLORS[name], alpha=0.15, linewidth=0)
    panel.set_xlabel(f"networks evaluated; the first {initial} are the same for all")
    panel.set_ylabel("hypervolume, share of that of all searches together")
    panel.set_title(title, fontsize=10)
    panel.grid(alpha=0.3)
    panel.legend(loc="lower right", fontsize=9)
    return drawn
