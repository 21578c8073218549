"""The examples for clusters: bash reads them, their flags exist, and they give what they promise."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from hytnas_jax.study_ranking.config import Config, check

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.sh"))
RUNS = re.compile(r"python -m hytnas_jax\.study_ranking((?:\\\n|[^\n)])*)")
# In place of SLURM's and Python's commands: each writes what it was given.
NOTING = """#!/bin/sh
name=$(basename "$0")
echo "$name $*" >> "$CALLS"
if [ "$name" = sbatch ]; then echo "7;cluster"; fi
"""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_bash_reads_it_and_its_flags_exist(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    found = RUNS.findall(script.read_text())
    assert found
    fields = {"--" + name.replace("_", "-") for name in Config.__dataclass_fields__}
    for words in found:
        assert set(re.findall(r"(?<!\S)--[a-z-]+", words)) <= fields


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
        ["bash", str(EXAMPLES / script), "runs/my work"],
        env={**clean, "PATH": path_variable, "CALLS": str(noted), **environment},
        check=True,
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
