"""Which columns of a table are searched and which are traded off, as the flags name them."""

import dataclasses
from collections.abc import Sequence

from hytnas_jax.mobo.problem import Direction
from supernet.errors import UserError

DIRECTIONS: dict[str, Direction] = {"min": "min", "max": "max"}


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns that a study uses.

    features: what tells one configuration from another.
    objectives: name -> direction, two to four.
    categorical: the features that have no order even where they are numbers.
    known: the objectives whose value a search knows before it evaluates.
    """

    features: tuple[str, ...]
    objectives: dict[str, Direction]
    categorical: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


def parse_columns(
    *,
    features: Sequence[str],
    objectives: Sequence[str],
    categorical: Sequence[str] = (),
    known: Sequence[str] = (),
) -> Columns:
    """The columns from the values of the flags; each value may hold several names with commas between.

    Raises:
        UserError: an objective is not NAME:min or NAME:max, there are not two to four of them, a name
            stands there twice or in both roles, or --categorical or --known-objectives names another.
    """
    columns = Columns(
        features=_names("--features", features),
        objectives=_objectives(_names("--objectives", objectives)),
        categorical=tuple(sorted(_names("--categorical", categorical))),
        known=tuple(sorted(_names("--known-objectives", known))),
    )
    if not columns.features:
        raise UserError("--features: names no column; name at least one that tells configurations apart")
    for name in columns.objectives:
        if name in columns.features:
            raise UserError(
                f"--objectives {name}: is also one of the --features; a search would see what it is to find: "
                "leave it out of one of them"
            )
    _require_among("--categorical", columns.categorical, "--features", columns.features)
    _require_among("--known-objectives", columns.known, "--objectives", tuple(columns.objectives))
    if set(columns.known) == set(columns.objectives):
        raise UserError(
            f"--known-objectives {','.join(columns.known)}: are all of the --objectives, so that nothing is "
            "left to search for; leave out at least one that has to be evaluated"
        )
    return columns


def _names(flag: str, values: Sequence[str]) -> tuple[str, ...]:
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{flag}: {name!r} stands there {names.count(name)} times; name it once")
    return tuple(names)


def _objectives(declared: Sequence[str]) -> dict[str, Direction]:
    objectives: dict[str, Direction] = {}
    for text in declared:
        name, _, direction = text.rpartition(":")
        if not name or direction not in DIRECTIONS:
            raise UserError(
                f"--objectives {text}: must be NAME:min or NAME:max, e.g. accuracy:max,latency_ms:min"
            )
        if name in objectives:
            raise UserError(f"--objectives: {name!r} stands there twice; name it once")
        objectives[name] = DIRECTIONS[direction]
    if not 2 <= len(objectives) <= 4:
        raise UserError(
            f"--objectives {','.join(declared)}: there are {len(objectives)}; name two, three or four columns"
        )
    return objectives


def _require_among(flag: str, names: Sequence[str], of: str, allowed: Sequence[str]) -> None:
    for name in names:
        if name not in allowed:
            raise UserError(f"{flag} {name}: must be one of the {of}: {', '.join(allowed)}")
