"""The table of trained networks: each row once, nothing trained twice, damage named."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.accuracy.reference_table import ReferenceJob, ReferenceTable, Trained
from hytnas_jax.accuracy.reference_training import train_missing
from hytnas_jax.accuracy.references import longer, longest, references_of
from hytnas_jax.runtime.executor import InProcess
from supernet.errors import UserError
from supernet.spaces import built_in_space

SPACE = built_in_space("hybrid-small")
NETWORKS = SPACE.decode_all(SPACE.sample(np.random.default_rng(0), 3))
JOBS = [ReferenceJob(seed, network, 20) for seed in (0, 1) for network in NETWORKS]


@dataclasses.dataclass
class ReferenceTrainer:
    """Trains nothing; what it was asked for stands in `runs`; cut before the run of that number."""

    cut_at: int | None = None
    runs: list[ReferenceJob] = dataclasses.field(default_factory=list)

    def run(self, job: ReferenceJob) -> Trained:
        if len(self.runs) == self.cut_at:
            raise KeyboardInterrupt
        self.runs.append(job)
        return result_of(job)


def result_of(job: ReferenceJob) -> Trained:
    return Trained(0.1 + JOBS.index(job) / 100, 0.5, 12.3)


def test_first_and_second_trainings_are_told_apart() -> None:
    jobs = [*JOBS[:3], *JOBS[4:]]
    errors = (0.1, 0.2, 0.3, 0.4, 0.6)
    trained = {job: Trained(error, 1.0, 1.0) for job, error in zip(jobs, errors, strict=True)}
    references = references_of(jobs, trained)
    assert (references.architectures, references.epochs) == (NETWORKS, 20)
    assert np.isnan(references.half_as_long).all()
    assert references.twice == pytest.approx(np.array([[0.8, 0.6], [0.7, 0.4]]))
    assert references.shift == pytest.approx(-0.25)
    assert references.accuracy == pytest.approx([0.9, (0.8 + 0.85) / 2, (0.7 + 0.65) / 2])
    # the differences -.2 and -.3 have a standard deviation of 0.1 / sqrt(2)
    assert references.noise == pytest.approx(0.05)
    assert references.unsure == pytest.approx([0.05, 0.05 / np.sqrt(2), 0.05 / np.sqrt(2)])
    once = references_of(jobs[:4], {job: trained[job] for job in jobs[:4]})
    assert (once.noise, once.shift) == (None, 0.0)


def test_a_cut_study_trains_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "references.csv"
    cut: Any = ReferenceTrainer(cut_at=2)
    with pytest.raises(KeyboardInterrupt):
        train_missing(cut, ReferenceTable(path, SPACE, epochs=20), JOBS, InProcess())
    path.write_bytes(path.read_bytes() + b"0123abcd,conv,co")  # a row that a kill has cut
    assert len(ReferenceTable(path, SPACE, epochs=20).read()) == 2
    second: Any = ReferenceTrainer()
    train_missing(second, ReferenceTable(path, SPACE, epochs=20), JOBS, InProcess())
    assert [*cut.runs, *second.runs] == JOBS
    assert ReferenceTable(path, SPACE, epochs=20).read() == {job: result_of(job) for job in JOBS}
    third: Any = ReferenceTrainer()
    train_missing(third, ReferenceTable(path, SPACE, epochs=20), JOBS, InProcess())
    assert third.runs == []


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("error", "1.5", "error is 1.5, not between 0 and 1"),
        ("error", "", "error: '' is no number"),
        ("stage1.width", "7", "stage1.width is '7', not one of 4, 8, 12"),
        ("name", "01234567", "name is '01234567', but these genes"),
        ("seed", "0", "20 epochs · seed 0 is there twice"),
        ("seed", "0.5", "seed is 0.5, not a whole number of at least 0"),
        ("epochs", "0", "epochs is 0, not a whole number of at least 1"),
        ("epochs", "", "epochs: '' is no number"),
    ],
)
def test_a_damaged_row_is_named(tmp_path: Path, column: str, text: str, message: str) -> None:
    path = tmp_path / "references.csv"
    table = ReferenceTable(path, SPACE, epochs=20)
    for job in (JOBS[0], JOBS[3]):  # the same network from two seeds
        table.append(job, result_of(job))
    header, first, last = path.read_text().splitlines()
    cells = last.split(",")
    cells[header.split(",").index(column)] = text
    path.write_text("\n".join([header, first, ",".join(cells)]) + "\n")
    with pytest.raises(UserError, match=rf"references.csv, line 3: .*{message}.*delete the line"):
        table.read()


def test_a_table_of_another_space_is_refused(tmp_path: Path) -> None:
    ReferenceTable(tmp_path / "references.csv", SPACE, epochs=20)
    with pytest.raises(UserError, match="its columns are"):
        ReferenceTable(tmp_path / "references.csv", built_in_space("hybrid"), epochs=20)


def without_epochs(path: Path) -> str:
    """The table as an earlier version wrote it: without how long."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    place = rows[0].index("epochs")
    return "".join(",".join(row[:place] + row[place + 1 :]) + "\n" for row in rows)


@pytest.mark.parametrize("cut", ["", "0123abcd,conv,co"])
def test_a_table_of_an_earlier_version_is_of_the_length_of_its_settings(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "references.csv"
    table = ReferenceTable(path, SPACE, epochs=20)
    table.append(JOBS[0], result_of(JOBS[0]))
    earlier = without_epochs(path)
    path.write_text(earlier + cut)
    with pytest.raises(UserError, match=r"it has no column 'epochs'.*--epochs 20, say|line 3: has 3 cells"):
        ReferenceTable(path, SPACE, epochs=None)
    assert path.read_text() == earlier + cut
    table = ReferenceTable(path, SPACE, epochs=12)
    table.append(JOBS[1], result_of(JOBS[1]))
    rows = {dataclasses.replace(JOBS[0], epochs=12): result_of(JOBS[0]), JOBS[1]: result_of(JOBS[1])}
    for epochs in (12, 99, None):  # the file says it now
        assert ReferenceTable(path, SPACE, epochs=epochs).read() == rows


def test_the_references_is_the_longest_at_which_every_network_was_trained() -> None:
    def trained(*lengths: int, without: int = 0) -> list[ReferenceJob]:
        return [dataclasses.replace(job, epochs=n) for n in lengths for job in JOBS[without:]]

    assert longest(JOBS, []) == JOBS
    assert longest(JOBS, trained(20, 40)) == longer(JOBS) == trained(40)
    assert longest(JOBS, trained(20, 40, 80)) == trained(80)
    assert longest(JOBS, trained(20) + trained(40, without=1)) == JOBS
    assert longest(JOBS, trained(20) + longer(JOBS)[:3]) == trained(40)  # the second seed may be missing
    assert longest(JOBS, trained(20, 30, 50)) == JOBS  # no lengths of this study
    assert longest(JOBS, trained(10)) == JOBS


def test_half_as_long_is_of_the_first_seed() -> None:
    trained = {job: Trained(0.1, 1.0, 1.0) for job in longer(JOBS)}
    trained |= {job: Trained(0.2 + 0.1 * n, 1.0, 1.0) for n, job in enumerate(JOBS)}
    assert references_of(longer(JOBS), trained).half_as_long == pytest.approx([0.8, 0.7, 0.6])
    odd = [dataclasses.replace(job, epochs=41) for job in JOBS]
    assert np.isnan(
        references_of(odd, trained | {job: Trained(0.1, 1.0, 1.0) for job in odd}).half_as_long
    ).all()
