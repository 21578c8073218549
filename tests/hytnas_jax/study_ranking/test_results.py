"""What a study says, and writes, of estimates whose agreement is known."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.accuracy.combined import COMBINED
from hytnas_jax.accuracy.estimates import ACCURACY as GOOD
from hytnas_jax.accuracy.estimates import BLENDED, LOSS, MACS, PARAMETERS, POINTWISE, ZEN
from hytnas_jax.accuracy.references import References
from hytnas_jax.study_ranking.bias_table import from_json
from hytnas_jax.study_ranking.results import HEADERS, RankingStudy
from hytnas_jax.study_ranking.written import write_results
from supernet.spaces import built_in_space

SPACE = built_in_space("hybrid-small")
NETWORKS = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 12))
REFERENCES = np.linspace(0.5, 0.94, 12)
CONSTANTS = (LOSS, ZEN, PARAMETERS)
BACKWARDS = np.geomspace(1e5, 1e7, 12)[::-1]
ESTIMATES = {
    GOOD: REFERENCES**2,
    **dict.fromkeys(CONSTANTS, np.ones(12)),
    MACS: BACKWARDS,
    POINTWISE: BACKWARDS,
}


ONCE = np.stack([REFERENCES, np.full(12, np.nan)], axis=1)


@functools.cache
def study(*, noise: float) -> RankingStudy:
    """Four were trained twice, with `noise` between the trainings."""
    trainings = ONCE.copy()
    trainings[:4] = REFERENCES[:4, None] + noise / 2 * np.array([[1, -1], [-1, 1], [1, -1], [-1, 1]])
    return RankingStudy.of(references(trainings), ESTIMATES, SPACE, "accuracy")


def references(trainings: np.ndarray = ONCE) -> References:
    return References(NETWORKS, trainings, 20, np.full(12, np.nan), 1 - trainings)


def test_the_table_has_the_best_estimate_first_and_the_ceiling_last() -> None:
    rows = study(noise=0.01).rows()
    names = [GOOD, COMBINED, MACS, POINTWISE, *CONSTANTS, "perfect knowledge, at most"]
    assert [row[0] for row in rows] == names
    assert {len(row) for row in rows} == {len(HEADERS)}
    assert rows[0][1] == "1.00 [1.00, 1.00]"
    assert rows[2][1] == "-1.00 [-1.00, -1.00]"
    assert set(rows[4][1:]) == {"-"}  # a constant ranks nothing
    assert study(noise=0.01).objective() == "error"


def test_a_references_of_noise_is_told() -> None:
    clear, noisy = study(noise=0.01).remarks(), study(noise=0.3)
    assert "12 networks, accuracy 0.500 to 0.940" in clear[0]
    assert "cheap 4, middle 4, dear 4" in clear[0]
    assert (
        "standard deviation of 0.0082 between seeds" in clear[1]
    )  # differences of +-.01: 0.01 sqrt(4 / 3 / 2)
    assert clear[2] == (
        "by their loss, which is finer than the accuracy, tau between two seeds is 1.000 [1.000, 1.000] (n=4)"
    )
    assert clear[3] == (
        "whether the order of these references is stable is not known (0.8 is needed of both): tau between "
        "two seeds of 20 "
        "epochs 1.000 [1.000, 1.000] (n=4), tau between 10 and 20 epochs not known"
    )
    assert study(noise=0.01).warnings() == []
    (warning,) = noisy.warnings()
    assert "--epochs auto" in warning


def test_an_estimate_that_ranks_badly_is_told() -> None:
    shuffled = {**ESTIMATES, BLENDED: REFERENCES[[3, 0, 7, 1, 2, 11, 4, 5, 10, 9, 6, 8]]}
    (warning,) = RankingStudy.of(references(), shuffled, SPACE, "accuracy").warnings()
    # 19 of the 66 pairs: tau is 1 - 2 * 19 / 66
    assert "1x1 convolutions is not to be trusted (tau 0.42 [" in warning
    assert "of 100 pairs it has 29 the wrong way round" in warning
    constant = {**ESTIMATES, GOOD: np.ones(12), BLENDED: np.ones(12)}
    badly = RankingStudy.of(references(), constant, SPACE, "accuracy")
    assert badly.objective() == "trained_error"  # of the 1x1 MACs, backwards
    warning, *_ = badly.warnings()
    assert "not to be trusted (tau -). Train" in warning


def test_without_a_second_training_there_is_no_ceiling() -> None:
    once = RankingStudy.of(references(), ESTIMATES, SPACE, "accuracy")
    assert len(once.rows()) == len(ESTIMATES) + 1  # and their combination
    assert "no network was trained twice" in once.remarks()[1]


def test_what_is_written_is_whole(tmp_path: Path) -> None:
    paths = write_results(tmp_path, study(noise=0.01), command="the command", supernet="an id")
    assert [path.name for path in paths] == ["ranking.json", "ranking.md", "ranking.png"]
    written = json.loads(paths[0].read_text())
    assert written["agreement"][GOOD]["all"]["tau"] == pytest.approx({"value": 1.0, "low": 1.0, "high": 1.0})
    assert written["agreement"][ZEN]["all"]["tau"] is None
    assert written["supernet"] == "an id"
    assert [network["name"] for network in written["networks"]] == [a.name for a in NETWORKS]
    assert written["networks"][0][GOOD] == pytest.approx(0.25)
    assert written["epochs"] == 20
    assert written["stand"] is None
    assert from_json(written["bias"]["genes"]) == study(noise=0.01).biases
    assert written["bias"]["sentences"] == study(noise=0.01).where()
    page, bias = paths[1].read_text().split("## Where they err")
    assert page.count("\n|") == 10  # titles, line, six estimates, their combination, ceiling
    assert bias.count("\n|") == 2 * (2 + len(study(noise=0.01).biases)) > 4
    assert study(noise=0.01).where()[0] in bias
    assert "    the command\n" in page
