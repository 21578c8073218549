"""Lines that survive a cut, and TensorBoard events that can be read back."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

from hytnas_jax.training.metrics_log import MetricsLog
from supernet.training import Metrics


def metrics(*losses: float) -> Metrics:
    return Metrics(np.array(losses, np.float32), np.array(losses, np.float32) / 4, np.float32(7.0))


def lines_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def events_of(folder: Path) -> list[Event]:
    """TFRecords: length (8 bytes), its checksum (4), the event, its checksum (4)."""
    events = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data, start = path.read_bytes(), 0
        while start < len(data):
            (length,) = struct.unpack_from("<Q", data, start)
            events.append(Event.FromString(data[start + 12 : start + 12 + length]))
            start += length + 16
    return events


def test_a_line_a_step(tmp_path: Path) -> None:
    """The mean of the subnets beside the largest; neither for a network alone."""
    with MetricsLog(tmp_path, first_step=0) as log:
        log.write(0, [metrics(2.0, 1.0, 1.5)])
        log.write(1, [metrics(1.0), metrics(0.123456789)])
        assert log.losses == [2.0, 1.0, 0.12346]
    assert lines_of(tmp_path) == [
        {
            "step": 0,
            "loss": 2.0,
            "accuracy": 0.5,
            "gradient_norm": 7.0,
            "subnet_loss": 1.25,
            "subnet_accuracy": 0.3125,
        },
        {"step": 1, "loss": 1.0, "accuracy": 0.25, "gradient_norm": 7.0},
        {"step": 2, "loss": 0.12346, "accuracy": 0.03086, "gradient_norm": 7.0},
    ]


@pytest.mark.parametrize("torn", ["", '{"step": 3, "lo', "{", "\0\0\0\0"])
def test_a_log_goes_on_after_a_cut(tmp_path: Path, torn: str) -> None:
    """Lines that no checkpoint holds are dropped, and so is a last one that is not whole."""
    with MetricsLog(tmp_path, first_step=0) as log:
        log.write(0, [metrics(3.0), metrics(2.0), metrics(1.0)])
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(torn)
    with MetricsLog(tmp_path, first_step=2) as log:
        assert log.losses == [3.0, 2.0]
        log.write(2, [metrics(0.5)])
    assert [(line["step"], line["loss"]) for line in lines_of(tmp_path)] == [(0, 3.0), (1, 2.0), (2, 0.5)]


def test_a_whole_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 0, "loss": 3.0}\n{"step": 1, "loss": 2.0}')
    with MetricsLog(tmp_path, first_step=5) as log:
        log.write(2, [metrics(1.0)])
    assert [line["step"] for line in lines_of(tmp_path)] == [0, 1, 2]


def test_a_roll_back_forgets(tmp_path: Path) -> None:
    with MetricsLog(tmp_path, first_step=0) as log:
        log.write(0, [metrics(3.0), metrics(2.0), metrics(1.0)])
        log.drop_from(1)
        assert log.losses == [3.0]
        log.write(1, [metrics(9.0)])
    assert [(line["step"], line["loss"]) for line in lines_of(tmp_path)] == [(0, 3.0), (1, 9.0)]


def test_tensorboard_reads_the_same(tmp_path: Path) -> None:
    with MetricsLog(tmp_path, first_step=0) as log:
        log.write(0, [metrics(2.0, 1.0), metrics(1.5, 0.5)])
    scalars = {
        (value.tag, event.step): value.simple_value
        for event in events_of(tmp_path)
        for value in event.summary.value
    }
    expected = {
        (name, line["step"]): pytest.approx(number)
        for line in lines_of(tmp_path)
        for name, number in line.items()
        if name != "step"
    }
    assert scalars == expected
    assert len(scalars) == 10


def test_tensorboard_is_told_where_a_run_goes_on(tmp_path: Path) -> None:
    """It then forgets the steps from there on in the files before."""
    for first_step in (0, 2):
        with MetricsLog(tmp_path, first_step=first_step) as log:
            log.write(first_step, [metrics(1.0), metrics(0.5), metrics(0.25)])
    starts = [event.step for event in events_of(tmp_path) if event.session_log.status == 1]
    assert starts[-1] == 2
