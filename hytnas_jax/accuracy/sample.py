"""The networks by which estimates are evaluated: spread evenly over what networks of the space cost."""

from collections.abc import Sequence

import numpy as np

from hytnas_jax.numbers import counted
from proxies.base import Estimator
from supernet.architecture import Architecture
from supernet.errors import UserError
from supernet.search_space import SearchSpace

DRAWS_PER_NETWORK = 100


def draw_over_cost(space: SearchSpace, cost: Estimator, *, count: int, seed: int) -> list[Architecture]:
    """`count` different networks, cheapest first: one drawn from each of `count` equal intervals of log cost.

    Uniform draws would be of middling cost almost all. The intervals lie between the cheapest and the
    dearest of `DRAWS_PER_NETWORK * count` uniform draws; one that no draw fell into is passed over, and what
    is then missing is drawn from the rest.

    Raises:
      UserError: the space has fewer networks.
    """
    rng = np.random.default_rng(seed)
    codes = np.unique(space.sample(rng, DRAWS_PER_NETWORK * count), axis=0)
    if len(codes) < count:
        raise UserError(
            f"--networks {count}: only "
            f"{counted(len(codes), 'different network was', 'different networks were')} drawn from the space "
            f"{space.name!r}; ask for at most as many"
        )
    pool = space.decode_all(codes)
    return spread_over_cost(pool, cost(pool), count, rng)


def spread_over_cost(
    pool: Sequence[Architecture], cost: np.ndarray, count: int, rng: np.random.Generator
) -> list[Architecture]:
    """`count` different ones of the pool, whose costs are given, as `draw_over_cost` says."""
    costs = np.log(cost)
    edges = np.linspace(costs.min(), costs.max(), count + 1)[1:-1]
    chosen = _one_of_each(np.digitize(costs, edges), rng)
    rest = np.setdiff1d(np.arange(len(pool)), chosen)
    chosen = np.concatenate([chosen, rng.choice(rest, count - len(chosen), replace=False)])
    return [pool[place] for place in chosen[np.argsort(costs[chosen], kind="stable")]]


def spread(networks: Sequence[Architecture], count: int) -> list[Architecture]:
    """`count` of the networks, evenly spread over their order."""
    places = np.linspace(0, len(networks) - 1, count).round().astype(int)
    return [networks[place] for place in np.unique(places)]


def _one_of_each(intervals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A place of each interval that occurs."""
    return np.array([rng.choice(np.flatnonzero(intervals == n)) for n in np.unique(intervals)], int)
