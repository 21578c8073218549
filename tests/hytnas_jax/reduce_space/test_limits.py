"""Limits on predicted and on counted numbers."""

import numpy as np
import pytest
from made_up_folder import SPACE, fitted, to_spec

from hytnas_jax.flags.objective_names import LIMITS
from hytnas_jax.reduce_space.config import Config
from hytnas_jax.reduce_space.limits import COUNTED, FLAGS, MAX_LATENCY, Limits
from proxies.complexity import complexity
from proxies.latency.predictor import LatencyEstimator

CODES = SPACE.sample(np.random.default_rng(3), 200)
ARCHITECTURES = SPACE.decode_all(CODES)


def test_the_flags_are_those_of_the_search() -> None:
    assert set(FLAGS) == LIMITS.keys() - {"max_error"}
    assert all(hasattr(Config, flag) for flag in FLAGS)


@pytest.mark.parametrize("flag", COUNTED)
def test_what_is_counted_may_be_up_to_its_limit(flag: str) -> None:
    counts = np.array([getattr(complexity(to_spec()(a)), COUNTED[flag]) for a in ARCHITECTURES])
    maximum = np.sort(counts)[60]
    limits = Limits(SPACE, to_spec(), {flag: maximum})
    assert ((limits.times(CODES) <= 1) == (counts <= maximum)).all()
    assert limits.least == {flag: counts.min()}
    assert not limits.outside(CODES).any()


def test_the_latency_is_that_of_the_predictor() -> None:
    predictor = fitted()
    estimator = LatencyEstimator(predictor, to_spec())
    latency_ms = estimator(ARCHITECTURES)
    limits = Limits(SPACE, to_spec(), {MAX_LATENCY: float(np.median(latency_ms))}, predictor)
    assert (limits.times(CODES) <= 1).tolist() == (latency_ms <= np.median(latency_ms)).tolist()
    assert np.isclose(limits.least[MAX_LATENCY], latency_ms.min())
    outside = predictor.outside(estimator.features(ARCHITECTURES))
    assert limits.outside(CODES).tolist() == outside.tolist()
    with pytest.raises(ValueError, match="needs a predictor"):
        Limits(SPACE, to_spec(), {MAX_LATENCY: 1.0})


def test_every_limit_is_kept() -> None:
    """The fewest parameters and the fewest MACs are not those of one network."""
    counts = [complexity(to_spec()(a)) for a in ARCHITECTURES]
    maxima = {
        "max_params": sorted(c.num_parameters for c in counts)[100],
        "max_macs": sorted(c.num_macs for c in counts)[100],
    }
    limits = Limits(SPACE, to_spec(), maxima)
    assert not limits.are_met_alone()
    expected = [c.num_parameters <= maxima["max_params"] and c.num_macs <= maxima["max_macs"] for c in counts]
    assert (limits.times(CODES) <= 1).tolist() == expected
    assert 0 < sum(expected) < 100
    assert limits.are_met_alone()
