"""Order, certainty and bounds of the timing; the seconds themselves are the machine's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hytnas_jax.model_files.onnx_graph import build_onnx
from hytnas_jax.on_device import measure as timing
from hytnas_jax.on_device.measure import (
    MIN_ROUNDS,
    Table,
    Timing,
    is_shifted,
    shift,
    summarize,
    time_models,
    to_check,
)
from supernet.network_spec import ConvSpec, HeadSpec, NetworkSpec


def model(width: int, side: int = 16) -> bytes:
    return build_onnx(NetworkSpec("test", side, 3, 2, (ConvSpec(width), ConvSpec(width)), HeadSpec(0)))


def test_median_and_interval_by_hand() -> None:
    # With 9 rounds the chance that at most one lies below the median is 10 / 512 < 2.5%: the second
    # and the last but one.
    rounds = [5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 6.0]
    assert summarize(rounds) == Timing(5.0, 2.0, 8.0, 9)
    assert summarize(rounds).half_width == pytest.approx(0.6)
    assert summarize([1.0, 2.0]) == Timing(1.5, 1.0, 2.0, 2)


def test_the_interval_covers_the_median() -> None:
    rng = np.random.default_rng(0)
    draws = rng.lognormal(size=(2000, 20))  # median 1
    timings = [summarize(list(row)) for row in draws]
    assert np.mean([t.low_ms <= 1 <= t.high_ms for t in timings]) >= 0.95


def test_more_work_takes_longer_and_every_model_is_timed_once() -> None:
    models = [model(64), model(4), model(16)]
    found = list(time_models(models, seconds=0.1))
    assert sorted(index for index, _ in found) == [0, 1, 2]
    by_index = dict(found)
    assert by_index[1].latency_ms < by_index[2].latency_ms < by_index[0].latency_ms
    for result in by_index.values():
        assert 0 < result.low_ms <= result.latency_ms <= result.high_ms
        assert result.num_rounds >= MIN_ROUNDS


def test_a_model_that_never_gets_certain_ends() -> None:
    rounds: list[int] = []
    ((_, result),) = time_models([model(4)], tolerance=0.0, seconds=0.2, on_round=rounds.append)
    assert rounds == list(range(1, result.num_rounds + 1))
    assert MIN_ROUNDS <= result.num_rounds <= 0.2 / timing.ROUND_SECONDS + 1


def test_models_that_do_not_fit_at_once_are_asked_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    small = model(4)
    monkeypatch.setattr(timing, "MAX_BYTES_AT_ONCE", 2 * len(small))
    asked = []

    def models() -> Iterator[bytes]:
        for index in range(3):
            asked.append(index)
            yield small

    indices = []
    for index, _ in time_models(models(), seconds=0.0):
        indices.append(index)
        assert len(asked) == (2 if len(indices) < 3 else 3)
    assert sorted(indices[:2]) == [0, 1]
    assert indices[2] == 2


def test_nothing_to_time() -> None:
    assert list(time_models([])) == []


def test_models_to_check_lie_between_the_ends() -> None:
    before = {str(number): float(number) for number in np.random.default_rng(1).permutation(20) + 1}
    assert to_check(before) == ["3", "7", "11", "15", "19"]
    assert to_check({"slow": 2.0, "quick": 1.0}) == ["quick", "slow"]
    assert to_check({}) == []


def test_a_shift_is_the_median() -> None:
    before = {"a": 1.0, "b": 2.0, "c": 4.0}
    assert shift(before, {"a": 1.2, "b": 2.2, "c": 40.0, "new": 1.0}) == pytest.approx(1.2)
    assert shift(before, {"new": 1.0}) == 1.0
    assert is_shifted(1.2)
    assert is_shifted(0.8)
    assert not is_shifted(1.05)


def test_a_table_that_a_cut_has_left(tmp_path: Path) -> None:
    """Without its header, or with half a row: what is whole stays, and the next row is added to it."""
    path = tmp_path / "pi.csv"
    models = [{"name": name, "file": "model.onnx", "genes": {}} for name in ("a", "b")]
    kit = {"kit": "study-1", "columns": [], "models": models}

    def table() -> Table:
        return Table(path, kit, "pi", threads=1)

    path.write_text("model,late")
    assert table().measured() == {}
    table().append("a", Timing(2.0, 1.0, 3.0, 9), None)
    whole = path.read_bytes()
    path.write_bytes(whole + b"b,1.5,1.")
    assert table().measured() == {"a": 2.0}
    assert path.read_bytes() == whole
    table().append("b", Timing(4.0, 3.0, 5.0, 9), None)
    assert table().measured() == {"a": 2.0, "b": 4.0}
    path.write_bytes(path.read_bytes().replace(b"b,4.0", b"b,four"))
    with pytest.raises(ValueError, match=r"pi\.csv, line 3: .*'four'.*; delete the line"):
        table().measured()
