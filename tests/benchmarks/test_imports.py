"""Every benchmark can be started: its module is imported, and its help is shown."""

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest
import tyro

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "benchmarks").rglob("*.py"))
SCRIPTS = [path for path in MODULES if 'if __name__ == "__main__":' in path.read_text()]
PACKAGES = ("supernet", "proxies", "hytnas_jax", "benchmarks")
# No commands of their own: another script starts them, most with what they need on standard input.
STARTED_BY_ANOTHER = {
    ROOT / "benchmarks" / name
    for name in (
        "supernet/speed/process.py",
        "supernet/streaming/process.py",
        "on_gpu/numbers.py",
        "on_gpu/packages.py",
    )
}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def module_of(name: str) -> object:
    """A module; the test is skipped where it needs PyTorch and there is none."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        pytest.skip(f"{name} needs PyTorch: pip install hytnas_jax[benchmark]")


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_what_it_imports_is_there(path: Path) -> None:
    """Inside functions too."""
    module_of(dotted(path))
    missing = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in PACKAGES:
            module = str(node.module)
            missing += [f"{module}.{n.name}" for n in node.names if not is_there(module, n.name)]
    assert not missing


def is_there(module: str, name: str) -> bool:
    """Whether `from module import name` works: something in it, or a module below it."""
    try:
        return hasattr(importlib.import_module(module), name) or bool(
            importlib.util.find_spec(f"{module}.{name}")
        )
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return True  # the module itself is skipped above, saying so


@pytest.mark.parametrize("path", [p for p in SCRIPTS if p not in STARTED_BY_ANOTHER], ids=dotted)
def test_help_is_shown(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its docstring names its command, and its flags are parsed."""
    module = module_of(dotted(path))
    command = f"python -m {dotted(path).removesuffix('.__main__')}"
    assert command in str(module.__doc__)
    with pytest.raises(SystemExit) as ended:
        tyro.cli(module.Config, prog=command, args=["--help"])  # type: ignore[attr-defined]
    assert ended.value.code == 0
    assert command in capsys.readouterr().out
