"""The imports run one way, from the later rooms of LAYERS to the earlier ones, without a circle.

The lower packages touch no files; the commands import what takes seconds only when they do their work. The
`__init__` of a package may name anything of its own as public, for nothing of ours imports from there.
"""

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hytnas_jax import cli

ROOT = Path(__file__).parents[1]
PACKAGES = ("supernet", "proxies", "hytnas_jax")
# A room is a package, or what stands directly in hytnas_jax. Each may import those of the lines above, and
# none beside it.
LAYERS = (
    ("supernet",),
    ("proxies",),
    ("console",),
    ("numbers", "runtime"),
    ("files",),
    ("shared_flags", "plots"),
    ("data", "mobo", "quality"),
    ("on_device",),
    ("tasks",),
    ("model_files",),
    ("workspace",),
    ("training",),
    ("accuracy", "latency"),
    ("train_supernet", "measure_latency", "describe"),
    ("search",),
    ("retrain",),
    ("export",),
    ("study_efficiency",),
    ("device_kit", "fit_latency", "reduce_space", "study_ranking", "study_search"),
    ("report",),
    ("main_job",),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
LOWER = [path for path in MODULES if path.relative_to(ROOT).parts[0] != "hytnas_jax"]

COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).parent.parts) for path in (ROOT / "hytnas_jax").rglob("__main__.py")
)
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


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {dotted(path) for path in MODULES}


def imported(source: str) -> set[str]:
    """The modules of ours that a source imports, inside functions and for types too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: write the whole name, not dots"
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else str(node.module) for name in full}
    return {name for name in found if name.partition(".")[0] in PACKAGES}


def room(module: str) -> str:
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "hytnas_jax" and rest else package


def wrong_imports(module: str, source: str) -> set[str]:
    """What a module imports and may not."""
    own = room(module)
    return {name for name in imported(source) if room(name) != own and not LEVEL[room(name)] < LEVEL[own]}


def called(tree: ast.AST) -> Iterator[str]:
    """The last name of everything that a module calls: `a.b.open(...)` is `open`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=last) | ast.Attribute(attr=last):
                    yield last


def top_level_imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def file_access(source: str) -> set[str]:
    tree = ast.parse(source)
    return (top_level_imports(tree) & NOT_IN_LOWER) | (set(called(tree)) & FILE_CALLS)


@pytest.mark.parametrize("path", [path for path in MODULES if dotted(path) != "hytnas_jax"], ids=name)
def test_imports_run_one_way(path: Path) -> None:
    assert wrong_imports(dotted(path), path.read_text()) == set()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_inside_imports_public_names(path: Path) -> None:
    """They are for users: inside, they would hide what depends on what."""
    assert imported(path.read_text()) & set(PACKAGES) == set()


def test_no_circle() -> None:
    graph = {dotted(path): imported(path.read_text()) - {dotted(path)} for path in MODULES}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(MODULES)


def test_every_room_has_a_layer() -> None:
    assert {room(module) for module in NAMES} - {"hytnas_jax"} == set(LEVEL)


@pytest.mark.parametrize("path", LOWER, ids=name)
def test_lower_packages_touch_no_files(path: Path) -> None:
    assert file_access(path.read_text()) == set()


def test_commands_start_without_what_they_only_need_when_called() -> None:
    assert {f"hytnas_jax.{command}" for command in (*cli.COMMANDS, "main_job")} | {"hytnas_jax"} == set(
        COMMANDS
    )
    program = (
        f"import importlib, sys\n"
        f"for name in {COMMANDS}: importlib.import_module(name)\n"
        f"import hytnas_jax.cli\n"
        f"print(*(name for name in {NOT_AT_START} if name in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("supernet.ops", "import proxies.base", {"proxies.base"}),
        ("supernet.ops", "def f():\n    from hytnas_jax import console", {"hytnas_jax.console"}),
        ("proxies.base", "from supernet import ops\nimport jax", set()),
        (
            "hytnas_jax.training.loop",
            "from hytnas_jax.search.log import EvaluationLog",
            {"hytnas_jax.search.log"},
        ),
        ("hytnas_jax.latency.kit", "from hytnas_jax.accuracy import sample", {"hytnas_jax.accuracy.sample"}),
        ("hytnas_jax.search.loop", "from hytnas_jax.search.log import EvaluationLog", set()),
    ],
)
def test_a_wrong_import_is_seen(module: str, source: str, wrong: set[str]) -> None:
    assert wrong_imports(module, source) == wrong


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
    assert file_access(source) == found
