"""The benchmark of held and streamed images, on a few."""

from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

from benchmarks.supernet.streaming import __main__ as streaming
from benchmarks.supernet.streaming import process
from benchmarks.supernet.streaming.pictures import save_pictures


@pytest.fixture
def quick_compiling() -> Iterator[None]:
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.mark.usefixtures("quick_compiling")
def test_what_a_process_measures(tmp_path: Path) -> None:
    images, work = tmp_path / "images", tmp_path / "work"
    save_pictures(images, 300, 32)
    assert len(list(images.glob("class*/*.jpg"))) == 300
    first = process.first(images, work, "always", 32, 12)
    assert first["MB, training"] > 0
    assert first["images/s, training"] > 0
    assert process.later(images, work, "always", 32, 12)["MB, again"] > 0


def test_a_row_for_each_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_a_process(phase: str, images: Path, work: Path, way: str, config: streaming.Config) -> dict:
        assert len(list(images.glob("class*/*.jpg"))) == int(images.name.split("-")[1])
        return {phase: 1.0}

    monkeypatch.setattr(streaming, "in_a_process", in_a_process)
    found = streaming.benchmark(streaming.Config(counts=(10, 30), side=32, folder=tmp_path))
    assert found["rows"] == [
        {"images": count, "--stream": way, "first": 1.0, "later": 1.0}
        for count in (10, 30)
        for way in ("never", "always")
    ]
