"""The loop's promises: repeatable, never twice, within the limits, better than chance."""

import dataclasses

import numpy as np
import pytest

from hytnas_jax.mobo import (
    Bound,
    Limit,
    Objective,
    Observations,
    Settings,
    hypervolume_history,
    initial_design,
    suggest,
)
from hytnas_jax.mobo.acquisitions import ACQUISITIONS
from hytnas_jax.mobo.selections import SELECTIONS
from hytnas_jax.mobo.surrogates import SURROGATES
from supernet.errors import UserError
from supernet.row_keys import row_keys

from .problems import cost, evaluate, quality, switched, two_objectives

SMALL = Settings(population=30, generations=8)


def ask(problem, observations, *, batch=4, settings=SMALL, seed=0):
    return suggest(problem, observations, batch=batch, settings=settings, rng=np.random.default_rng(seed))


def observed(problem, n: int, seed: int = 0) -> Observations:
    genes = initial_design(problem, n, np.random.default_rng(seed))
    return Observations(genes, evaluate(genes))


def search(problem, *, total: int, seed: int, settings=SMALL) -> Observations:
    observations, iteration = observed(problem, 12, seed), 0
    while len(observations.genes) < total:
        iteration += 1
        rng = np.random.default_rng([seed, iteration])
        genes, _ = suggest(problem, observations, batch=4, settings=settings, rng=rng)
        observations = Observations(
            np.concatenate([observations.genes, genes]),
            np.concatenate([observations.values, evaluate(genes)]),
        )
    return observations


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("acquisition", ACQUISITIONS)
@pytest.mark.parametrize("selection", SELECTIONS)
def test_every_combination(surrogate, acquisition, selection):
    problem = two_objectives()
    settings = Settings(
        surrogate=surrogate,
        acquisition=acquisition,
        selection=selection,
        population=20,
        generations=4,
    )
    observations = observed(problem, 15)
    genes, info = ask(problem, observations, settings=settings)
    assert genes.shape == (4, 8)
    assert not set(row_keys(genes)) & set(row_keys(observations.genes))
    np.testing.assert_array_equal(genes, problem.canonical(genes))
    assert np.isfinite(info.mean).all()
    assert (info.std[:, 0] > 0.0).all()
    # the known objective is exact
    np.testing.assert_array_equal(info.mean[:, 1], cost(genes))
    np.testing.assert_array_equal(info.std[:, 1], 0.0)
    assert set(info.seconds) == {"fit", "solve", "select"}
    assert info.tries > 20
    assert info.fallbacks == ()
    again, _ = ask(problem, observations, settings=settings)
    np.testing.assert_array_equal(genes, again)


def test_never_twice_and_within_the_limits():
    problem = two_objectives((Limit("cost", 9.0, cost),))
    genes = search(problem, total=40, seed=0).genes
    assert len(np.unique(genes, axis=0)) == 40
    assert (cost(genes) <= 9.0).all()


def test_a_bound_on_what_is_evaluated_is_likely_to_be_kept():
    """Quality has to be at least 58; of networks at random few are that good."""
    free = two_objectives()
    bounded = dataclasses.replace(free, bounds=(Bound("quality", 58.0),))
    observations = observed(free, 30)
    kept = np.mean(observations.values[:, 0] >= 58.0)
    genes, _ = ask(bounded, observations, batch=8)
    assert len(genes) == 8
    assert np.mean(quality(genes) >= 58.0) > max(kept, 0.7)
    np.testing.assert_array_equal(
        bounded.within_bounds(np.array([[-58.0, 1.0], [-57.9, 1.0]])), [True, False]
    )
    quantiles = np.array([[[-59.0, -58.5, -57.5, -57.0], [1.0] * 4]])
    np.testing.assert_allclose(bounded.probability_within_bounds(quantiles), [0.5])


def test_a_bound_that_nothing_may_keep_is_approached():
    """No quality is ever 100: the batch is the best that there may be, not one at random."""
    free = two_objectives()
    bounded = dataclasses.replace(free, bounds=(Bound("quality", 100.0),))
    observations = observed(free, 30)
    genes, info = ask(bounded, observations, batch=8)
    assert info.fallbacks == ()
    assert quality(genes).min() > np.quantile(observations.values[:, 0], 0.75)
    quantiles = np.array(
        [[[-110.0, -99.0, -98.0, -97.0], [1.0] * 4], [[-110.0, -101.0, -98.0, -97.0], [1.0] * 4]]
    )
    np.testing.assert_allclose(bounded.bound_excess(quantiles), [[0.01], [-0.01]])


def test_a_bound_needs_an_objective():
    with pytest.raises(UserError, match="bound on 'speed': is none of the objectives"):
        dataclasses.replace(two_objectives(), bounds=(Bound("speed", 1.0),))


def test_only_rows_of_a_listing_are_proposed():
    listing = initial_design(two_objectives(), 40, np.random.default_rng(3))
    problem = dataclasses.replace(two_objectives(), listing=listing)
    observations = Observations(listing[:10], evaluate(listing[:10]))
    genes, info = ask(problem, observations, batch=8)
    assert set(row_keys(genes)) <= set(row_keys(listing[10:]))
    assert info.tries == 40
    rest, _ = ask(problem, observations, batch=100)
    assert sorted(row_keys(rest)) == sorted(row_keys(listing[10:]))


def test_better_than_random_search():
    problem = two_objectives()
    corner = np.array([50.0, 25.0])

    def final(observations: Observations) -> float:
        return hypervolume_history(observations.values, ("max", "min"), corner)[-1]

    ours = [final(search(problem, total=40, seed=seed)) for seed in range(3)]
    chance = [final(observed(problem, 40, seed)) for seed in range(3)]
    assert np.median(ours) > 1.15 * np.median(chance)


def test_a_tiny_space_is_exhausted_without_repeats():
    problem = two_objectives(cardinalities=np.array([2, 2, 2]))
    observations = observed(problem, 3)
    genes, info = ask(problem, observations)
    assert len(genes) == 3
    everything = np.concatenate([observations.genes, genes])
    assert len(np.unique(everything, axis=0)) == 6
    assert np.isfinite(info.mean).all()
    genes, info = ask(problem, Observations(everything, evaluate(everything)))
    assert genes.shape == (0, 3)
    assert info.mean.shape == (0, 2)


def test_failed_evaluations_are_neither_fitted_nor_repeated():
    problem = two_objectives()
    good = observed(problem, 15)
    failed = initial_design(problem, 5, np.random.default_rng(9))
    both = Observations(
        np.concatenate([good.genes, failed]),
        np.concatenate([good.values, np.full((5, 2), np.nan)]),
    )
    genes, info = ask(problem, both)
    assert np.isfinite(info.mean).all()
    assert not set(row_keys(genes)) & set(row_keys(failed))


def test_nothing_succeeded_or_one_only():
    problem = two_objectives()
    genes = initial_design(problem, 3, np.random.default_rng(0))
    suggested, info = ask(problem, Observations(genes, np.full((3, 2), np.nan)))
    assert suggested.shape == (4, 8)
    assert np.isnan(info.mean).all()
    assert "random" in info.fallbacks[0]
    suggested, info = ask(problem, Observations(genes[:1], evaluate(genes[:1])))
    assert suggested.shape == (4, 8)
    assert np.isfinite(info.mean).all()


def test_constant_objective():
    problem = two_objectives()
    genes = initial_design(problem, 10, np.random.default_rng(0))
    values = np.stack([np.full(10, 5.0), cost(genes)], axis=1)
    suggested, info = ask(problem, Observations(genes, values))
    assert suggested.shape == (4, 8)
    np.testing.assert_allclose(info.mean[:, 0], 5.0)


def test_observations_beyond_a_limit_still_teach():
    # a limit lowered after the first evaluations: none of them keeps it
    before = two_objectives()
    observations = observed(before, 15)
    problem = two_objectives((Limit("cost", cost(observations.genes).min() - 1.0, cost),))
    genes, info = ask(problem, observations)
    assert len(genes) == 4
    assert problem.feasible(genes).all()
    assert np.isfinite(info.mean).all()


@pytest.mark.parametrize("num_objectives", [3, 4])
def test_more_objectives(num_objectives):
    objectives = [
        Objective("quality", "max"),
        Objective("cost", "min", known=cost),
        Objective("first", "max", known=lambda genes: genes[:, 0].astype(float)),
        Objective("noise", "min"),
    ][:num_objectives]
    problem = switched(np.array([4] * 8), objectives)
    genes = initial_design(problem, 15, np.random.default_rng(0))
    columns = [quality(genes), cost(genes), genes[:, 0], np.sin(genes.sum(axis=1))]
    values = np.stack(columns[:num_objectives], axis=1)
    suggested, info = ask(problem, Observations(genes, values))
    assert suggested.shape == (4, 8)
    assert info.mean.shape == (4, num_objectives)
    np.testing.assert_array_equal(info.mean[:, 2], suggested[:, 0])


@pytest.mark.parametrize("field", ["surrogate", "acquisition", "selection"])
def test_unknown_part(field):
    with pytest.raises(UserError, match=f"{field}='magic': choose one of"):
        Settings(**{field: "magic"})


def test_settings_and_batch_out_of_range():
    with pytest.raises(UserError, match="population=1"):
        Settings(population=1)
    with pytest.raises(UserError, match="batch=0"):
        ask(two_objectives(), observed(two_objectives(), 5), batch=0)
