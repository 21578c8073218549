"""What a search has evaluated, read back to choose networks from: its front first, then what is behind it.

Letters: N networks, M objectives, C costs.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from hytnas_jax.search.pareto_file import read_pareto
from hytnas_jax.shared_flags.objective_names import ERRORS, error_of
from hytnas_jax.workspace.project import Project
from supernet.architecture import Architecture

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Archive:
    """Networks within the limits, front after front; the first `front` of them are the Pareto front.

    names, directions: of the objectives. values, std: float64 [N, M], in the objectives' units, and how
    unsure they are (0 where that is not known).
    """

    names: tuple[str, ...]
    directions: tuple[str, ...]
    architectures: tuple[Architecture, ...]
    values: Floats
    std: Floats
    front: int

    def __len__(self) -> int:
        return len(self.architectures)

    @property
    def minimised(self) -> Floats:
        """`values` with those negated that are better the larger."""
        return self.values * [1.0 if direction == "min" else -1.0 for direction in self.directions]

    @property
    def error(self) -> int | None:
        """Which objective is the error rate, the one that says most where there are two; None without any."""
        name = error_of(self.names)
        return None if name is None else self.names.index(name)

    @property
    def costs(self) -> Floats:
        """[N, C], minimised: the objectives that are no errors."""
        return self.minimised[:, [name not in ERRORS for name in self.names]]

    def estimates(self, row: int) -> dict[str, float]:
        """A network's values by objective."""
        return dict(zip(self.names, self.values[row].tolist(), strict=True))


def load_archive(project: Project) -> Archive:
    """What the search of a work folder has left to choose from.

    Raises:
      UserError: the search has not ended, or an architecture is not of the project's space.
    """
    pareto = read_pareto(project.workdir.step("search"))
    names, entries = pareto.names, [*pareto.front, *pareto.behind]
    return Archive(
        names,
        tuple(objective.direction for objective in pareto.objectives),
        tuple(project.space.from_json(entry["architecture"]) for entry in entries),
        np.array([[entry["values"][name] for name in names] for entry in entries], np.float64),
        np.array([[entry["std"].get(name, 0.0) for name in names] for entry in entries], np.float64),
        len(pareto.front),
    )
