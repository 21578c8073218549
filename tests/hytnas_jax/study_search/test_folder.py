"""What a study keeps, and what it refuses to mix."""

from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.study_search.folder import StudyFolder
from hytnas_jax.study_search.jobs import SearchJob
from hytnas_jax.study_search.trajectories import Trajectory
from supernet.errors import UserError

TRAJECTORY = Trajectory(np.array([3, 1]), np.array([0.1, 1.0 / 3.0]), np.array([0.0, 0.25]))
SETTINGS = {"evaluations": 60, "objectives": {"u": "max"}}


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    jobs = [
        SearchJob("a__b", "gp+ucb+hvi/4", 10),
        SearchJob("a__b", "gp+ucb+hvi", 2),
        SearchJob("a__b", "gp+ucb+hvi", 10),
    ]
    for job in jobs:
        assert not folder.has(job)
        folder.add(job, TRAJECTORY)
        assert folder.has(job)
    runs = folder.runs()
    assert [run.job for run in runs] == [jobs[1], jobs[2], jobs[0]]
    np.testing.assert_array_equal(runs[0].hypervolume_ratios, TRAJECTORY.hypervolume_ratios)
    np.testing.assert_array_equal(runs[0].seconds, TRAJECTORY.seconds)
    assert (tmp_path / "runs" / "a__b__gp+ucb+hvi__2.csv").read_text().splitlines()[1] == (
        "a__b,gp+ucb+hvi,2,1,0.1,0.0,3"
    )


def test_trajectories_have_a_row_for_each_evaluation(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.add(SearchJob("p", "random", 0), TRAJECTORY)
    assert folder.write_trajectories(folder.runs()).read_text() == (
        "problem,strategy,seed,evaluation,hypervolume_ratio,seconds\n"
        "p,random,0,1,0.1,0.0\n"
        "p,random,0,2,0.3333333333333333,0.25\n"
    )


def test_other_settings_and_a_changed_table_are_refused(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "out")
    folder.begin(SETTINGS, {"p": "1234"})
    folder.begin(SETTINGS, {"p": "1234"})
    folder.begin(SETTINGS, {"q": "5678"})  # one more table
    with pytest.raises(UserError, match="evaluations: was 60, now 80"):
        folder.begin({**SETTINGS, "evaluations": 80}, {"p": "1234"})
    with pytest.raises(UserError, match=r"objectives: was \{'u': 'max'\}, now \{'u': 'min'\}"):
        folder.begin({**SETTINGS, "objectives": {"u": "min"}}, {"p": "1234"})
    for problem in ("p", "q"):
        with pytest.raises(UserError, match=rf"table {problem}: its content has changed"):
            folder.begin(SETTINGS, {problem: "9999"})


def test_a_file_in_the_way_and_a_damaged_run_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="a file is in the way"):
        StudyFolder(tmp_path / "file").begin(SETTINGS, {})
    folder = StudyFolder(tmp_path)
    folder.add(SearchJob("p", "random", 0), TRAJECTORY)
    path = tmp_path / "runs" / "p__random__0.csv"
    for text in ("", "problem,seed\n", path.read_text().replace("0.1", "x"), path.read_text()[:-8]):
        path.write_text(text)
        with pytest.raises(UserError, match=r"p__random__0.csv: .* delete it"):
            folder.runs()
