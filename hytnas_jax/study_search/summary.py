"""A study in numbers: for each problem and strategy how far its searches came, how soon, and at what cost.

Letters: S runs (seeds), N evaluations of each. Ratio: the share of the front's hypervolume (see `ratio`).
"""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from hytnas_jax.study_search.folder import Run

THRESHOLDS = (90, 95, 99)  # per cent of the front's hypervolume


@dataclasses.dataclass(frozen=True)
class SummaryRow:
    """What the runs of one strategy came to.

    lower, median, upper: quartiles of the ratio at the end.
    auc_regret: 100 (1 - mean ratio after the evaluations that were not initial), mean over the runs.
    final_regret: 100 (1 - ratio at the end), mean over the runs.
    evaluations_to: per cent of the ratio -> median number of evaluations until it was reached; None where
        the median run did not reach it.
    seconds: for each evaluation that was suggested, median.
    """

    strategy: str
    runs: int
    lower: float
    median: float
    upper: float
    auc_regret: float
    final_regret: float
    evaluations_to: dict[int, float | None]
    seconds: float


def summarise(runs: Sequence[Run], *, initial: int) -> dict[str, list[SummaryRow]]:
    """Problem -> a row for each strategy, the smallest AUC-regret first."""
    return {
        problem: _rows(group, initial=initial)
        for problem, group in itertools.groupby(runs, key=lambda run: run.job.problem)
    }


def summarise_all(runs: Sequence[Run], *, initial: int) -> list[SummaryRow]:
    """The runs of all problems together; only strategies that were run on every problem."""
    problems = {run.job.problem for run in runs}
    seen = {(run.job.problem, run.job.strategy) for run in runs}
    everywhere = [run for run in runs if all((p, run.job.strategy) in seen for p in problems)]
    return _rows(everywhere, initial=initial)


def _rows(runs: Iterable[Run], *, initial: int) -> list[SummaryRow]:
    ordered = sorted(runs, key=lambda run: run.job.strategy)
    rows = [
        _row(strategy, list(group), initial)
        for strategy, group in itertools.groupby(ordered, key=lambda run: run.job.strategy)
    ]
    return sorted(rows, key=lambda row: row.auc_regret)


def _row(strategy: str, runs: Sequence[Run], initial: int) -> SummaryRow:
    ratios = np.stack([run.hypervolume_ratios for run in runs])
    lower, median, upper = np.quantile(ratios[:, -1], (0.25, 0.5, 0.75)).tolist()
    return SummaryRow(
        strategy=strategy,
        runs=len(runs),
        lower=lower,
        median=median,
        upper=upper,
        auc_regret=float(100.0 * (1.0 - ratios[:, initial:].mean())),
        final_regret=float(100.0 * (1.0 - ratios[:, -1].mean())),
        evaluations_to={percent: _evaluations_to(ratios, percent) for percent in THRESHOLDS},
        seconds=float(np.median(np.stack([run.seconds[initial:] for run in runs]))),
    )


def _evaluations_to(ratios: np.ndarray, percent: int) -> float | None:
    """Median over the runs of ratios [S, N] of the first evaluation from which the ratio is reached."""
    reached = ratios >= percent / 100.0
    first = np.where(reached.any(axis=1), 1.0 + reached.argmax(axis=1), np.inf)
    median = float(np.median(first))
    return median if np.isfinite(median) else None
