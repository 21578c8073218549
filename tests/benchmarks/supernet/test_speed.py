"""What `benchmarks/supernet/speed` says of our own side, and that it asks for the GPU before it begins."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from benchmarks.supernet.speed.chip_ceilings import Ceilings, ceilings
from benchmarks.supernet.speed.input import input_waits
from benchmarks.supernet.speed.phases import Work, achieved, evaluation_work, needed_flops, training_work
from benchmarks.supernet.speed.rounds import summarise
from benchmarks.supernet.speed.workload import Workload
from supernet.search_space import SearchSpace
from supernet.stage_space import StageSpace
from supernet.supernet import supernet

STAGE = StageSpace(stride=1, block=("conv",), depth=(1,), expansion=(1, 2), kernel=(3,), width=(4, 6))
WORKLOAD = Workload(  # compiles in seconds
    space=SearchSpace("one", (STAGE,), resolution=(4,), stem_width=4, stem_stride=1, head_min=4),
    batch=4,
    random_subnets=1,
    evaluation_batch=4,
    calibration_batches=1,
    validation_images=8,
)
MODEL = supernet(WORKLOAD.space, channels=WORKLOAD.channels, num_classes=WORKLOAD.num_classes)


def test_rates_and_what_limits() -> None:
    found = achieved(2.0, 10.0, Work(20.0, 4.0), Ceilings(flops_per_s=100.0, bytes_per_s=10.0))
    assert (found["needed FLOP/s"], found["computed FLOP/s"], found["bytes/s"]) == (5, 10, 2)
    assert found["shares"] == {"compute": 0.1, "bandwidth": 0.2}
    assert found["limited by"] == "bandwidth"


def test_an_unknown_chip_or_count_is_none() -> None:
    assert ceilings() is None  # a processor
    without_ceilings = achieved(2.0, 10.0, Work(20.0, 4.0), None)
    assert (without_ceilings["bytes/s"], without_ceilings["limited by"]) == (2, None)
    without_counts = achieved(2.0, 10.0, Work(None, None), Ceilings(100.0, 10.0))
    assert (without_counts["needed FLOP/s"], without_counts["computed FLOP/s"]) == (5, None)
    assert without_counts["limited by"] is None


def test_programs_compute_what_subnets_need_and_more() -> None:
    """Loops counted as often as they run: the masked program does at least the work of its subnets."""
    params = MODEL.abstract_params
    largest = WORKLOAD.subnets(0)[:1]
    step = training_work(WORKLOAD, MODEL, params)
    assert step.flops is not None
    assert 1 < step.flops / (3 * needed_flops(WORKLOAD, WORKLOAD.subnets(0), WORKLOAD.batch)) < 20
    population = largest * 2
    evaluating = evaluation_work(WORKLOAD, MODEL, params, population)
    assert evaluating.flops is not None
    assert 1 < evaluating.flops / needed_flops(WORKLOAD, population, 4 + 8) < 20
    assert step.num_bytes
    assert evaluating.num_bytes


def test_waiting_for_images() -> None:
    params, _ = MODEL.init(jax.random.key(0))
    found = input_waits(WORKLOAD, MODEL, params, rounds=1, steps=2)
    assert found["as the package"] == "sent"  # a processor reads the host's memory
    seconds = found["seconds of a step"]
    assert set(seconds) == {"on the device", "held", "sent"}
    for way, share in found["share"].items():
        assert share == pytest.approx(1 - seconds["on the device"] / seconds[way])


def test_the_compiled_peer_is_a_column_more() -> None:
    speeds = {"training images/s": {"ours": [4.0, 6.0], "peer": [2.0, 2.0]}}
    starts = {"ours": [{"s": 3.0}], "peer": [{"s": 6.0}]}
    trained, started = summarise(speeds, starts)
    assert (trained["ours"], trained["peer"], trained["ratio"], started["ratio"]) == (5, 2, 2.5, 2)
    assert "ratio to compiled" not in trained
    speeds["training images/s"]["peer compiled"] = [4.0, 4.0]
    starts["peer compiled"] = [{"s": 30.0}]
    trained, started = summarise(speeds, starts)
    assert (trained["peer compiled"], trained["ratio"], trained["ratio to compiled"]) == (4, 2.5, 1.25)
    assert started["ratio to compiled"] == 10


def test_both_compute_the_same() -> None:
    pytest.importorskip("torch", reason="the peer: pip install hytnas_jax[benchmark]")
    from benchmarks.supernet.speed.equality import check_equality
    from benchmarks.supernet.speed.ours import Ours
    from benchmarks.supernet.speed.peer import Peer

    ours = Ours(WORKLOAD, exact=True)
    peer = Peer(WORKLOAD, exact=True, params=ours.params)
    assert check_equality(ours, peer, WORKLOAD, num_architectures=3)["architectures"] == 3


def test_platforms_are_those_that_jax_may_lack_but_for_cuda() -> None:
    """JAX refuses a platform that is not installed: its own "gpu" asks for ROCm beside CUDA."""
    program = "from benchmarks.supernet.speed.device import choose_device; choose_device('gpu')"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert "--device gpu: JAX sees none (it would take the cpu)" in ended.stderr


def test_no_gpu_is_said_before_anything_runs() -> None:
    pytest.importorskip("torch", reason="the peer: pip install hytnas_jax[benchmark]")
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.supernet.speed", "--device", "gpu", "--quick"],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: --device gpu: JAX sees none")
