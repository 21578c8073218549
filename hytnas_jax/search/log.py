"""The table of evaluated architectures, `evaluations.csv`: a batch's rows are on the disk before
the next batch begins.

Letters: N evaluations, G genes, M objectives.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hytnas_jax.files.atomic import CsvLog
from hytnas_jax.files.tables import number_in
from hytnas_jax.mobo import Observations, Problem
from hytnas_jax.mobo.problem import LARGEST, usable
from hytnas_jax.workspace import architecture_row
from supernet.errors import UserError
from supernet.row_keys import row_keys
from supernet.search_space import SearchSpace


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """One row.

    genes: int [G], canonical. values: float64 [M] in the user's units; NaN where it failed.
    unsure: float64 [M], the standard deviation of each value; 0 where it is what was measured.
    phase: "initial" (drawn before anything was known), "model" (suggested) or "random" (the baseline).
    loss: mean cross-entropy in nats; NaN where no error was evaluated.
    mean, std: float64 [M], what was expected when it was suggested; NaN where nothing was.
    seconds: of its batch's evaluation, shared alike.
    """

    genes: np.ndarray
    values: np.ndarray
    unsure: np.ndarray
    phase: str
    loss: float
    mean: np.ndarray
    std: np.ndarray
    seconds: float

    @property
    def key(self) -> bytes:
        """Equal for equal architectures."""
        return row_keys(self.genes[None])[0]


class EvaluationLog:
    """A CSV file of evaluations, in order, and the same in memory."""

    def __init__(self, path: Path, space: SearchSpace, problem: Problem) -> None:
        """Open or start the file. Raises UserError where it is another search's, or a row is damaged."""
        self.path = path
        self._space = space
        self._problem = problem
        self._names = [objective.name for objective in problem.objectives]
        self._modelled = [m for m, o in enumerate(problem.objectives) if o.known is None]
        expected = [
            f"{self._names[m]}_{what}" for m in self._modelled for what in ("predicted", "predicted_std")
        ]
        self._estimated = [m for m, objective in enumerate(problem.objectives) if objective.is_estimated]
        unsure = [f"{self._names[m]}_std" for m in self._estimated]
        name, *genes = architecture_row.columns(space)
        columns = ("index", name, "phase", *genes, *self._names, *unsure, "loss", *expected, "seconds")
        self._file = CsvLog(path, columns)
        self._evaluations = [self._parse(n, row) for n, row in enumerate(self._file.rows())]

    def __len__(self) -> int:
        return len(self._evaluations)

    def append(self, evaluation: Evaluation) -> None:
        """Add a row; it is on the disk when this returns."""
        self._file.append(self._to_row(len(self), evaluation))
        self._evaluations.append(evaluation)

    def recompute(self) -> None:
        """Compute what is known anew, here and in the file, after a predictor has changed."""
        values = self.values
        for m, objective in enumerate(self._problem.objectives):
            if objective.known is not None and len(self):
                values[:, m] = usable(objective.known(self.genes))
        if np.array_equal(values, self.values, equal_nan=True):
            return
        self._evaluations = [
            dataclasses.replace(evaluation, values=row)
            for evaluation, row in zip(self._evaluations, values, strict=True)
        ]
        self._file.replace([self._to_row(*numbered) for numbered in enumerate(self._evaluations)])

    def _to_row(self, index: int, evaluation: Evaluation) -> dict[str, object]:
        row: dict[str, object] = {
            "index": index,
            "phase": evaluation.phase,
            **architecture_row.to_cells(self._space, self._space.decode(evaluation.genes)),
            **dict(zip(self._names, evaluation.values.tolist(), strict=True)),
            "loss": none_if_nan(evaluation.loss),
            "seconds": round(evaluation.seconds, 3),
        }
        for m in self._estimated:
            row[f"{self._names[m]}_std"] = none_if_nan(evaluation.unsure[m])
        for m in self._modelled:
            row[f"{self._names[m]}_predicted"] = none_if_nan(evaluation.mean[m])
            row[f"{self._names[m]}_predicted_std"] = none_if_nan(evaluation.std[m])
        return row

    @property
    def genes(self) -> np.ndarray:
        """int64 [N, G]."""
        codes = [evaluation.genes for evaluation in self._evaluations]
        return np.array(codes, np.int64).reshape(-1, len(self._space.genes))

    @property
    def values(self) -> np.ndarray:
        """float64 [N, M] in the user's units; NaN where an evaluation failed."""
        return np.array([e.values for e in self._evaluations], np.float64).reshape(-1, len(self._names))

    @property
    def phases(self) -> np.ndarray:
        """The phase of each, str [N]."""
        return np.array([evaluation.phase for evaluation in self._evaluations], np.str_)

    def observations(self, count: int) -> Observations:
        """The first `count` evaluations, for `mobo.suggest`."""
        unsure = np.array([e.unsure for e in self._evaluations], np.float64).reshape(-1, len(self._names))
        return Observations(self.genes[:count], self.values[:count], unsure[:count])

    def by_key(self) -> dict[bytes, Evaluation]:
        """Every evaluation by its `key`."""
        return {evaluation.key: evaluation for evaluation in self._evaluations}

    def at(self, index: int) -> Evaluation:
        """The evaluation of a row."""
        return self._evaluations[index]

    def _parse(self, number: int, row: Mapping[str, str]) -> Evaluation:
        try:
            genes = architecture_row.from_cells(self._space, row).genes
            if row["index"] != str(number):
                raise ValueError(f"index is {row['index']!r}, not {number}: a row is missing")
            mean = np.full(len(self._names), math.nan)
            std = mean.copy()
            for m in self._modelled:
                mean[m] = number_in(row, f"{self._names[m]}_predicted", may_fail=True)
                std[m] = number_in(row, f"{self._names[m]}_predicted_std", may_fail=True)
            values = np.array(
                [
                    _checked(number_in(row, o.name, may_fail=True), o.name, is_share=o.is_share)
                    for o in self._problem.objectives
                ]
            )
            unsure = np.zeros(len(self._names))
            for m in self._estimated:
                unsure[m] = number_in(row, f"{self._names[m]}_std", may_fail=True)
            loss = number_in(row, "loss", may_fail=True)
            seconds = number_in(row, "seconds")
            code = np.array(genes, np.int64)
            return Evaluation(code, values, unsure, row["phase"], loss, mean, std, seconds)
        except ValueError as error:
            raise UserError(
                f"{self.path}, line {number + 2}: {error}; delete this line and those after it, and the "
                "same command evaluates them again"
            ) from None


def none_if_nan(value: float) -> float | None:
    """For a table's cell and for JSON, which has no NaN."""
    return None if math.isnan(value) else float(value)


def _checked(value: float, name: str, *, is_share: bool) -> float:
    """A value that an evaluation can have come to, or NaN. Raises ValueError for any other."""
    if is_share and not (math.isnan(value) or 0 <= value <= 1):
        raise ValueError(f"{name} is {value:g}, not between 0 and 1")
    if abs(value) > LARGEST:
        raise ValueError(f"{name} is {value:g}, beyond {LARGEST:g}")
    return value
