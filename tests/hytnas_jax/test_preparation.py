"""Compiled programs are kept, whether JAX is imported before or after the command began."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from hytnas_jax import preparation

IMPORT, PREPARE = "import jax", "from hytnas_jax.preparation import prepare; prepare()"
COMPILE = """
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
print(float(jax.jit(lambda x: x * 2 + 1)(3.0)))
"""


def run(*first: str, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join([*(first or (IMPORT, PREPARE)), COMPILE])],
        env={**inherited, **environment},
        capture_output=True,
        check=True,
    )
    return ended.stdout.decode().strip()


@pytest.mark.parametrize("first", [(IMPORT, PREPARE), (PREPARE, IMPORT)], ids=["after", "before"])
def test_compiled_programs_are_kept_by_version_and_processor(tmp_path: Path, first: tuple[str, str]) -> None:
    assert run(*first, HYTNAS_JAX_CACHE=str(tmp_path)) == "7.0"
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith(f"jax-{jax.__version__}-")
    kept = set(folder.iterdir())
    assert kept
    assert run(*first, HYTNAS_JAX_CACHE=str(tmp_path)) == "7.0"
    assert {path for path in folder.iterdir() if path.name.endswith("-cache")} <= kept  # nothing new


def test_they_can_be_left(tmp_path: Path) -> None:
    assert run(HYTNAS_JAX_CACHE="off", XDG_CACHE_HOME=str(tmp_path), HOME=str(tmp_path)) == "7.0"
    assert not any(tmp_path.iterdir())


def test_jax_own_setting_goes_before(tmp_path: Path) -> None:
    own, ours = tmp_path / "own", tmp_path / "ours"
    run(HYTNAS_JAX_CACHE=str(ours), JAX_COMPILATION_CACHE_DIR=str(own))
    assert any(own.iterdir())
    assert not ours.exists()


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYTNAS_JAX_CACHE", "~/programs")
    folder = preparation.cache_folder()
    assert folder is not None
    assert folder.parent == Path.home() / "programs"
    monkeypatch.delenv("HYTNAS_JAX_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = preparation.cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path / "hytnas_jax"
