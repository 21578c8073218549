"""The estimate of the error after training: what it is made from, and how sure it says to be."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from hytnas_jax.accuracy import trained_error
from hytnas_jax.accuracy.combined import Combined
from hytnas_jax.accuracy.estimates import LOSS, POINTWISE, Values
from hytnas_jax.accuracy.reference_table import TABLE, ReferenceJob, ReferenceTable, Trained
from hytnas_jax.accuracy.references import planned
from hytnas_jax.accuracy.trained_error import TrainedError
from proxies.pointwise_macs import PointwiseMacs
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.spaces import built_in_space

SPACE = built_in_space("hybrid-small").with_resolutions([8])
NETWORKS = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 30))
COUNT = PointwiseMacs(lambda a: SPACE.network_spec(a, num_classes=10, channels=1))


def estimates(architectures: Sequence[Architecture]) -> Values:
    """Of these only the MACs differ."""
    return {LOSS: -np.ones(len(architectures)), POINTWISE: COUNT(architectures)}


def accuracy_of(architectures: Sequence[Architecture]) -> np.ndarray:
    return 1 / (1 + 1e5 / COUNT(architectures))


@pytest.fixture(scope="module")
def combined() -> Combined:
    return Combined.fit(estimates(NETWORKS[:20]), accuracy_of(NETWORKS[:20]))


def test_errors_are_those_of_the_combination(combined: Combined) -> None:
    estimator = TrainedError(combined, estimates, {})
    found = estimator.estimate(NETWORKS[20:])
    np.testing.assert_allclose(found.values, 1 - accuracy_of(NETWORKS[20:]), atol=0.01)
    assert estimator.has_std
    assert found.std is not None
    assert found.std.shape == (10,)
    assert (found.std > 0).all()


@pytest.mark.parametrize("noise", [0.01, np.nan])
def test_what_has_been_trained_is_known(combined: Combined, noise: float) -> None:
    known = {NETWORKS[3]: (0.7, noise)}
    plain, knowing = (TrainedError(combined, estimates, networks) for networks in ({}, known))
    np.testing.assert_array_equal(knowing(NETWORKS[4:6]), plain(NETWORKS[4:6]))
    expected, found = plain.estimate(NETWORKS[3:5]), knowing.estimate(NETWORKS[3:5])
    assert found.values.tolist() == [0.7, expected.values[1]]
    assert found.std.tolist() == [expected.std[0] if np.isnan(noise) else noise, expected.std[1]]


def test_an_estimate_that_is_no_number_gives_none(combined: Combined) -> None:
    def failing(architectures: Sequence[Architecture]) -> Values:
        values = estimates(architectures)
        values[LOSS][0] = np.nan
        return values

    estimator = TrainedError(combined, failing, {})
    found = estimator.estimate(NETWORKS[:3])
    assert np.isnan(found.values).tolist() == [True, False, False]
    assert np.isnan(found.std).tolist() == [True, False, False]


@pytest.mark.parametrize(("networks", "is_enough"), [(10, True), (9, False)])
def test_the_study_of_a_work_folder_is_read(
    work_folder: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    networks: int,
    is_enough: bool,
) -> None:
    project = work_folder("data")
    settings = {"networks": networks, "repeated": 2, "seed": 5, "epochs": 4}
    step = project.workdir.step("references")
    with pytest.raises(UserError, match=r"run: python -m hytnas_jax\.study_ranking"):
        trained_error.trained_error(project)
    step.begin(settings)
    table, jobs = ReferenceTable(step.folder / TABLE, project.space, epochs=4), planned(project, **settings)
    second = dict(zip(jobs[-2:], (0.1, 0.2), strict=True))
    for job in jobs[::-1]:  # they end in any order
        table.append(job, Trained(0.2 + second.get(job, 0.0), 0.5, 1.0))
    step.finish({})
    monkeypatch.setattr(
        trained_error, "estimates_of", lambda project, architectures: estimates(architectures)
    )
    monkeypatch.setattr(trained_error, "Estimates", lambda project: estimates)
    if not is_enough:
        with pytest.raises(UserError, match="has trained 9 networks, and 10 are needed"):
            trained_error.trained_error(project)
        return
    estimator = trained_error.trained_error(project)
    assert list(estimator.known) == [job.architecture for job in jobs if job.seed == 5]
    # The first was trained twice, the second once. The second seed adds 0.15, and 0.05 less to the first.
    found = estimator.estimate([jobs[0].architecture, jobs[1].architecture])
    assert found.values == pytest.approx([0.175, 0.2])
    assert found.std == pytest.approx([0.05 / np.sqrt(2), 0.05])
    assert jobs[0] == ReferenceJob(5, estimator.known[0], 4)
