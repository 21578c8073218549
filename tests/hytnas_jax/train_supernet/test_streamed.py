"""A supernet that is trained on streamed images: the same as on held ones, to the bit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import pytest
from photographs import photographs
from PIL import Image
from small_space import SMALL_SPACE

from hytnas_jax.train_supernet import command
from hytnas_jax.train_supernet.config import Config
from hytnas_jax.training.loop import train_loop
from hytnas_jax.workspace.project import open_project
from hytnas_jax.workspace.workdir import Workdir


class Cut(Exception):
    pass


@pytest.fixture(autouse=True)
def quick_compiling() -> Iterator[None]:
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Without splits."""
    for seed, label in enumerate(("cat", "dog")):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number, image in enumerate(photographs(30, side=12, seed=seed)):
            Image.fromarray(image).save(tmp_path / "images" / label / f"{number}.png")
    (tmp_path / "space.yaml").write_text(SMALL_SPACE)
    return tmp_path


def train(folder: Path, name: str, **flags: Any) -> dict[str, Any]:
    config = Config(
        folder / name,
        data=str(folder / "images"),
        space=str(folder / "space.yaml"),
        mirror="on",
        epochs=4,
        batch_size=8,
        random_subnets=1,
        **flags,
    )
    command.train_supernet(config)
    return open_project(Workdir(folder / name)).workdir.step("supernet").done()["summary"]


def test_the_losses_and_what_comes_of_them_are_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut in between, too."""
    models: list[Any] = []
    make = command.supernet_model

    def one_model(project: Any) -> Any:  # so that its program is compiled once
        models.append(make(project))
        return models[0]

    monkeypatch.setattr(command, "supernet_model", one_model)
    monkeypatch.setattr(
        command, "train_loop", lambda *args, **kwargs: train_loop(*args, **kwargs, save_every=6)
    )
    held = train(folder, "held", stream="never")
    assert held["steps"] > 12
    with monkeypatch.context() as patch:
        step_key = command.step_key

        def cut(seed: int, attempt: int, number: int) -> Any:
            if number == 9:
                raise Cut
            return step_key(seed, attempt, number)

        patch.setattr(command, "step_key", cut)
        with pytest.raises(Cut):
            train(folder, "streamed", stream="always")
    assert train(folder, "streamed") == held  # it is noted that they are streamed
    metrics = [(folder / name / "supernet" / "metrics.jsonl").read_text() for name in ("held", "streamed")]
    assert metrics[0] == metrics[1]
    assert open_project(Workdir(folder / "streamed")).dataset().are_streamed
