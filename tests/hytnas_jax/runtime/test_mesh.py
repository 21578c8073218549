"""One, three and eight devices of one process, two processes of two: the same arrays, the same results.

Devices are virtual ones of a processor, each number of them in a process of its own (`many_devices`).
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import many_devices
import numpy as np
import pytest

from hytnas_jax.runtime import mesh
from hytnas_jax.training.step import sent
from supernet.errors import UserError

PROGRAM = many_devices.__file__
ROOT = str(Path(PROGRAM).parents[1])  # before `tests`, in which a folder is called hytnas_jax too


def start(devices: int, folder: Path, *errands: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, PROGRAM, str(devices), str(folder), *errands],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT, **variables},
    )


def results(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What came of each errand, by its name."""
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return dict(json.loads(line) for line in out.splitlines() if line.startswith('["'))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a checkpoint of this process's one device."""
    folder = tmp_path_factory.mktemp("devices")
    many_devices.saved(folder, "of1")
    return folder


@pytest.fixture(scope="module")
def of_eight(folder: Path) -> dict[str, Any]:
    errands = ("save=of8", "restore=of1", "cut", "collectives", "population")
    return results(start(8, folder, *errands))


def test_a_step_needs_sums_over_the_devices_alone(of_eight: dict[str, Any]) -> None:
    """Those of BatchNorm, of the loss and of the gradient: no device gets the rows of another one."""
    found = of_eight["collectives"]
    assert found.pop("all-reduce") >= 4
    assert set(found.values()) == {0}


def test_images_that_lie_on_the_devices_are_those_that_would_be_sent(of_eight: dict[str, Any]) -> None:
    assert of_eight["cut"] is True


def test_a_population_is_evaluated_as_on_one_device(of_eight: dict[str, Any], folder: Path) -> None:
    """Five subnets on eight devices: what fills them up is not told."""
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        on_one = many_devices.population(folder, "")
    finally:
        jax.config.update("jax_disable_most_optimizations", False)
    np.testing.assert_allclose(of_eight["population"], on_one, rtol=1e-5)


def test_checkpoints_are_read_by_any_number_of_devices(of_eight: dict[str, Any], folder: Path) -> None:
    """Bit for bit: of one by eight, of eight by three, of both by two processes, and theirs by one."""
    assert of_eight["restore=of1"] == [True, 8]
    three = start(3, folder, "restore=of8", "restore=of1", "save=of3")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    job = {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "WORLD_SIZE": "2"}  # as torchrun has it
    both = [
        start(2, folder, "restore=of8", "restore=of1", "save=of4", "restore=of4", **job, RANK=n)
        for n in ("0", "1")
    ]
    assert results(three) == {"restore=of8": [True, 3], "restore=of1": [True, 3], "save=of3": True}
    lead, other = map(results, both)
    assert lead == {name: [True, 4] for name in ("restore=of8", "restore=of1", "restore=of4")} | {
        "save=of4": True
    }
    assert other == {}  # it does not talk
    for name in ("of8", "of3", "of4"):
        assert many_devices.restored(folder, name) == [True, 1]


def test_with_one_device_nothing_is_split() -> None:
    assert not mesh.is_split()
    assert mesh.everywhere() == jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    pixels, _ = sent(many_devices.images(5))(np.array([3, 1]))
    assert isinstance(pixels, np.ndarray)
    mesh.require_divisible(7)


@pytest.mark.parametrize(
    ("count", "size", "remedy"), [(8, 30, "24 or 32"), (8, 7, "8"), (3, 32, "30 or 33"), (2, 3, "2 or 4")]
)
def test_a_batch_that_cannot_be_split_is_refused(
    monkeypatch: pytest.MonkeyPatch, count: int, size: int, remedy: str
) -> None:
    monkeypatch.setattr(mesh.jax, "device_count", lambda: count)
    with pytest.raises(UserError, match=f"--batch-size {size}: .* over {count} devices; give {remedy}, or"):
        mesh.require_divisible(size)
    mesh.require_divisible(2 * count)
