"""A main job compiles no more programs than accepted: `python tests/main_job_programs.py --accept`."""

import copy
import json
from pathlib import Path

import jax
import main_job_programs
import pytest


@pytest.fixture(scope="module")
def accepted() -> dict:
    return json.loads(main_job_programs.ACCEPTED.read_text())


def test_no_more_than_accepted(example_folder: Path, accepted: dict) -> None:
    if accepted["jax"] != jax.__version__:
        pytest.skip(f"counted with JAX {accepted['jax']}, this is {jax.__version__}: accept anew")
    if jax.default_backend() != "cpu":
        pytest.skip("counted for a CPU")
    measured = main_job_programs.measure(example_folder / "dumps")
    assert measured["train"]["kernels"] > 0
    assert main_job_programs.excess(measured, accepted["programs"]) == []


def test_a_new_program_and_a_jump_are_named(accepted: dict) -> None:
    grown = copy.deepcopy(accepted["programs"])
    grown["another"] = {"programs": 1, "kernels": 1}
    grown["train"]["kernels"] *= 2
    messages = main_job_programs.excess(grown, accepted["programs"])
    assert messages[0] == "another: a new program"
    assert [message.split(" is ")[0] for message in messages] == ["another: a new program", "train: kernels"]
