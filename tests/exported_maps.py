"""Folders as `export` makes them, of small networks that find boxes or masks; and their scripts, run."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from graph_networks import random_trees

from benchmarks.export.script_quality import load_script
from hytnas_jax.data import prepare
from hytnas_jax.data.decode import ImageRule, open_image, read_image
from hytnas_jax.export.infer_script import infer_script
from hytnas_jax.files.atomic import write_json
from hytnas_jax.model_files.parity import jax_outputs
from supernet.network_spec import ConvSpec, DenseHeadSpec, InvertedResidualSpec, NetworkSpec

SIDE = 24
MEAN, STD = 0.4, 0.3


class Exported(NamedTuple):
    """A folder with a network's card and script, and the network; its output has 12 x 12 cells."""

    folder: Path
    rule: ImageRule
    spec: NetworkSpec
    params: dict[str, Any]
    stats: dict[str, Any]

    def input_of(self, path: Path) -> np.ndarray:
        """The image in a file as training prepares it: [1, R, R, C]."""
        pixels = read_image(lambda: open_image(path), self.rule)
        channels = self.rule.channels
        given = prepare(pixels[None], resolution=SIDE, mean=[MEAN] * channels, std=[STD] * channels)
        return np.asarray(given)

    def output_of(self, path: Path) -> np.ndarray:
        """JAX's output for it: [h, w, channels]."""
        return jax_outputs(self.spec, self.params, self.stats, self.input_of(path))[0]


def write_folder(folder: Path, task: str, labels: list[str], *, channels: int = 3) -> Exported:
    """The model files are not written: `hytnas_jax.model_files.registry` makes them."""
    box_channels = 4 if task == "detection" else 0
    head = DenseHeadSpec(8, depth=1, taps=(0, 1), kernel=3, box_channels=box_channels)
    blocks = (ConvSpec(6, stride=2), InvertedResidualSpec(8, 12, stride=2))
    spec = NetworkSpec(task, SIDE, channels, len(labels), blocks, head)
    rule = ImageRule(32, channels, "stretch")
    given = {"image": rule.__dict__, "resolution": SIDE, "mean": [MEAN] * channels, "std": [STD] * channels}
    (folder / "infer.py").write_text(infer_script(task), encoding="utf-8")
    write_json(folder / "card.json", {"task": task, "labels": labels, "input": given})
    params, stats = random_trees(spec)
    images = np.random.default_rng(3).normal(size=(4, SIDE, SIDE, channels)).astype(np.float32)
    offsets = np.median(jax_outputs(spec, params, stats, images)[..., : len(labels)], (0, 1, 2))
    params["head"]["classifier"]["bias"][: len(labels)] -= offsets  # so that each class is somewhere
    return Exported(folder, rule, spec, params, stats)


class Result(NamedTuple):
    """What a script has printed, and its status."""

    status: int
    lines: list[str]
    errors: list[str]


class Console:
    """Runs a script in this process and in an empty folder, with a function in the place of its model."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.here = folder
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.chdir(folder)

    def run(self, script: ModuleType, *arguments: object) -> Result:
        self._monkeypatch.setattr(sys, "argv", ["infer.py", *map(str, arguments)])
        status: Any = 0
        try:
            script.main()
        except SystemExit as stopped:
            status = stopped.code
        out, err = self._capsys.readouterr()
        return Result(status, out.splitlines(), err.splitlines())

    def with_model(self, exported: Exported, model: Any) -> ModuleType:
        """The folder's script, for which every file is this model."""
        script = load_script(exported.folder)
        self._monkeypatch.setattr(script, "load_model", lambda path: model)
        return script


def luminance(image: np.ndarray, cells: int = 8) -> np.ndarray:
    """How bright a normalised image [1, R, R, C] is in each of cells x cells: 0 to 1."""
    grey = image[0].mean(-1) * STD + MEAN
    part = len(grey) // cells
    return grey.reshape(cells, part, cells, part).mean((1, 3))
