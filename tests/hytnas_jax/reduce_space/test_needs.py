"""Limits on predicted and on counted numbers."""

import numpy as np
import pytest
from made_up_folder import SPACE, fitted, to_spec

from hytnas_jax.reduce_space.needs import MAX_LATENCY, Needs
from hytnas_jax.shared_flags.limits import COUNTED, LIMITS
from proxies.complexity import complexity
from proxies.latency.predictor import LatencyEstimator

CODES = SPACE.sample(np.random.default_rng(3), 200)
ARCHITECTURES = SPACE.decode_all(CODES)


@pytest.mark.parametrize("flag", [flag for flag in LIMITS if flag != MAX_LATENCY])
def test_what_is_counted_may_be_up_to_its_limit(flag: str) -> None:
    counts = np.array([getattr(complexity(to_spec()(a)), COUNTED[LIMITS[flag]]) for a in ARCHITECTURES])
    maximum = np.sort(counts)[60]
    needs = Needs(SPACE, to_spec(), {flag: maximum})
    assert ((needs.times(CODES) <= 1) == (counts <= maximum)).all()
    assert needs.least == {flag: counts.min()}
    assert not needs.outside(CODES).any()


def test_the_latency_is_that_of_the_predictor() -> None:
    predictor = fitted()
    estimator = LatencyEstimator(predictor, to_spec())
    latency_ms = estimator(ARCHITECTURES)
    needs = Needs(SPACE, to_spec(), {MAX_LATENCY: float(np.median(latency_ms))}, predictor)
    assert (needs.times(CODES) <= 1).tolist() == (latency_ms <= np.median(latency_ms)).tolist()
    assert np.isclose(needs.least[MAX_LATENCY], latency_ms.min())
    outside = predictor.outside(estimator.features(ARCHITECTURES))
    assert needs.outside(CODES).tolist() == outside.tolist()
    with pytest.raises(ValueError, match="needs a predictor"):
        Needs(SPACE, to_spec(), {MAX_LATENCY: 1.0})


def test_every_limit_is_kept() -> None:
    """The fewest parameters and the fewest MACs are not those of one network."""
    counts = [complexity(to_spec()(a)) for a in ARCHITECTURES]
    maxima = {
        "max_params": sorted(c.num_parameters for c in counts)[100],
        "max_macs": sorted(c.num_macs for c in counts)[100],
    }
    needs = Needs(SPACE, to_spec(), maxima)
    assert not needs.are_met_alone()
    expected = [c.num_parameters <= maxima["max_params"] and c.num_macs <= maxima["max_macs"] for c in counts]
    assert (needs.times(CODES) <= 1).tolist() == expected
    assert 0 < sum(expected) < 100
    assert needs.are_met_alone()
