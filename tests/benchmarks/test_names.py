"""Benchmarks are run by hand: here at least every name that they import from the packages has to be there."""

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))
PACKAGES = ("supernet", "proxies", "hytnas_jax")


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Modules of the packages, and the names that a file takes from them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PACKAGES:
            yield from ((str(node.module), alias.name) for alias in node.names)


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_imported_names_are_there(path: Path) -> None:
    missing = [
        f"{module}.{name}"
        for module, name in imported(path)
        if not hasattr(importlib.import_module(module), name)
        and importlib.util.find_spec(f"{module}.{name}") is None
    ]
    assert missing == []


def test_imports_are_found() -> None:
    found = set(imported(next(path for path in BENCHMARKS if path.stem == "tflite_memory")))
    assert ("hytnas_jax.device.runtimes", "quantised") in found
