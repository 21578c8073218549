"""What README.md and the pages of docs/ name is there: files, headings, commands, flags, public names."""

import dataclasses
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import hytnas_jax
import proxies
import supernet

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
TOP = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`|^    \S.*$", re.MULTILINE)
COMMAND = re.compile(r"python -m (hytnas_jax(?:\.\w+)?)((?:\\\n|[^\n`#&|(])*)")
SCRIPT = re.compile(r"\b(?:benchmarks|tests|docs)/[\w/]+\.py\b")
REFERENCE = re.compile(r"^::: (\S+)$", re.MULTILINE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def headings(path: Path) -> set[str]:
    """The anchors that a code host and MkDocs make of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", [*TOP, *PAGES], ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(FENCED.sub("", path.read_text())):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        assert there.is_file(), target
        if anchor:
            assert anchor in headings(there), target


def test_every_page_is_in_the_navigation() -> None:
    def pages(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for value in entry.values():
                yield from pages(value)
        elif isinstance(entry, list):
            for value in entry:
                yield from pages(value)

    listed = list(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert len(listed) == len(set(listed))
    assert set(listed) == {path.name for path in PAGES} | {"changelog.md", "contributing.md"}


@cache
def flags(module: str) -> set[str]:
    """All flags of a command, from the fields of its Config."""
    command = importlib.import_module("hytnas_jax.main_job" if module == "hytnas_jax" else module)
    found = {"--help"}
    for field in dataclasses.fields(command.Config):
        flag = field.name.replace("_", "-")
        found |= {f"--{flag}", f"--no-{flag}"} if isinstance(field.default, bool) else {f"--{flag}"}
    return found


def commands(path: Path) -> list[tuple[str, list[str]]]:
    """The modules that a page runs, and the words of each command line."""
    found = COMMAND.findall(path.read_text())
    return [(module, words.replace("\\\n", " ").split()) for module, words in found]


@pytest.mark.parametrize("path", [*TOP, *PAGES], ids=name)
def test_commands_and_their_flags_exist(path: Path) -> None:
    for module, words in commands(path):
        unknown = {word for word in words if word.startswith("--")} - flags(module)
        assert not unknown, f"{module} has no {unknown}"


@pytest.mark.parametrize("path", [*TOP, *PAGES], ids=name)
def test_scripts_exist(path: Path) -> None:
    for script in SCRIPT.findall(path.read_text()):
        assert (ROOT / script).is_file(), script


def test_the_main_job_is_checked() -> None:
    """The tests above see the README's commands, and would see a wrong flag."""
    assert any("--max-peak-memory-int8" in words for _, words in commands(ROOT / "README.md"))
    assert "--max-peak-memory-int8" in flags("hytnas_jax")
    assert "--max-peak" not in flags("hytnas_jax")


@pytest.mark.parametrize("path", [ROOT / "README.md", *PAGES], ids=name)
def test_numbers_are_written_alike(path: Path) -> None:
    """0.942 and 5% in prose and tables; what programs print and read is theirs."""
    prose = CODE.sub("", FENCED.sub("", path.read_text()))
    assert not re.findall(r".*\d %.*", prose)
    assert not re.findall(r".*(?<![\w./)])\.\d.*", prose)


@pytest.mark.parametrize("package", [supernet, proxies, hytnas_jax], ids=lambda package: package.__name__)
def test_the_reference_has_all_public_names(package: ModuleType) -> None:
    listed = REFERENCE.findall((ROOT / "docs" / "api.md").read_text())
    public = package.__all__
    commands = {name for name in public if isinstance(getattr(package, name), ModuleType)}
    found = {entry.partition(".")[2] for entry in listed if entry.startswith(package.__name__ + ".")}
    assert found == set(public) - commands


def test_the_reference_has_all_commands() -> None:
    listed = REFERENCE.findall((ROOT / "docs" / "api-commands.md").read_text())
    named = {module for module, _ in commands(ROOT / "docs" / "commands.md")} - {"hytnas_jax"}
    assert set(listed) == {f"{module}.Config" for module in named} | {"hytnas_jax.main_job.Config"}


def test_the_architecture_page_names_modules_that_exist() -> None:
    """In the row of a folder every word in code font is a module of it, `data/decode` of another."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+/` ?)+)\|(.*)\|$", page[page.index("## hytnas_jax/") :], flags=re.M)
    assert len(rows) > 15
    for folders, text in rows:
        rooms = [ROOT / "hytnas_jax" / folder for folder in re.findall(r"`(\w+)/`", folders)]
        for word in re.findall(r"`([a-z]\w*(?:/\w+)?)/?`", text):
            places = [ROOT / "hytnas_jax" / word] if "/" in word else [room / word for room in rooms]
            assert any(p.is_dir() or p.with_suffix(".py").is_file() for p in places), f"{folders}: {word}"
