"""The strategies of a study by name: random search, NSGA-II, and every combination of what was asked for."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hytnas_jax.mobo import Settings
from hytnas_jax.mobo.acquisitions import ACQUISITIONS
from hytnas_jax.mobo.selections import SELECTIONS
from hytnas_jax.mobo.surrogates import SURROGATES
from hytnas_jax.study_search.searchers import Propose, at_random, bayesian
from hytnas_jax.study_search.table import Table
from hytnas_jax.study_search.table_nsga2 import TableNsga2
from supernet.errors import UserError

RANDOM, NSGA2, DEFAULT = "random", "nsga2", "default"


@dataclasses.dataclass(frozen=True)
class Strategy:
    """A search under its name; `start(table, seed)` begins one. It can be sent to another process."""

    name: str
    start: Callable[[Table, int], Propose]


def make_strategies(
    *,
    surrogates: Sequence[str],
    acquisitions: Sequence[str],
    selections: Sequence[str],
    batches: Sequence[int],
) -> tuple[Strategy, ...]:
    """Random search, NSGA-II and surrogate x acquisition x selection x batch, in this order.

    The name is e.g. "gp+ucb+hvi", with "/4" behind it for a batch of 4. Without a surrogate it is
    "default", the search's own settings; with one, an acquisition or selection that is not named is the
    default one.

    Raises:
        UserError: a name that there is not, no batch or one below 1, or an acquisition or selection without
            a surrogate.
    """
    given = {"surrogate": surrogates, "acquisition": acquisitions, "selection": selections}
    registries: dict[str, Mapping[str, Any]] = {
        "surrogate": SURROGATES,
        "acquisition": ACQUISITIONS,
        "selection": SELECTIONS,
    }
    for field, registry in registries.items():
        for name in given[field]:
            if name not in registry:
                raise UserError(f"--{field} {name}: choose among {', '.join(registry)}")
        if given[field] and not surrogates:
            raise UserError(
                f"--{field} {' '.join(given[field])}: needs --surrogate too (one or several of "
                f"{', '.join(SURROGATES)}); without all three the search's default settings are studied"
            )
    if not batches or min(batches) < 1:
        raise UserError(f"--batch {' '.join(map(str, batches)) or '(nothing)'}: give numbers of at least 1")
    bayesian_ones = [
        Strategy(
            name if batch == 1 else f"{name}/{batch}",
            functools.partial(bayesian, settings=settings, batch=batch),
        )
        for (name, settings), batch in itertools.product(
            _named_settings(surrogates, acquisitions, selections), dict.fromkeys(batches)
        )
    ]
    return (Strategy(RANDOM, at_random), Strategy(NSGA2, TableNsga2), *bayesian_ones)


def _named_settings(
    surrogates: Sequence[str], acquisitions: Sequence[str], selections: Sequence[str]
) -> list[tuple[str, Settings]]:
    default = Settings()
    if not surrogates:
        return [(DEFAULT, default)]
    combinations = itertools.product(
        dict.fromkeys(surrogates),
        dict.fromkeys(acquisitions or (default.acquisition,)),
        dict.fromkeys(selections or (default.selection,)),
    )
    return [
        (
            f"{surrogate}+{acquisition}+{selection}",
            Settings(surrogate=surrogate, acquisition=acquisition, selection=selection),
        )
        for surrogate, acquisition, selection in combinations
    ]
