import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import hytnas_jax
from hytnas_jax.runtime import environment as module
from hytnas_jax.runtime.environment import environment, package_version


def test_it_says_what_a_result_was_made_with() -> None:
    found = environment()
    assert found["python"] == platform.python_version()
    assert found["packages"]["numpy"] == package_version("numpy")
    assert found["cores"] >= 1
    assert found["cpu"]
    assert json.loads(json.dumps(found)) == found


def test_it_does_not_import_jax() -> None:
    code = (
        "import sys; from hytnas_jax.runtime.environment import environment; "
        "assert environment()['devices'] is None; assert 'jax' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert package_version("no-such-package-anywhere") is None


@pytest.mark.parametrize(("folder", "is_ours"), [("", True), ("env/lib", False)])
def test_the_commit_is_of_our_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str, is_ours: bool
) -> None:
    """Not of one that a virtual environment lies in."""
    own = Path(module.__file__).relative_to(Path(hytnas_jax.__file__).parents[1])
    path = tmp_path / folder / own
    path.parent.mkdir(parents=True)
    git = ("git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "begin")):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    monkeypatch.setattr(module, "__file__", str(path))
    assert environment()["commit"] == (head.stdout.strip() if is_ours else None)


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "__file__", str(tmp_path / "environment.py"))
    assert environment()["commit"] is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment()["commit"] is None
