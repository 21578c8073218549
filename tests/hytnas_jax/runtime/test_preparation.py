"""Compiled programs are kept, whether JAX is imported before or after the command began."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import pytest

from hytnas_jax.runtime import preparation
from supernet.errors import UserError

IMPORT, PREPARE = (
    "import jax",
    "from hytnas_jax.runtime.preparation import prepare_process; prepare_process()",
)
COMPILE = """
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
print(float(jax.jit(lambda x: x * 2 + 1)(3.0)))
"""


def run(*first: str, **environment: str) -> str:
    return ended(*first, **environment).stdout.decode().strip()


def run_for_errors(**environment: str) -> str:
    return ended(**environment).stderr.decode()


def ended(*first: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    return subprocess.run(
        [sys.executable, "-c", "\n".join([*(first or (IMPORT, PREPARE)), COMPILE])],
        env={**inherited, **environment},
        capture_output=True,
        check=True,
    )


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


def test_a_folder_that_cannot_keep_them_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    (tmp_path / "file").touch()
    for name, reason in (("file", "Not a directory"), (os.fsdecode(b"\xff"), "its path is not UTF-8")):
        monkeypatch.setenv("HYTNAS_JAX_CACHE", str(tmp_path / name))
        preparation.keep_compiled_programs()
        assert f"compiled programs cannot be kept there ({reason})" in capsys.readouterr().err
        assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


def test_a_damaged_program_is_made_anew(tmp_path: Path) -> None:
    """JAX itself leaves it, compiles at every start, and says so in two lines."""
    folder = tmp_path / "programs [1]"
    run(HYTNAS_JAX_CACHE=str(folder))
    kept = list(folder.glob("*/jit_*-cache"))
    sizes = {path: path.stat().st_size for path in kept}
    for path in kept:
        path.write_bytes(path.read_bytes()[:40])
    told = [run_for_errors(HYTNAS_JAX_CACHE=str(folder)) for _ in range(2)]
    assert told[1] == ""
    lines = told[0].splitlines()
    assert lines
    assert all(line.startswith("warning: a compiled program that was kept is of no use") for line in lines)
    assert {path: path.stat().st_size for path in kept} == sizes


def test_a_warning_is_one_line_without_code(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        preparation.show_warnings_in_a_line()
        warnings.warn_explicit("two images\nare odd", UserWarning, __file__, 1)
    assert capsys.readouterr().err == "warning: two images are odd\n"


def test_a_worker_that_does_not_see_the_work_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "_prepare_once", lambda: None)
    preparation.prepare_worker(tmp_path, tmp_path)
    with pytest.raises(UserError, match=r"--workdir .*: on .* there is no such folder; a cluster needs"):
        preparation.prepare_worker(tmp_path, tmp_path / "retrain")
