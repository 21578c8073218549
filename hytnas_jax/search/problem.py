"""The objectives of a search: the estimates that `objective_names` lists, as functions of genes.

A known objective is exact for any genes at once, so that it can be a limit; an evaluated one takes long
enough for the search to model it. Letters: N codes, G genes, M objectives, F features.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hytnas_jax.accuracy.blended import blended_error
from hytnas_jax.accuracy.trained_error import trained_error
from hytnas_jax.latency.devices import device_step
from hytnas_jax.latency.measurements import load_predictor
from hytnas_jax.mobo import Bound, Limit, Objective, Problem
from hytnas_jax.mobo.problem import GeneFunction, usable
from hytnas_jax.search.cached_estimator import CachedEstimator
from hytnas_jax.shared_flags.device_names import QUANTITIES, split_objective
from hytnas_jax.shared_flags.limits import LATENCY
from hytnas_jax.shared_flags.objective_names import ERRORS, FEATURES, check_names
from hytnas_jax.training.supernet import supernet_error
from hytnas_jax.workspace.project import Project
from hytnas_jax.workspace.workdir import Step
from proxies.base import Estimator
from proxies.complexity import (
    model_bytes,
    model_bytes_int8,
    num_macs,
    num_parameters,
    peak_memory_bytes,
    peak_memory_bytes_int8,
)
from proxies.energy import EnergyEstimator
from proxies.latency.predictor import LatencyEstimator, LatencyPredictor
from proxies.zen_score import ZenScore
from supernet.encoding import to_features
from supernet.search_space import SearchSpace


def measured_step(project: Project, name: str) -> Step | None:
    """The step whose predictor the objective `name` is; None where it is of no device."""
    found = split_objective(name)
    if found is not None:
        return device_step(project.workdir, found[1])
    return project.workdir.step("latency") if name == LATENCY else None


def measured_estimator(project: Project, name: str) -> LatencyEstimator | None:
    """The predicted latency or energy that the objective `name` is; None where it is of no device.

    Raises UserError where its step has not ended, or the device's energy has not been measured.
    """
    step = measured_step(project, name)
    if step is None:
        return None
    unit, file = QUANTITIES[name.partition("@")[0]]
    return LatencyEstimator(load_predictor(step, file), project.to_spec, name, unit)


KNOWN: dict[str, Callable[[Project], Estimator]] = {
    "parameters": lambda project: num_parameters(project.to_spec),
    "macs": lambda project: num_macs(project.to_spec),
    "peak_memory": lambda project: peak_memory_bytes(project.to_spec),
    "peak_memory_int8": lambda project: peak_memory_bytes_int8(project.to_spec),
    "model_bytes": lambda project: model_bytes(project.to_spec),
    "model_bytes_int8": lambda project: model_bytes_int8(project.to_spec),
    "energy_estimate": lambda project: EnergyEstimator(project.to_spec),
}
EVALUATED: dict[str, Callable[[Project], Estimator]] = {
    "error": supernet_error,
    "blended_error": blended_error,
    "trained_error": trained_error,
    "zen_score": lambda project: ZenScore(project.space, channels=project.channels),
}


class Values(NamedTuple):
    """Of evaluated codes: objectives and their standard deviations, float64 [N, M]; the mean cross-entropy in
    nats [N], NaN where no error is an objective."""

    values: np.ndarray
    std: np.ndarray
    loss: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class SearchProblem:
    """A search problem with the means to evaluate what is not known of it.

    estimators: one for each evaluated objective, by name. measured: predicted latencies and energies that
    play a part, by name. trained: int [K, G], networks whose value of an objective is known beforehand.
    """

    problem: Problem
    space: SearchSpace
    estimators: Mapping[str, Estimator]
    measured: Mapping[str, CachedEstimator[LatencyEstimator]]
    trained: np.ndarray

    def evaluate(self, genes: np.ndarray) -> Values:
        """Of codes [N, G], in one call of each estimator.

        A value that is not `usable` is NaN: the evaluation has failed.
        """
        architectures = self.space.decode_all(genes)
        values, std = np.zeros((2, len(genes), len(self.problem.objectives)))
        loss = np.full(len(genes), np.nan)
        for m, objective in enumerate(self.problem.objectives):
            if objective.known is not None:
                values[:, m] = objective.known(genes)
                continue
            found = self.estimators[objective.name].estimate(architectures)
            values[:, m], loss = found.values, found.details.get("loss", loss)
            if found.std is not None:
                std[:, m] = found.std
        return Values(usable(values), std, loss)

    def is_extrapolated(self, genes: np.ndarray) -> np.ndarray:
        """bool [N]: codes of which a latency or energy lies outside what its predictor was fitted on."""
        if not self.measured or len(genes) == 0:
            return np.zeros(len(genes), bool)
        estimators = [known.estimator for known in self.measured.values()]
        features = estimators[0].features(self.space.decode_all(genes))  # all predict from the same
        return np.any([estimator.predictor.outside(features) for estimator in estimators], axis=0)

    @property
    def predictor(self) -> LatencyPredictor:
        """What latency_ms of this machine is predicted by. Raises KeyError where it plays no part."""
        return self.measured[LATENCY].estimator.predictor

    def change_predictor(self, predictor: LatencyPredictor) -> None:
        """From now on latency_ms of this machine is what `predictor` says, of what was asked before too."""
        latency = self.measured[LATENCY]
        latency.change(dataclasses.replace(latency.estimator, predictor=predictor))


def make_search_problem(
    project: Project, objectives: Sequence[str], *, limits: Mapping[str, float], features: str
) -> SearchProblem:
    """The search problem of a work folder.

    Args:
      objectives: two to four names.
      limits: name -> the most it may be; of those that are evaluated, only objectives.
      features: a name in `FEATURES`.

    Raises:
      UserError: an unknown name, or a step that an objective needs has not ended.
    """
    check_names(objectives, features)
    space = project.space
    used = {*objectives, *limits, *FEATURES[features]}
    measured = {
        name: CachedEstimator(space, estimator)
        for name in (*objectives, *limits)
        if (estimator := measured_estimator(project, name)) is not None
    }
    counted = {name: make(project) for name, make in KNOWN.items() if name in used}
    evaluated = {name: make(project) for name, make in EVALUATED.items() if name in used}
    known: dict[str, CachedEstimator[Any]] = {
        **measured,
        **{name: CachedEstimator(space, e) for name, e in counted.items()},
    }

    def objective(name: str) -> Objective:
        estimator = known[name].estimator if name in known else evaluated[name]
        return Objective(
            name,
            estimator.direction,
            estimator.unit,
            known.get(name),
            is_share=name in ERRORS,
            is_estimated=estimator.has_std,
        )

    problem = Problem(
        cardinalities=space.cardinalities,
        objectives=tuple(objective(name) for name in objectives),
        limits=(
            *_constraints(space),
            *(Limit(name, limits[name], known[name]) for name in known if name in limits),
        ),
        canonical=space.canonical,
        features=_feature_function(space, [known[name] for name in FEATURES[features]]),
        sample=space.sample,
        bounds=tuple(Bound(name, limits[name]) for name in evaluated if name in limits),
    )
    trained = [architecture.genes for estimator in evaluated.values() for architecture in estimator.known]
    return SearchProblem(
        problem,
        space,
        evaluated,
        measured,
        np.array(trained, np.int64).reshape(-1, len(space.genes)),
    )


def _constraints(space: SearchSpace) -> tuple[Limit, ...]:
    """The space's own constraints as a limit: the solver breeds codes that break them."""
    if not space.constraints:
        return ()
    return (Limit("broken constraints of the space", 0.0, lambda genes: 1.0 - space.satisfied(genes)),)


def _feature_function(space: SearchSpace, counts: Sequence[GeneFunction]) -> GeneFunction:
    """Genes as features [N, F], followed by the logarithm of each count."""

    def features(genes: np.ndarray) -> np.ndarray:
        logs = [np.log(count(genes))[:, None] for count in counts]
        return np.concatenate([to_features(space, genes), *logs], axis=1)

    return features
