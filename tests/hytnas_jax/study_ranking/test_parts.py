"""A study in parts: each trains its own, nothing is trained twice, and the merge has every result once."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hytnas_jax import study_ranking
from hytnas_jax.accuracy.reference_table import TABLE, ReferenceJob, ReferenceTable, Trained
from hytnas_jax.accuracy.references import read_references
from hytnas_jax.study_ranking import command as step
from hytnas_jax.study_ranking.config import Config, part_of
from hytnas_jax.workspace.project import Project
from supernet.errors import UserError

TRAININGS = 12


@dataclasses.dataclass
class Fake:
    """Trains nothing, but leaves a checkpoint of a training that is cut."""

    runs: list[ReferenceJob] = dataclasses.field(default_factory=list)
    cut_at: int | None = None
    folder: Path = Path()

    def __call__(self, project: Project, dataset: Any, schedule: Any, folder: Path) -> "Fake":
        self.folder = folder
        return self

    def run(self, job: ReferenceJob) -> Trained:
        if len(self.runs) == self.cut_at:
            (self.folder / "cut").mkdir()
            raise KeyboardInterrupt
        self.runs.append(job)
        return Trained(0.5 - sum(job.architecture.genes) / 1000, 1.0, 60.0)


@pytest.fixture
def project(work_folder: Callable[..., Project]) -> Project:
    return work_folder("data")


@pytest.fixture
def train(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[ReferenceJob]]:
    """Runs the command with flags, and gives what was trained."""

    def run(part: str | None = None, *, cut_at: int | None = None, **flags: Any) -> list[ReferenceJob]:
        fake = Fake(cut_at=cut_at)
        monkeypatch.setattr(step, "ReferenceTrainer", fake)
        flags = {"networks": 8, "repeated": 4, "epochs": 10, "processes": 1} | flags
        study_ranking.main(Config(project.workdir.path, part=part, **flags))
        return fake.runs

    return run


def folder_of(project: Project) -> Path:
    return project.workdir.path / "references"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(project: Project) -> list[str]:
    return (folder_of(project) / TABLE).read_text().splitlines()[1:]


def test_all_parts_are_the_whole_and_are_merged(
    train: Callable[..., list[ReferenceJob]], project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [train(f"{number}/3") for number in (2, 3, 1)]
    assert [len(part) for part in parts] == [4, 4, 4]
    assert len({job for part in parts for job in part}) == TRAININGS
    said = capsys.readouterr().out
    assert "part 2 of 3 has ended; of all 3, 8 trainings are missing" in said
    assert "part 1 of 3 has ended; of all 3, no training is missing" in said
    assert train() == []
    assert f"12 trainings of 3 parts added to {folder_of(project) / TABLE}" in capsys.readouterr().out
    assert len(rows(project)) == TRAININGS
    assert not (folder_of(project) / "parts").exists()
    assert len(read_references(project).architectures) == 8
    assert train() == train("1/3") == []


def test_a_part_trains_the_same_whatever_the_others_have(
    train: Callable[..., list[ReferenceJob]], project: Project
) -> None:
    first = train("2/3")
    for path in sorted((folder_of(project) / "parts").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    train("1/3")
    assert train("2/3") == first


def test_a_part_writes_in_its_own_folder_only(
    train: Callable[..., list[ReferenceJob]], project: Project
) -> None:
    before = contents(project.workdir.path)
    train("1/3")
    after = contents(project.workdir.path)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed
    assert all(name.startswith("references/parts/1-of-3/") for name in changed), changed


def test_a_cut_part_goes_on(train: Callable[..., list[ReferenceJob]], project: Project) -> None:
    with pytest.raises(KeyboardInterrupt):
        train("1/2", cut_at=2)
    table = folder_of(project) / "parts" / "1-of-2" / TABLE
    table.write_bytes(table.read_bytes() + b"0123")  # a row that a kill has cut
    assert len(train("2/2")) == 6  # it reads the other's rows as they are
    assert table.read_bytes().endswith(b"0123")
    assert len(train("1/2")) == 4
    assert train("1/2") == []


def test_the_command_without_a_part_trains_what_is_missing(
    train: Callable[..., list[ReferenceJob]], project: Project
) -> None:
    train("1/2")
    with pytest.raises(KeyboardInterrupt):
        train("2/2", cut_at=2)
    assert len(train()) == 4
    assert len(rows(project)) == len(set(rows(project))) == TRAININGS
    assert (folder_of(project) / "cut").is_dir()  # a cut training goes on from its checkpoint


def test_a_training_that_two_parts_have_counts_once(
    train: Callable[..., list[ReferenceJob]], project: Project
) -> None:
    (first, *_) = train("1/12")
    doubled = folder_of(project) / "parts" / "1-of-2"
    doubled.mkdir()
    table = ReferenceTable(doubled / TABLE, project.space, epochs=10)
    table.append(first, Trained(0.9, 9.0, 9.0))  # as a late look at a shared file system lets it happen
    assert len(train()) == TRAININGS - 1
    assert len(rows(project)) == TRAININGS
    assert all(float(row.split(",")[-3]) < 0.9 for row in rows(project))  # that of 1-of-12 came first


def test_a_merge_that_was_cut_doubles_nothing(
    train: Callable[..., list[ReferenceJob]], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    train("1/1")
    append, count = ReferenceTable.append, iter(range(5))

    def cut(table: ReferenceTable, job: ReferenceJob, trained: Trained) -> None:
        next(count)
        append(table, job, trained)

    monkeypatch.setattr(ReferenceTable, "append", cut)
    with pytest.raises(StopIteration):
        train()
    monkeypatch.setattr(ReferenceTable, "append", append)
    assert len(rows(project)) == 5
    assert train() == []
    assert len(rows(project)) == TRAININGS


def test_other_settings_are_refused(train: Callable[..., list[ReferenceJob]], project: Project) -> None:
    train("1/2")
    message = r"parts/1-of-2 was begun with others:\n  learning_rate: was 0.01, now 0.02\ngive the same"
    for part in ("1/2", None):
        with pytest.raises(UserError, match=message):
            train(part, learning_rate=0.02)
    train()
    with pytest.raises(UserError, match=r"references was begun with others:\n  epochs: was 10, now 20"):
        train("2/2", epochs=20)
    grown = [*train("1/2", repeated=6), *train("2/2", repeated=6)]  # the study may grow
    assert grown
    assert {job.seed for job in grown} == {1}
    assert train(repeated=6) == []


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "a/b", "1/3/5", "-1/3", "1 / 3", ""])
def test_a_part_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="must be i/n with whole numbers, i from 1 to n"):
        part_of(text)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"epochs": "auto"}, "--part 1/2: with --epochs auto .* give a number of epochs"),
        ({"executor": "ray", "processes": None}, "--part 1/2: with --executor ray|Ray is not installed"),
    ],
)
def test_a_part_needs_to_be_known_beforehand(
    train: Callable[..., list[ReferenceJob]], project: Project, flags: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        train("1/2", **flags)
    assert not folder_of(project).exists()


PART = """
import sys
from pathlib import Path
from hytnas_jax.workspace import folder_lock
from hytnas_jax.workspace.workdir import Workdir, reading
work = Path(sys.argv[1])
with reading(work, flag="--workdir") as found:
    folder_lock.take(found.path / "of-this-part")
    print("in it", flush=True)
    sys.stdin.read()
"""


def test_parts_share_a_work_folder_and_keep_all_others_out(tmp_path: Path) -> None:
    """As each part takes the locks; the command without a part has to wait."""
    work = tmp_path / "work"
    begin = "import sys\nfrom pathlib import Path\nfrom hytnas_jax.workspace.workdir import Workdir\n"
    whole = [sys.executable, "-c", begin + "Workdir(Path(sys.argv[1]))", str(work)]
    subprocess.run(whole, check=True)
    part = [sys.executable, "-c", PART.replace("of-this-part", "{}"), str(work)]
    running = [
        subprocess.Popen(
            [*part[:2], part[2].format(name), part[3]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "in it\n"
        refused = subprocess.run(whole, capture_output=True, text=True)
        assert "another process is using it" in refused.stderr
    finally:
        for process in running:
            process.communicate("")
    subprocess.run(whole, check=True)
