"""Training references until they stand: what is trained, and that nothing is trained twice."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax import study_ranking
from hytnas_jax.accuracy import standing
from hytnas_jax.accuracy.reference_table import TABLE, ReferenceJob, Trained
from hytnas_jax.accuracy.references import read_references
from hytnas_jax.accuracy.standing import Standing
from hytnas_jax.files.atomic import read_json
from hytnas_jax.study_ranking import command as step
from hytnas_jax.study_ranking.config import Config
from hytnas_jax.workspace.project import Project
from proxies.ranking import kendall_tau
from supernet.errors import UserError


@dataclasses.dataclass
class Fake:
    """Trains nothing. A network is as good as its MACs; chance adds to it, less the longer the training."""

    runs: list[ReferenceJob] = dataclasses.field(default_factory=list)
    cut_at: int | None = None
    stands_at: int = 40

    def __call__(self, project: Project, dataset: Any, schedule: Any, folder: Path) -> "Fake":
        return self

    def run(self, job: ReferenceJob) -> Trained:
        if len(self.runs) == self.cut_at:
            raise KeyboardInterrupt
        self.runs.append(job)
        worth = sum(job.architecture.genes) / 100
        chance = np.random.default_rng([job.seed, job.epochs, *job.architecture.genes]).uniform()
        return Trained(0.5 - worth - (chance if job.epochs < self.stands_at else 0.0) / 4, 1.0, 60.0)

    @property
    def lengths(self) -> dict[int, int]:
        """How many trainings of each length."""
        lengths = [job.epochs for job in self.runs]
        return {length: lengths.count(length) for length in dict.fromkeys(lengths)}


@pytest.fixture
def project(work_folder: Callable[..., Project]) -> Project:
    return work_folder("data")


@pytest.fixture
def study(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fake]:
    """Runs the command with flags, and gives what was trained."""

    def run(*, cut_at: int | None = None, stands_at: int = 40, **flags: Any) -> Fake:
        fake = Fake(cut_at=cut_at, stands_at=stands_at)
        monkeypatch.setattr(step, "ReferenceTrainer", fake)
        monkeypatch.setattr(standing, "kendall_tau", functools.partial(kendall_tau, num_resamples=9))
        flags = {"networks": 8, "repeated": 4, "processes": 1} | flags
        study_ranking.main(Config(project.workdir.path, **flags))
        assert len(set(fake.runs)) == len(fake.runs)
        return fake

    return run


def test_it_goes_on_until_they_stand(
    study: Callable[..., Fake], project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert study(epochs="auto").lengths == {20: 12, 40: 12, 80: 12}  # at 40 half as long is chance still
    references = read_references(project)
    assert (references.epochs, Standing.of(references).stand) == (80, True)
    done = project.workdir.step("references").done()
    assert done["summary"] == {"networks": 8, "trainings": 12, "epochs": 80, "stand": True, "doubt": None}
    said = capsys.readouterr().out
    assert "the order of these references is not stable yet" in said
    assert "now 40 epochs" in said
    assert "the order of these references is stable (0.8 is needed of both): tau" in said
    assert "between two seeds of 80 epochs 1.000" in said
    assert study(epochs="auto").runs == []
    assert project.workdir.step("references").done() == done


def test_a_study_of_a_number_of_epochs_goes_on_with_what_is_there(
    study: Callable[..., Fake], project: Project
) -> None:
    assert study(epochs=10).lengths == {10: 12}
    before = project.workdir.step("references").done()["id"]
    assert study(epochs="auto").lengths == {20: 12, 40: 12, 80: 12}
    assert project.workdir.step("references").done()["id"] != before
    assert study(epochs=10).runs == []  # nothing is lost, and nothing is longer than it has to be
    assert read_references(project).epochs == 80
    assert study(epochs=10, repeated=5).lengths == {10: 1}
    assert study(epochs="auto", repeated=5).lengths == {80: 1}
    with pytest.raises(UserError, match="epochs: was 10, now 20"):
        study(epochs=20)
    with pytest.raises(UserError, match="repeated: was 5, now 4"):
        study(epochs="auto")


@pytest.mark.parametrize("cut_at", [0, 12, 15, 23, 35])
def test_a_cut_study_goes_on(study: Callable[..., Fake], project: Project, cut_at: int) -> None:
    whole = {20: 12, 40: 12, 80: 12}
    with pytest.raises(KeyboardInterrupt):
        study(epochs="auto", cut_at=cut_at)
    with pytest.raises(UserError, match="has not ended"):
        read_references(project)
    again = study(epochs="auto").lengths
    assert sum(again.values()) == 36 - cut_at
    assert all(count <= whole[length] for length, count in again.items())
    assert read_references(project).epochs == 80


def test_a_cut_study_may_be_ended_with_what_is_there(study: Callable[..., Fake], project: Project) -> None:
    with pytest.raises(KeyboardInterrupt):
        study(epochs="auto", cut_at=30)
    assert study(epochs=20).runs == []
    assert read_references(project).epochs == 40


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        ({"max_epochs": 79}, "80 epochs would be more than --max-epochs 79"),
        # twelve minutes at 20 epochs, the next taken for 24
        ({"max_hours": 0.5}, "with 40 epochs it would be about 0.6 hours, --max-hours 0.5"),
    ],
)
def test_a_budget_ends_it_and_a_larger_one_goes_on(
    study: Callable[..., Fake],
    project: Project,
    capsys: pytest.CaptureFixture[str],
    budget: dict[str, float],
    reason: str,
) -> None:
    first = study(epochs="auto", stands_at=1000, **budget).lengths
    warning = capsys.readouterr().err
    assert warning.startswith(
        ("warning: whether the order of", "warning: the order of these references is not")
    )
    assert reason in warning
    assert not project.workdir.step("references").done()["summary"]["stand"]
    assert study(epochs="auto", stands_at=1000, **budget).runs == []
    further = study(epochs="auto", stands_at=1000, max_epochs=160).lengths
    assert first | further == {20: 12, 40: 12, 80: 12, 160: 12}
    assert not set(first) & set(further)


def test_a_references_that_was_moved_here_is_gone_on_with(
    study: Callable[..., Fake], project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    study(epochs=10)
    folder = project.workdir.path / "references"
    (folder / "settings.json").unlink()
    (folder / "done.json").unlink()
    assert study(epochs="auto").lengths == {20: 12, 40: 12, 80: 12}
    (folder / "settings.json").unlink()
    capsys.readouterr()
    assert study(epochs=15).lengths == {15: 12}
    assert (
        "--epochs 15: references.csv has only networks trained for 10, 20, 40, 80 epochs"
        in capsys.readouterr().err
    )
    assert read_references(project).epochs == 15


def test_a_deleted_row_is_trained_again(study: Callable[..., Fake], project: Project) -> None:
    study(epochs=10)
    path = project.workdir.path / "references" / TABLE
    path.write_text(
        "".join(path.read_text().splitlines(keepends=True)[:-6])
    )  # four second trainings, two first
    with pytest.raises(
        UserError, match=r"references.csv: 2 of 8 networks are not in it \(any more\); run python -m"
    ):
        read_references(project)
    assert study(epochs=10).lengths == {10: 6}
    assert read_references(project).epochs == 10


def test_two_seeds_need_networks_to_compare(study: Callable[..., Fake], project: Project) -> None:
    with pytest.raises(UserError, match=r"--repeated 2: .* at least 3 networks .* give --repeated 10"):
        study(epochs="auto", repeated=2)
    assert not (project.workdir.path / "references").exists()


def test_settings_are_those_of_an_earlier_version(study: Callable[..., Fake], project: Project) -> None:
    """So that its studies go on."""
    study(epochs="auto")
    settings = read_json(project.workdir.path / "references" / "settings.json")["settings"]
    assert set(settings) == {"networks", "repeated", "epochs", "batch_size", "learning_rate", "seed"}
    assert settings["epochs"] == 20
