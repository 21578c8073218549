"""An architecture as cells of a CSV row: its name, and the value of each of its genes."""

from collections.abc import Mapping, Sequence
from typing import Any

from hytnas_jax.files.tables import to_number
from supernet.architecture import Architecture
from supernet.search_space import SearchSpace


def columns(space: SearchSpace) -> tuple[str, ...]:
    """The titles of the cells."""
    return ("name", *(gene.name for gene in space.genes))


def to_cells(space: SearchSpace, architecture: Architecture) -> dict[str, object]:
    """The cells by title."""
    return {"name": architecture.name, **space.to_json(architecture)["genes"]}


def from_cells(space: SearchSpace, row: Mapping[str, str]) -> Architecture:
    """The inverse of `to_cells`. Raises ValueError naming the cell that does not fit."""
    code = []
    for gene in space.genes:
        place = _place(row[gene.name], gene.choices)
        if place is None:
            allowed = ", ".join(map(str, gene.choices))
            raise ValueError(f"{gene.name} is {row[gene.name]!r}, not one of {allowed}")
        code.append(place)
    architecture = space.decode(code)
    if not _is_named(row["name"], architecture.name):
        raise ValueError(
            f"name is {row['name']!r}, but these genes in space {space.name!r} are {architecture.name}"
        )
    return architecture


def _place(text: str, choices: Sequence[Any]) -> int | None:
    """Which of the choices a cell is, as a text or as a number ("2.0" is 2); None: none of them."""
    texts = [str(choice) for choice in choices]
    if text in texts:
        return texts.index(text)
    value = _value(text)
    return choices.index(value) if value is not None and value in choices else None


def _is_named(text: str, name: str) -> bool:
    """Whether a cell holds the name, or what a spreadsheet makes of one that is all digits, or digits around
    an "e": 00123456 becomes 123456, and 12345e67 becomes 1.23E+71. The genes say which network it is."""
    shown, value = _value(text), _value(name)
    if shown is None or value is None:
        return text == name
    return abs(shown - value) <= (0.005 if "e" in name else 0.0) * value


def _value(text: str) -> float | None:
    try:
        return to_number(text)
    except ValueError:
        return None
