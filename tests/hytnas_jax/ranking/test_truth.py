"""The table of trained networks: each row once, nothing trained twice, damage named."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.ranking.truth import Job, Trained, TruthTable, train_missing, truth_of
from supernet.errors import UserError
from supernet.spaces import built_in_space

SPACE = built_in_space("hybrid-small")
JOBS = [Job(seed, a) for seed in (0, 1) for a in SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 3))]


@dataclasses.dataclass
class Trainer:
    """Trains nothing; what it was asked for stands in `runs`; cut before the run of that number."""

    cut_at: int | None = None
    runs: list[Job] = dataclasses.field(default_factory=list)

    def run(self, job: Job) -> Trained:
        if len(self.runs) == self.cut_at:
            raise KeyboardInterrupt
        self.runs.append(job)
        return result_of(job)


def result_of(job: Job) -> Trained:
    return Trained(0.1 + JOBS.index(job) / 100, 0.5, 12.3)


def test_first_and_second_trainings_are_told_apart() -> None:
    networks = [job.architecture for job in JOBS[:3]]
    jobs = [*JOBS[:3], Job(1, networks[1]), Job(1, networks[2])]
    errors = (0.1, 0.2, 0.3, 0.4, 0.6)
    trained = {job: Trained(error, 1.0, 1.0) for job, error in zip(jobs, errors, strict=True)}
    truth = truth_of(jobs, trained, first_seed=0)
    assert truth.architectures == networks
    assert truth.twice == pytest.approx(np.array([[0.8, 0.6], [0.7, 0.4]]))
    assert truth.shift == pytest.approx(-0.25)
    assert truth.accuracy == pytest.approx([0.9, (0.8 + 0.85) / 2, (0.7 + 0.65) / 2])
    # the differences -.2 and -.3 have a standard deviation of .1 / sqrt(2)
    assert truth.noise == pytest.approx(0.05)
    assert truth.unsure == pytest.approx([0.05, 0.05 / np.sqrt(2), 0.05 / np.sqrt(2)])
    once = truth_of(jobs[:4], trained, first_seed=0)
    assert (once.noise, once.shift) == (None, 0.0)


def test_a_cut_study_trains_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    cut: Any = Trainer(cut_at=2)
    with pytest.raises(KeyboardInterrupt):
        train_missing(cut, TruthTable(path, SPACE), JOBS, processes=1)
    assert len(TruthTable(path, SPACE).read()) == 2
    second: Any = Trainer()
    train_missing(second, TruthTable(path, SPACE), JOBS, processes=1)
    assert [*cut.runs, *second.runs] == JOBS
    assert TruthTable(path, SPACE).read() == {job: result_of(job) for job in JOBS}
    third: Any = Trainer()
    train_missing(third, TruthTable(path, SPACE), JOBS, processes=1)
    assert third.runs == []


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("error", "1.5", "error is 1.5, not between 0 and 1"),
        ("error", "", "error: '' is no number"),
        ("stage1.width", "7", "stage1.width is '7', not one of 4, 8, 12"),
        ("name", "01234567", "name is '01234567', but these genes"),
        ("seed", "0", "seed 0 is there twice"),
    ],
)
def test_a_damaged_row_is_named(tmp_path: Path, column: str, text: str, message: str) -> None:
    path = tmp_path / "truth.csv"
    table = TruthTable(path, SPACE)
    for job in (JOBS[0], JOBS[3]):  # the same network from two seeds
        table.append(job, result_of(job))
    header, first, last = path.read_text().splitlines()
    cells = last.split(",")
    cells[header.split(",").index(column)] = text
    path.write_text("\n".join([header, first, ",".join(cells)]) + "\n")
    with pytest.raises(UserError, match=rf"truth.csv, line 3: .*{message}.*delete the line"):
        table.read()


def test_a_table_of_another_space_is_refused(tmp_path: Path) -> None:
    TruthTable(tmp_path / "truth.csv", SPACE)
    with pytest.raises(UserError, match="its columns are"):
        TruthTable(tmp_path / "truth.csv", built_in_space("hybrid"))
