"""Compiled programs do not grow unnoticed; `python tests/compiled_work.py --accept` accepts new figures."""

import copy
import json

import compiled_work
import jax
import pytest


@pytest.fixture(scope="module")
def accepted() -> dict:
    return json.loads(compiled_work.ACCEPTED.read_text())


def test_no_more_work_than_accepted(accepted: dict) -> None:
    if accepted["jax"] != jax.__version__:
        pytest.skip(f"counted with JAX {accepted['jax']}, this is {jax.__version__}: accept anew")
    if jax.default_backend() != "cpu":
        pytest.skip("counted for a CPU")
    measured = compiled_work.measure()
    assert compiled_work.excess(measured, accepted) == []


def test_a_jump_is_named(accepted: dict) -> None:
    grown = copy.deepcopy(accepted)
    program = next(iter(grown["programs"]))
    grown["programs"][program]["kernels"] *= 1.2
    grown["programs"][program]["bytes accessed"] *= 1.05
    (message,) = compiled_work.excess(grown, accepted)
    assert message.startswith(f"{program}: kernels is")
