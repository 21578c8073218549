"""A search space by its name, or from a user's Python or YAML file."""

import runpy
from pathlib import Path

import yaml

from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space, space_from_mapping


def load_space(name_or_file: str) -> SearchSpace:
    """The built-in space of that name, or the one a file declares.

    A Python file sets `space = SearchSpace(...)`; a YAML file holds the fields of `SearchSpace`.

    Raises:
      UserError: unknown name, missing file, a file that does not declare a possible space.
    """
    path = Path(name_or_file)
    if path.suffix not in (".py", ".yaml", ".yml"):
        return built_in_space(name_or_file)
    if not path.is_file():
        raise UserError(f"space={name_or_file!r}: there is no such file")
    if path.suffix == ".py":
        return _from_python(path)
    try:
        data = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"space={name_or_file!r}: not readable as YAML: {error}") from None
    return space_from_mapping(data)


def _from_python(path: Path) -> SearchSpace:
    try:
        space = runpy.run_path(str(path)).get("space")
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"space={str(path)!r}: the file fails with {type(error).__name__}: {error}") from None
    if not isinstance(space, SearchSpace):
        raise UserError(f"space={str(path)!r}: the file must set `space = SearchSpace(...)`, has {space!r}")
    return space
