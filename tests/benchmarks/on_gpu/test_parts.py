"""Every part of `benchmarks.on_gpu` in the sizes of --smoke: it runs, and its file says what it has found."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import pytest

from benchmarks.on_gpu import main_job, numbers
from benchmarks.on_gpu.__main__ import benchmark
from benchmarks.on_gpu.beside import OURS, summary
from benchmarks.on_gpu.config import Config
from benchmarks.on_gpu.equality import comparison
from benchmarks.on_gpu.parts import PARTS, PartName, part_of
from benchmarks.on_gpu.record import Run
from benchmarks.on_gpu.sizes import FULL
from hytnas_jax import measure_latency, retrain, search, train_supernet

FINDS = {
    "equality": {"numbers", "comparison", "peer", "rounded"},
    "beside_pytorch": {"targets", "rounds", "summary", "seconds_to_warm_up"},
    "rates": {"ceilings", "input", "expected", "evaluated_subnets_per_s", "phases"},
    "population": {"most_in_the_package", "sizes", "not_measured"},
    "beside_compiled_pytorch": {"targets", "rounds", "summary", "torch_compile"},
    "main_job": {"data", "why_not", "steps", "networks"},
}


@pytest.fixture(scope="module")
def quick_compiling() -> Iterator[None]:
    """XLA compiles longer than anything runs here; in the processes that are started too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
        jax.config.update("jax_disable_most_optimizations", True)
        yield
        jax.config.update("jax_disable_most_optimizations", False)


@pytest.mark.usefixtures("quick_compiling")
@pytest.mark.parametrize("name", [part.name for part in PARTS])
def test_it_runs(name: PartName, tmp_path: Path) -> None:
    if missing := part_of(name).missing():
        pytest.skip(f"needs {', '.join(missing)}")
    benchmark(Config(part=name, smoke=True, out=tmp_path, seconds=300, commit="abc"))
    found = json.loads((tmp_path / f"{name}.json").read_text())
    assert found["ended"] == "complete"
    assert found.keys() > FINDS[name] | {"command", "sizes"}
    assert found["environment"].keys() > {"cpu", "devices", "packages", "gpu"}
    assert found["environment"]["commit"] == "abc"
    CHECKS[name](found)


def equal_here(found: dict[str, Any]) -> None:
    assert all(row["within"] for row in found["comparison"])
    assert found["rounded"]["type"] == "float32"  # of a processor
    assert found["peer"]["compared"] == (not part_of("beside_pytorch").missing())


def has_ratios(found: dict[str, Any]) -> None:
    assert [row["target"] for row in found["summary"]] == [2, 5]
    assert not found["failed"]


def has_rates(found: dict[str, Any]) -> None:
    seconds = found["input"]["seconds of a step"]["on the device"]
    measured = found["ceilings"]["measured"]["flops_per_s"]
    share = found["expected"]["shares of the measured ceilings"]["compute"]
    assert share == pytest.approx(found["expected"]["FLOP"] / seconds / measured)
    assert found["phases"]["a training step"]["needed FLOP/s"] > 0


def agrees_in_all_sizes(found: dict[str, Any]) -> None:
    two, one = found["sizes"]
    assert (two["subnets"], one["subnets"], found["not_measured"]) == (2, 1, [])
    assert two["loss of the same subnet"] == pytest.approx(one["loss of the same subnet"], rel=1e-4)


def made_every_step(found: dict[str, Any]) -> None:
    assert (found["data"], found["is_what_was_asked_for"]) == ("digits", False)
    assert "cifar10" in found["why_not"]
    assert list(found["steps"]) == ["train_supernet", "measure_latency", "search", "retrain"]
    (network,) = found["networks"]
    assert 0 <= network["test error"] <= 1


CHECKS: dict[str, Any] = {
    "equality": equal_here,
    "beside_pytorch": has_ratios,
    "rates": has_rates,
    "population": agrees_in_all_sizes,
    "beside_compiled_pytorch": has_ratios,
    "main_job": made_every_step,
}


def test_what_differs_is_not_within() -> None:
    """Each kind of number, by a little more than its tolerance; what is no number equals nothing."""
    same = {
        "losses": [[2.0, 4.0], [1.0, 1.0]],
        "gradient norms": [1.0, 2.0],
        "nats": [2.0, 2.0],
        "errors": [0.5, 0.25],
    }
    assert [row["within"] for row in comparison(same, same)] == [True] * 5
    other = {
        "losses": [[2.0, 4.005], [1.0, 1.005]],
        "gradient norms": [0.998, 3.0],
        "nats": [2.0, 1.99],
        "errors": [0.5, 0.27],
    }
    assert [row["within"] for row in comparison(other, same)] == [False, False, True, False, False]
    broken = {**same, "nats": [2.0, float("nan")]}
    assert [row["within"] for row in comparison(broken, same)] == [True, True, True, False, True]
    assert numbers.difference([2.0], [float("inf")], relative=False) is None


def test_the_fastest_peer_is_what_counts() -> None:
    sides = {OURS: [4.0, 6.0, 8.0], "peer": [1.0, 1.0, 1.0], "peer channels-last": [2.0, 2.0, 2.0]}
    trained, evaluated = summary({"training images/s": sides, "evaluated subnets/s": sides})
    assert (trained["fastest peer"], trained["ratio"], trained["lower quartile"]) == (
        "peer channels-last",
        3.0,
        2.5,
    )
    assert (trained["target"], trained["reached"]) == (2, True)
    assert (evaluated["target"], evaluated["reached"]) == (5, False)


def test_how_far_a_training_is_is_told(tmp_path: Path) -> None:
    assert main_job.under_way(tmp_path) == {}
    for network, line in (("supernet", {"step": 7, "loss": 2.0}), ("retrain/b", {"step": 3, "loss": 1.5})):
        (tmp_path / network).mkdir(parents=True)
        (tmp_path / network / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    (tmp_path / "retrain" / "a").mkdir()
    (tmp_path / "retrain" / "a" / "evaluated.json").write_text('{"validation_error": 0.5}')
    found = main_job.under_way(tmp_path)
    assert found == {
        "retrained": {"a": {"validation_error": 0.5}},
        "training": "b",
        "step": 3,
        "loss": 1.5,
    }
    (tmp_path / "retrain" / "b" / "metrics.jsonl").write_text('{"step": 4, "lo')
    assert main_job.under_way(tmp_path) == {"retrained": found["retrained"], "training": "b"}


def test_the_sizes_on_a_gpu_can_be(tmp_path: Path) -> None:
    """The flags of every step are in range, and what is left of the call bounds the retraining."""
    assert FULL.workload().batch == 256
    run = Run("main_job", Config(epochs=3), until=float("inf"))
    steps = dict(main_job.commands(run, main_job.Images("tfds:cifar10", None), tmp_path))
    configs = {name: make() for name, make in steps.items()}
    for module in (train_supernet, measure_latency, search, retrain):
        config = configs[module.__name__.rpartition(".")[2]]
        if module is not retrain:
            module.config.check(config)
    assert configs["train_supernet"].epochs == 3
    assert configs["train_supernet"].resolutions == (48,)
    soon = Run("main_job", Config(), until=0.0)
    (*_, (_, last)) = main_job.commands(soon, main_job.Images("digits", None, "no images"), tmp_path)
    retrain.config.check(last())
    assert last().max_minutes == 0.1
