"""A search that measures what it evaluates: the predictor put right, cut, on a machine that changes."""

import json
import shutil
from collections.abc import Callable

import numpy as np
import pytest

from hytnas_jax.files.atomic import read_json, write_json
from hytnas_jax.latency.measurements import Measurements, load_predictor
from hytnas_jax.on_device.measure import NUM_CHECKED
from hytnas_jax.search import main
from hytnas_jax.search.results import load_pareto
from hytnas_jax.workspace.project import Project
from proxies.latency.features import feature_table
from proxies.latency.predictor import LatencyEstimator, LatencyPredictor
from supernet.architecture import Architecture
from supernet.errors import UserError

from .quick_search import SPACE, Cut, Device, FakeError, config, device_ms, results, rows


@pytest.fixture
def wrong(project: Project) -> Project:
    """The predictor takes attention for four times as quick as it is; what was measured is right."""
    return mispredict(project, lambda architecture: 1.0 if architecture.stages[1].block == "conv" else 0.25)


def mispredict(project: Project, factor: Callable[[Architecture], float]) -> Project:
    """Has measure_latency's predictor believe so many times what was measured."""
    drawn = [*Measurements(project.workdir.path / "latency" / "measurements.csv", SPACE).read()]
    times = np.array([factor(a) * device_ms(project.to_spec(a)) for a in drawn])
    predictor = LatencyPredictor.fit(feature_table(map(project.to_spec, drawn)), times)
    write_json(project.workdir.path / "latency" / "predictor.json", predictor.to_json())
    return project


def measured(project: Project) -> list[dict[str, str]]:
    return rows(project, "measured.csv")


def summary(project: Project) -> dict:
    return project.workdir.step("search").done()["summary"]["measured"]


def own_predictor(project: Project) -> LatencyPredictor:
    return LatencyPredictor.from_json(read_json(project.workdir.path / "search" / "predictor.json"))


def test_a_predictor_that_is_right_is_kept(project, use_error, use_device, capsys):
    use_error(FakeError())
    device = use_device(Device())
    main(config(project))
    kept = own_predictor(project)
    latency = load_predictor(project.workdir.step("latency"))
    assert kept.regressor.to_json() == latency.regressor.to_json()
    assert kept.region.num_networks > latency.region.num_networks
    assert summary(project)["recalibrations"] == 0
    assert summary(project)["held_out_error"] == summary(project)["first_error"] < 0.01
    assert "and was kept" in capsys.readouterr().out
    # the initial design and three batches, each with networks of measure_latency's among them
    assert len(device.timed) == 4
    assert [len(set(names)) == len(names) for names in device.timed] == [True] * 4
    evaluated = {row["name"] for row in rows(project)}
    sample = {
        a.name for a in Measurements(project.workdir.path / "latency" / "measurements.csv", SPACE).read()
    }
    new = [row["name"] for row in measured(project) if row["measured"] == "new"]
    assert sorted(new) == sorted(evaluated - sample)
    again = [row["name"] for row in measured(project) if row["measured"] == "again"]
    assert len(again) == 4 * NUM_CHECKED
    assert set(again) <= sample


def test_without_measuring_the_result_is_that_of_a_predictor_that_is_right(project, use_error, use_device):
    use_error(FakeError())
    main(config(project))
    expected = results(project)
    shutil.rmtree(project.workdir.path / "search")
    device = use_device(Device())
    main(config(project, measure_batches=False))
    assert device.timed == []
    for name in ("evaluations.csv", "random.csv"):
        assert results(project)[name] == expected[name]
    assert {point.measured_ms for point in load_pareto(project)} == {None}
    assert summary(project) is None
    assert not (project.workdir.path / "search" / "measured.csv").exists()


def test_a_wrong_predictor_is_fitted_again(wrong, use_error, capsys):
    use_error(FakeError())
    main(config(wrong))
    found = summary(wrong)
    assert found["recalibrations"] >= 1
    assert found["first_error"] > 0.2 > found["held_out_error"]
    assert "the search's own, fitted again" in capsys.readouterr().out
    # everything that was evaluated has the latency of the last predictor, in both logs
    estimator = LatencyEstimator(own_predictor(wrong), wrong.to_spec)
    for name in ("evaluations.csv", "random.csv"):
        table = rows(wrong, name)
        genes = [SPACE.from_json({"space": SPACE.name, "genes": gene_values(row)}) for row in table]
        np.testing.assert_allclose([float(row["latency_ms"]) for row in table], estimator(genes), atol=2e-6)
    for point in load_pareto(wrong):
        assert point.measured_ms == pytest.approx(device_ms(wrong.to_spec(point.architecture)))
        assert point.values["latency_ms"] == pytest.approx(point.measured_ms, rel=0.1)
        assert not point.extrapolated


def gene_values(row: dict[str, str]) -> dict:
    choices = {gene.name: gene.choices for gene in SPACE.genes}
    return {name: next(c for c in options if str(c) == row[name]) for name, options in choices.items()}


# between a row and the next, and within the measuring of the initial design, of a batch, of the last one
@pytest.mark.parametrize(("error_at", "device_at"), [(3, None), (8, None), (20, None), (None, 0), (None, 2)])
def test_a_cut_search_comes_to_the_same_result(wrong, use_error, use_device, error_at, device_at):
    use_error(FakeError())
    main(config(wrong))
    expected, known = results(wrong), measured(wrong)
    predictor = own_predictor(wrong).to_json()
    shutil.rmtree(wrong.workdir.path / "search")

    use_error(FakeError(error_at))
    first = use_device(Device(cut_at=device_at))
    with pytest.raises(Cut):
        main(config(wrong))
    use_error(FakeError())
    second = use_device(Device())
    main(config(wrong))
    assert results(wrong) == expected
    assert measured(wrong) == known
    assert own_predictor(wrong).to_json() == predictor
    assert len(first.timed) + len(second.timed) == 4 + (device_at is not None)


def test_what_was_measured_is_read_back(wrong, use_error, use_device):
    """Another measuring would come to something else: the device is noisy."""
    use_error(FakeError())
    use_device(Device(noise=0.3))
    main(config(wrong, evaluations=12))
    expected, known = results(wrong), measured(wrong)
    (wrong.workdir.path / "search" / "done.json").unlink()
    device = use_device(Device(noise=0.3))
    main(config(wrong, evaluations=12))
    assert device.timed == []
    assert results(wrong) == expected
    main(config(wrong, evaluations=16))
    assert len(device.timed) == 2
    assert measured(wrong)[: len(known)] == known


def test_more_evaluations_go_on_as_if_asked_for_at_once(wrong, use_error):
    use_error(FakeError())
    main(config(wrong, evaluations=16))
    expected = results(wrong)
    shutil.rmtree(wrong.workdir.path / "search")
    main(config(wrong, evaluations=8, random_baseline=False))  # ends within a batch
    main(config(wrong, evaluations=16))
    assert results(wrong) == expected


@pytest.mark.parametrize("slowdown", [0.94, 1.08])
def test_a_machine_that_is_a_little_slower_changes_nothing(project, use_error, use_device, slowdown):
    use_error(FakeError())
    use_device(Device(slowdown))
    main(config(project))
    assert summary(project)["recalibrations"] == 0
    assert summary(project)["first_error"] < 0.01
    for point in load_pareto(project):
        assert point.measured_ms == pytest.approx(device_ms(project.to_spec(point.architecture)))


@pytest.mark.parametrize(
    ("slowdown", "told", "remedy"),
    [
        (1.4, "1.4 times as slow as", "Let it do nothing else: "),
        (0.6, "1.7 times as fast as", "It was busy then, and all predicted latencies are too long: "),
    ],
)
def test_a_machine_that_is_another_is_told(wrong, use_error, use_device, capsys, slowdown, told, remedy):
    use_error(FakeError())
    use_device(Device(slowdown))
    main(config(wrong))
    warned = capsys.readouterr().err
    assert f"the machine is {told} when measure_latency measured" in warned
    assert remedy in warned
    found = summary(wrong)
    assert (found["networks"], found["recalibrations"], found["first_error"]) == (0, 0, None)
    assert found["unused"] > 10
    assert own_predictor(wrong).to_json() == load_predictor(wrong.workdir.step("latency")).to_json()


def test_networks_beyond_a_limit_by_the_new_predictor_leave_the_front(wrong, use_error):
    use_error(FakeError())
    limit = 0.25
    main(config(wrong, max_latency_ms=limit))
    table = rows(wrong)
    assert max(float(row["latency_ms"]) for row in table) > limit
    assert [row["name"] for row in table[:6]] == [row["name"] for row in rows(wrong, "random.csv")[:6]]
    points = load_pareto(wrong)
    assert points
    assert max(point.values["latency_ms"] for point in points) <= limit


def test_a_limit_alone_is_measured_too(wrong, use_error):
    use_error(FakeError())
    main(config(wrong, objectives=("error", "macs"), max_latency_ms=0.25, random_baseline=False))
    assert summary(wrong)["recalibrations"] >= 1
    for point in load_pareto(wrong):
        assert own_predictor(wrong).predict(feature_table([wrong.to_spec(point.architecture)]))[0] <= 0.25
        assert point.measured_ms is not None


def test_a_limit_that_nothing_keeps_any_more_is_said(project, use_error, capsys):
    use_error(FakeError())
    mispredict(project, lambda architecture: 0.1)
    main(config(project, max_latency_ms=0.05, random_baseline=False))
    assert min(float(row["latency_ms"]) for row in rows(project)) > 0.05
    assert "no network is as good as latency_ms 0.05" in capsys.readouterr().err
    assert load_pareto(project)


def test_the_latency_of_a_device_is_not_measured_here(project, use_error, use_device):
    use_error(FakeError())
    device = use_device(Device())
    shutil.copytree(project.workdir.path / "latency", project.workdir.path / "devices" / "box")
    main(config(project, device="box", random_baseline=False))
    assert device.timed == []
    shutil.rmtree(project.workdir.path / "search")
    main(config(project, objectives=("error", "macs"), random_baseline=False))
    assert device.timed == []


def test_another_processor_measures_nothing(project, use_error, use_device, capsys):
    use_error(FakeError())
    device = use_device(Device())
    main(config(project, evaluations=8, random_baseline=False))
    path = project.workdir.path / "latency" / "done.json"
    done = json.loads(path.read_text())
    done["environment"]["cpu"] = "an abacus"
    write_json(path, done)
    with pytest.raises(UserError, match="measure_batches: was True, now False"):
        main(config(project, evaluations=8, random_baseline=False))
    assert "fitted on an abacus, this is" in capsys.readouterr().err
    shutil.rmtree(project.workdir.path / "search")
    device.timed.clear()
    main(config(project, evaluations=8, random_baseline=False))
    assert device.timed == []


def test_missing_measurements_are_named(project, use_error):
    use_error(FakeError())
    (project.workdir.path / "latency" / "measurements.csv").unlink()
    with pytest.raises(UserError, match=r"measurements\.csv: there is no such file; .*measure_latency"):
        main(config(project))
