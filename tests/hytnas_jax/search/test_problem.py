"""Estimators as functions of genes, limits and features."""

import dataclasses

import numpy as np
import pytest

from hytnas_jax.search import cached_estimator
from hytnas_jax.search.cached_estimator import CachedEstimator
from hytnas_jax.search.problem import EVALUATED, KNOWN, make_search_problem
from hytnas_jax.shared_flags.objective_names import LATENCY, OBJECTIVES
from hytnas_jax.workspace.project import Project
from hytnas_jax.workspace.workdir import Workdir
from proxies.complexity import complexity, num_macs
from supernet.encoding import feature_names
from supernet.spaces import built_in_space

SPACE = built_in_space("hybrid-small").with_resolutions([8, 12])


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(
        Workdir(tmp_path),
        SPACE,
        class_names=("a", "b", "c"),
        channels=1,
        mean=(0.5,),
        std=(0.2,),
        mirror=False,
        source="digits",
    )


@pytest.fixture
def genes() -> np.ndarray:
    return SPACE.sample(np.random.default_rng(0), 12)


def task_of(project: Project, *objectives: str, limits=None, features="genes"):
    return make_search_problem(project, objectives, limits=limits or {}, features=features)


def test_every_name_has_its_estimator():
    assert (*EVALUATED, LATENCY, *KNOWN) == OBJECTIVES


def test_each_architecture_is_estimated_once(project, genes):
    asked: list[str] = []
    inner = num_macs(project.to_spec)

    def counting(architectures):
        asked.extend(a.name for a in architectures)
        return inner(architectures)

    function = CachedEstimator(SPACE, counting)
    expected = inner(SPACE.decode_all(genes))
    np.testing.assert_array_equal(function(genes[:8]), expected[:8])
    np.testing.assert_array_equal(function(genes[::-1]), expected[::-1])
    assert len(asked) == len(set(asked)) == 12
    assert function(genes[:0]).shape == (0,)


def test_what_is_remembered_is_bounded(project, genes, monkeypatch):
    monkeypatch.setattr(cached_estimator, "MOST_REMEMBERED", 5)
    asked: list[int] = []

    def counting(architectures):
        asked.append(len(architectures))
        return np.array([architecture.resolution for architecture in architectures], float)

    function = CachedEstimator(SPACE, counting)
    expected = [SPACE.decode(code).resolution for code in genes]
    for part in (slice(0, 5), slice(0, 12), slice(0, 12)):
        assert function(genes[part]).tolist() == expected[part]
    assert asked == [5, 7, 12]


def test_another_estimator_forgets_what_was(genes):
    function = CachedEstimator(SPACE, lambda architectures: np.ones(len(architectures)))
    assert function(genes).tolist() == [1.0] * 12
    function.change(lambda architectures: np.full(len(architectures), 2.0))
    assert function(genes).tolist() == [2.0] * 12


def test_codes_of_one_network_have_one_value(project):
    # a stage without attention has no embedding: whatever its gene says
    names = [gene.name for gene in SPACE.genes]
    code = np.zeros((1, len(names)), np.int64)
    other = code.copy()
    other[0, names.index("stage2.embed")] = 1
    asked: list[int] = []

    def counting(architectures):
        asked.append(len(architectures))
        return np.ones(len(architectures))

    function = CachedEstimator(SPACE, counting)
    assert function(np.concatenate([code, other])).tolist() == [1.0, 1.0]
    assert asked == [1]


def test_values_are_those_of_the_network(project, genes):
    search_problem = task_of(project, "parameters", "macs", "peak_memory")
    found = search_problem.evaluate(genes[:2])
    counts = [complexity(project.to_spec(SPACE.decode(code))) for code in genes[:2]]
    assert found.values.tolist() == [[c.num_parameters, c.num_macs, c.peak_activation_bytes] for c in counts]
    assert found.std.tolist() == [[0, 0, 0]] * 2
    assert np.isnan(found.loss).all()
    assert [o.unit for o in search_problem.problem.objectives] == ["parameters", "MACs", "bytes"]
    assert not search_problem.is_extrapolated(genes).any()


def test_memory_and_file_sizes(project, genes):
    names = ("peak_memory", "peak_memory_int8", "model_bytes", "model_bytes_int8")
    search_problem = task_of(project, *names)
    counts = complexity(project.to_spec(SPACE.decode(genes[0])))
    expected = [counts.peak_activation_bytes, counts.peak_activation_bytes_int8]
    assert search_problem.evaluate(genes[:1]).values[0].tolist() == [
        *expected,
        counts.model_bytes,
        counts.model_bytes_int8,
    ]
    assert {objective.unit for objective in search_problem.problem.objectives} == {"bytes"}


def test_zen_score_is_maximised_and_modelled(project):
    zen = task_of(project, "zen_score", "macs").problem.objectives[0]
    assert zen.direction == "max"
    assert zen.known is None


def test_a_limit_need_not_be_an_objective(project, genes):
    macs = num_macs(project.to_spec)(SPACE.decode_all(genes))
    search_problem = task_of(project, "parameters", "peak_memory", limits={"macs": float(np.median(macs))})
    np.testing.assert_array_equal(search_problem.problem.feasible(genes), macs <= np.median(macs))


def test_the_constraints_of_the_space_are_kept(project, genes):
    constrained = dataclasses.replace(SPACE, constraints=("stage2.width <= stage3.width",))
    problem = task_of(dataclasses.replace(project, space=constrained), "parameters", "macs").problem
    np.testing.assert_array_equal(problem.feasible(genes), constrained.satisfied(genes))
    assert 0 < problem.feasible(genes).sum() < len(genes)


def test_features(project, genes):
    plain = task_of(project, "parameters", "macs").problem.features(genes)
    more = task_of(project, "parameters", "macs", features="genes+complexity").problem.features(genes)
    width = len(feature_names(SPACE))
    assert plain.shape == (12, width)
    np.testing.assert_array_equal(more[:, :width], plain)
    counts = [complexity(project.to_spec(a)) for a in SPACE.decode_all(genes)]
    logs = np.log([[c.num_parameters, c.num_macs] for c in counts])
    np.testing.assert_allclose(more[:, width:], logs, rtol=1e-12)
