"""What benchmarks import of the packages is there: mypy and the other tests look at few of them."""

import ast
import importlib
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))
OURS = ("supernet", "proxies", "hytnas_jax")


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_what_it_imports_is_there(path: Path) -> None:
    missing = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OURS:
            module = str(node.module)
            missing += [f"{module}.{n.name}" for n in node.names if not is_there(module, n.name)]
    assert not missing


def is_there(module: str, name: str) -> bool:
    """Whether `from module import name` works: something in it, or a module below it."""
    if hasattr(importlib.import_module(module), name):
        return True
    try:
        importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True
