"""The public names of the three packages: typed, imported when first used, each with an example that runs."""

import ast
import doctest
import importlib
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import hytnas_jax
import proxies
import supernet
from hytnas_jax import cli

ROOT = Path(__file__).parents[1]
PACKAGES = [supernet, proxies, hytnas_jax]
PUBLIC = [(package, name) for package in PACKAGES for name in package.__all__]


def of_package(package: ModuleType) -> str:
    return package.__name__


def typed(package: ModuleType) -> dict[str, str]:
    """Public name -> the module that a type checker finds it in."""
    tree = ast.parse(Path(str(package.__file__)).read_text())
    found = {}
    for branch in (node for node in tree.body if isinstance(node, ast.If)):
        if isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING":
            for node in branch.body:
                assert isinstance(node, ast.ImportFrom)
                for alias in node.names:
                    assert alias.name == alias.asname, (
                        "only `from x import y as y` is public to type checkers"
                    )
                    found[alias.name] = str(node.module)
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=of_package)
def test_type_checkers_and_python_find_the_same(package: ModuleType) -> None:
    names = typed(package)
    assert sorted(names) == package.__all__ == dir(package)
    for name, module in names.items():
        if module == package.__name__:
            expected = importlib.import_module(f"{module}.{name}")
        else:
            expected = getattr(importlib.import_module(module), name)
            # Once the module of this name was imported, it would stand in the place of what is public.
            assert importlib.util.find_spec(f"{package.__name__}.{name}") is None
        assert getattr(package, name) is expected
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'SearchSpaces'"):
        package.SearchSpaces  # noqa: B018


def test_mypy_knows_their_types(tmp_path: Path) -> None:
    lines = [f"import {package.__name__}" for package in PACKAGES]
    lines += [f"reveal_type({package.__name__}.{name})" for package, name in PUBLIC]
    lines += [f"{package.__name__}.SearchSpaces" for package in PACKAGES]
    (tmp_path / "user.py").write_text("\n".join(lines))
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    command += ["--cache-dir", str(ROOT / ".mypy_cache"), str(tmp_path / "user.py")]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    revealed = re.findall(r"Revealed type is (.+)", shown)
    assert len(revealed) == len(PUBLIC), shown
    assert not [found for found in revealed if found.strip('"').startswith("Any")]
    assert shown.count("error: Module has no attribute") == len(PACKAGES), shown


@pytest.mark.parametrize("package", PACKAGES, ids=of_package)
def test_the_types_are_installed_too(package: ModuleType) -> None:
    name = package.__name__
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["tool"]["setuptools"]["package-data"][name] == ["py.typed"]
    assert (ROOT / name / "py.typed").is_file()


def test_every_command_is_public() -> None:
    assert {*cli.COMMANDS, "main_job"} <= set(hytnas_jax.__all__)


@pytest.mark.parametrize(("package", "name"), PUBLIC, ids=lambda part: getattr(part, "__name__", part))
def test_the_example_runs(
    package: ModuleType, name: str, example_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a reader would type it, beside a work folder `runs/mine` with every step in it."""
    monkeypatch.chdir(example_folder)
    public = getattr(package, name)
    test = doctest.DocTestParser().get_doctest(public.__doc__ or "", {}, name, None, 0)
    assert test.examples, f"{package.__name__}.{name} has no example"
    shown: list[str] = []
    failed, _ = doctest.DocTestRunner().run(test, out=shown.append)
    assert not failed, "".join(shown)
