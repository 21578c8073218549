"""Arrows to the left and to the right, trained for real: learnt as they are, not learnt mirrored."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import pytest
from arrows import save_arrows

from hytnas_jax.train_supernet import main
from hytnas_jax.train_supernet.config import Config

SPACE = """
name: small
stages: [{stride: 2, width: [8]}]
resolution: [16]
stem_width: 8
stem_stride: 1
head_min: 16
"""


@pytest.fixture
def _quick_compiling() -> Iterator[None]:
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.mark.usefixtures("_quick_compiling")
def test_a_mirrored_training_that_learns_nothing_says_what_may_be_the_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = save_arrows(tmp_path / "arrows", 100)
    (tmp_path / "space.yaml").write_text(SPACE)

    def train(name: str, **flags: Any) -> tuple[dict, str]:
        recipe = {"epochs": 14, "batch_size": 24, "learning_rate": 0.01}
        main(Config(tmp_path / name, data=str(data), space=str(tmp_path / "space.yaml"), **recipe, **flags))
        summary = json.loads((tmp_path / name / "supernet" / "done.json").read_text())["summary"]
        return summary, capsys.readouterr().err

    learnt, said = train("as-they-are")  # auto
    assert (learnt["doubt"], said) == (None, "")
    assert learnt["largest_accuracy"] > 0.7
    stuck, said = train("mirrored", mirror="on")
    assert said == f"warning: {stuck['doubt']}\n"
    assert "hardly better than guessing: the supernet's largest network" in said
    assert "Causes may be images that are of another class once mirrored (--mirror off" in said
