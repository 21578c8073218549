"""Which networks the reference accuracy is found for: all different, from the cheapest to the dearest,
evenly."""

import numpy as np
import pytest

from hytnas_jax.accuracy.sample import draw_over_cost, spread
from proxies.complexity import num_macs
from supernet.errors import UserError
from supernet.search_space import SearchSpace
from supernet.spaces import built_in_space
from supernet.stage_space import StageSpace

SPACE = built_in_space("hybrid").with_resolutions((48,))
COST = num_macs(lambda a: SPACE.network_spec(a, num_classes=2))


def test_costs_are_spread_evenly_in_their_logarithm() -> None:
    networks = draw_over_cost(SPACE, COST, count=12, seed=0)
    assert len(set(networks)) == 12
    costs = np.log(COST(networks))
    assert (np.diff(costs) >= 0).all()
    # Uniform draws have half of their log costs within 0.3 of the range; these have a third of them.
    middle = np.abs(costs - (costs[0] + costs[-1]) / 2) < 0.15 * (costs[-1] - costs[0])
    assert 2 <= middle.sum() <= 5


def test_the_draw_is_that_of_its_seed() -> None:
    first, again, other = (draw_over_cost(SPACE, COST, count=8, seed=seed) for seed in (0, 0, 1))
    assert first == again != other


def test_a_space_with_fewer_networks_is_refused() -> None:
    stage = StageSpace(stride=1, width=(4, 8))
    space = SearchSpace("two", (stage,), (8,), stem_width=4)
    cost = num_macs(lambda a: space.network_spec(a, num_classes=2))
    assert len(draw_over_cost(space, cost, count=2, seed=0)) == 2
    with pytest.raises(UserError, match="--networks 3: only 2 different networks"):
        draw_over_cost(space, cost, count=3, seed=0)


def test_the_repeated_are_spread_over_all() -> None:
    networks = draw_over_cost(SPACE, COST, count=9, seed=0)
    assert spread(networks, 3) == [networks[0], networks[4], networks[8]]
    assert spread(networks, 0) == []
