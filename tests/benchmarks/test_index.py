"""The index of benchmarks is whole, and what is said of benchmarks elsewhere is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
INDEX = (BENCHMARKS / "README.md").read_text()
LINKS = re.findall(r"\]\(([^)\s]+)\)", INDEX)
MODULE = re.compile(r"python -m (benchmarks(?:\.\w+)+)")
FILE = re.compile(r"\bbenchmarks/[\w/]+\.py\b")
SOURCES = [
    path
    for name in ("benchmarks", "hytnas_jax", "proxies", "supernet")
    for path in (ROOT / name).rglob("*.py")
]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]


def commands() -> set[str]:
    """The modules that can be run, without the process that another one starts."""
    scripts = [path for path in BENCHMARKS.rglob("*.py") if "    main(benchmark, Config" in path.read_text()]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in scripts}
    return {module.removesuffix(".__main__") for module in modules} | {"benchmarks.accuracy.smaller_images"}


def test_every_command_is_in_the_index() -> None:
    assert len(commands()) > 30
    assert set(MODULE.findall(INDEX)) == commands()


def test_every_result_is_in_the_index() -> None:
    results = {f"results/{path.name}" for path in (BENCHMARKS / "results").iterdir()}
    assert {"/".join(link.split("/")[:2]) for link in LINKS if link.startswith("results/")} == results


@pytest.mark.parametrize("link", LINKS)
def test_its_links_lead_somewhere(link: str) -> None:
    assert (BENCHMARKS / link).exists()


def test_what_pages_and_sources_run_is_there() -> None:
    for path in [*PAGES, *SOURCES]:
        assert set(MODULE.findall(path.read_text())) <= commands(), path


def test_what_sources_name_is_there() -> None:
    for path in SOURCES:
        for file in FILE.findall(path.read_text()):
            assert (ROOT / file).is_file(), f"{path} names {file}"
