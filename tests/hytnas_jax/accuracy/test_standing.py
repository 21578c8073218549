"""Whether references stand, and how far a budget lets them be trained."""

import math

import numpy as np
import pytest

from hytnas_jax.accuracy.reference_table import ReferenceJob, Trained
from hytnas_jax.accuracy.references import References, longer
from hytnas_jax.accuracy.standing import Standing, TrainingBudget
from supernet.spaces import built_in_space

SPACE = built_in_space("hybrid-small").with_resolutions((8,))
NETWORKS = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 5))
JOBS = [ReferenceJob(0, network, 10) for network in NETWORKS]
ORDER = [0.1, 0.2, 0.3, 0.4, 0.5]
NEAR = [0.2, 0.1, 0.3, 0.4, 0.5]  # one of ten pairs the other way round: tau is 0.8
FAR = [0.2, 0.1, 0.4, 0.3, 0.5]  # two: 0.6
NONE = [math.nan] * 5
NO_LOSS = np.full((5, 2), math.nan)


@pytest.mark.parametrize(
    ("second", "half", "stand", "says"),
    [
        (NEAR, NEAR, True, "the order of these references is stable ("),
        (NEAR, FAR, False, "the order of these references is not stable yet ("),
        (FAR, NEAR, False, "the order of these references is not stable yet ("),
        (NEAR, NONE, None, "whether the order of these references is stable is not known ("),
        (FAR, NONE, False, "the order of these references is not stable yet ("),
        (NONE, NEAR, None, "whether the order of these references is stable is not known ("),
    ],
)
def test_both_taus_are_needed(second: list[float], half: list[float], stand: bool | None, says: str) -> None:
    references = References(NETWORKS, np.array([ORDER, second]).T, 40, np.array(half), NO_LOSS)
    standing = Standing.of(references)
    assert standing.stand is stand
    assert str(standing).startswith(says)
    for text, values in (("two seeds of 40", second), ("20 and 40", half)):
        tau = {str(NEAR): "0.800 [", str(FAR): "0.600 [", str(NONE): "not known"}[str(values)]
        assert f"between {text} epochs {tau}" in str(standing)


def test_only_those_that_were_trained_twice_are_compared() -> None:
    second = np.array([0.3, 0.1, math.nan, math.nan, 0.2])
    standing = Standing.of(References(NETWORKS, np.array([ORDER, second]).T, 41, np.array(NONE), NO_LOSS))
    # of 0.1 0.2 0.5 and 0.3 0.1 0.2, two of three pairs are the other way round
    assert (standing.between_seeds.tau, standing.between_seeds.n) == (pytest.approx(-1 / 3), 3)
    assert "between half as many and 41 epochs" in str(standing)


def test_the_longest_training_is_kept_to() -> None:
    trained = {job: Trained(0.1, 1.0, 60.0) for job in JOBS}
    assert TrainingBudget(20, 1e9).forbids(JOBS, trained, processes=1) is None
    assert (
        TrainingBudget(19, 1e9).forbids(JOBS, trained, processes=1)
        == "20 epochs would be more than --max-epochs 19"
    )


def test_the_hours_are_those_of_all_trainings() -> None:
    """Five of a minute, and five of two: a quarter of an hour."""
    trained = {job: Trained(0.1, 1.0, 60.0) for job in JOBS}
    assert TrainingBudget(99, 0.25).forbids(JOBS, trained, processes=1) is None
    assert TrainingBudget(99, 0.24).forbids(JOBS, trained, processes=1) == (
        "with 20 epochs it would be about 0.25 hours, --max-hours 0.24"
    )
    assert TrainingBudget(99, 0.125).forbids(JOBS, trained, processes=2) is None
    assert TrainingBudget(99, 0.05).forbids(JOBS, trained, processes=99) is None  # five at once are all
    assert TrainingBudget(99, 0.049).forbids(JOBS, trained, processes=99) is not None
    begun = trained | {job: Trained(0.1, 1.0, 120.0) for job in longer(JOBS)[:2]}
    assert TrainingBudget(99, 0.25).forbids(JOBS, begun, processes=1) is None  # a cut study decides as before
    assert TrainingBudget(99, 0.24).forbids(JOBS, begun, processes=1) is not None
