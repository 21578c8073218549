"""Where jobs run: which flags go together, what they come to, and which commands have them."""

import dataclasses
import importlib
import importlib.util
import re
from types import SimpleNamespace

import pytest

from hytnas_jax import cli
from hytnas_jax.runtime import gpus
from hytnas_jax.runtime.executor import InProcess, LocalPool
from hytnas_jax.runtime.ray_executor import RayExecutor
from hytnas_jax.shared_flags.jobs import JOB_FLAGS, JobFlags
from supernet.errors import UserError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Ray were installed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace(name=name))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (JobFlags(address="auto"), r"--address auto: .* give --executor ray too"),
        (JobFlags(cores_per_job=2), r"--cores-per-job 2: is for --executor ray; .* give --processes"),
        (JobFlags(executor="ray", processes=3), r"--processes 3: .* give --cores-per-job"),
        (JobFlags(executor="ray", address="ray://head:10001"), r"--address ray://.*: must be auto or HOST"),
        (JobFlags(executor="ray", address="head"), r"--address head: must be auto or HOST:PORT"),
        (JobFlags(gpus_per_job=1.5), r"--gpus-per-job 1.5: must be whole above 1; give 1"),
    ],
)
@pytest.mark.usefixtures("installed")
def test_flags_that_make_no_sense_together_are_refused(flags: JobFlags, message: str) -> None:
    with pytest.raises(UserError, match=message):
        flags.check_jobs()


def test_ray_has_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"Ray is not installed; pip install 'hytnas_jax\[ray\]'"):
        JobFlags(executor="ray").check_jobs()
    JobFlags().check_jobs()


@pytest.mark.usefixtures("installed")
def test_a_cluster_gets_what_each_job_takes() -> None:
    flags = JobFlags(executor="ray", address="10.0.0.7:6379", cores_per_job=4, gpus_per_job=0.5)
    flags.check_jobs()
    made = flags.make_executor(share_cores=True, on_gpus=True)
    assert made == RayExecutor("10.0.0.7:6379", cores=4, gpus=0.5)
    assert JobFlags(executor="ray").make_executor(share_cores=True, on_gpus=True) == RayExecutor()


@pytest.mark.parametrize(
    ("seen", "uses_gpus", "flags", "at_once"),
    [
        ("0,1,2,3", True, JobFlags(), 4),
        ("0,1,2,3", True, JobFlags(processes=2), 2),
        ("0,1,2,3", True, JobFlags(gpus_per_job=2), 2),
        ("0,1,2,3", True, JobFlags(gpus_per_job=0.5), 8),
        ("0,1,2,3", True, JobFlags(gpus_per_job=0, processes=7), 7),
        ("0", True, JobFlags(), 1),
        ("", True, JobFlags(processes=7), 7),
        ("0,1,2,3", False, JobFlags(processes=7), 7),
        ("0,1,-1,3", True, JobFlags(), 2),
    ],
)
def test_jobs_at_once_on_a_machine_with_gpus(
    monkeypatch: pytest.MonkeyPatch, seen: str, uses_gpus: bool, flags: JobFlags, at_once: int
) -> None:
    monkeypatch.setenv(gpus.VISIBLE, seen)
    monkeypatch.setenv(gpus.PREALLOCATE, "true")
    monkeypatch.setattr(gpus, "jax_uses_gpus", lambda: uses_gpus)
    made = flags.make_executor(share_cores=True, on_gpus=True)
    assert made.at_once == at_once
    assert isinstance(made, LocalPool if at_once > 1 else InProcess)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (JobFlags(gpus_per_job=3), r"--gpus-per-job 3: this machine has 2 .* give at most as many, or 0"),
        (
            JobFlags(gpus_per_job=1, processes=4),
            r"--processes 4: 2 GPUs are enough for 2 jobs of 1; .* \(0.5, say\)",
        ),
    ],
)
def test_too_few_gpus_are_told(monkeypatch: pytest.MonkeyPatch, flags: JobFlags, message: str) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "0,1")
    with pytest.raises(UserError, match=message):
        flags.make_executor(share_cores=True, on_gpus=True)


@pytest.mark.parametrize(("there", "processes"), [(1, 6), (4, 6), (2, 5), (8, 12), (3, 4), (1, 7)])
def test_the_gpus_per_job_that_are_advised_are_enough(
    monkeypatch: pytest.MonkeyPatch, there: int, processes: int
) -> None:
    monkeypatch.setenv(gpus.VISIBLE, ",".join(map(str, range(there))))
    monkeypatch.setenv(gpus.PREALLOCATE, "true")
    flags = JobFlags(gpus_per_job=1, processes=processes)
    with pytest.raises(UserError) as refused:
        flags.make_executor(share_cores=True, on_gpus=True)
    advised = re.search(r"--gpus-per-job \((\S+), say\)", str(refused.value))
    assert advised is not None
    following = dataclasses.replace(flags, gpus_per_job=float(advised[1]))
    assert following.make_executor(share_cores=True, on_gpus=True).at_once == processes


@pytest.mark.parametrize(("per_job", "jobs"), [(0.1, 20), (0.2, 10), (0.3, 6), (1.0, 2), (2.0, 1), (3.0, 0)])
def test_jobs_on_two_gpus(per_job: float, jobs: int) -> None:
    """1 // 0.2 is 4 in floating point."""
    assert gpus.jobs_on(2, per_job) == jobs == len(gpus.shares(("0", "1"), per_job))
    assert RayExecutor(gpus=per_job)._room({"CPU": 100.0, "GPU": 2.0}) == jobs


def test_this_process_leaves_the_memory_of_its_gpu_to_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "0,1")
    monkeypatch.setenv(gpus.PREALLOCATE, "")  # so that it is put back
    monkeypatch.delenv(gpus.PREALLOCATE)
    made = JobFlags(gpus_per_job=1).make_executor(share_cores=True, on_gpus=True)
    assert gpus.os.environ[gpus.PREALLOCATE] == "false"
    assert isinstance(made, LocalPool)
    assert [dict(found) for found in made.environments] == [
        {gpus.VISIBLE: number, gpus.PREALLOCATE: "true"} for number in "01"
    ]


def test_no_command_that_measures_has_them() -> None:
    """A measurement is never shared out: it needs the processor for itself."""
    having = set()
    for command in (*cli.COMMANDS, "main_job"):
        fields = dataclasses.fields(importlib.import_module(f"hytnas_jax.{command}").Config)
        if {field.name for field in fields} & {*JOB_FLAGS, "part"}:
            having.add(command)
    assert having == {"retrain", "study_ranking", "study_search"}
