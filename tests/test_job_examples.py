"""The examples for clusters: bash reads them, their flags exist, and they give what they promise."""

import dataclasses
import importlib
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from hytnas_jax.study_ranking.config import Config, check

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.sh"))
MANIFESTS = (EXAMPLES / "tpu_jobset.yaml", EXAMPLES / "ray_job.yaml")
RUNS = re.compile(r"python -m hytnas_jax\.(\w+)((?:\\\n|[^\n)])*)")
# In place of SLURM's and Python's commands: each writes what it was given.
NOTING = """#!/bin/sh
name=$(basename "$0")
echo "$name $*" >> "$CALLS"
if [ "$name" = sbatch ]; then echo "7;cluster"; fi
"""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_bash_reads_it_and_its_flags_exist(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert_flags_exist(script.read_text())


def assert_flags_exist(text: str) -> None:
    found = RUNS.findall(text)
    assert found
    for command, words in found:
        config = importlib.import_module(f"hytnas_jax.{command}.config").Config
        fields = {"--" + field.name.replace("_", "-") for field in dataclasses.fields(config)}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", words)) <= fields


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_yaml_reads_it_and_its_flags_exist(path: Path) -> None:
    """A folded command stands in one line once it is read."""
    assert_flags_exist(str(yaml.safe_load(path.read_text())))


def test_the_slice_has_as_many_pods_as_the_job_asserts() -> None:
    jobset = yaml.safe_load(MANIFESTS[0].read_text())
    (job,) = (replicated["template"]["spec"] for replicated in jobset["spec"]["replicatedJobs"])
    (container,) = job["template"]["spec"]["containers"]
    hosts = re.search(r"--hosts (\d+)", container["command"][-1])
    assert hosts is not None
    assert job["parallelism"] == job["completions"] == int(hosts[1])


def test_pods_of_ray_see_one_folder_and_the_driver_runs_no_job() -> None:
    cluster = yaml.safe_load(MANIFESTS[1].read_text())["spec"]["rayClusterSpec"]
    head, (workers,) = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    assert head["rayStartParams"] == {"num-cpus": "0"}
    pods = [group["template"]["spec"] for group in (head, workers)]
    assert pods[0]["volumes"] == pods[1]["volumes"]
    mounts = [pod["containers"][0]["volumeMounts"] for pod in pods]
    assert mounts[0] == mounts[1]


def calls(tmp_path: Path, script: str, **environment: str) -> list[str]:
    """The commands that a script runs, one after the other; those of ours do nothing."""
    bin_folder, noted = tmp_path / "bin", tmp_path / "calls"
    bin_folder.mkdir(exist_ok=True)
    for name in ("python", "sbatch", "srun", "ray"):
        path = bin_folder / name
        path.write_text(NOTING)
        path.chmod(0o755)
    noted.write_text("")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    path_variable = f"{bin_folder}:{os.environ['PATH']}"
    subprocess.run(
        ["bash", str(EXAMPLES / script), "runs/my work", "my images"],
        env={**clean, "PATH": path_variable, "CALLS": str(noted), **environment},
        check=True,
        capture_output=True,  # until those in the background have closed it too
        timeout=60,
    )
    return noted.read_text().splitlines()


def test_the_array_has_all_parts_and_a_merge_behind_them(tmp_path: Path) -> None:
    first, second = calls(tmp_path, "slurm_parts.sh")
    assert first.startswith("sbatch --parsable --array=1-8 ")
    assert second.startswith("sbatch --dependency=afterany:7 ")
    (part,) = calls(tmp_path, "slurm_parts.sh", SLURM_JOB_ID="7", SLURM_ARRAY_TASK_ID="3")
    (merge,) = calls(tmp_path, "slurm_parts.sh", SLURM_JOB_ID="8")
    assert part == f"{merge} --part 3/8"  # the same study
    check(Config(Path("runs/mine"), part="3/8", epochs=40))


def test_a_training_of_many_tasks_asserts_their_number(tmp_path: Path) -> None:
    found = calls(tmp_path, "slurm_training.sh", SLURM_NTASKS="16")
    together = [call for call in found if call.startswith("srun ")]
    assert [re.findall(r"hytnas_jax\.(\w+)", call)[0] for call in together] == ["train_supernet", "retrain"]
    assert all(call.endswith("--hosts 16") for call in together)
    alone = [call for call in found if call.startswith("python ")]
    assert not any("--hosts" in call for call in alone)


def test_the_cluster_has_a_head_workers_and_a_study(tmp_path: Path) -> None:
    told = {"SLURM_JOB_NUM_NODES": "4", "SLURM_CPUS_PER_TASK": "16"}
    found = calls(tmp_path, "ray_cluster.sh", **told)
    (head,) = (call for call in found if call.startswith("srun --nodes=1 ") and "--head" in call)
    (workers,) = (call for call in found if call.startswith("srun --nodes=3 "))
    (study,) = (call for call in found if call.startswith("python "))
    address = re.search(r"--address=(\S+:6379)", workers)
    assert address is not None
    assert f"--executor ray --address {address[1]} " in study
    assert "--num-cpus=16" in head
    alone = calls(tmp_path, "ray_cluster.sh", **{**told, "SLURM_JOB_NUM_NODES": "1"})
    assert sum(call.startswith("srun") for call in alone) == 1
