"""Drawing, measuring, going on after a cut, and files that cannot be measurements."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.files.atomic import write_json
from hytnas_jax.latency import session
from hytnas_jax.latency.measurements import Measurements, load_predictor
from hytnas_jax.latency.sample import draw_networks
from hytnas_jax.measure_latency import main
from hytnas_jax.measure_latency.command import measure
from hytnas_jax.measure_latency.config import Config
from hytnas_jax.on_device.measure import NUM_CHECKED, Timing
from hytnas_jax.workspace.workdir import Step, Workdir
from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space, space_to_mapping

SPACE = built_in_space("hybrid-small").with_resolutions((12, 16))


def small_space(widths: int) -> SearchSpace:
    first = dataclasses.replace(
        SPACE.stages[0], depth=(1,), expansion=(1,), kernel=(3,), width=tuple(range(1, widths + 1))
    )
    return SearchSpace("small", (first,), (8,))


class Device:
    """Stands in for the timing: a model takes its size, and the power is cut after `count` models."""

    def __init__(self, count: int = 10**6, slowdown: float = 1.0) -> None:
        self.count, self.slowdown, self.num_timed = count, slowdown, 0

    def __call__(self, models: Iterable[bytes], **options: Any) -> Iterator[tuple[int, Timing]]:
        for index, model in enumerate(models):
            if self.num_timed == self.count:
                raise KeyboardInterrupt
            self.num_timed += 1
            ms = self.slowdown * len(model) / 1e5
            yield index, Timing(ms, 0.99 * ms, 1.01 * ms, 9)


def measure_on(device: Device, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(session, "time_models", device)
    return measure(SPACE, Step("latency", folder), channels=1, num_classes=10, networks=12, seed=0)


def test_networks_are_different_and_a_seed_draws_the_same() -> None:
    drawn = draw_networks(SPACE, 20, 3)
    assert len(set(drawn)) == 20
    assert draw_networks(SPACE, 20, 3) == drawn
    assert draw_networks(SPACE, 20, 4) != drawn


def test_a_small_space_gives_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(draw_networks(small_space(12), 40, 0)) == 12
    assert "--networks 40: the space gave 12 different ones" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("space", "count", "message"),
    [
        (SPACE, 9, "--networks 9: a latency predictor needs 10 or more"),
        (small_space(9), 40, "space 'small' has 9 different networks .* needs 10"),
    ],
)
def test_too_few_networks_are_refused(space: SearchSpace, count: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        draw_networks(space, count, 0)


def test_a_cut_measurement_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        measure_on(Device(5), tmp_path, monkeypatch)
    first = (tmp_path / "measurements.csv").read_text()
    assert len(first.splitlines()) == 6

    second = Device()
    predictor = measure_on(second, tmp_path, monkeypatch)
    whole = (tmp_path / "measurements.csv").read_text()
    assert whole.startswith(first)
    assert len(whole.splitlines()) == 13
    assert second.num_timed == NUM_CHECKED + 7

    uncut = measure_on(Device(), tmp_path / "uncut", monkeypatch)
    assert (tmp_path / "uncut" / "measurements.csv").read_text() == whole
    assert predictor.to_json() == uncut.to_json()

    third = Device()
    measure_on(third, tmp_path, monkeypatch)
    assert third.num_timed == 0


@pytest.mark.parametrize(("slowdown", "told"), [(1.5, "1.5 times as slow"), (0.5, "2 times as fast")])
def test_a_machine_that_has_become_slower_or_quicker_is_noticed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    slowdown: float,
    told: str,
) -> None:
    with pytest.raises(KeyboardInterrupt):
        measure_on(Device(5), tmp_path, monkeypatch)
    measure_on(Device(slowdown=slowdown), tmp_path, monkeypatch)
    warned = capsys.readouterr().err
    assert f"the machine is {told} as when the measurement was begun" in warned
    assert f"Delete {tmp_path} and measure all again" in warned


def test_rows_of_a_device_of_the_users_own_are_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (other,) = SPACE.decode_all(SPACE.sample(np.random.default_rng(99), 1))
    Measurements(tmp_path / "measurements.csv", SPACE).append(other, Timing(1.0, 0.9, 1.1, 9))
    assert measure_on(Device(), tmp_path, monkeypatch).error.num_networks == 13


def written(tmp_path: Path) -> tuple[Measurements, list[str]]:
    """Ten measurements, and the lines of their file."""
    measurements = Measurements(tmp_path / "measurements.csv", SPACE)
    for index, architecture in enumerate(draw_networks(SPACE, 10, 0)):
        measurements.append(architecture, Timing(0.1 + index, 0.1, 20.0, 9))
    return measurements, (tmp_path / "measurements.csv").read_text().splitlines()


def test_measurements_round_trip(tmp_path: Path) -> None:
    measurements, _ = written(tmp_path)
    expected = {a: Timing(0.1 + i, 0.1, 20.0, 9) for i, a in enumerate(draw_networks(SPACE, 10, 0))}
    assert measurements.read() == expected


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"latency_ms": "nan"}, "latency_ms nan, .* must be positive and ascend"),
        ({"latency_ms": "inf", "high_ms": "inf"}, "must be positive and ascend"),
        ({"latency_ms": "0", "low_ms": "0"}, "must be positive and ascend"),
        ({"latency_ms": "-3", "low_ms": "-4"}, "must be positive and ascend"),
        ({"low_ms": "30"}, "must be positive and ascend"),
        ({"latency_ms": "fast"}, "latency_ms is 'fast', which is no number"),
        ({"num_rounds": ""}, "num_rounds is '', which is no whole number"),
        ({"resolution": "224"}, "resolution is '224', not one of 12, 16"),
        ({"name": "00000000"}, "name is '00000000', but these genes in space 'hybrid-small' are"),
    ],
)
def test_a_row_that_is_no_measurement_is_refused(tmp_path: Path, cells: dict[str, str], message: str) -> None:
    measurements, lines = written(tmp_path)
    row = dict(zip(lines[0].split(","), lines[3].split(","), strict=True))
    lines[3] = ",".join({**row, **cells}.values())
    (tmp_path / "measurements.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=f"measurements.csv, line 4: .*{message}.*; delete the line"):
        measurements.read()


def test_a_network_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    measurements, lines = written(tmp_path)
    (tmp_path / "measurements.csv").write_text("\n".join([*lines, lines[1]]) + "\n")
    with pytest.raises(UserError, match=r"line 12: network .* is there twice"):
        measurements.read()


def test_the_file_of_another_space_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(UserError, match="its columns are 'name,resolution,"):
        Measurements(tmp_path / "measurements.csv", built_in_space("hytnas"))


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For real: a work folder whose data step is done, ten networks timed by the runtime."""
    data = Workdir(tmp_path).step("data")
    data.begin({"data": "digits", "mirror": "off", "space": space_to_mapping(SPACE)})
    splits = {"class_names": [str(n) for n in range(10)], "mean": [0.5], "std": [0.5]}
    write_json(data.folder / "splits.json", splits)
    data.finish({})
    config = Config(tmp_path, networks=10)

    main(config)
    first = capsys.readouterr().out
    assert "latency predictor, on held-out networks: Spearman" in first
    assert f"next: python -m hytnas_jax.search --workdir {tmp_path}" in first
    step = Workdir(tmp_path).step("latency")
    assert len(Measurements(step.folder / "measurements.csv", SPACE).read()) == 10
    assert step.done()["summary"] == dataclasses.asdict(load_predictor(step).error)

    main(config)
    second = capsys.readouterr().out
    assert "step 'latency' is done" in second
    assert "wrote" in first
    assert "wrote" not in second
    with pytest.raises(UserError, match="networks: was 10, now 11"):
        main(dataclasses.replace(config, networks=11))

    (step.folder / "predictor.json").write_text("{}")
    with pytest.raises(UserError, match=r"predictor.json: this is no latency predictor"):
        load_predictor(step)


def test_a_work_folder_without_data_says_what_comes_first(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run: python -m hytnas_jax\.train_supernet"):
        main(Config(tmp_path))
