"""A work folder in which the search is quick, for the tests of the search."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax import plots
from hytnas_jax.files.atomic import write_json
from hytnas_jax.latency import session
from hytnas_jax.latency.measurements import Measurements
from hytnas_jax.mobo import Settings
from hytnas_jax.on_device.measure import Timing
from hytnas_jax.search import command, problem, recalibration
from hytnas_jax.workspace.project import Project
from hytnas_jax.workspace.workdir import Workdir
from proxies.latency.features import feature_table
from proxies.latency.predictor import LatencyPredictor

from .quick_search import SPACE, Device, FakeError, device_ms


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use_device: Callable[[Device], Device]
) -> Project:
    """A work folder in which the data, a supernet and a latency predictor are marked as done."""
    workdir = Workdir(tmp_path / "run")
    project = Project(
        workdir,
        SPACE,
        class_names=("a", "b"),
        channels=1,
        mean=(0.5,),
        std=(0.2,),
        mirror=False,
        source="digits",
    )
    for name in ("data", "supernet", "latency"):
        workdir.step(name).begin({})
        workdir.step(name).finish({})
    drawn = SPACE.decode_all(SPACE.sample(np.random.default_rng(5), 20))
    features = feature_table(map(project.to_spec, drawn))
    latency_ms = [device_ms(project.to_spec(architecture)) for architecture in drawn]
    measurements = Measurements(workdir.path / "latency" / "measurements.csv", SPACE)
    for architecture, ms in zip(drawn, latency_ms, strict=True):
        measurements.append(architecture, Timing(ms, 0.99 * ms, 1.01 * ms, 9))
    predictor = LatencyPredictor.fit(features, np.array(latency_ms))
    write_json(workdir.path / "latency" / "predictor.json", predictor.to_json())
    monkeypatch.setattr(command, "open_project", lambda workdir: project)
    # a short run of the solver: what it finds is not the question here
    monkeypatch.setattr(command, "Settings", functools.partial(Settings, population=20, generations=4))
    # the figures are made, and not drawn: that takes a second
    monkeypatch.setattr(plots, "save_figure", lambda path, figure: path.write_text(str(len(figure.axes))))
    use_device(Device())
    return project


@pytest.fixture
def use_error(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeError], FakeError]:
    def use(error: FakeError) -> FakeError:
        monkeypatch.setitem(problem.EVALUATED, "error", lambda project: error)
        return error

    return use


@pytest.fixture
def use_device(monkeypatch: pytest.MonkeyPatch) -> Callable[[Device], Device]:
    """Has a device measure in the place of this machine."""

    def use(device: Device) -> Device:
        monkeypatch.setattr(session, "time_models", device)
        monkeypatch.setattr(recalibration, "build_onnx", device.build)
        return device

    return use
