"""The examples run as they stand, and say what they promise."""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hytnas_jax import load_pareto, load_space, open_project, read_retrained
from hytnas_jax.workspace.workdir import Workdir
from supernet.space_size import num_networks

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_own_images_are_taken_the_whole_way(example_folder: Path) -> None:
    work = Workdir(example_folder / "runs" / "mine")
    project = open_project(work)
    assert project.class_names == ("leaning", "lying", "standing")
    assert project.space == load_space(str(EXAMPLES / "own_space.yaml"))
    assert load_pareto(project)
    (network,) = read_retrained(work.step("retrain"))
    assert (work.path / "export" / network.name / "model.onnx").is_file()
    assert network.name in (work.path / "report.html").read_text()


def test_the_commented_space_has_both_kinds_of_blocks() -> None:
    space = load_space(str(EXAMPLES / "own_space.yaml"))
    assert num_networks(space) > 100
    assert len(space.corners()) == 4


def test_the_notebook_finds_more_than_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code cells one after the other, as Jupyter would run them; its own asserts hold."""
    monkeypatch.setattr(plt, "show", lambda: None)
    matplotlib.use("Agg")
    cells = json.loads((EXAMPLES / "search_from_python.ipynb").read_text())["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    assert len(names["front"].genes) >= 5
    assert names["volumes"]["search"] > names["volumes"]["random"] > 0
    assert (names["problem"].limit_values(names["front"].genes) <= 262_144).all()
    assert np.asarray(names["figure"].canvas.buffer_rgba()).std() > 0
    plt.close(names["figure"])


def test_the_index_names_every_example() -> None:
    listed = re.findall(r"\]\(([\w.]+)\)", (EXAMPLES / "README.md").read_text())
    examples = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".yaml", ".ipynb", ".sh")}
    assert set(listed) == examples
