"""Agreement of estimates with reference accuracies, worked out by hand."""

import numpy as np
import pytest

from hytnas_jax.accuracy.agreement import ALL, agreements, bands, ceiling, training_noise

MACS = np.array([1.0, 2.0, 9.0, 11.0, 90.0, 100.0])
REFERENCES = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.95])


def test_bands_are_thirds_of_the_range_of_log_cost() -> None:
    members = bands(MACS)  # from 1 to 100: the edges are 4.64 and 21.5
    assert list(members) == [ALL, "cheap", "middle", "dear"]
    assert members[ALL].all()
    assert [members[band].tolist() for band in ("cheap", "middle", "dear")] == [
        [True, True, False, False, False, False],
        [False, False, True, True, False, False],
        [False, False, False, False, True, True],
    ]


def test_a_perfect_an_inverted_and_a_constant_estimate() -> None:
    members = {ALL: np.ones(6, bool)}
    estimates = {"perfect": 2 * REFERENCES, "inverted": -REFERENCES, "constant": 0 * REFERENCES}
    found = {name: by_band[ALL] for name, by_band in agreements(estimates, REFERENCES, MACS, members).items()}
    for name, value in (("perfect", 1.0), ("inverted", -1.0)):
        tau, rho = found[name].tau, found[name].rho
        assert tau is not None
        assert rho is not None
        assert (tau.value, tau.low, tau.high) == pytest.approx((value, value, value))
        assert rho.value == pytest.approx(value)
    best, worst = found["perfect"].recall, found["inverted"].recall
    assert best is not None
    assert worst is not None
    assert (best.value, worst.value) == (1.0, 0.0)
    assert found["perfect"].beyond_macs is None  # MACs rank as the references do: nothing is left to say
    assert found["constant"].tau is found["constant"].recall is None


def test_an_interval_holds_the_value_and_narrows_with_more_networks() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for count in (20, 200):
        references = rng.normal(size=count)
        estimate = references + rng.normal(size=count)
        members = {ALL: np.ones(count, bool)}
        tau = agreements({"some": estimate}, references, np.exp(rng.normal(size=count)), members)["some"][
            ALL
        ].tau
        assert tau is not None
        assert tau.low < tau.value < tau.high
        widths.append(tau.high - tau.low)
    assert widths[1] < widths[0] / 2


def test_the_noise_is_that_of_one_training() -> None:
    rng = np.random.default_rng(0)
    worth = rng.normal(size=4000)
    first, second = (worth + rng.normal(0, 0.3, 4000) for _ in range(2))
    assert training_noise(first, second) == pytest.approx(0.3, rel=0.05)
    assert training_noise(np.array([1.0, 2.0]), np.array([1.0, 4.0])) == pytest.approx(1.0)
    assert training_noise(np.array([1.0, 2.0]), np.array([6.0, 9.0])) == pytest.approx(1.0)  # 5 added to all


def test_the_ceiling_is_what_knowing_the_worth_gives() -> None:
    rng = np.random.default_rng(0)
    worth = rng.normal(0, 0.8, 100)
    references = worth + rng.normal(0, 0.6, 100)
    members = {ALL: np.ones(100, bool), "few": np.arange(100) < 2}
    found = ceiling(references, np.full(100, 0.6), members)
    # Two normal variables with correlation 0.8 have an expected tau of 2 / pi * arcsin(0.8) = 0.59.
    assert found[ALL] is not None
    assert found[ALL].value == pytest.approx(2 / np.pi * np.arcsin(0.8), abs=0.06)
    assert found["few"] is None  # no spread can be told from two
    assert ceiling(references, np.full(100, 9.0), members)[ALL] is None  # all of it is noise
