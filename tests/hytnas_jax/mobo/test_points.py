"""Of thousands of evaluations a suggestion looks at a bounded number, in bounded memory; of few, at all."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
import sklearn.gaussian_process._gpr as of_sklearn

from hytnas_jax.mobo import Observations, Settings, suggest
from hytnas_jax.mobo.pareto import pareto_mask
from hytnas_jax.mobo.points import evenly, far_apart, representative
from hytnas_jax.mobo.problem import unseen
from hytnas_jax.mobo.surrogates import SURROGATES, GaussianProcess, gaussian_process
from supernet.row_keys import row_keys

from .problems import evaluate, two_objectives

SMALL = Settings(population=20, generations=4)
WIDE = np.array([4] * 12)


def observed(num: int, cardinalities: np.ndarray = WIDE) -> Observations:
    problem = two_objectives(cardinalities=cardinalities)
    genes = problem.canonical(problem.sample(np.random.default_rng(0), 2 * num))
    genes = genes[unseen(genes, ())][:num]
    assert len(genes) == num
    return Observations(genes, evaluate(genes))


def asked(observations: Observations, *, batch: int = 8, settings: Settings = SMALL) -> np.ndarray:
    problem = two_objectives(cardinalities=WIDE)
    return suggest(problem, observations, batch=batch, settings=settings, rng=np.random.default_rng(1))[0]


def chosen(values: np.ndarray, front: np.ndarray, most: int) -> list[int]:
    return np.arange(len(values))[representative(values, front, most)].tolist()


def test_few_points_are_all_taken() -> None:
    values = np.random.default_rng(0).random((10, 2))
    assert chosen(values, pareto_mask(values), 10) == list(range(10))
    assert np.shares_memory(values, values[representative(values, pareto_mask(values), 10)])
    assert np.arange(7)[evenly(7, 7)].tolist() == list(range(7))


def test_the_front_the_most_recent_and_evenly_spread_ones() -> None:
    values = np.random.default_rng(0).random((1000, 2))
    front = pareto_mask(values)
    rows = chosen(values, front, 100)
    assert len(rows) == 100
    assert rows == sorted(set(rows))
    assert set(np.flatnonzero(front)) <= set(rows)
    assert set(range(950, 1000)) <= set(rows)
    others = np.array([row for row in rows if row < 950 and not front[row]])
    assert np.diff(others).max() < 3 * 950 / len(others)
    assert chosen(values, front, 100) == rows


def test_a_large_front_is_thinned() -> None:
    first = np.linspace(0.0, 1.0, 1000)
    values = 1e6 * np.stack([first, 1.0 - first], axis=1)
    rows = np.array(chosen(values, np.ones(1000, bool), 100))
    assert len(rows) == 100
    assert rows[0] == 0
    assert np.diff(rows[rows < 900]).max() < 3 * 1000 / 25
    places = np.random.default_rng(0).random((50, 3))
    assert np.array_equal(places[far_apart(places, 50)], places)
    assert len(places[far_apart(places, 7)]) == 7


@pytest.fixture
def factorised(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """How large the matrices are of which Cholesky factors are computed, for likelihoods and posteriors."""
    sizes: dict[str, list[int]] = {"likelihood": [], "posterior": []}
    for name, module in (("likelihood", gaussian_process), ("posterior", of_sklearn)):

        def counted(matrix, *args, inner=module.cholesky, into=sizes[name], **others):
            into.append(len(matrix))
            return inner(matrix, *args, **others)

        monkeypatch.setattr(module, "cholesky", counted)
    return sizes


def test_sizes_and_memory_at_five_thousand(factorised: dict[str, list[int]]) -> None:
    observations = observed(5_000)
    tracemalloc.start()
    genes = asked(observations, settings=Settings(population=100, generations=2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(genes) == 8
    assert not set(row_keys(genes)) & set(row_keys(observations.genes))
    assert factorised["posterior"] == [2_048] * 2  # scikit-learn computes the likelihood too
    assert set(factorised["likelihood"]) == {512}
    assert len(factorised["likelihood"]) < 100
    assert peak < 400e6


def test_candidates_are_predicted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).standard_normal((40, 3))
    fitted = GaussianProcess(seed=0).fit(x, np.sin(x).sum(axis=1), np.zeros(40))
    queries = np.random.default_rng(1).standard_normal((100, 3))
    whole, path = fitted.predict(queries), fitted.draw(np.random.default_rng(0))(queries)
    monkeypatch.setattr(gaussian_process, "MOST_COVARIANCES", 40 * 30)
    np.testing.assert_allclose(fitted.predict(queries), whole, rtol=1e-9)
    np.testing.assert_allclose(fitted.draw(np.random.default_rng(0))(queries), path, rtol=1e-9)


def test_up_to_the_bound_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    observations = observed(60)
    without = asked(observations)
    for bound in ("most_points", "most_for_hyperparameters"):
        with monkeypatch.context() as patch:
            patch.setattr(GaussianProcess, bound, 60)
            assert np.array_equal(asked(observations), without)
            patch.setattr(GaussianProcess, bound, 20)
            assert not np.array_equal(asked(observations), without)


@pytest.mark.parametrize("name", SURROGATES)
def test_no_surrogate_is_fitted_to_more_than_it_can(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def counted(self, x, y, noise, fit=GaussianProcess.fit):
        sizes.append((len(x), len(y), len(noise)))
        return fit(GaussianProcess(seed=0), x, y, noise)  # the quickest

    monkeypatch.setattr(SURROGATES[name], "fit", counted)
    monkeypatch.setattr(SURROGATES[name], "most_points", 40)
    observations = observed(70)
    unsure = dataclasses.replace(observations, std=np.full((70, 2), 0.1))
    asked(unsure, settings=dataclasses.replace(SMALL, surrogate=name))
    assert sizes == [(40, 40, 40)]


def test_how_many_points_a_surrogate_takes() -> None:
    assert {name: surrogate.most_points for name, surrogate in SURROGATES.items()} == {
        "gp": 2_048,
        "xgboost": 8_192,
        "xgbranker": 2_048,
        "ffn": 2_048,
        "bnn": 768,
    }
