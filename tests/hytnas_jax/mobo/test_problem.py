"""Signs, limits and identities of architectures."""

import numpy as np
import pytest

from hytnas_jax.mobo import Limit, Objective, Observations
from hytnas_jax.mobo.problem import unseen
from supernet.errors import UserError
from supernet.row_keys import row_keys

from .problems import cost, evaluate, switched, two_objectives


def test_everything_is_minimised_inside():
    problem = two_objectives()
    values = np.array([[60.0, 5.0]])
    assert problem.minimised(values).tolist() == [[-60.0, 5.0]]
    assert problem.in_user_units(problem.minimised(values)).tolist() == values.tolist()


def test_limits():
    problem = two_objectives(limits=(Limit("cost", 3.0, cost),))
    genes = np.zeros((3, 8), int)
    genes[1, 2], genes[2, 2:4] = 3, 3
    assert problem.feasible(genes).tolist() == [True, True, False]
    assert problem.excess(problem.limit_values(genes))[2, 0] == 1.0
    broken = two_objectives(limits=(Limit("cost", 3.0, lambda g: np.full(len(g), np.nan)),))
    assert not broken.feasible(genes).any()
    assert two_objectives().feasible(genes).all()


def test_failed_evaluations():
    values = np.array([[1.0, 2.0], [np.nan, 2.0], [1.0, np.inf]])
    assert Observations(np.zeros((3, 8), int), values).succeeded.tolist() == [True, False, False]
    with pytest.raises(ValueError, match=r"expected \[N, G\]"):
        Observations(np.zeros((2, 8), int), values)


def test_unseen_takes_the_first_of_equals():
    genes = np.array([[1, 2], [3, 4], [1, 2], [5, 6]])
    assert unseen(genes, row_keys(np.array([[3, 4]], np.int32))).tolist() == [0, 3]


def test_mistakes_are_the_users():
    with pytest.raises(UserError, match=r"direction='up' of objective 'x'"):
        Objective("x", "up")
    quality = Objective("quality", "max")
    with pytest.raises(UserError, match="two to four"):
        switched(np.array([2, 2]), [quality])
    with pytest.raises(UserError, match="named once"):
        switched(np.array([2, 2]), [quality, quality])
    with pytest.raises(UserError, match="at least 1"):
        switched(np.array([2, 0]), [quality, Objective("cost", "min")])


def test_evaluate_of_the_tests_agrees_with_its_parts():
    genes = np.zeros((1, 8), int)
    assert evaluate(genes).tolist() == [[50.0, 0.0]]
