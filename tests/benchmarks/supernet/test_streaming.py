"""The benchmark of held and streamed images, on a few."""

from pathlib import Path

import pytest

from benchmarks.supernet.streaming.__main__ import Config, benchmark


def test_a_row_for_each_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    found = benchmark(Config(counts=(300,), side=32, steps=12, folder=tmp_path / "images"))
    held, streamed = found["rows"]
    assert (held["--stream"], streamed["--stream"]) == ("never", "always")
    for row in (held, streamed):
        assert row["images"] == 300
        assert row["MB, training"] > row["MB before"] > 0
        assert row["images/s, training"] > 0
    assert len(list((tmp_path / "images").glob("32-300/*/*.jpg"))) == 300
