"""An architecture as cells of a CSV row: its name, and the value of each of its genes."""

from collections.abc import Mapping

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
        texts = [str(choice) for choice in gene.choices]
        if row[gene.name] not in texts:
            raise ValueError(f"{gene.name} is {row[gene.name]!r}, not one of {', '.join(texts)}")
        code.append(texts.index(row[gene.name]))
    architecture = space.decode(code)
    if row["name"] != architecture.name:
        raise ValueError(
            f"name is {row['name']!r}, but these genes in space {space.name!r} are {architecture.name}"
        )
    return architecture
