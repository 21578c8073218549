"""The console script `hytnas-jax`, run as pip's wrapper runs it."""

import os
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hytnas_jax import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip writes for the entry in pyproject.toml."""
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["hytnas-jax"]
    module, _, function = entry.partition(":")
    path = tmp_path_factory.mktemp("bin") / "hytnas-jax"
    path.write_text(f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    return path


def call(*command: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *map(str, command)]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(words, capture_output=True, text=True, timeout=100, env=environment, check=False)


def test_help_lists_the_commands_in_under_a_second(script: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = call(script, "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert found.returncode == 0
    assert found.stdout.startswith("usage: hytnas-jax [-h]")
    assert "--retrain-epochs" in found.stdout  # of the main job
    for name in cli.COMMANDS:
        assert f"\n  {name} " in found.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


def test_a_command_has_its_own_help(script: Path) -> None:
    for word in ("study-ranking", "study_ranking"):
        found = call(script, word, "--help")
        assert found.returncode == 0
        assert found.stdout.startswith("usage: hytnas-jax study_ranking [-h]")
        assert "--repeated" in found.stdout


def test_a_command_does_what_its_module_does(script: Path) -> None:
    words = ("mobilevit-xxs", "--num-classes", "10")
    found, module = call(script, "describe", *words), call("-m", "hytnas_jax.describe", *words)
    assert found.returncode == module.returncode == 0
    assert found.stdout == module.stdout != ""


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("serch", "'serch' is no command (did you mean search?); give one of train_supernet, "),
        ("fly", "'fly' is no command; give one of train_supernet, "),
    ],
)
def test_another_word_is_refused(script: Path, word: str, expected: str) -> None:
    found = call(script, word, "--workdir", "x")
    assert found.returncode == 2
    assert found.stderr.startswith(f"error: {expected}")
    assert "Traceback" not in found.stderr
    assert not found.stdout


@pytest.mark.parametrize("words", [[], ["--evaluations", "3", "--workdir", "x"], ["--no-such-flag"]])
def test_flags_alone_are_the_main_jobs(script: Path, words: list[str]) -> None:
    """Both read the same flags: here ones that it refuses, since it would train otherwise."""
    found = call(script, *words)
    module = call("-m", "hytnas_jax", *words)
    assert found.returncode == module.returncode == 2
    refusal = module.stderr.replace("python -m hytnas_jax", "hytnas-jax")
    assert found.stderr.split() == refusal.split() != []  # whatever the width of the frame
    assert not Path("x").exists()
