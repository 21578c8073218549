"""Objectives of any finite size: the same search as if the user had taken other units."""

import warnings

import numpy as np
import pytest

from hytnas_jax.mobo import Bound, Objective, Observations, Settings, suggest
from hytnas_jax.mobo.acquisitions import ACQUISITIONS
from hytnas_jax.mobo.selections import SELECTIONS
from hytnas_jax.mobo.surrogates import SURROGATES
from hytnas_jax.mobo.units import Units
from supernet.row_keys import row_keys

from .problems import CARDINALITIES, evaluate, switched

GENES = np.unique(np.random.default_rng(0).integers(0, CARDINALITIES, (12, 8)), axis=0)


def problem_of(scale: float = 1.0, outlier: float | None = None, **changes):
    """Quality (to be large) and cost (known, to be small), both times `scale`."""

    def cost(genes: np.ndarray) -> np.ndarray:
        values = scale * (1.0 + genes.sum(axis=1))
        return values if outlier is None else np.where(genes.sum(axis=1) > 14, outlier, values)

    objectives = (Objective("quality", "max", **changes), Objective("cost", "min", known=cost))
    return switched(CARDINALITIES, objectives)


def values_of(problem, scale: float) -> np.ndarray:
    known = problem.objectives[1].known(problem.canonical(GENES))
    return np.stack([scale * evaluate(problem.canonical(GENES))[:, 0], known], axis=1)


def suggested(problem, values: np.ndarray, **settings) -> tuple[np.ndarray, np.ndarray]:
    observations = Observations(problem.canonical(GENES), values)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        genes, info = suggest(
            problem,
            observations,
            batch=4,
            settings=Settings(population=20, generations=4, **settings),
            rng=np.random.default_rng(0),
        )
    assert len(set(row_keys(genes)) - set(row_keys(observations.genes))) == 4
    assert np.isfinite(info.mean).all()
    assert np.isfinite(info.std).all()
    return genes, info.mean


def test_ordinary_values_are_left_as_they_are() -> None:
    problem = problem_of()
    values = problem.minimised(values_of(problem, 1.0))
    units = Units.of(problem, values)
    assert units.exponents.tolist() == [0, 0]
    assert np.array_equal(units.scaled(values), values)
    observations = Observations(GENES, values_of(problem, 1.0), np.full((len(GENES), 2), 0.1))
    same = units.of_observations(problem, observations)
    assert np.array_equal(same.values, observations.values)
    assert np.array_equal(same.std, observations.std)


def test_units_are_powers_of_two_and_outliers_are_clipped() -> None:
    problem = problem_of()
    # by hand: the largest of the first is 6 * 2^100, below 2^103; of the second 12e-300 is clipped away
    values = np.array([[-6.0, 1.0], [-4.0, 2.0], [-2.0, 3.0], [-1.0, 1e300], [-5.0, 4.0]])
    values *= [2.0**100, 1.0]
    units = Units.of(problem, values)
    assert units.exponents.tolist() == [103, 0]
    assert units.scaled(values)[:, 0].tolist() == [-0.75, -0.5, -0.25, -0.125, -0.625]
    # quartiles 2 and 4: a million times their distance of 2 above the upper one
    assert units.scaled(values)[:, 1].tolist() == [1.0, 2.0, 3.0, 4.0 + 2e6, 4.0]
    assert units.restored(units.scaled(values))[:, 0].tolist() == values[:, 0].tolist()
    assert np.isfinite(units.restored(np.full((1, 2), 1e300))).all()


def test_bounds_and_uncertainties_are_in_the_same_units() -> None:
    problem = problem_of(2.0**-700)
    object.__setattr__(problem, "bounds", (Bound("quality", 52.0 * 2.0**-700),))
    values = values_of(problem, 2.0**-700)
    observations = Observations(GENES, values, np.full_like(values, 2.0**-702))
    units = Units.of(problem, problem.minimised(values))
    inside, seen = units.of_problem(problem), units.of_observations(problem, observations)
    exact, original = Units.of(problem_of(), values), values * 2.0**700
    assert exact.exponents.tolist() != [0, 0]
    assert np.array_equal(inside.within_bounds(inside.minimised(seen.values)), original[:, 0] >= 52.0)
    assert np.allclose(seen.std / seen.values, 0.25 / original, rtol=1e-12)


def test_what_failed_stays_failed() -> None:
    problem = problem_of(1e250)
    values = values_of(problem, 1e250)
    values[0, 0], values[1, 0] = np.nan, np.inf
    units = Units.of(problem, problem.minimised(values[2:]))
    kept = units.of_observations(problem, Observations(GENES, values)).succeeded
    assert kept.tolist() == [False, False] + [True] * (len(GENES) - 2)


@pytest.mark.parametrize("scale", [2.0**-1010, 2.0**-300, 2.0**-40, 2.0**-10, 2.0**90, 2.0**500, 2.0**1010])
def test_other_units_make_the_same_search(scale: float) -> None:
    problem = problem_of(scale)
    genes, mean = suggested(problem, values_of(problem, scale))
    plain, expected = suggested(problem_of(2.0**-40), values_of(problem_of(2.0**-40), 2.0**-40))
    if not 2.0**-40 < scale <= 2.0**60:
        assert np.array_equal(genes, plain)
        assert np.allclose(mean / scale, expected * 2.0**40)


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize(
    "values", [(1e300, 1e308), (-1e308, 1e308), (1e-300, 5e-324), (0.0, 0.0), (1.0, 1e300)]
)
def test_extreme_but_finite_values_are_searched(surrogate: str, values: tuple[float, float]) -> None:
    """One half of the observations has one value, the other half the other, and noise."""
    problem = problem_of()
    seen = values_of(problem, 1.0)
    seen[:, 0] = np.where(np.arange(len(seen)) % 2, values[0], values[1])
    suggested(problem, seen, surrogate=surrogate)


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
@pytest.mark.parametrize("selection", SELECTIONS)
def test_a_known_objective_far_beyond_what_was_seen(acquisition: str, selection: str) -> None:
    for outlier in (1e308, -1e308):
        problem = problem_of(1e-300, outlier)
        suggested(problem, values_of(problem, 1e300), acquisition=acquisition, selection=selection)


def test_shares_are_never_scaled() -> None:
    problem = problem_of(is_share=True)
    values = np.column_stack([np.full(12, -1e-9), np.arange(12.0)])
    assert Units.of(problem, values).exponents.tolist() == [0, 0]
