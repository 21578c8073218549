"""Retraining, cut and gone on with: the test split is read at the end, and once. Training is left out."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
import pytest

from hytnas_jax.files.atomic import write_json
from hytnas_jax.retrain import main, trainer
from hytnas_jax.retrain.config import Config
from hytnas_jax.retrain.retrained import read_retrained
from hytnas_jax.shared_flags.data import DataConfig
from hytnas_jax.tasks import Examined
from hytnas_jax.training import stand_alone as training_alone
from hytnas_jax.training.weights import load_weights
from hytnas_jax.workspace.project import Project, create_project
from hytnas_jax.workspace.workdir import Workdir
from supernet.errors import UserError
from supernet.named import named_network
from supernet.network import stand_alone
from supernet.network_spec import NetworkSpec
from supernet.training import TrainState

SPACE = """
name: one stage
stages:
  - {stride: 2, depth: [1, 2], expansion: [1, 2], width: [4, 8]}
resolution: [8]
stem_width: 4
stem_stride: 1
head_min: 4
"""
# Error and latency of a front of three, which are the most accurate, the knee and the quickest.
VALUES = ((0.1, 9.0), (0.2, 2.0), (0.6, 1.0))
ROLES = ["smallest error", "knee", "smallest latency_ms"]


class Cut(KeyboardInterrupt):
    """What a Ctrl-C is to a command."""


class Recorder:
    """What happened, in order; cuts at the event of that number."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.cut_at: int | None = None

    def note(self, event: str) -> None:
        if len(self.events) == self.cut_at:
            raise Cut
        self.events.append(event)


def begun_project(tmp_path: Path, *, max_images: int) -> Project:
    """Digits in a space of eight networks."""
    (tmp_path / "space.yaml").write_text(SPACE)
    project, _ = create_project(
        Workdir(tmp_path / "work"),
        DataConfig(tmp_path / "work", space=str(tmp_path / "space.yaml"), max_images=max_images),
        seed=0,
    )
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = begun_project(tmp_path, max_images=60)
    write_search(project, ("error", "latency_ms"))
    return project


def write_search(project: Project, objectives: tuple[str, str]) -> None:
    members = project.space.decode_all(np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1]]))
    entries = [
        {
            "architecture": project.space.to_json(member),
            "index": index,
            "values": dict(zip(objectives, values, strict=True)),
            "std": {},
            "loss": None,
            "network": {},
            "extrapolated": False,
        }
        for index, (member, values) in enumerate(zip(members, VALUES, strict=True))
    ]
    step = project.workdir.step("search")
    step.begin({})
    named = [{"name": name, "unit": "", "direction": "min"} for name in objectives]
    write_json(
        step.folder / "pareto.json",
        {"objectives": named, "reference": {}, "architectures": entries, "behind": []},
    )
    step.finish({})


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A training that leaves the weights as they were, and notes of what is trained and evaluated."""
    recorder = Recorder()

    def train_loop(step_function: Any, state: TrainState, **options: Any) -> TrainState:
        recorder.note("train")
        return state

    def shared_weights(project: Project) -> Callable[..., Any]:
        return lambda architecture: stand_alone(project.to_spec(architecture)).init(jax.random.key(7))[0]

    def examine(project: Project, spec: Any, weights: Any, images: Any) -> Any:
        dataset = project.dataset()
        is_test = images.labels.shape == dataset.test.labels.shape and (
            np.array_equal(images.images, dataset.test.images)
        )
        recorder.note("read test" if is_test else "read validation")
        return real_examine(project, spec, weights, images)

    real_examine = trainer.examine
    monkeypatch.setattr(training_alone, "train_loop", train_loop)
    monkeypatch.setattr(trainer, "shared_weights", shared_weights)
    monkeypatch.setattr(trainer, "examine", examine)
    jax.config.update("jax_disable_most_optimizations", True)
    yield recorder
    jax.config.update("jax_disable_most_optimizations", False)


def results(project: Project) -> dict[str, tuple[str, int]]:
    """Text and time of writing of every result."""
    paths = (project.workdir.path / "retrain").glob("*/result.json")
    return {path.parent.name: (path.read_text(), path.stat().st_mtime_ns) for path in paths}


TRAINED = ["train", "read validation"]
TESTED = ["read test"]


def test_all_are_trained_before_the_test_split_is_read(
    project: Project, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(project.workdir.path, count=3, epochs=1)
    main(config)
    assert recorder.events == 3 * TRAINED + 3 * TESTED
    folders = sorted(path.parent for path in (config.workdir / "retrain").glob("*/architecture.json"))
    records = [json.loads((folder / "architecture.json").read_text()) for folder in folders]
    assert sorted(record["role"] for record in records) == sorted(ROLES)
    for folder, record in zip(folders, records, strict=True):
        architecture = project.space.from_json({key: record[key] for key in ("space", "genes")})
        assert architecture.name == folder.name
        assert NetworkSpec.from_json(record["network"]) == project.to_spec(architecture)
        assert (record["search"]["error"], record["search"]["latency_ms"]) in VALUES
        result = json.loads((folder / "result.json").read_text())
        assert result["validation_error_expected"] == (record["expected"] or {"error": None})["error"]
        assert (record["expected"] is None) == (record["number"] == 1)
        assert result["test_images"] == len(project.dataset().test)
        assert 0.0 <= result["test_error"] <= 1.0
        assert (result["epochs"], result["init"]) == (1, "supernet")
        params, _ = load_weights(folder / "weights.npz")
        expected, _ = stand_alone(project.to_spec(architecture)).init(jax.random.key(7))
        jax.tree.map(np.testing.assert_array_equal, params, jax.device_get(expected))
    said, warned = capsys.readouterr()
    assert "test error" in said
    assert f"next: python -m hytnas_jax.export --workdir {config.workdir}" in said
    # Nothing was trained here. Digits are not mirrored: that is no cause.
    assert warned.startswith("warning: hardly better than guessing: 3 of 3 networks (")
    assert "too few epochs (1), a learning rate that does not suit (0.01)" in warned
    assert "mirror" not in warned
    assert warned == f"warning: {project.workdir.step('retrain').done()['summary']['doubt']}\n"


def test_a_deviation_that_is_not_known(
    project: Project, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a single image has it: JSON has no NaN, and the verdict is a guess."""

    def examine(*_: Any) -> tuple[Examined, np.ndarray]:
        return Examined(0.5, np.nan, {}), np.zeros(1)

    monkeypatch.setattr(trainer, "examine", examine)
    main(Config(project.workdir.path, count=2, epochs=1))
    found = read_retrained(project.workdir.step("retrain"))
    assert [(n.test_deviation, n.validation_deviation) for n in found] == [(None, None)] * 2


def test_published_networks_are_trained_beside_them(
    project: Project, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    main(Config(project.workdir.path, count=1, epochs=1, named=("hyt-nas-bl",)))
    assert recorder.events == 2 * TRAINED + 2 * TESTED
    network = next(n for n in read_retrained(project.workdir.step("retrain")) if n.name == "hyt-nas-bl")
    assert network.spec == named_network("hyt-nas-bl", num_classes=10, resolution=8, channels=1)
    assert (network.role, network.result["init"], network.estimates) == (
        "published",
        "scratch",
        {},
    )
    expected, _ = stand_alone(network.spec).init(jax.random.key(0))
    params, _ = load_weights(network.weights)
    jax.tree.map(np.testing.assert_array_equal, params, jax.device_get(expected))
    assert project.workdir.step("retrain").done()["summary"]["still_on_front"] == ["yes"]
    assert "published" in capsys.readouterr().out


ORIGIN = {"workdir": "runs/a", "supernet": "1f", "data": "tfds:x", "images": 9, "commit": None}


@pytest.mark.parametrize(("start", "expected"), [("supernet", [ORIGIN]), ("scratch", [])])
def test_whose_images_the_weights_come_from_goes_on(
    project: Project,
    recorder: Recorder,
    start: Literal["supernet", "scratch"],
    expected: list[dict[str, Any]],
) -> None:
    """To those networks that have weights of the supernet: what that was begun with."""
    write_json(project.workdir.path / "supernet" / "begun_with.json", [ORIGIN])
    main(Config(project.workdir.path, count=1, epochs=1, named=("hyt-nas-bl",), start=start))
    found = {n.name: n.result["begun_with"] for n in read_retrained(project.workdir.step("retrain"))}
    assert found.pop("hyt-nas-bl") == []
    assert [*found.values()] == [expected]


def test_a_published_network_for_other_images_is_refused_before_anything(project: Project) -> None:
    with pytest.raises(
        UserError, match=r"--named vit-tiny: .*patch is 16, .* 8 x 8 map.* leave vit-tiny out"
    ):
        main(Config(project.workdir.path, named=("hyt-nas-bl", "vit-tiny")))
    assert not (project.workdir.path / "retrain").exists()


def test_an_unknown_published_network_is_refused_before_anything(project: Project) -> None:
    with pytest.raises(UserError, match="did you mean 'hyt-nas-bl'"):
        main(Config(project.workdir.path, named=("hyt-nas-bx",)))
    assert not (project.workdir.path / "retrain").exists()


def test_a_finished_step_does_nothing(
    project: Project, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(project.workdir.path, count=1, epochs=1)
    main(config)
    before, events = results(project), list(recorder.events)
    main(config)
    assert "are retrained already" in capsys.readouterr().out
    assert recorder.events == events
    assert results(project) == before
    with pytest.raises(UserError, match="epochs: was 1, now 2"):
        main(Config(project.workdir.path, count=1, epochs=2))


def test_cut_while_testing_each_is_tested_once(project: Project, recorder: Recorder) -> None:
    """The result of the first is there; the second was cut before its test."""
    config = Config(project.workdir.path, count=2, epochs=1)
    recorder.cut_at = 2 * len(TRAINED) + len(TESTED)
    with pytest.raises(Cut):
        main(config)
    first = results(project)
    assert len(first) == 1
    recorder.cut_at, recorder.events = None, []
    main(config)
    assert recorder.events == TESTED
    assert first.items() < results(project).items()


def test_cut_while_training_the_trained_stay(project: Project, recorder: Recorder) -> None:
    config = Config(project.workdir.path, count=2, epochs=1)
    recorder.cut_at = len(TRAINED)
    with pytest.raises(Cut):
        main(config)
    recorder.cut_at, recorder.events = None, []
    main(config)
    assert recorder.events == TRAINED + 2 * TESTED


def test_a_search_without_an_error_has_none_to_compare(
    project: Project, recorder: Recorder, tmp_path: Path
) -> None:
    write_search(project, ("parameters", "macs"))
    main(Config(project.workdir.path, count=1, epochs=1))
    ((text, _),) = results(project).values()
    assert json.loads(text)["validation_error_expected"] is None
    assert project.workdir.step("retrain").done()["summary"]["ranking"] is None


def test_no_more_than_the_search_has(project: Project, recorder: Recorder) -> None:
    main(Config(project.workdir.path, count=9, epochs=1))
    assert len(results(project)) == 3


@pytest.mark.parametrize("flag", ["count", "epochs"])
def test_impossible_numbers_are_refused(tmp_path: Path, flag: str) -> None:
    with pytest.raises(UserError, match=f"--{flag} 0: must be at least 1"):
        main(Config(tmp_path, **{flag: 0}))


def test_a_learning_rate_of_zero_is_refused(project: Project, recorder: Recorder) -> None:
    """And not taken for one that was not given."""
    with pytest.raises(UserError, match=r"--learning-rate 0\.0: must be at least 1e-08"):
        main(Config(project.workdir.path, learning_rate=0.0))


def test_without_a_search_there_is_nothing_to_retrain(project: Project) -> None:
    (project.workdir.path / "search" / "done.json").unlink()
    with pytest.raises(UserError, match=r"run: python -m hytnas_jax\.search --workdir"):
        main(Config(project.workdir.path))
