"""evaluations.csv after a spreadsheet has had it: kept where it can be, refused by line where not."""

import math
from pathlib import Path

import numpy as np
import pytest
from one_stage_space import SPACE

from hytnas_jax.mobo import Objective, Problem
from hytnas_jax.mobo.problem import GeneFunction
from hytnas_jax.search.log import Evaluation, EvaluationLog
from supernet.errors import UserError


def problem_of(macs: GeneFunction) -> Problem:
    return Problem(
        cardinalities=SPACE.cardinalities,
        objectives=(Objective("error", "min", is_share=True), Objective("macs", "min", known=macs)),
        limits=(),
        canonical=SPACE.canonical,
        features=lambda genes: genes.astype(np.float64),
        sample=SPACE.sample,
    )


PROBLEM = problem_of(lambda genes: np.full(len(genes), 1e6))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three evaluations, the second of which has failed."""
    log = EvaluationLog(tmp_path / "evaluations.csv", SPACE, PROBLEM)
    nothing = np.full(2, math.nan)
    networks = np.unique(SPACE.sample(np.random.default_rng(0), 9), axis=0)[:3]
    for genes, error in zip(networks, (0.25, math.nan, 0.5), strict=True):
        values = np.array([error, 1e6])
        log.append(Evaluation(genes, values, np.zeros(2), "initial", 0.75, nothing, nothing, 1.5))
    return log.path


def values_in(path: Path) -> list[list[float]]:
    return EvaluationLog(path, SPACE, PROBLEM).values.tolist()


def test_a_spreadsheets_log_is_the_same(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, text = values_in(path), path.read_text()
    header, *rows = text.replace(",", ";").splitlines()
    saved = "\r\n".join([header, *(row.replace(".", ",") for row in rows)])
    path.write_bytes(b"\xef\xbb\xbf" + saved.encode())
    np.testing.assert_array_equal(values_in(path), before)
    assert path.read_text() == text
    assert "another program has saved it; its 3 rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",0.5,", ",1.5,", "line 4: error is 1.5, not between 0 and 1"),
        (",0.5,", ",-1e300,", "line 4: error is -1e.300, not between"),
        (",0.5,", ",inf,", "line 4: error: 'inf' is no number"),
        (",0.5,", ",1e999,", "line 4: error: '1e999' is too large"),
        (",1000000.0,", ",1e300,", r"line 2: macs is 1e\+300, beyond 1e\+75"),
        (",1.5\n", ",soon\n", "line 2: seconds: 'soon' is no number"),
    ],
)
def test_what_no_evaluation_comes_to_is_refused(path: Path, old: str, new: str, message: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=rf"evaluations\.csv, {message}.*delete this line and those after it"):
        EvaluationLog(path, SPACE, PROBLEM)


def test_a_known_value_beyond_the_largest_counts_as_failed(path: Path) -> None:
    for known, kept in (
        ([7.0, 7.0, 7.0], [7.0, 7.0, 7.0]),
        ([1e300, math.inf, 2.0], [math.nan, math.nan, 2.0]),
    ):
        log = EvaluationLog(path, SPACE, problem_of(lambda genes, known=known: np.array(known)))
        log.recompute()
        np.testing.assert_array_equal(log.values[:, 1], kept)
