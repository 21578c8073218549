"""The error that a network would have after training on its own, as an estimator for the search.

Letters: A architectures.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hytnas_jax.accuracy.combined import FEWEST, Combined
from hytnas_jax.accuracy.estimates import Estimates, Values, estimates_of
from hytnas_jax.accuracy.references import read_references
from hytnas_jax.numbers import counted
from hytnas_jax.workspace.project import Project
from proxies.base import Direction, Estimate, Estimator
from supernet.architecture import Architecture
from supernet.errors import UserError


class TrainedError(Estimator):
    """Estimator of the error rate in 0..1 after training: the combined estimate, with how unsure it is.

    Of a network that the study has trained the error is what came out. An estimate that is no number makes
    value and deviation NaN.
    """

    name = "trained_error"
    unit = ""
    direction: Direction = "min"
    has_std = True

    def __init__(
        self,
        combined: Combined,
        estimates: Callable[[Sequence[Architecture]], Values],
        trained: Mapping[Architecture, tuple[float, float]],
    ) -> None:
        """trained: error rates that are known and their standard deviations; where one is NaN, the error is
        taken for as unsure as the estimate."""
        self._combined, self._estimates, self._trained = combined, estimates, trained
        self.known = tuple(trained)

    def estimate(self, architectures: Sequence[Architecture]) -> Estimate:
        """Error rates [A], each with its deviation."""
        estimates = self._estimates(architectures)
        finite = np.all([np.isfinite(values) for values in estimates.values()], axis=0)
        errors, stds = np.full((2, len(architectures)), math.nan)
        if finite.any():
            kept = {name: values[finite] for name, values in estimates.items()}
            accuracy, stds[finite] = self._combined.predict(kept)
            errors[finite] = 1 - accuracy
        for place, architecture in enumerate(architectures):
            if architecture in self._trained:
                errors[place], std = self._trained[architecture]
                stds[place] = stds[place] if math.isnan(std) else std
        return Estimate(errors, stds)


def trained_error(project: Project) -> TrainedError:
    """The estimator of a work folder, fitted to the networks of its `study_ranking`.

    Raises:
      UserError: the study has not ended, or has trained too few networks.
    """
    references = read_references(project)
    if len(references.accuracy) < FEWEST:
        raise UserError(
            f"--objectives trained_error: study_ranking has trained "
            f"{counted(len(references.accuracy), 'network')}, "
            f"and {FEWEST} are needed; delete {project.workdir.path / 'references'} and run it with "
            "more --networks"
        )
    combined = Combined.fit(estimates_of(project, references.architectures), references.accuracy)
    unsure = np.full(len(references.accuracy), math.nan) if references.unsure is None else references.unsure
    known = zip((1 - references.accuracy).tolist(), unsure.tolist(), strict=True)
    return TrainedError(combined, Estimates(project), dict(zip(references.architectures, known, strict=True)))
