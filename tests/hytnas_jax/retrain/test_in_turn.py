"""The retrain command from choice to choice: what becomes of a network is invented, by its latency."""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.files.atomic import write_json
from hytnas_jax.retrain import main
from hytnas_jax.retrain import trainer as training
from hytnas_jax.retrain.archive import load_archive
from hytnas_jax.retrain.config import Config
from hytnas_jax.retrain.retrained import read_retrained
from hytnas_jax.runtime import process_group
from hytnas_jax.tasks import Examined
from hytnas_jax.workspace.project import Project
from hytnas_jax.workspace.workdir import Step
from supernet.errors import UserError

from ..made_up_job import Recorded
from .test_command import Cut, begun_project

# Error and latency of a front of five, and of two networks behind it; what the errors become by default.
VALUES = [(0.1, 16.0), (0.15, 8.0), (0.2, 4.0), (0.4, 2.0), (0.6, 1.0), (0.25, 5.0), (0.5, 9.0)]
FRONT = 5
BECAME = {latency: error / 5 for error, latency in VALUES}


class Trainer:
    """Stands for training and evaluating; cuts the training of that number."""

    def __init__(self, project: Project) -> None:
        archive = load_archive(project)
        self.latency = {a.name: ms for a, ms in zip(archive.architectures, archive.values[:, 1], strict=True)}
        self.trained: list[float] = []
        self.cut_at: int | None = None
        self.became = dict(BECAME)

    def train(self, project: Any, dataset: Any, spec: Any, schedule: Any, *, label: str, **_: Any) -> Any:
        print(label)
        if len(self.trained) == self.cut_at:
            raise Cut
        self.trained.append(self.latency[spec.name])
        return {"params": np.zeros(1)}, {"stats": np.zeros(1)}

    def examine(self, project: Any, spec: Any, weights: Any, images: Any) -> tuple[Examined, np.ndarray]:
        error = self.became[self.latency[spec.name]]
        return Examined(error, math.sqrt(error * (1 - error) / len(images)), {}), np.zeros(1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = begun_project(tmp_path, max_images=200)
    members = project.space.decode_all(np.array([[n // 4, n // 2 % 2, n % 2] for n in range(len(VALUES))]))
    entries = [
        {
            "architecture": project.space.to_json(member),
            "index": index,
            "values": {"error": error, "latency_ms": latency},
            "std": {},
        }
        for index, (member, (error, latency)) in enumerate(zip(members, VALUES, strict=True))
    ]
    step = project.workdir.step("search")
    step.begin({})
    objectives = [{"name": name, "unit": "", "direction": "min"} for name in ("error", "latency_ms")]
    parts = {"architectures": entries[:FRONT], "behind": entries[FRONT:]}
    pareto = {"objectives": objectives, "reference": {}, **parts}
    write_json(step.folder / "pareto.json", pareto)
    step.finish({})
    return project


@pytest.fixture
def trainer(project: Project, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    trainer = Trainer(project)
    monkeypatch.setattr(training, "shared_weights", lambda project: lambda architecture: {})
    monkeypatch.setattr(training, "train_alone", trainer.train)
    monkeypatch.setattr(training, "examine", trainer.examine)
    return trainer


def config(project: Project, **changes: Any) -> Config:
    return Config(project.workdir.path, epochs=1, **changes)


def records(project: Project) -> list[dict[str, Any]]:
    """What stands of each network, in the order of retraining."""
    paths = project.workdir.path.glob("retrain/*/architecture.json")
    return sorted((json.loads(path.read_text()) for path in paths), key=lambda record: record["number"])


def done(project: Project) -> dict[str, Any]:
    return project.workdir.step("retrain").done()["summary"]


def test_roles_first_then_by_gain_until_it_is_not_worth_it(
    project: Project, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    main(config(project))
    assert trainer.trained[:4] == [16, 4, 1, 2]
    found = records(project)
    assert [record["role"] for record in found[:3]] == ["smallest error", "knee", "smallest latency_ms"]
    assert {record["role"] for record in found[3:]} == {"next by gain"}
    gains = [record["gain"] for record in found]
    assert gains[:3] == [None] * 3
    assert min(gains[3:]) >= Config.least_gain
    said = " ".join(capsys.readouterr().out.split())
    assert f"retraining {found[0]['network']['name']} (1 of at most 7, smallest error)" in said
    assert f"(4 of at most 7, would add {100 * gains[3]:.1f}% to the front)" in said
    assert "no further network is begun: the best is expected to add 0." in said
    assert "in the search: estimated before anything is trained" in said
    assert "the front that became: " + ", ".join(record["network"]["name"] for record in found) in said
    assert done(project)["stopped"] in said
    assert done(project)["front"] == done(project)["networks"] == [r["network"]["name"] for r in found]


def test_what_was_expected_is_shown_beside_what_became(
    project: Project, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first nothing was known; of the fourth, much."""
    main(config(project, count=4))
    names = [record["network"]["name"] for record in records(project)]
    networks = {network.name: network for network in read_retrained(project.workdir.step("retrain"))}
    first, *_, fourth = (networks[name] for name in names)
    assert (first.expected, first.estimated_error) == (None, 0.1)
    assert fourth.expected is not None
    assert fourth.expected.networks == 3
    assert fourth.estimated_error == 0.4
    assert fourth.expected.low < fourth.validation_error == 0.08 < fourth.expected.high
    assert fourth.result["validation_error_expected"] == fourth.expected.error
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if "%" in line}
    assert re.search(rf"40\.0% +{re.escape(str(fourth.expected))}", rows[fourth.name])
    assert re.search(r"10\.0% +-  ", rows[first.name])


def test_all_processes_of_a_job_train_the_same_networks(
    project: Project, trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the lead evaluates, and by its clock; the other one writes nothing."""
    monkeypatch.setattr(process_group, "_state", process_group._State())
    channel, other = Recorded(), tmp_path / "other"
    shutil.copytree(project.workdir.path, other)
    process_group.become(0, 2, channel)
    main(config(project, max_minutes=100.0))
    by_lead, trainer.trained = trainer.trained, []
    shutil.copytree(project.workdir.path / "retrain", other / "retrain")  # as it is when the lead has begun
    for path in (other / "retrain").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    (other / "retrain" / "done.json").unlink()
    before = sorted(other.rglob("*"))
    process_group.become(1, 2, channel)
    monkeypatch.setattr(training, "examine", lambda *_: pytest.fail("the lead evaluates"))
    main(Config(other, epochs=1, max_minutes=100.0))
    assert len(by_lead) > 3
    assert trainer.trained == by_lead
    assert sorted(other.rglob("*")) == before


@pytest.mark.parametrize("count", [1, 3, 6, 7])
def test_a_least_gain_of_nothing_spends_the_whole_count(
    project: Project, trainer: Trainer, count: int
) -> None:
    main(config(project, count=count, least_gain=0.0))
    assert len(trainer.trained) == len(set(trainer.trained)) == count
    told = "1 network is" if count == 1 else f"{count} networks are"
    assert f"{told} retrained: " in done(project)["stopped"]


def test_one_that_leaves_the_front_is_named_and_made_up_for(
    project: Project, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    """4 ms becomes worse than 2 ms: 5 ms, which it beat in the search, takes its place."""
    trainer.became[4.0] = 0.3
    main(config(project))
    assert 5.0 in trainer.trained
    name = next(name for name, latency in trainer.latency.items() if latency == 4.0)
    said = capsys.readouterr().out
    assert said.count("has left the front") == 1
    assert f"{name} has left the front: another one costs no more and makes clearly fewer errors" in said
    assert name not in done(project)["front"]
    front_line = next(line for line in said.splitlines() if line.startswith("the front that became"))
    assert front_line.endswith(f"; off it: {name}")


@pytest.mark.parametrize("cut_at", range(6))
def test_cut_and_gone_on_with_comes_to_the_same(
    project: Project, trainer: Trainer, cut_at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The network whose training was cut goes on, with what was expected of it then."""
    settings = config(project, count=6, least_gain=0.0)
    trainer.cut_at = cut_at
    with pytest.raises(Cut):
        main(settings)
    before = records(project)
    assert len(before) == cut_at + 1
    trainer.cut_at = None
    main(settings)
    assert records(project)[: cut_at + 1] == before
    resumed, order = records(project), list(trainer.trained)
    assert len(set(order)) == 6
    assert "has left the front" not in capsys.readouterr().out
    for path in project.workdir.path.glob("retrain/*/*"):
        path.unlink()
    for name in ("done.json", "settings.json", "session.json"):
        (project.workdir.path / "retrain" / name).unlink()
    trainer.trained = []
    main(settings)
    assert trainer.trained == order
    assert records(project) == resumed


def test_cut_between_training_and_evaluating_it_is_evaluated(
    project: Project, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(training, "examine", cut)
        with pytest.raises(Cut):
            main(config(project, count=2))
    main(config(project, count=2))
    assert trainer.trained == [16, 4]


def test_a_network_whose_folder_was_deleted_is_retrained_once_more(
    project: Project, trainer: Trainer
) -> None:
    """As the message about damaged weights asks for; the others stay as they are."""
    settings = config(project, count=4, least_gain=0.0)
    main(settings)
    gone = project.workdir.path / "retrain" / records(project)[1]["network"]["name"]
    for path in gone.iterdir():
        path.unlink()
    (gone.parent / "done.json").unlink()
    main(settings)
    assert sorted(trainer.trained) == [1, 2, 4, 4, 16]
    assert len(done(project)["networks"]) == 4


def test_a_damaged_choice_is_named(project: Project, trainer: Trainer) -> None:
    main(config(project, count=2))
    path = project.workdir.path / "retrain" / records(project)[0]["network"]["name"] / "architecture.json"
    (path.parent.parent / "done.json").unlink()
    for damage in ({"gain": "x", "expected": {"error": 1}}, {"genes": [9, 9, 9]}, {"number": None}):
        good = path.read_text()
        write_json(path, json.loads(good) | damage)
        with pytest.raises(UserError, match=r"architecture\.json: this is no architecture .*; delete "):
            main(config(project, count=2))
        path.write_text(good)
    path.write_text("[]")
    with pytest.raises(UserError, match="this is no architecture"):
        main(config(project, count=2))
    path.unlink()  # its weights stay
    main(config(project, count=2))
    assert len(trainer.trained) == 2
    assert path.exists()


def test_after_the_minutes_no_other_is_begun(
    project: Project, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the first. One takes two minutes: after the third the five are spent."""
    monkeypatch.setattr(Step, "seconds", lambda step: 120.0 * len(trainer.trained))
    main(config(project, max_minutes=5.0))
    assert len(trainer.trained) == 3
    assert done(project)["stopped"] == "no further network is begun: 5 minutes are spent (--max-minutes)"


def test_the_first_is_retrained_however_little_time_there_is(project: Project, trainer: Trainer) -> None:
    main(config(project, max_minutes=1e-9))
    assert len(trainer.trained) == 1


def test_perfect_and_useless_networks(project: Project, trainer: Trainer) -> None:
    trainer.became = {16.0: 0.0, 8.0: 0.0, 4.0: 0.0, 2.0: 1.0, 1.0: 1.0, 5.0: 0.0, 9.0: 1.0}
    main(config(project, count=7, least_gain=0.0))
    assert len(trainer.trained) == 7
    for record in records(project):
        values = [*(record["expected"] or {}).values(), record["gain"] or 0.0]
        assert all(math.isfinite(value) for value in values)
