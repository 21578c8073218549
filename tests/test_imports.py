"""The imports run one way, hytnas_jax -> proxies -> supernet; the lower two touch no files.

The commands import what takes seconds only when they are called.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hytnas_jax
import supernet

ROOT = Path(__file__).parents[1]
PACKAGES = ("supernet", "proxies", "hytnas_jax")
ALLOWED = {
    "supernet": {"supernet"},
    "proxies": {"supernet", "proxies"},
    "hytnas_jax": {"supernet", "proxies", "hytnas_jax"},
}
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
LOWER = [path for path in MODULES if path.relative_to(ROOT).parts[0] != "hytnas_jax"]

COMMANDS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "hytnas_jax").glob("*.py")
    if "\n    run(main, Config)" in path.read_text().partition('\nif __name__ == "__main__":')[2]
}
# Seconds of importing, for which neither help nor a wrong flag is to wait.
NOT_AT_START = ("jax", "flax", "optax", "scipy", "sklearn", "xgboost", "pymoo", "onnx", "onnxruntime")

# Command lines, files and data sets belong to hytnas_jax.
NOT_IN_LOWER = {"argparse", "tyro", "shutil", "tempfile", "tensorflow_datasets", "rich", "orbax"}
FILE_CALLS = {
    "open",
    "read_text",
    "write_text",
    "read_bytes",
    "write_bytes",
    "mkdir",
    "makedirs",
    "savez",
    "savetxt",
    "loadtxt",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """The top-level name of everything that a module imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield package if node.level else (node.module or "").split(".")[0]


def called(tree: ast.AST) -> Iterator[str]:
    """The last name of everything that a module calls: `a.b.open(...)` is `open`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=last) | ast.Attribute(attr=last):
                    yield last


def wrong_imports(source: str, package: str) -> set[str]:
    ours = {top for top in imported(ast.parse(source), package) if top in PACKAGES}
    return ours - ALLOWED[package]


def file_access(source: str, package: str) -> set[str]:
    tree = ast.parse(source)
    return (set(imported(tree, package)) & NOT_IN_LOWER) | (set(called(tree)) & FILE_CALLS)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert wrong_imports(path.read_text(), package) == set()


@pytest.mark.parametrize("path", LOWER, ids=name)
def test_lower_packages_touch_no_files(path: Path) -> None:
    assert file_access(path.read_text(), path.relative_to(ROOT).parts[0]) == set()


def test_commands_start_without_what_they_only_need_when_called() -> None:
    assert {"hytnas_jax.__main__", "hytnas_jax.search", "hytnas_jax.describe"} <= COMMANDS
    program = (
        f"import importlib, sys\n"
        f"for name in {sorted(COMMANDS)}: importlib.import_module(name)\n"
        f"print(*(name for name in {NOT_AT_START} if name in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


@pytest.mark.parametrize("package", [supernet, hytnas_jax], ids=["supernet", "hytnas_jax"])
def test_public_names_are_found(package: ModuleType) -> None:
    assert package._PUBLIC
    for public in package._PUBLIC:
        assert getattr(package, public).__name__ == public
    with pytest.raises(AttributeError, match="has no attribute 'SearchSpaces'"):
        package.SearchSpaces  # noqa: B018


def test_every_package_is_looked_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(PACKAGES)


@pytest.mark.parametrize(
    ("package", "source", "wrong"),
    [
        ("supernet", "import proxies.base", {"proxies"}),
        ("supernet", "def f():\n    from hytnas_jax import workdir", {"hytnas_jax"}),
        ("proxies", "from supernet import ops\nimport jax", set()),
        ("supernet", "from . import ops", set()),
    ],
)
def test_a_wrong_import_is_seen(package: str, source: str, wrong: set[str]) -> None:
    assert wrong_imports(source, package) == wrong


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("open('a')", {"open"}),
        ("Path('a').write_text('b')", {"write_text"}),
        ("import argparse", {"argparse"}),
        ("opened = state.load", set()),
    ],
)
def test_file_access_is_seen(source: str, found: set[str]) -> None:
    assert file_access(source, "supernet") == found
