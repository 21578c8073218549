"""A search space by its name, from a user's Python or YAML file, and to a YAML file."""

import dataclasses
import runpy
import traceback
from pathlib import Path
from typing import Any

import yaml

from hytnas_jax.files.plain_yaml import read_yaml
from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space, space_from_mapping, space_to_mapping


def load_space(name_or_file: str) -> SearchSpace:
    """The built-in space of that name, or the one a file declares.

    A Python file sets `space = SearchSpace(...)`; a YAML file holds the fields of `SearchSpace`.

    Raises:
      UserError: unknown name, missing file, a file that does not declare a possible space.

    Examples:
      >>> from hytnas_jax import load_space
      >>> load_space("hybrid").resolution
      (48, 64, 96, 128, 160, 192, 224)
    """
    path, place = Path(name_or_file), f"space={name_or_file!r}"
    if path.suffix.lower() not in (".py", ".yaml", ".yml"):
        return built_in_space(name_or_file)
    if not path.is_file():
        raise UserError(f"{place}: there is no such file")
    if path.suffix.lower() == ".py":
        return _from_python(path)
    data = read_yaml(path.read_bytes(), place)
    try:
        return space_from_mapping(data)
    except UserError as error:
        raise UserError(f"{place}: {error}") from None


def space_text(space: SearchSpace, *, comment: str = "") -> str:
    """A YAML file's text from which `load_space` reads an equal space; `comment` stands at its top."""
    plain = space_to_mapping(space)
    if space.dense_head is not None:
        plain["dense_head"] = _given(space.dense_head, plain["dense_head"])
    stages = [_given(stage, values) for stage, values in zip(space.stages, plain.pop("stages"), strict=True)]
    data = {**_given(space, plain), "stages": stages}
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    return lines + yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=110)


def _given(declared: Any, plain: dict[str, Any]) -> dict[str, Any]:
    """The fields in `plain` that are not at their defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(declared)}
    return {name: value for name, value in plain.items() if getattr(declared, name) != defaults[name]}


def _from_python(path: Path) -> SearchSpace:
    place = f"space={str(path)!r}"
    try:
        space = runpy.run_path(str(path)).get("space")
    except UserError as error:
        raise UserError(f"{place}{_line(error, path)}: {error}") from None
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
        raise UserError(f"{place}{_line(error, path)}: the file fails with {kind}: {error}") from None
    if not isinstance(space, SearchSpace):
        raise UserError(f"{place}: the file must set `space = SearchSpace(...)`, has {space!r}")
    return space


def _line(error: BaseException, path: Path) -> str:
    """Which line of the file an error comes from, where one does."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
