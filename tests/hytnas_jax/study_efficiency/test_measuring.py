"""Which of a study's models are measured here, and again; the timing is made up."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_times import PLAN

from hytnas_jax.latency import session
from hytnas_jax.on_device.measure import NUM_CHECKED, Timing
from hytnas_jax.study_efficiency.measuring import measure_here
from hytnas_jax.study_efficiency.parts import StudyPart
from hytnas_jax.study_efficiency.subjects import Subject
from supernet.errors import UserError

SUBJECTS = [subject for subject in PLAN.subjects() if subject.part in ("networks", "space")]


@pytest.fixture
def measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Measures parts on a machine that takes `ms` for everything; gives the names in their order."""
    monkeypatch.setattr(Subject, "model", lambda self, runtime: self.name.encode())

    def call(*parts: StudyPart, ms: float = 1.0) -> list[str]:
        timed: list[str] = []

        def time_models(models: Iterable[bytes], **options: Any) -> Iterator[tuple[int, Timing]]:
            for index, model in enumerate(models):
                timed.append(model.decode())
                yield index, Timing(ms, 0.9 * ms, 1.1 * ms, 9)

        monkeypatch.setattr(session, "time_models", time_models)
        path = tmp_path / "here-onnxruntime.csv"
        measure_here(SUBJECTS, path, parts=parts, identity=PLAN.identity, runtime="onnxruntime", seconds=0.5)
        return timed

    return call


def test_a_further_part_is_measured_beside_some_of_the_others(
    measure: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    networks, space = ([s.name for s in SUBJECTS if s.part == part] for part in ("networks", "space"))
    assert measure("networks") == networks
    assert measure("networks") == []
    timed = measure("networks", "space", ms=1.5)
    assert set(timed[:NUM_CHECKED]) < set(networks)
    assert timed[NUM_CHECKED:] == space
    assert "is 1.5 times as slow as when " in capsys.readouterr().err


def test_nothing_to_measure_leaves_no_table(measure: Callable[..., list[str]], tmp_path: Path) -> None:
    assert measure() == []
    assert measure("operations") == []
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_table_is_named(measure: Callable[..., list[str]], tmp_path: Path) -> None:
    measure("space")
    path = tmp_path / "here-onnxruntime.csv"
    path.write_text(path.read_text().replace(",1.0,", ",one,", 1))
    with pytest.raises(UserError, match=r"here-onnxruntime\.csv, line 2: .*'one'"):
        measure("space")
